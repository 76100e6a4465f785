"""What every table of a profile is made of: facts are values, as they stand in the file."""

from __future__ import annotations

import msgspec


class Facts(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True, omit_defaults=True):
    """Facts are values: frozen, their names written with hyphens, unknown ones refused."""
