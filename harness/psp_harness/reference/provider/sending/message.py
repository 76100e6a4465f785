"""A delivery as bytes: the event in the words of the profile, signed as its PSP signs. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from psp_harness.model import Headers
from psp_harness.profile import Profile, Webhooks, body_of
from psp_harness.reference.provider.sending.events import Event
from psp_harness.reference.provider.sending.outbox import Sending
from psp_harness.signing import Draft, sign

_TYPES = {"form": b"application/x-www-form-urlencoded", "json": b"application/json"}


def message_of(profile: Profile, sending: Sending, now: float) -> tuple[Headers, bytes]:
    """Header lines and body of one delivery. `now` is Unix time.

    A PSP that sends the same bytes again signs what it signed the first time, at the event's own time.
    """
    webhooks = profile.webhooks
    assert webhooks is not None, "what has no webhooks sends none"
    again = webhooks.redelivery == "same-bytes"
    at = sending.event.at if again else now
    transmission = f"{sending.event.id}_{1 if again else sending.number}"
    name = sending.event.id if webhooks.signature.id_is_of == "event" else transmission
    account = profile.accounts.get(sending.endpoint.tenant, "")
    body = body_of(webhooks, [(sending.event.means, _values(profile, webhooks, sending.event))])
    secrets = [sending.endpoint.secret] if webhooks.signature.signed else []
    webhook = sign(webhooks.signature, Draft(body, sending.endpoint.url, name, int(at), account), secrets)
    ids = {webhooks.id_header: sending.event.id, webhooks.delivery_header: transmission}
    lines = tuple((name.encode(), value.encode()) for name, value in ids.items() if name)
    described = ((b"Content-Type", _TYPES[webhooks.encoding]), (b"User-Agent", b"psp-harness"))
    return (*described, *webhook.headers, *lines), webhook.body


def _values(profile: Profile, webhooks: Webhooks, event: Event) -> dict[str, object]:
    about = event.about
    created = datetime.fromtimestamp(event.at, UTC).isoformat(timespec="milliseconds")
    values: dict[str, object] = {
        "event_id": event.id,
        "id": about.id,
        "amount": event.amount,
        "amount_text": str(event.amount),
        "captured": event.captured,
        "currency": about.currency,
        "account": profile.accounts.get(about.tenant, ""),
        "mode": webhooks.modes.get("test"),
        "created": created.replace("+00:00", "Z"),
        "created_unix": int(event.at),
    }
    if about.reference is not None:
        values["reference"] = about.reference
    above = about.of.partition("/")[2]
    named = {"refund": "refund_id", "dispute": "dispute_id"}.get(about.kind)
    if named is not None:
        return values | {named: about.id, "payment_id": above}
    return values | {f"{about.kind}_id": about.id}
