"""Card numbers in a text: 13 to 19 digits that pass the Luhn check, in one piece or in groups.

The check lets one number in ten through, so what is certainly something else is left alone: a part of a longer word
(`pay_4242…`), a UUID, a fraction, and a time since 1970 in milli-, micro- or nanoseconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

CARD = "[card number]"

_SEPARATOR = r"(?: |-|\+|%20)"
_BEGINS = r"(?:(?<![A-Za-z0-9_%])(?<![0-9]\.)|(?<=%[0-9A-Fa-f]{2})|(?<=\\[nrt]))"
"""Not within a word; what a form or a string escapes just before it is no part of it."""
_UUID = r"(?i:\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b)"
_NUMBER = re.compile(
    rf"{_UUID}|{_BEGINS}(?P<groups>[0-9]{{3,10}}(?P<sep>{_SEPARATOR})[0-9]+(?:(?P=sep)[0-9]+)*|[0-9]{{13,19}})"
    r"(?![A-Za-z0-9_]|\.[0-9])"
)
_ISSUED = re.compile(r"1[0-9]{14}|2[2-7][0-9]+|[3-9][0-9]+")
"""How a number can begin (ISO/IEC 7812; 1 is airlines alone): clocks count in 13, 16 and 19 digits from 1 to 21."""
_SHORTEST, _LONGEST, _SHORTEST_GROUP = 13, 19, 3


def without_cards(text: str) -> str:
    """The text with `[card number]` in the place of each."""
    return _NUMBER.sub(_without, text)


def _without(found: re.Match[str]) -> str:
    if not found["groups"]:
        return found[0]  # a UUID
    separator = found["sep"] or " "
    return separator.join(_without_windows(found["groups"].split(separator)))


def _without_windows(groups: Sequence[str]) -> Iterator[str]:
    """The groups, with each run of them that is a card in one; from the left, the longest run first."""
    first = 0
    while first < len(groups):
        lasts = range(min(first + _LONGEST, len(groups)), first, -1)
        last = next((last for last in lasts if _is_card(groups[first:last])), None)
        yield CARD if last else groups[first]
        first = last or first + 1


def _is_card(groups: Sequence[str]) -> bool:
    digits = "".join(groups)
    in_groups = all(len(group) >= _SHORTEST_GROUP for group in groups[:-1])
    of_a_length = _SHORTEST <= len(digits) <= _LONGEST
    return in_groups and of_a_length and bool(_ISSUED.fullmatch(digits)) and _passes_luhn(digits)


def _passes_luhn(digits: str) -> bool:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0
