"""What our clients send and understand, as Pact contracts.

`PSP_HARNESS_WRITE_PACTS=1` writes `contracts/pacts/` anew; without it the files are held against what stands here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from pact import Pact, match

from psp_harness import profile
from psp_harness.reference.client import HyperswitchClient
from psp_harness.reference.client_answers import Payment, Refund
from psp_harness.reference.client_errors import Declined, Duplicate, PaymentError, Rejected

PACTS = Path(__file__).parents[2] / "contracts" / "pacts"
API_KEY = profile.load("hyperswitch-docs").credentials["tenant-a"]
TOKEN = profile.load("generic").credentials["tenant-a"]

State = tuple[str, dict[str, object]]
Act = Callable[[str], object]
"""Sends one request to a base URL, and gives what its sender understood."""


@dataclass(frozen=True, slots=True)
class Interaction:
    """One request, the answer that its sender counts on, and what the sender makes of it."""

    says: str
    act: Act
    route: tuple[str, str]
    headers: dict[str, str]
    body: dict[str, object] | None
    answer: tuple[int, dict[str, object] | None]
    understood: object
    """What `act` returns, or the class and the code of what it raises."""
    given: tuple[State, ...] = ()


@dataclass(frozen=True, slots=True)
class No:
    """An error of Hyperswitch, and what the client raises for it. The message is for people, and may change."""

    status: int
    code: str
    message: str
    raises: type[Rejected] = Rejected


# --- the reference client and Hyperswitch ---------------------------------------------------------------------------


def client(base_url: str, api_key: str = API_KEY) -> HyperswitchClient:
    """Build the reference client."""
    return HyperswitchClient(base_url, api_key, timeout_seconds=10)


def payment(
    key: str, says: str, *given: State, no: No | None = None, api_key: str = API_KEY, using: str = "tok_visa"
) -> Interaction:
    """Charge 10.00 EUR, and be told yes or no; the token `declined` is one that the bank declines."""

    def act(base_url: str) -> object:
        with client(base_url, api_key) as psp:
            return psp.create_payment(key, amount=1000, currency="EUR", payment_token=using, reference=key)

    card = {"confirm": True, "capture_method": "automatic", "payment_method": "card", "payment_token": using}
    body = {"payment_id": key, "amount": 1000, "currency": "EUR", "merchant_order_reference_id": key, **card}
    headers = {"api-key": api_key, "Idempotency-Key": key}
    yes: tuple[dict[str, object], object] = payment_answer(key), Payment(key, "succeeded", 1000, "EUR")
    if using == "declined":
        yes = {**yes[0], "status": "failed"}, (Declined, "")
    return Interaction(says, act, ("POST", "/payments"), headers, body, *told(yes, no), given)


def refund(key: str, says: str, *given: State, amount: int, no: No | None = None) -> Interaction:
    """Give back a part of the payment that is given, and be told yes or no."""
    payment_id = str(given[0][1]["payment_id"])

    def act(base_url: str) -> object:
        with client(base_url) as psp:
            return psp.create_refund(key, payment_id=payment_id, amount=amount, reference=key)

    body = {"payment_id": payment_id, "refund_id": key, "amount": amount, "metadata": {"reference": key}}
    headers = {"api-key": API_KEY, "Idempotency-Key": key}
    yes = (refund_answer(key, payment_id, amount), (key, "succeeded"))
    return Interaction(says, act, ("POST", "/refunds"), headers, body, *told(yes, no), given)


def reading_payment(name: str, says: str, *given: State, no: No | None = None) -> Interaction:
    """Read a payment, and be told yes or no."""

    def act(base_url: str) -> object:
        with client(base_url) as psp:
            return psp.get_payment(name)

    yes = (payment_answer(name), Payment(name, "succeeded", 1000, "EUR"))
    return Interaction(says, act, ("GET", f"/payments/{name}"), {"api-key": API_KEY}, None, *told(yes, no), given)


def reading_refund(name: str, says: str, *given: State) -> Interaction:
    """Read the refund that is given last."""
    payment_id, amount = str(given[-1][1]["payment_id"]), int(str(given[-1][1]["amount"]))

    def act(base_url: str) -> object:
        with client(base_url) as psp:
            return psp.get_refund(name)

    yes = (refund_answer(name, payment_id, amount), Refund(name, payment_id, "succeeded", amount))
    return Interaction(says, act, ("GET", f"/refunds/{name}"), {"api-key": API_KEY}, None, *told(yes, None), given)


def told(yes: tuple[dict[str, object], object], no: No | None) -> tuple[tuple[int, dict[str, object]], object]:
    """Give the answer, and what is understood of it."""
    if no is None:
        return (200, yes[0]), yes[1]
    error = {"type": "invalid_request", "code": no.code, "message": match.type(no.message)}
    return (no.status, {"error": error}), (no.raises, no.code)


def payment_answer(name: str) -> dict[str, object]:
    """Give what the client reads of a payment."""
    return {"payment_id": name, "status": "succeeded", "amount": 1000, "currency": "EUR"}


def refund_answer(name: str, payment_id: str, amount: int) -> dict[str, object]:
    """Give what the client reads of a refund."""
    return {"refund_id": name, "payment_id": payment_id, "status": "succeeded", "amount": amount}


def paid(name: str, key: str | None = None) -> State:
    """Say that 10.00 EUR were charged, under the payment's id or another key."""
    return "a payment was made", {"payment_id": name, "key": key or name, "amount": 1000, "currency": "EUR"}


