"""Verdicts, histories and reports made by hand: a payment whose first answer was lost, and that was made twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from psp_harness.model import (
    Answer,
    Claims,
    Done,
    Effect,
    Exchange,
    History,
    Intent,
    Known,
    Level,
    Problem,
    Report,
    Request,
    Result,
    Role,
    Verdict,
    Violated,
)

RUN = "a1b2c3d4"
CASE = "payment-answer-lost-once"
RULE = "one-key-has-one-effect"
PROBLEM = Problem("one key made two payments", (1, 2))
VIOLATED = Violated(1, (PROBLEM,))
KNOWN = Known(1, (PROBLEM,), "the PSP does not read the key")


def verdict(
    result: Result, *, rule: str = RULE, case: str = CASE, level: Level = Level.MUST, role: Role = Role.PROVIDER
) -> Verdict:
    """A verdict of profile `generic`."""
    return Verdict(role, "generic", case, rule, level, result)


def request(key: bytes | None = f"{RUN}-payment".encode(), headers: Mapping[str, str] = {}) -> Request:
    """A POST of a payment of 6540 minor units."""
    lines = [(name.encode(), value.encode()) for name, value in headers.items()]
    keys = [] if key is None else [(b"Idempotency-Key", key)]
    return Request("POST", "/payments", (*keys, *lines), b'{"amount":6540,"currency":"EUR"}')


def raw(asked: Request) -> bytes:
    """The request as it came off the socket."""
    head = b"".join(name + b": " + value + b"\r\n" for name, value in asked.headers)
    return f"{asked.method} {asked.target} HTTP/1.1\r\n".encode() + head + b"\r\n" + asked.body


def exchange(number: int, asked: Request, *, lost: bool = False) -> Exchange:
    """An exchange in which the PSP answers 201; `lost`: and its sender never sees it."""
    answer = Answer(201, ((b"content-type", b"application/json"),), f'{{"id":"pay_{number}"}}'.encode())
    seen, fault = (None, "response-lost") if lost else (answer, None)
    received = b"" if lost else b"HTTP/1.1 201 Created\r\n\r\n" + answer.body
    began = number / 100
    return Exchange(number, 1, "create-payment", asked, raw(asked), answer, received, seen, fault, began, began + 0.005)


def history(*exchanges: Exchange, case: str = CASE, notes: tuple[str, ...] = ()) -> History:
    """A case in which the payment was made once for each exchange."""
    intent = Intent(1, "payment", "create-payment", 1, amount=6540, key=f"{RUN}-payment".encode())
    effects = tuple(Effect("payment", f"pay_{one.number}", 6540, "EUR") for one in exchanges)
    return History(case, (intent,), {1: Done({"payment_id": "pay_2"})}, exchanges, effects, Claims("shop"), notes)


def lost_and_again() -> History:
    """Two requests with one key; the first answer was lost."""
    return history(exchange(1, request(), lost=True), exchange(2, request()))


def report(
    verdicts: Iterable[Verdict] = (),
    *,
    histories: Mapping[str, History] | None = None,
    stale: tuple[str, ...] = (),
    gate: str | None = None,
    strict: bool = False,
    address: str = "reference:provider",
    secrets: tuple[str, ...] = (),
) -> Report:
    """A run that took 1.25 s on a day in November."""
    return Report(
        run=RUN,
        started=datetime(2026, 11, 22, 10, 5, 33, 123456, tzinfo=UTC),
        seconds=1.25,
        role=Role.PROVIDER,
        subject=Claims("my gateway", "1.2"),
        address=address,
        profile="generic",
        gate=gate,
        strict=strict,
        verdicts=tuple(verdicts),
        histories={CASE: lost_and_again()} if histories is None else histories,
        stale=stale,
        secrets=secrets,
    )
