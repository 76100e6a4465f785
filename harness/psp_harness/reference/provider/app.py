"""The provider as a bare ASGI application: bytes in, bytes out, and a few routes that no PSP has.

    GET    /psp-harness/effects                           which money moved
    POST   /psp-harness/clock {"advance": seconds}        time passes, for the provider alone
           /psp-harness/webhooks                          what it sends, and where to: `sending/control.py`
    POST   /psp-harness/quota {"requests", "seconds"}     a tenant has so many requests in so many seconds
    DELETE /psp-harness/quota                             or as many as it likes
    POST   /psp-harness/bank {"payments": {"takes": 60, "yes": false}, "refunds": {…}}
                                                          what is asked from now on is answered then, and so
    POST   /psp-harness/disputes {"payment_id", …}        a bank wants the money back: `disputing.py`
    POST   /psp-harness/disputes/close {"dispute_id", "outcome"}   and decides
    GET    /health, /health/ready                         it lives

None of them asks who is asking: this is no server for the internet.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import Annotated, Final, TypeVar

import msgspec

from psp_harness.model import Answer, Request
from psp_harness.reference.asgi import Asgi, as_json, serving
from psp_harness.reference.provider.bank import Delivery, Verdict
from psp_harness.reference.provider.disputing import Closing, Opening
from psp_harness.reference.provider.ledger import Entry, Refusal
from psp_harness.reference.provider.quota import Quota
from psp_harness.reference.provider.sending import control
from psp_harness.reference.provider.service import Provider
from psp_harness.reference.provider.stores import StoreUnavailable

_T = TypeVar("_T", Opening, Closing)
_Own = Callable[[Provider, bytes], Awaitable[Answer]]


class _Banks(msgspec.Struct, forbid_unknown_fields=True):
    payments: Verdict = Verdict()
    refunds: Verdict = Verdict()
    payouts: Delivery = Delivery()


class _Quota(msgspec.Struct, forbid_unknown_fields=True):
    requests: Annotated[int, msgspec.Meta(ge=0)]
    seconds: Annotated[float, msgspec.Meta(gt=0, le=1e9)]


class _Advance(msgspec.Struct, forbid_unknown_fields=True):
    advance: Annotated[float, msgspec.Meta(ge=0, le=1e9)]
    """Seconds; more than thirty years is a mistake."""


def asgi(provider: Provider, webhooks: Sequence[str] = ()) -> Asgi:
    """The application; it closes the provider when its server shuts down. `webhooks`: where tenant-a's events go.

    Raises `UsageError` for a URL that nothing can be sent to.
    """
    for url in webhooks:
        provider.webhooks.checked(url)

    async def handle(request: Request) -> Answer:
        own = ROUTES.get((request.method, request.target.partition("?")[0]))
        return await (_of_our_own(own, provider, request.body) if own else provider.handle(request))

    async def start() -> None:
        for url in webhooks:
            await provider.webhooks.register(url)
        await provider.start()

    return serving(handle, provider.close, start)


async def _of_our_own(route: _Own, provider: Provider, body: bytes) -> Answer:
    try:
        return await route(provider, body)
    except StoreUnavailable as error:
        return as_json(503, {"message": str(error)})


async def _effects(provider: Provider, _: bytes) -> Answer:
    return as_json(200, {"effects": [asdict(effect) for effect in await provider.effects()]})


async def _clock(provider: Provider, body: bytes) -> Answer:
    try:
        asked = msgspec.json.decode(body, type=_Advance)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return as_json(400, {"message": f'expected {{"advance": seconds}}: {error}'})
    await provider.advance(asked.advance)
    return Answer(204)


async def _limit(provider: Provider, body: bytes) -> Answer:
    try:
        asked = msgspec.json.decode(body, type=_Quota)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return as_json(400, {"message": f'expected {{"requests": number, "seconds": seconds}}: {error}'})
    provider.meter.quota = Quota(asked.requests, asked.seconds)
    return Answer(204)


async def _unlimit(provider: Provider, _: bytes) -> Answer:
    provider.meter.quota = None
    return Answer(204)


async def _banks(provider: Provider, body: bytes) -> Answer:
    try:
        asked = msgspec.json.decode(body, type=_Banks)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return as_json(400, {"message": f'expected {{"payments": {{"takes": seconds, "yes": true}}, …}}: {error}'})
    bank = provider.bank
    bank.payments, bank.refunds, bank.payouts = asked.payments, asked.refunds, asked.payouts
    return Answer(204)


async def _open_dispute(provider: Provider, body: bytes) -> Answer:
    return await _disputed(provider.disputes.open, body, Opening)


async def _close_dispute(provider: Provider, body: bytes) -> Answer:
    return await _disputed(provider.disputes.close, body, Closing)


async def _disputed(do: Callable[[_T], Awaitable[Entry | Refusal]], body: bytes, wanted: type[_T]) -> Answer:
    try:
        done = await do(msgspec.json.decode(body, type=wanted))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return as_json(400, {"message": f"expected the members of {wanted.__name__}: {error}"})
    if isinstance(done, Refusal):
        return as_json(404 if done.reason == "not-found" else 409, {"message": done.message})
    return as_json(201, {"dispute_id": done.about.get("dispute", done.id)})


async def _alive(_: Provider, __: bytes) -> Answer:
    return Answer(200, ((b"content-type", b"text/plain"),), b"health is good")


async def _ready(provider: Provider, _: bytes) -> Answer:
    refusal = await provider.ready()
    return as_json(200, {"database": True}) if refusal is None else provider.refuse(refusal)


def _of_webhooks(route: control.Route) -> _Own:
    return lambda provider, body: route(provider.webhooks, body)


ROUTES: Final[dict[tuple[str, str], _Own]] = {
    ("GET", "/psp-harness/effects"): _effects,
    ("POST", "/psp-harness/clock"): _clock,
    ("POST", "/psp-harness/quota"): _limit,
    ("DELETE", "/psp-harness/quota"): _unlimit,
    ("POST", "/psp-harness/bank"): _banks,
    ("POST", "/psp-harness/disputes"): _open_dispute,
    ("POST", "/psp-harness/disputes/close"): _close_dispute,
    ("GET", "/health"): _alive,
    ("GET", "/health/ready"): _ready,
    **{route: _of_webhooks(own) for route, own in control.ROUTES.items()},
}
"""By method and path: what is beside the API."""
