"""Where the contract files are: beside this module when installed, at the top of the tree in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGED = Path(__file__).parent / "contracts"
ROOT = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).parents[2] / "contracts"

CASES = ROOT / "cases"
SCHEMAS = ROOT / "schemas"
