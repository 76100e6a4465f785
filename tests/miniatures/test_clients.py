from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from psp_harness.miniatures import MINIATURES
from psp_harness.model import Role

CORRECT = [m.name for m in MINIATURES.values() if m.role is Role.CLIENT and not m.mode]
SENDING = [name for name in CORRECT if name != "refuses-every-call"]
RETRYING = [name for name in SENDING if "retries" in getattr(MINIATURES[name].make(), "features", ())]
TAKING_KEYS = ["careful-client", "tries-once", "key-or-random"]


def claims(client: Any, state_dir: Path) -> dict[str, Any]:
    """What a client says of itself."""
    told = {"base_url": "http://127.0.0.1:1", "credentials": {"token": "t"}, "answer_timeout": 1.0}
    return dict(client.start(**told, state_dir=str(state_dir))["ok"])


@pytest.mark.parametrize("name", CORRECT)
def test_a_client_declares_its_retries_where_it_claims_them(name: str, tmp_path: Path) -> None:
    """`retries` stands in the answer to `start` exactly where the feature does."""
    said = claims(MINIATURES[name].make(), tmp_path)
    assert ("retries" in said) == ("retries" in said["features"])
    assert {"name", "version", "language"} <= set(said)


@pytest.mark.parametrize("name", SENDING)
def test_a_payment_and_its_refund_succeed(name: str, psp: Any, started: Any, pay: Any, refund: Any) -> None:
    """One request each, what was asked in its body, the shop's id as reference, and a key of its own."""
    client = started(MINIATURES[name].make())
    paid = pay(client)
    back = refund(client, paid["ok"]["payment_id"])
    assert client.stop() == {"ok": {}}
    assert (paid["ok"]["status"], back["ok"]["status"]) == ("succeeded", "succeeded")
    payment, refunded = psp.gateway.moved.values()
    assert (payment.id, payment.amount, payment.reference) == (paid["ok"]["payment_id"], 1000, "order-1")
    assert (refunded.id, refunded.amount, refunded.reference) == (back["ok"]["refund_id"], 400, "refund-1")
    assert len({tuple(lines) for lines in psp.key_lines}) == len(psp.key_lines) == 2


@pytest.mark.parametrize("name", TAKING_KEYS)
def test_the_callers_key_goes_on_the_wire(name: str, psp: Any, started: Any, pay: Any) -> None:
    """Byte for byte, in one line, up to the longest that the profile takes."""
    client = started(MINIATURES[name].make())
    keys = ["key-1", "!~'\"", "k" * 255]
    for amount, key in enumerate(keys, 1):
        assert "ok" in pay(client, key, amount=amount)
    assert psp.key_lines == [[key.encode()] for key in keys]


UNUSABLE = ["", "   ", "a\r\nX: y", "\n", "ключ", "a\tb", "a\x00", "a b", "a,b", "k" * 256]


@pytest.mark.parametrize("key", UNUSABLE)
@pytest.mark.parametrize("name", TAKING_KEYS)
def test_an_unusable_key_is_refused_before_sending(name: str, key: str, psp: Any, started: Any, pay: Any) -> None:
    """`refused`, and not one request."""
    assert "refused" in pay(started(MINIATURES[name].make()), key)
    assert psp.seen == []


def test_no_key_is_refused_by_who_makes_none(psp: Any, started: Any, pay: Any) -> None:
    """Also with `null` for a key."""
    client = started(MINIATURES["careful-client"].make())
    params = {"order_id": "o", "amount": 1, "currency": "EUR", "key": None}
    assert "refused" in pay(client, None)
    assert "refused" in client.do("create-payment", params)
    assert psp.seen == []


@pytest.mark.parametrize("fate", ["lost", "500", "503", "409"])
@pytest.mark.parametrize("name", RETRYING)
def test_a_retry_has_the_same_key_and_bytes(name: str, fate: str, psp: Any, started: Any, pay: Any) -> None:
    """Two failures that leave the outcome open, and then the answer: three requests, one of a kind, one effect."""
    psp.fates = [fate, fate]
    assert "ok" in pay(started(MINIATURES[name].make()))
    assert len(psp.seen) == 3
    assert len({(tuple(request.lines("Idempotency-Key")), request.body) for request in psp.seen}) == 1
    assert len(psp.gateway.moved) == 1


