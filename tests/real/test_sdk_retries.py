"""What each published SDK tries again by itself, measured: an adapter declares that, no more and no less."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

import pytest

from psp_harness import faults
from psp_harness.model import Answer, Request, Strike
from psp_harness.subjects.sdks import USES, Use
from psp_harness.wire.server import Server
from real.sdks import MARKS, connected

pytestmark = [*MARKS, pytest.mark.slow]

PAYMENT = {"order_id": "order-7", "amount": 6540, "currency": "EUR", "key": "order-7-of-shop"}
NO = b'{"error": {"type": "invalid_state", "message": "no", "errors": []}, "status": 400, "detail": "no"}'
"""A refusal that each of them can read."""


def answer(status: int, kind: bytes = b"application/json", body: bytes = NO) -> Answer:
    """What the PSP, or something before it, says."""
    return Answer(status, ((b"Content-Type", kind),), body)


EVENTS: Mapping[str, Answer] = {
    "lost": answer(200),
    "malformed": answer(400, b"text/html", b"<html>"),
    **{str(status): answer(status) for status in (402, 408, 409, 422, 425, 429)},
    **{f"5xx {status}": answer(status) for status in (500, 502, 503, 504)},
}
"""What every attempt meets, behind the word with which an adapter declares that it tries again then."""


async def attempts(use: Use, event: str) -> int:
    """How often one payment is sent where every attempt meets the same."""
    strikes = (Strike("response-lost", 1),) if event == "lost" else ()

    async def answered(_: Request) -> Answer:
        return EVENTS[event]

    async with Server(answered, lambda _: (1, "create-payment"), strikes, patience=30) as server:
        sdk = connected(use, server.base_url)
        with suppress(Exception):  # whatever it tells in the end
            await asyncio.to_thread(sdk.pay, PAYMENT)
    return len(server.exchanges)


@pytest.mark.parametrize("use", USES, ids=lambda use: use.address)
async def test_it_tries_again_as_its_adapter_declares(use: Use) -> None:
    """On each event that is declared the whole number of times, and on any other never."""
    faults.load()
    declared = connected(use, "http://127.0.0.1:9").retries
    counted = await asyncio.gather(*(attempts(use, event) for event in EVENTS))
    again = {event: declared.max if event.partition(" ")[0] in declared.on else 0 for event in EVENTS}
    assert dict(zip(EVENTS, counted, strict=True)) == {event: 1 + times for event, times in again.items()}
