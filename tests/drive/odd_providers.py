"""Providers that are right and answer in an unusual way; and what they say of what they did, right and wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict

from psp_harness.miniatures.faulty_providers import NoDedupe
from psp_harness.miniatures.providers import CarefulGateway, answered
from psp_harness.model import Answer, Effect, Request
from wire.sockets import listening

Render = Callable[[Answer], bytes]


def plain(answer: Answer) -> bytes:
    """As everybody does."""
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (answer.status, len(answer.body), answer.body)


def chunked(answer: Answer) -> bytes:
    """In chunks, with header names in lower case."""
    parts = [answer.body[start : start + 9] for start in range(0, len(answer.body), 9)]
    body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    return b"HTTP/1.1 %d\r\ntransfer-encoding: chunked\r\n\r\n%b0\r\n\r\n" % (answer.status, body)


def until_the_end(answer: Answer) -> bytes:
    """In HTTP/1.0, without a length: the end of the connection is the end of the answer."""
    return b"HTTP/1.0 %d X\r\n\r\n%b" % (answer.status, answer.body)


def after_hints(answer: Answer) -> bytes:
    """After an answer that is none yet."""
    return b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + plain(answer)


def accepted(answer: Answer) -> bytes:
    """With 202 instead of 201."""
    return plain(Answer(202 if answer.status == 201 else answer.status, (), answer.body))


RENDERS: Mapping[str, Render] = {
    "chunked, in lower case": chunked,
    "HTTP/1.0 without a length": until_the_end,
    "after 103": after_hints,
    "202": accepted,
}


def served(
    gateway: CarefulGateway, render: Render = plain, *, seconds: float = 0.0, pieces: int = 1
) -> AbstractAsyncContextManager[str]:
    """A gateway on a socket, its answers rendered, late, and in so many pieces."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await request_from(reader)
        answer = render(await gateway.answer(request))
        await asyncio.sleep(seconds)
        size = -(-len(answer) // pieces)
        for start in range(0, len(answer), size):
            writer.write(answer[start : start + size])
            await writer.drain()
            await asyncio.sleep(0)

    return listening(handle)


async def request_from(reader: asyncio.StreamReader) -> Request:
    """The next request of a connection; half a one is the end of it."""
    try:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
        method, target, _ = first.decode().split(" ")
        pairs = (line.partition(b":") for line in lines if line)
        headers = tuple((name, value.strip(b" \t")) for name, _, value in pairs)
        request = Request(method, target, headers, b"")
        length = request.lines("Content-Length")
        return Request(method, target, headers, await reader.readexactly(int(length[0])) if length else b"")
    except asyncio.IncompleteReadError:
        raise ConnectionResetError from None


# --- what it says that it did -----------------------------------------------------------------------------------------


class Says(CarefulGateway):
    """Says in its own way what it did."""

    async def answer(self, request: Request) -> Answer:
        if request.target == "/effects":
            return answered(200, {"effects": [self.row(effect) for effect in self.shown()]})
        return await super().answer(request)

    def shown(self) -> list[Effect]:
        return list(self.moved.values())

    def row(self, effect: Effect) -> dict[str, object]:
        return asdict(effect)


class SaysNoReference(Says):
    """Names nothing but kind, id, amount and payment."""

    def row(self, effect: Effect) -> dict[str, object]:
        kept = {"kind", "id", "amount", "payment_id"}
        return {name: value for name, value in super().row(effect).items() if name in kept}


class SaysAReferenceOfItsOwn(Says):
    """Has a reference of its own for each movement, which is not the shop's."""

    def row(self, effect: Effect) -> dict[str, object]:
        return {**super().row(effect), "reference": f"GW-2026-{effect.id[-6:]}"}


class SaysMore(Says):
    """Names what happened before, and movements of other kinds."""

    def shown(self) -> list[Effect]:
        return [Effect("payment", "old", 1010, "EUR"), Effect("payout", "po_1", 5, "EUR"), *super().shown()]


RIGHT = (SaysNoReference, SaysAReferenceOfItsOwn, SaysMore)


class SaysNothing(Says, NoDedupe):
    """Has done nothing, if one asks it."""

    def shown(self) -> list[Effect]:
        return []


class SaysNoRefunds(Says, NoDedupe):
    """Names its payments alone."""

    def shown(self) -> list[Effect]:
        return [effect for effect in super().shown() if effect.kind == "payment"]


class SaysMajorUnits(Says, NoDedupe):
    """Counts in euros what was asked in cents."""

    def row(self, effect: Effect) -> dict[str, object]:
        return {**super().row(effect), "id": f"row-{effect.id}", "amount": effect.amount // 100}


class SaysChargesInstead(Says, NoDedupe):
    """Has another word for payments, and ids of its own."""

    def row(self, effect: Effect) -> dict[str, object]:
        return {**super().row(effect), "kind": "charge", "id": f"row-{effect.id}"}


BLIND = (SaysNothing, SaysNoRefunds, SaysMajorUnits, SaysChargesInstead)


class ListsNothing(NoDedupe):
    """Has list routes, and they are empty whatever happened."""

    async def answer(self, request: Request) -> Answer:
        listed = request.method == "GET" and request.target in {"/payments", "/refunds"}
        return answered(200, {"data": []}) if listed else await super().answer(request)


class ChargesTwiceUnderItsOwnReference(SaysAReferenceOfItsOwn, NoDedupe):
    """Executes every duplicate, and names it under a reference of its own."""