@pytest.mark.parametrize("fate", ["lost", "500", "409"])
@pytest.mark.parametrize(("name", "attempts"), [("careful-client", 3), ("tries-once", 1)])
def test_an_uncertain_outcome_is_unknown(name: str, attempts: int, fate: str, psp: Any, started: Any, pay: Any) -> None:
    """After the last attempt that it declared, a client says that it does not know."""
    psp.fates = [fate] * 5
    said = pay(started(MINIATURES[name].make()))
    assert said["failed"]["kind"] == "unknown"
    assert len(psp.seen) == attempts


@pytest.mark.parametrize(
    ("fates", "kind"),
    [(["400"], "rejected"), (["403"], "rejected"), (["402"], "declined"), (["302"], "unknown"), (["200"], "unknown"),
     (["lost", "401"], "unknown")],
)  # fmt: skip
def test_a_no_is_certain_only_where_nothing_before_was_open(
    fates: list[str], kind: str, psp: Any, started: Any, pay: Any
) -> None:
    """A 4xx is a no, 402 to the money; not after a lost answer, and a 2xx that names nothing is no yes."""
    psp.fates = list(fates)
    assert pay(started(MINIATURES["careful-client"].make()))["failed"]["kind"] == kind
    assert len(psp.seen) == len(fates)


def test_nobody_there_is_unknown(pay: Any) -> None:
    """A refused connection is an answer that never came."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        client: Any = MINIATURES["careful-client"].make()
        client.start(
            base_url=f"http://127.0.0.1:{taken.getsockname()[1]}", credentials={"token": "t"}, answer_timeout=1.0
        )
        assert pay(client)["failed"]["kind"] == "unknown"


def test_who_is_not_answered_in_time_gives_up(psp: Any, pay: Any) -> None:
    """`answer_timeout` bounds each attempt, and the outcome is unknown."""
    psp.gateway.slow = 0.3
    client: Any = MINIATURES["tries-once"].make()
    client.start(base_url=psp.base_url, credentials={"token": "tenant-a"}, answer_timeout=0.05)
    assert pay(client)["failed"]["kind"] == "unknown"


@pytest.mark.parametrize("name", ["own-keys-uuid5", "prefixed-own-keys", "refund-id-keys"])
def test_own_keys_are_the_same_in_every_process(name: str, psp: Any, started: Any, pay: Any) -> None:
    """Two clients make one key for one order, and another for another order."""
    for order in ("order-1", "order-1", "order-2"):
        pay(started(MINIATURES[name].make()), None, order)
    first, again, other = psp.key_lines
    assert first == again != other
    assert len(psp.gateway.moved) == 2


def test_a_refunds_id_is_its_key_where_that_is_claimed(psp: Any, started: Any, pay: Any, refund: Any) -> None:
    """The order's id for the payment, and the pending refund's id for the refund."""
    client = started(MINIATURES["refund-id-keys"].make())
    refund(client, pay(client, None)["ok"]["payment_id"], None)
    assert psp.key_lines == [[b"order-1"], [b"refund-1"]]


def test_a_random_key_is_made_once_per_call(psp: Any, started: Any, pay: Any) -> None:
    """Attempts share it, calls do not, and an empty key is not taken for none."""
    psp.fates = ["lost"]
    client = started(MINIATURES["key-or-random"].make())
    pay(client, None)
    pay(client, None)
    first, again, other = psp.key_lines
    assert first == again != other


def test_who_refuses_every_call_sends_nothing(psp: Any, started: Any, pay: Any) -> None:
    """Not even with the best of keys."""
    assert "refused" in pay(started(MINIATURES["refuses-every-call"].make()))
    assert psp.seen == []


def test_a_path_in_the_base_url_stands_before_every_route(psp: Any, pay: Any) -> None:
    """`https://psp.example/v1` is a base URL too."""
    client: Any = MINIATURES["tries-once"].make()
    client.start(base_url=f"{psp.base_url}/v1/", credentials={"token": "tenant-a"}, answer_timeout=2.0)
    pay(client)
    assert [request.target for request in psp.seen] == ["/v1/payments"]
    assert json.loads(psp.seen[0].body)["amount"] == 1000
