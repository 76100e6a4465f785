"""Payments: made, changed, confirmed, captured and given up (crates/router/src/core/payments/operations)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from psp_harness.model import Answer
from psp_harness.reference.provider import engine
from psp_harness.reference.provider.api import Work, World
from psp_harness.reference.provider.engine import Terms
from psp_harness.reference.provider.hyperswitch import cards, mandates
from psp_harness.reference.provider.hyperswitch.asked import Asked, Door, Holder, Route
from psp_harness.reference.provider.hyperswitch.bodies import (
    answer,
    kept,
    limit_of,
    missing,
    not_as_expected,
    read,
    unknown,
)
from psp_harness.reference.provider.hyperswitch.customers import refused_for_its_customer
from psp_harness.reference.provider.hyperswitch.payment_bodies import (
    OTHERS,
    SHOWN,
    CancelBody,
    CaptureBody,
    PaymentBody,
)
from psp_harness.reference.provider.hyperswitch.payments_shown import details_of, shown
from psp_harness.reference.provider.ledger import Entry, Ledger, Place, Refusal
from psp_harness.reference.provider.orders import CancelOrder, CaptureOrder
from psp_harness.reference.provider.standing import Capture, Fate, PaymentStanding, of_payment
from psp_harness.reference.provider.states import PaymentStatus
from psp_harness.reference.provider.stores import Effected

MOST: Final = 999_999_999
"""Minor units (crates/router/src/consts.rs:147)."""
SESSION: Final = 900
"""Seconds that a payment may wait to be confirmed, unless it says otherwise (consts.rs:105)."""
SESSIONS: Final = range(60, 7_890_001)

_CAPTURES: Final[Mapping[str, Capture]] = {"manual": Capture.LATER, "manual_multiple": Capture.IN_PARTS}
_WAITING: Final = frozenset({PaymentStatus.REQUIRES_METHOD, PaymentStatus.REQUIRES_CONFIRMATION})

_NO_PAYMENT = unknown("Payment")
_NO_METHOD = Refusal("unprocessable", "A payment token or payment method data or ctp service details is required")


async def create(world: World, asked: Asked) -> Work | Refusal:
    """POST /payments."""
    body = read(asked.body, PaymentBody, others=OTHERS)
    if isinstance(body, Refusal):
        return body
    refused = _wrong_create(body, world.now()) or await refused_for_its_customer(world, asked.tenant, body.customer_id)
    if refused := refused or await mandates.refused(world, asked.tenant, body):
        return refused
    place = Place(asked.tenant, "payment", body.payment_id or world.fresh_id("pay_"))
    opens = PaymentStatus.REQUIRES_CONFIRMATION if body.names_method else PaymentStatus.REQUIRES_METHOD
    about = {
        **_about(asked, body),
        **(world.bank.of_payment(_fate(body)) if body.confirm else {}),
        **(mandates.agreed(world, asked, body) if body.confirm else {"opens": opens.value}),
        **mandates.under(body),
        "client_secret": world.fresh_id(f"{place.id}_secret_"),
        "expires": world.now() + (body.session_expiry or SESSION),
    }
    entry = _entry(place, world, body.amount or 0, body.currency or "", body.merchant_order_reference_id, about)

    def on(ledger: Ledger) -> Effected | Refusal:
        if ledger.existing:
            return Refusal("duplicate-payment-id", f"payment {place.id!r} already exists", {"id": place.id})
        return Effected(entry, answer(shown(world, entry, ())))

    return Work(place, on)


async def update(world: World, asked: Asked) -> Work | Refusal:
    """POST /payments/{payment_id}; with `confirm`, it is a confirmation as well."""
    body = read(asked.body, PaymentBody, others=OTHERS)
    if isinstance(body, Refusal):
        return body
    return await _change(world, asked, body, "confirmation" if body.confirm else "update")


async def confirm(world: World, asked: Asked) -> Work | Refusal:
    """POST /payments/{payment_id}/confirm."""
    body = read(asked.body, PaymentBody, others=OTHERS)
    return body if isinstance(body, Refusal) else await _change(world, asked, body, "confirmation")


async def _change(world: World, asked: Asked, body: PaymentBody, kind: str) -> Work | Refusal:
    wrong = _wrong(body, world.now()) or _wrong_secret(asked, body.client_secret)
    if refused := wrong or await refused_for_its_customer(world, asked.tenant, body.customer_id):
        return refused
    place = Place(asked.tenant, kind, world.fresh_id(f"{kind}_"), of=_of(asked))

    def on(ledger: Ledger) -> Effected | Refusal:
        payment = ledger.above
        if payment is None:
            return _NO_PAYMENT
        standing = of_payment(payment, ledger.beside, world.now())
        told = wrong_client_secret(asked, payment, body.client_secret, world.now())
        if refusal := told or _not_now(standing, kind, body):
            return refusal
        entry = _changed(world, asked, place, body, ledger, standing)
        return Effected(entry, answer(shown(world, payment, (*ledger.beside, entry))))

    return Work(place, on)


def _not_now(standing: PaymentStanding, kind: str, body: PaymentBody) -> Refusal | None:
    """The guards of update and confirm (payment_update.rs:116-123, payment_confirm.rs:133-165)."""
    if standing.status not in _WAITING:
        reason = "not-updatable" if kind == "update" else "not-confirmable"
        return Refusal(reason, f"it is {standing.status}", {"status": standing.status.value})
    unpaid = standing.status is PaymentStatus.REQUIRES_METHOD and not body.names_method
    return _NO_METHOD if kind == "confirmation" and unpaid else None


def _changed(
    world: World, asked: Asked, place: Place, body: PaymentBody, ledger: Ledger, standing: PaymentStanding
) -> Entry:
    payment = ledger.above
    assert payment is not None, "a change is of a payment"
    before = [payment, *ledger.beside]
    currency = next(entry.currency for entry in reversed(before) if entry.currency)
    reference = body.merchant_order_reference_id or payment.reference
    capture = _CAPTURES.get(body.capture_method, Capture.AT_ONCE) if body.capture_method else standing.capture
    fates = (str(entry.about.get("fate", "")) for entry in reversed(before) if "fate" in entry.about)
    fate = _fate(body) if body.names_method else next(fates, Fate.NONE)
    decided = world.bank.of_payment(Fate(fate)) if place.kind == "confirmation" else {"fate": str(fate)}
    agreed = mandates.agreed(world, asked, body) if place.kind == "confirmation" else {}
    about = {**_about(asked, body), "capture": capture.value, **decided, **agreed, "method": body.names_method}
    amount = standing.amount if body.amount is None else body.amount
    return _entry(place, world, amount, body.currency or currency, reference, about)


async def capture(world: World, asked: Asked) -> Work | Refusal:
    """POST /payments/{payment_id}/capture; the state is looked at first, then the amount (helpers.rs:3845-3913)."""
    body = read(asked.body, CaptureBody)
    if isinstance(body, Refusal):
        return body
    amount = body.amount_to_capture
    place = Place(asked.tenant, "capture", world.fresh_id("cap_"), of=_of(asked))

    def on(ledger: Ledger) -> Effected | Refusal:
        terms = Terms(world.now())
        entry = engine.decide(CaptureOrder(asked.path["payment_id"], None), ledger, place, terms)
        if isinstance(entry, Refusal):
            return _NO_PAYMENT if entry.reason == "not-found" else entry
        if amount is None and _in_parts(ledger, world):
            return missing("amount_to_capture")
        if amount is not None:
            if amount <= 0:
                return not_as_expected("amount", "positive integer")
            entry = engine.decide(CaptureOrder(asked.path["payment_id"], amount), ledger, place, terms)
        return _with_payment(world, ledger, entry)

    return Work(place, on)


async def cancel(world: World, asked: Asked) -> Work | Refusal:
    """POST /payments/{payment_id}/cancel."""
    body = read(asked.body, CancelBody)
    if isinstance(body, Refusal):
        return body
    place = Place(asked.tenant, "cancellation", world.fresh_id("can_"), of=_of(asked))

    def on(ledger: Ledger) -> Effected | Refusal:
        entry = engine.decide(CancelOrder(asked.path["payment_id"]), ledger, place, Terms(world.now()))
        if isinstance(entry, Refusal):
            return _NO_PAYMENT if entry.reason == "not-found" else entry
        return _with_payment(world, ledger, replace(entry, about={"cancellation_reason": body.cancellation_reason}))

    return Work(place, on)


async def retrieve(world: World, asked: Asked) -> Answer | Refusal:
    """GET /payments/{payment_id}."""
    seen = await world.store.ledger(Place(asked.tenant, "payment", asked.path["payment_id"], of=_of(asked)))
    if seen.existing is None:
        return _NO_PAYMENT
    refused = wrong_client_secret(asked, seen.existing, asked.query.get("client_secret"), world.now())
    return refused or answer(shown(world, seen.existing, seen.beside))


async def list_(world: World, asked: Asked) -> Answer | Refusal:
    """GET /payments/list: newest first; of one customer, and from one payment on, where that is asked."""
    limit = limit_of(asked.query)
    if isinstance(limit, Refusal):
        return limit
    books = [entry for entry in await world.store.entries() if entry.tenant == asked.tenant]
    found = [entry for entry in reversed(books) if entry.kind == "payment"]
    customer, after = asked.query.get("customer_id"), asked.query.get("starting_after")
    if customer is not None:
        found = [entry for entry in found if details_of(entry, _later(entry, books)).get("customer_id") == customer]
    ids = [entry.id for entry in found]
    if after is not None:
        if after not in ids:
            return _NO_PAYMENT
        found = found[ids.index(after) + 1 :]
    page = [shown(world, entry, _later(entry, books)) for entry in found[:limit]]
    return answer({"size": len(page), "data": page})


def wrong_client_secret(asked: Asked, payment: Entry, told: object, now: float) -> Refusal | None:
    """A publishable key needs it (helpers.rs:4581-4607); it is good for as long as the payment waits."""
    if asked.holder is not Holder.PUBLISHABLE:
        return None
    if not isinstance(told, str):
        return missing("client_secret")
    if not hmac.compare_digest(told.encode(), str(payment.about["client_secret"]).encode()):
        return Refusal("client-secret-wrong", "The client_secret is that of another payment")
    expires = payment.about["expires"]
    return Refusal("client-secret-expired", "too late") if isinstance(expires, float) and now > expires else None


def _wrong_secret(asked: Asked, told: str | None) -> Refusal | None:
    """With a secret key, a client secret is one too many."""
    if told is not None and asked.holder is Holder.SECRET:
        return Refusal("unprocessable", "client_secret is not a valid parameter")
    return None


def _wrong_create(body: PaymentBody, now: float) -> Refusal | None:
    if body.amount is None:
        return missing("amount")
    if body.currency is None:
        return missing("currency")
    if body.client_secret is not None:
        return Refusal("unprocessable", "client_secret is not a valid parameter")
    if body.confirm and not body.names_method:
        return _wrong(body, now) or _NO_METHOD
    return _wrong(body, now)


def _wrong(body: PaymentBody, now: float) -> Refusal | None:
    """What can be seen of a request alone (payment_create.rs:1205-1330, helpers.rs:1578-1594)."""
    if body.amount is not None and body.amount > MOST:
        return Refusal("precondition", f"amount should not be more than {MOST}")
    if body.capture_method == "scheduled":
        return Refusal("not-implemented", "scheduled captures are not implemented")
    if body.session_expiry is not None and body.session_expiry not in SESSIONS:
        return Refusal("precondition", f"session_expiry should be from {SESSIONS[0]} to {SESSIONS[-1]} seconds")
    if body.confirm and body.setup_future_usage is not None and body.customer_id is None:
        return Refusal("precondition", "customer_id is required with setup_future_usage")
    card = body.payment_method_data.card if body.payment_method_data else None
    return _wrong_part(body) or (cards.wrong(card, now) if card else None)


def _wrong_part(body: PaymentBody) -> Refusal | None:
    if body.amount_to_capture is None or body.amount is None:
        return None
    if body.amount_to_capture > body.amount:
        return not_as_expected("amount_to_capture", "amount_to_capture lesser than amount")
    if body.amount_to_capture != body.amount and body.capture_method in {None, "automatic"}:
        return Refusal("precondition", "amount_to_capture must be equal to the amount where capture is automatic")
    return None


def _about(asked: Asked, body: PaymentBody) -> dict[str, object]:
    """What is known of it beside the money; of a card, as much as may be kept."""
    details = kept(asked.body, SHOWN)
    if body.payment_method_data and body.payment_method_data.card:
        details["payment_method_data"] = {"card": cards.shown(body.payment_method_data.card)}
    capture = _CAPTURES.get(body.capture_method or "", Capture.AT_ONCE)
    return {"capture": capture.value, "fate": _fate(body).value, "method": body.names_method, "details": details}


def _fate(body: PaymentBody) -> Fate:
    card = body.payment_method_data.card if body.payment_method_data else None
    return cards.fate_of(card.card_number if card else body.payment_token)


def _with_payment(world: World, ledger: Ledger, entry: Entry | Refusal) -> Effected | Refusal:
    """A capture and a void are answered with their payment."""
    if isinstance(entry, Refusal):
        return entry
    assert ledger.above is not None, "the engine found it"
    return Effected(entry, answer(shown(world, ledger.above, (*ledger.beside, entry))))


def _in_parts(ledger: Ledger, world: World) -> bool:
    assert ledger.above is not None, "the engine found it"
    return of_payment(ledger.above, ledger.beside, world.now()).capture is Capture.IN_PARTS


def _later(payment: Entry, books: list[Entry]) -> list[Entry]:
    return [entry for entry in books if entry.of == payment.name]


def _of(asked: Asked) -> str:
    return f"payment/{asked.path['payment_id']}"


def _entry(
    place: Place, world: World, amount: int, currency: str, reference: str | None, about: Mapping[str, object]
) -> Entry:
    where = (place.tenant, place.kind, place.id, place.of)
    return Entry(*where, amount, currency, reference, world.now(), about)


ROUTES: Final = (
    Route("create-payment", "POST", "/payments", Door.SECRET, prepare=create, keyed_as="create-payment"),
    Route("list-payments", "GET", "/payments/list", Door.SECRET, show=list_),
    Route("get-payment", "GET", "/payments/{payment_id}", Door.EITHER, show=retrieve),
    Route("update-payment", "POST", "/payments/{payment_id}", Door.EITHER, prepare=update, keyed_as="create-payment"),
    Route(
        "confirm-payment",
        "POST",
        "/payments/{payment_id}/confirm",
        Door.EITHER,
        prepare=confirm,
        keyed_as="create-payment",
    ),
    Route(
        "capture-payment",
        "POST",
        "/payments/{payment_id}/capture",
        Door.SECRET,
        prepare=capture,
        keyed_as="capture-payment",
    ),
    Route(
        "cancel-payment",
        "POST",
        "/payments/{payment_id}/cancel",
        Door.SECRET,
        prepare=cancel,
        keyed_as="cancel-payment",
    ),
)
