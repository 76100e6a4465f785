"""What the reference client raises. Each error carries one bit: whether it is known what became of the request.

    PaymentError
     ├─ NotSent                    known: nothing went on the wire
     │   ├─ InvalidIdempotencyKey  (a ValueError)
     │   ├─ InvalidAmount          (a ValueError)
     │   ├─ InvalidId              (a ValueError)
     │   └─ Unreachable            no connection came about
     ├─ Rejected                   known: the PSP said no, and this request did nothing
     │   ├─ Duplicate              an earlier request took this id: read what it made
     │   └─ RateLimited            not now: send it again later, with the same key
     ├─ Declined                   known: the PSP tried, and no money moved
     └─ OutcomeUnknown             money may have moved: read it, or send it again with the same key

The bit speaks of one request alone. Where an earlier request with the same key ended as `OutcomeUnknown`, a later
`Rejected` does not say what that one did.
"""

from __future__ import annotations

from typing import ClassVar


class PaymentError(Exception):
    """A call that did not work."""

    outcome_known: ClassVar[bool] = True
    """False: money may have moved."""


class NotSent(PaymentError):
    """Nothing went on the wire."""


class InvalidIdempotencyKey(NotSent, ValueError):
    """The key is missing, or cannot be both a header's value and a payment's id."""


class InvalidAmount(NotSent, ValueError):
    """The amount is no positive integer in minor units."""


class InvalidId(NotSent, ValueError):
    """The id of a payment or a refund cannot be one."""


class Unreachable(NotSent):
    """No connection to the PSP came about."""


class Rejected(PaymentError):
    """The PSP answered 4xx: it said no, and this request did nothing.

    Code IR_13 (more than is left to refund) needs care when a refund is sent for the second time: Hyperswitch checks
    the amount before it looks for the duplicate, so the repeat of a refund that did happen is answered IR_13, not
    HE_01 (crates/router/src/core/refunds.rs:1350-1361 before :1423, release 2026.06.25.0). Read the refund first.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, code, message)
        self.status = status
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"the PSP refused with {self.status} {self.code or 'and no code'}: {self.message!r}"


class Duplicate(Rejected):
    """HE_01: an earlier request took this id. `get_payment(key)` or `get_refund(key)` reads what it made."""


class RateLimited(Rejected):
    """429: not executed. The key is not used up: send the same request later, with the same key.

    Hyperswitch documents 429 for its rate limit and for a resource that is busy, which may be an earlier request with
    this key that is still in flight (api-reference/essentials/rate_limit.mdx).
    """

    def __init__(self, status: int, code: str, message: str, retry_after_seconds: int | None) -> None:
        super().__init__(status, code, message)
        self.args = (status, code, message, retry_after_seconds)
        self.retry_after_seconds = retry_after_seconds


class Declined(PaymentError):
    """The PSP tried, or blocked it by its rules, and no money moved."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"declined with {self.code or 'no code'}: {self.message!r}"


class OutcomeUnknown(PaymentError):
    """Nobody here can say whether money moved: no answer, half an answer, or one that does not tell."""

    outcome_known = False

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.problem}; read it with get_payment or get_refund, or send it again with the same key"