def refunded(name: str, payment_id: str, amount: int) -> State:
    """Say that a part was given back."""
    return "a refund was made", {"refund_id": name, "key": name, "payment_id": payment_id, "amount": amount}


TAKEN = No(400, "HE_01", "The payment with the specified payment_id already exists in our records", Duplicate)
STRANGER = No(401, "IR_01", "API key not provided or invalid API key used")
NOT_FOUND = No(404, "HE_02", "Payment does not exist in our records")
TOO_MUCH = No(400, "IR_13", "The refund amount exceeds the amount captured")

HYPERSWITCH = (
    payment("order-1", "a payment"),
    payment("order-2", "a payment again, with its key", paid("order-2")),
    payment("order-3", "a payment whose id was taken under another key", paid("order-3", key="other"), no=TAKEN),
    payment("order-4", "a payment with a wrong api key", no=STRANGER, api_key="dev_wrong"),
    payment("order-11", "a payment that is declined", using="declined"),
    reading_payment("order-5", "a payment that is read", paid("order-5")),
    reading_payment("order-6", "a payment that was never made is read", no=NOT_FOUND),
    refund("row-7", "a refund", paid("order-7"), amount=400),
    refund("row-8", "a refund again, with its key", paid("order-8"), refunded("row-8", "order-8", 1000), amount=1000),
    refund("row-9", "a refund above what was captured", paid("order-9"), amount=1001, no=TOO_MUCH),
    reading_refund("row-10", "a refund that is read", paid("order-10"), refunded("row-10", "order-10", 400)),
)


# --- any client and a PSP that requires a key: what the reference client refuses to send ----------------------------


def posting(says: str, key: str | None, status: int, answer: dict[str, object] | None = None) -> Interaction:
    """Charge 10.00 EUR; an empty key is a header line without a value, None is no line."""
    headers = {"Authorization": f"Bearer {TOKEN}", **({} if key is None else {"Idempotency-Key": key})}

    def act(base_url: str) -> object:
        return httpx.post(f"{base_url}/payments", headers=headers, json=ORDER, timeout=10).status_code

    return Interaction(says, act, ("POST", "/payments"), headers, ORDER, (status, answer), status)


ORDER: dict[str, object] = {"amount": 1000, "currency": "EUR", "reference": "order-1"}

GENERIC = (
    posting("a payment with a key", "order-1", 201, {**ORDER, "id": match.type("pay_1"), "status": "succeeded"}),
    posting("a payment with an empty key", "", 400),
    posting("a payment without a key", None, 400),
)

CONTRACTS: Mapping[tuple[str, str], tuple[Interaction, ...]] = {
    ("psp-harness-reference-client", "hyperswitch-docs"): HYPERSWITCH,
    ("any-client", "generic"): GENERIC,
}
EACH = [
    pytest.param(parties, interaction, id=f"{parties[0]}-{interaction.says}")
    for parties, interactions in CONTRACTS.items()
    for interaction in interactions
]


def pact_of(parties: tuple[str, str], interactions: tuple[Interaction, ...]) -> Pact:
    """Build the contract of two parties."""
    pact = Pact(*parties).with_specification("V4")
    for each in interactions:
        interaction = pact.upon_receiving(each.says)
        for name, values in each.given:
            interaction.given(name, values)
        interaction.with_request(*each.route).with_headers(each.headers)
        if each.body is not None:
            interaction.with_body(each.body, "application/json")
        status, answer = each.answer
        interaction.will_respond_with(status)
        if answer is not None:
            interaction.with_body(answer, "application/json")
    return pact


def understand(act: Act, base_url: str) -> object:
    """Say what a client made of the answer."""
    try:
        return act(base_url)
    except PaymentError as raised:
        return type(raised), getattr(raised, "code", "")


@pytest.mark.parametrize(("parties", "interaction"), EACH)
def test_interaction(parties: tuple[str, str], interaction: Interaction) -> None:
    """The client sends exactly this request, and understands this answer."""
    with pact_of(parties, (interaction,)).serve(addr="127.0.0.1") as server:
        assert understand(interaction.act, str(server.url).rstrip("/")) == interaction.understood


@pytest.mark.parametrize("parties", CONTRACTS, ids="-".join)
def test_committed_contract(parties: tuple[str, str], tmp_path: Path) -> None:
    """The committed contract is what the interactions above say, no less and no more."""
    pact_of(parties, CONTRACTS[parties]).write_file(tmp_path)
    name = "-".join(parties) + ".json"
    written = without_versions(json.loads((tmp_path / name).read_text(encoding="utf-8")))
    assert {each["description"] for each in written["interactions"]} == {each.says for each in CONTRACTS[parties]}
    if os.environ.get("PSP_HARNESS_WRITE_PACTS"):
        PACTS.mkdir(parents=True, exist_ok=True)
        text = json.dumps(written, indent=2, ensure_ascii=False) + "\n"
        (PACTS / name).write_text(text, encoding="utf-8")
    committed = PACTS / name
    assert committed.is_file(), f"contracts/pacts/{name} is missing: run `make pacts`"
    same = json.loads(committed.read_text(encoding="utf-8")) == written
    assert same, f"contracts/pacts/{name} is not what its interactions say: run `make pacts`, and read the difference"


def without_versions(pact: dict[str, Any]) -> dict[str, Any]:
    """Leave out which release of the library wrote it: the contract is the same."""
    return {**pact, "metadata": {"pactSpecification": pact["metadata"]["pactSpecification"]}}
