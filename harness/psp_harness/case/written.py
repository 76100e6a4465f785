"""What every table of a case file is made of."""

from __future__ import annotations

import msgspec


class Written(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """As it stands in the file: names with hyphens, unknown ones refused."""
