"""Amounts between minor units and the decimal text that some PSPs write: exact, and never through a float.

How many decimals a currency has is a fact of ISO 4217: two, but for those that stand here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_NONE = (
    *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"),
    *("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
)
_THREE = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
_FOUR = ("CLF", "UYW")

DECIMALS: Final[Mapping[str, int]] = {
    **dict.fromkeys(_NONE, 0),
    **dict.fromkeys(_THREE, 3),
    **dict.fromkeys(_FOUR, 4),
}
_USUAL: Final = 2

_DECIMAL = re.compile(r"(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?")


def as_decimal(amount: int, currency: str) -> str:
    """1050 EUR is `10.50`, 1050 JPY is `1050`, -5 KWD is `-0.005`."""
    decimals = DECIMALS.get(currency, _USUAL)
    digits = str(abs(amount)).rjust(decimals + 1, "0")
    whole, fraction = digits[: len(digits) - decimals], digits[len(digits) - decimals :]
    return f"{'-' if amount < 0 else ''}{whole}{'.' if fraction else ''}{fraction}"


def from_decimal(text: object, currency: object) -> int | None:
    """The amount in minor units; None for what is no text with exactly the decimals of its currency."""
    found = _DECIMAL.fullmatch(text) if isinstance(text, str) else None
    if found is None or not isinstance(currency, str):
        return None
    sign, whole, fraction = found[1], found[2], found[3] or ""
    if len(fraction) != DECIMALS.get(currency, _USUAL):
        return None
    return int(f"{sign}{whole}{fraction}")
