"""Correct providers in profile `generic` that go about it in another way: what the contract leaves open, all pass."""

from __future__ import annotations

import asyncio
import json

from psp_harness.miniatures.asgi import Receive, Scope, Send, request_of, send_answer, until_gone
from psp_harness.miniatures.declaration import miniature
from psp_harness.miniatures.providers import Asked, CarefulGateway, answered, refused
from psp_harness.model import Answer, Request, Role

# --- currencies ----------------------------------------------------------------------------------------------------


@miniature("takes-euros-alone", role=Role.PROVIDER)
class TakesEurosAlone(CarefulGateway):
    """Refuses a payment in any other currency than its own, before anything happens."""

    def refusal(self, asked: Asked) -> Answer | None:
        foreign = asked.kind == "payment" and asked.of != "EUR"
        return refused(422, "we take euros", "currency_not_supported") if foreign else super().refusal(asked)


# --- duplicates ----------------------------------------------------------------------------------------------------


@miniature("waits-in-flight", role=Role.PROVIDER)
class WaitsInFlight(CarefulGateway):
    """Lets a duplicate wait up to 5 s for the first request, and gives it the first answer."""

    async def claim(self, asked: Asked) -> Answer | None:
        """If the first request is refused, its key is free, and the one that waited takes its place."""
        for _ in range(1000):
            duplicate = await super().claim(asked)
            if duplicate is not self.in_flight:
                return duplicate
            await asyncio.sleep(0.005)
        return self.in_flight


@miniature("one-at-a-time", role=Role.PROVIDER)
class OneAtATime(CarefulGateway):
    """Serves all requests one after the other, so that nothing is ever in flight together."""

    slow = 0.002

    def __init__(self) -> None:
        super().__init__()
        self.turn = asyncio.Lock()

    async def create(self, asked: Asked) -> Answer:
        async with self.turn:
            return await super().create(asked)


@miniature("conflict-while-in-flight", role=Role.PROVIDER)
class ConflictWhileInFlight(CarefulGateway):
    """Answers 409 to whatever comes under a key in flight, another body too, and asks to come back in a second."""

    in_flight = Answer(409, ((b"retry-after", b"1"),), refused(409, "come back in a second").body)

    async def claim(self, asked: Asked) -> Answer | None:
        kept = self.living(asked)
        return self.in_flight if kept and not kept.answer else await super().claim(asked)


@miniature("stores-text", role=Role.PROVIDER)
class StoresText(CarefulGateway):
    """Stores the first answer as text, and replays it byte for byte, without a header that says so."""

    def replay(self, first: Answer) -> Answer:
        return first


@miniature("stops-with-its-sender", role=Role.PROVIDER)
class StopsWithItsSender(CarefulGateway):
    """Stops its work when the sender of a request is gone, before anything happened, and frees the key."""

    slow = 0.5

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = await request_of(scope, receive) if scope["type"] == "http" else None
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
        elif request is not None:
            work, gone = asyncio.ensure_future(self.answer(request)), asyncio.ensure_future(until_gone(receive))
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                await send_answer(send, work.result())
            for task in (work, gone):
                task.cancel()
            await asyncio.gather(work, gone, return_exceptions=True)


# --- the shape of answers ------------------------------------------------------------------------------------------


@miniature("answers-in-pieces", role=Role.PROVIDER)
class AnswersInPieces(CarefulGateway):
    """Sends its answers in chunks, under header names in capitals, and with white space in the JSON."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = await request_of(scope, receive) if scope["type"] == "http" else None
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
        elif request is not None:
            answer = await self.answer(request)
            await send(
                {
                    "type": "http.response.start",
                    "status": answer.status,
                    "headers": [(b"CONTENT-TYPE", b"application/json")],
                }
            )
            body = json.dumps(json.loads(answer.body), indent=2).encode()
            for start in range(0, len(body), 16):
                await send({"type": "http.response.body", "body": body[start : start + 16], "more_body": True})
            await send({"type": "http.response.body", "body": b""})


@miniature("says-more-than-asked", role=Role.PROVIDER)
class SaysMoreThanAsked(CarefulGateway):
    """Adds members to its answers, and headers that differ from one answer to the next."""

    async def answer(self, request: Request) -> Answer:
        answer = await super().answer(request)
        number = str(len(self.kept)).encode()
        return Answer(
            answer.status, (*answer.headers, (b"x-request-id", number), (b"location", b"/" + number)), answer.body
        )

    def book(self, asked: Asked) -> Answer:
        booked = super().book(asked)
        return answered(
            booked.status, {**json.loads(booked.body), "fee": 12, "links": {"self": "/payments"}, "risk": None}
        )


# --- keys that are none --------------------------------------------------------------------------------------------


@miniature("hangs-up-on-odd-bytes", role=Role.PROVIDER)
class HangsUpOnOddBytes(CarefulGateway):
    """Closes the connection on a key with bytes that HTTP itself forbids, in the middle of its answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        keys = [value for name, value in scope.get("headers", ()) if name == b"idempotency-key"]
        if all(key.isascii() for key in keys):
            await super().__call__(scope, receive, send)
        elif await request_of(scope, receive):
            await send({"type": "http.response.start", "status": 400, "headers": [(b"content-length", b"100")]})
            await send({"type": "http.response.body", "body": b"{", "more_body": True})


@miniature("long-keys-are-431", role=Role.PROVIDER)
class LongKeysAre431(CarefulGateway):
    """Refuses a key that is too long with 431, and any other that is none with 400."""

    def key_of(self, lines: list[bytes]) -> bytes | Answer:
        long = refused(431, "Idempotency-Key is longer than 255 characters", "key_malformed")
        return long if any(len(line) > 255 for line in lines) else super().key_of(lines)


@miniature("refuses-everything", role=Role.PROVIDER)
class RefusesEverything(CarefulGateway):
    """Answers 400 to every payment and refund, which breaks no rule and keeps none."""

    async def post(self, request: Request, kind: str, tenant: str) -> Answer:
        """Never."""
        return refused(400, "no")
