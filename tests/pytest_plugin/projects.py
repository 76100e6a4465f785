"""What every project of these tests has in its settings: other plugins, and no files left behind, are not their subject."""

from __future__ import annotations

INI = "[pytest]\naddopts = -p no:asyncio -p no:cacheprovider -p no:hypothesispytest -p no:pact\n"
