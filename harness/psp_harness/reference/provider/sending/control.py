"""Routes about webhooks that no PSP has: where they go, what was sent, what will be, and how they come.

    POST   /psp-harness/webhooks {"url", "tenant", "secret"}      from now on its events go there
    DELETE /psp-harness/webhooks {"url", "tenant"}                and no longer
    GET    /psp-harness/webhooks                                  endpoints, deliveries made, deliveries to come
    PUT    /psp-harness/webhooks {"copies", "withheld", …}        what is odd about them: `manner.py`
    POST   /psp-harness/webhooks/redeliver {"event_id"}           once more, though it may have been taken

`tenant` is `tenant-a` and `secret` the profile's where they are not said. No secret is ever told.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import msgspec

from psp_harness.errors import UsageError
from psp_harness.model import Answer
from psp_harness.reference.asgi import as_json
from psp_harness.reference.provider.sending.manner import Manner
from psp_harness.reference.provider.sending.outbox import Attempt, Sending
from psp_harness.reference.provider.sending.sender import Sender

PATH = "/psp-harness/webhooks"

Route = Callable[[Sender, bytes], Awaitable[Answer]]


class _Wanted(msgspec.Struct, forbid_unknown_fields=True):
    """An endpoint."""

    url: str
    tenant: str = "tenant-a"
    secret: str | None = None


class _Named(msgspec.Struct, forbid_unknown_fields=True):
    """An event."""

    event_id: str


async def _register(webhooks: Sender, body: bytes) -> Answer:
    wanted = _wanted(body)
    if isinstance(wanted, Answer):
        return wanted
    try:
        endpoint = await webhooks.register(wanted.url, wanted.tenant, wanted.secret)
    except UsageError as error:
        return as_json(400, {"message": str(error)})
    return as_json(201, {"id": endpoint.id, "url": endpoint.url, "tenant": endpoint.tenant})


async def _remove(webhooks: Sender, body: bytes) -> Answer:
    wanted = _wanted(body)
    if isinstance(wanted, Answer):
        return wanted
    await webhooks.remove(wanted.url, wanted.tenant)
    return Answer(204)


async def _tell(webhooks: Sender, _: bytes) -> Answer:
    endpoints = await webhooks.endpoints()
    told = {
        "endpoints": [{"id": each.id, "url": each.url, "tenant": each.tenant} for each in endpoints],
        "sent": [_attempt(attempt) for attempt in await webhooks.sent()],
        "waiting": [_sending(sending) for sending in await webhooks.waiting()] if endpoints else [],
    }
    return as_json(200, told)


async def _odd(webhooks: Sender, body: bytes) -> Answer:
    try:
        webhooks.manner = msgspec.json.decode(body, type=Manner)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return as_json(400, {"message": f'expected {{"copies": number, "withheld": true, …}}: {error}'})
    webhooks.wake()
    return Answer(204)


async def _again(webhooks: Sender, body: bytes) -> Answer:
    try:
        await webhooks.redeliver(msgspec.json.decode(body, type=_Named).event_id)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return as_json(400, {"message": f'expected {{"event_id": …}}: {error}'})
    except UsageError as error:
        return as_json(404, {"message": str(error)})
    return Answer(204)


def _attempt(attempt: Attempt) -> Mapping[str, object]:
    return {
        "event_id": attempt.event,
        "event": attempt.means,
        "about": attempt.about,
        "endpoint": attempt.endpoint,
        "number": attempt.number,
        "at": attempt.at,
        "outcome": attempt.outcome,
    }


def _sending(sending: Sending) -> Mapping[str, object]:
    return {
        "event_id": sending.event.id,
        "event": sending.event.means,
        "about": sending.event.about.name,
        "endpoint": sending.endpoint.id,
        "number": sending.number,
        "due": sending.due,
    }


def _wanted(body: bytes) -> _Wanted | Answer:
    try:
        return msgspec.json.decode(body, type=_Wanted)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return as_json(400, {"message": f'expected {{"url": …, "tenant": …, "secret": …}}: {error}'})


ROUTES: Mapping[tuple[str, str], Route] = {
    ("POST", PATH): _register,
    ("DELETE", PATH): _remove,
    ("GET", PATH): _tell,
    ("PUT", PATH): _odd,
    ("POST", f"{PATH}/redeliver"): _again,
}
