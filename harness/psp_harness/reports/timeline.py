r"""Exchanges as a picture: what was sent, with its key and amount, and what its sender got back.

      1    0.012 s  -> POST /v1/payment_intents  amount 6540  key order-RUN-1
           0.015 s  <- answer lost: response-lost (the PSP had answered 200)

An arrow to the right is a request, one to the left is what its sender saw of the answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from psp_harness.model import Exchange, History, Request
from psp_harness.profile import Profile, keys_of, operation_of
from psp_harness.vocabulary import FORGERIES

_LONGEST_KEY = 48


def timeline(history: History, numbers: Collection[int], profile: Profile) -> Iterator[str]:
    """Two lines for each exchange with one of these numbers, in the order in which they began."""
    for exchange in sorted(history.exchanges, key=lambda one: one.began):
        if exchange.number in numbers:
            asked = _told(exchange, history) or _asked(exchange.request, profile)
            yield f"{exchange.number:>4}  {exchange.began:>7.3f} s  -> {asked}"
            yield f"{'':>4}  {exchange.ended:>7.3f} s  <- {_came_back(exchange)}"


def _told(exchange: Exchange, history: History) -> str:
    """A webhook: what it tells, of which order, and what is wrong with it."""
    told = next((i.delivery for i in history.intents if i.step == exchange.step), None)
    if told is None or exchange.request is None:
        return ""
    wrong = f"  but {FORGERIES[told.forged]}" if told.forged else ""
    says = f"{told.event} of {told.amount} {told.currency} for {told.order.id}"
    return f"{exchange.request.method} {exchange.request.target}  {says}{wrong}"


def _asked(request: Request | None, profile: Profile) -> str:
    if request is None:
        return "(not a whole HTTP request)"
    found = operation_of(profile, request)
    amount = found[1].get("amount") if found else None
    parts = [
        f"{request.method} {request.target}",
        "" if amount is None else f"amount {amount}",
        _keys(request, profile),
    ]
    return "  ".join(part for part in parts if part)


def _keys(request: Request, profile: Profile) -> str:
    """The idempotency keys of a request that moves money; a GET needs none."""
    if profile.key is None or request.method == "GET":
        return ""
    keys = [_key(key) for key in keys_of(profile, request)]
    return " and ".join([f"key {keys[0]}", *(f"key {key}" for key in keys[1:])]) if keys else "no key"


def _key(key: bytes) -> str:
    """As text where that shows every byte, as Python writes bytes where it does not; a long one is cut."""
    plain = key.decode("latin-1")
    shown = plain if key and plain.isascii() and plain.isprintable() and plain == plain.strip() else repr(key)
    return shown if len(shown) <= _LONGEST_KEY else f"{shown[: _LONGEST_KEY - 3]}..."


def _came_back(exchange: Exchange) -> str:
    fault = f": {exchange.fault}" if exchange.fault else ""
    if exchange.seen is not None:
        return f"{exchange.seen.status}" + (f" (fault{fault})" if fault else "")
    had = f" (the PSP had answered {exchange.answer.status})" if exchange.answer else ""
    if exchange.received:
        return f"answer truncated{fault}{had}"
    return f"answer lost{fault}{had}" if exchange.answer else f"no answer{fault}"
