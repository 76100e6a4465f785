"""What the shop refuses by itself, before the PSP is asked; and what it cannot make sense of, after."""

from __future__ import annotations

from psp_harness.reference.client_errors import PaymentError

NOT_JUDGED = frozenset({401, 403, 429})
"""Statuses of a PSP that say nothing of what was asked for: not now, or not with this credential."""


class Refused(Exception):
    """The shop said no. The PSP was not asked."""


class Invalid(Refused, ValueError):
    """What was asked for cannot be."""


class NotFound(Refused):
    """There is no such thing."""


class WrongState(Refused):
    """It is not possible in this state."""

    def __init__(self, what: str, status: str) -> None:
        super().__init__(f"{what} is {status}")
        self.status = status


class Conflict(Refused):
    """The same was submitted before, with another content."""


class Mismatch(PaymentError):
    """What the PSP has under an id of the shop's is not what the shop asked for: somebody must look at it."""

    outcome_known = False

    def __init__(self, name: str, theirs: str, ours: str) -> None:
        super().__init__(f"of {name!r} the PSP says {theirs}, and the shop knows {ours}; look at both")


class TooMuch(Refused):
    """More than is left of what was captured."""


def expect_amount(value: object) -> int:
    """A positive integer of minor units; raises `Invalid`."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    raise Invalid(f"amount {value!r}: expected a positive integer; pass minor units")


def expect_word(name: str, value: object) -> str:
    """A text that is not empty; raises `Invalid`."""
    if isinstance(value, str) and value.strip():
        return value
    raise Invalid(f"{name} {value!r}: expected a text that is not empty")
