"""The subject protocol: what is said fits its schema, what is answered is held to it, and each error has its place."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import psp_harness
from psp_harness import profile
from psp_harness.contracts import SCHEMAS
from psp_harness.errors import SubjectError
from psp_harness.model import Claims, Done, Effect, Failed, Intent, Passed, Refused, Retries, Role
from psp_harness.run import Job, run
from psp_harness.subjects import protocol

SCHEMA = json.loads((SCHEMAS / "subject-protocol.schema.json").read_text(encoding="utf-8"))

PACKAGE = str(Path(psp_harness.__file__).parents[1])

RECORDING = """
import json, sys
sys.path.insert(0, {package!r})
from psp_harness.miniatures import MINIATURES
subject = MINIATURES["{name}"].make()
with open(sys.argv[1], "a", encoding="utf-8") as said:
    for line in sys.stdin:
        said.write(line)
        said.flush()
        command = json.loads(line)
        members = {{name: each for name, each in command.items() if name not in ("id", "cmd")}}
        answer = getattr(subject, command["cmd"])(**members)
        print("DEBUG", command["cmd"])
        print(json.dumps({{"id": command["id"], **answer}}), flush=True)
"""


def fitting(part: str) -> jsonschema.Draft202012Validator:
    """A validator of one part of the schema."""
    return jsonschema.Draft202012Validator({**SCHEMA, "$ref": f"#/$defs/{part}", "oneOf": [{}]})


@pytest.mark.parametrize("name", ["careful-client", "own-keys-uuid5"])
async def test_every_command_of_a_real_session_fits_the_schema(name: str, tmp_path: Path) -> None:
    """What a process is told from `start` to `stop`, with a key and without, fits; and it is judged as in a process."""
    adapter, log = tmp_path / "adapter.py", tmp_path / "said.jsonl"
    adapter.write_text(RECORDING.format(name=name, package=PACKAGE), encoding="utf-8")
    command = f"exec {shlex.join([sys.executable, str(adapter), str(log)])}"
    only = ("client/generic/payment-and-refund", "client/generic/payment-answer-lost-once")
    report = await run(Job(Role.CLIENT, f"exec:{command}", profile.load("generic"), only=only))
    judged = [verdict for verdict in report.verdicts if isinstance(verdict.result, Passed)]
    assert len(judged) >= 4
    assert {verdict.outcome for verdict in report.verdicts} <= {"passed", "unexercised", "skipped"}
    assert report.subject.language == "python"
    assert any("DEBUG do" in history.notes for history in report.histories.values())
    commands = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert {each["cmd"] for each in commands} == {"start", "do", "stop"}
    assert any("key" in each.get("params", {}) for each in commands) == (name == "careful-client")
    for each in commands:
        fitting("command").validate(each)


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "1", "cmd": "do", "step": "create-payment", "params": {"amount": 10.5}},
        {"id": "1", "cmd": "do", "step": "create-coffee", "params": {}},
        {"id": "0", "cmd": "start", "protocol": 2, "role": "client", "profile": "generic"},
        {"cmd": "stop"},
        {"id": "1", "cmd": "dance"},
    ],
)
def test_the_schema_can_tell_what_is_no_command(wrong: Mapping[str, object]) -> None:
    """It is no schema that everything fits."""
    assert not fitting("command").is_valid(wrong)


def test_a_step_is_asked_in_the_words_of_the_protocol() -> None:
    """A payment has an order, a refund its payment and its own id; a key that is not given is no member at all."""
    payment = Intent(1, "p", "create-payment", 1, amount=6540, key=b"k-1", reference="order-7")
    refund = Intent(2, "r", "create-refund", 2, amount=100, reference="refund-3", payment=1)
    assert protocol.params(payment, "") == {"order_id": "order-7", "amount": 6540, "currency": "EUR", "key": "k-1"}
    assert protocol.params(refund, "pay_1") == {
        "payment_id": "pay_1", "refund_id": "refund-3", "amount": 100, "currency": "EUR",
    }  # fmt: skip


def test_an_empty_key_is_given_as_one() -> None:
    """Empty and missing are two different mistakes of a caller."""
    assert protocol.params(Intent(1, "p", "create-payment", 1, amount=1, key=b""), "")["key"] == ""


def test_a_subject_says_what_it_is() -> None:
    """Without a declaration of retries it must try once."""
    full = {
        "name": "shop", "version": "2", "language": "go", "features": ["refunds", "parallel"],
        "retries": {"max": 3, "on": ["lost"]}, "more": 1,
    }  # fmt: skip
    assert protocol.claims({"ok": full}) == Claims(
        "shop", "2", "go", frozenset({"refunds", "parallel"}), Retries(3, frozenset({"lost"}))
    )
    assert protocol.claims({"ok": {"name": "shop"}}).retries == Retries(0, frozenset())


def test_each_kind_of_answer_is_an_outcome() -> None:
    """Worked, did not work, refused by itself."""
    assert protocol.outcome({"ok": {"payment_id": "pay_1"}}) == Done({"payment_id": "pay_1"})
    assert protocol.outcome({"failed": {"kind": "unknown"}}) == Failed("unknown", "")
    assert protocol.outcome({"refused": {"message": "no key"}}) == Refused("no key")


def test_effects_may_be_unknown() -> None:
    """An answer without them says nothing, which is another thing than that nothing happened."""
    row = {"kind": "payment", "id": "pay_1", "amount": 10, "payment_id": None, "more": True}
    assert protocol.effects({"ok": {}}) is None
    assert protocol.effects({"ok": {"effects": []}}) == ()
    assert protocol.effects({"ok": {"effects": [row]}}) == (Effect("payment", "pay_1", 10, ""),)


JUNK: list[tuple[Any, Any, str]] = [
    (protocol.outcome, {}, "the answer to 'do' has none of ok, failed, refused, errored"),
    (protocol.outcome, {"payment_id": "pay_1"}, "the answer to 'do' has none of ok, failed, refused, errored; it has 'payment_id'"),
    (protocol.outcome, {"ok": "yes"}, ".ok"),
    (protocol.outcome, {"ok": {}, "refused": {}}, "does not fit the protocol"),
    (protocol.outcome, {"failed": {"kind": "sorry"}}, ".failed.kind"),
    (protocol.outcome, {"failed": {}}, "kind"),
    (protocol.outcome, ["ok"], "does not fit the protocol"),
    (protocol.outcome, {"errored": {"message": "no network"}}, "the adapter reports an error of its own in 'do': no network"),
    (protocol.claims, {"ok": {}}, "name"),
    (protocol.claims, {"ok": {"name": "x", "features": ["teleport"]}}, ".features[0]"),
    (protocol.claims, {"ok": {"name": "x", "retries": {"max": -1}}}, ".retries.max"),
    (protocol.claims, {"refused": {"message": "not today"}}, "'start' was answered"),
    (protocol.claims, {"errored": {"message": "no driver"}}, "no driver"),
    (protocol.effects, {"ok": {"effects": [{"kind": "payment", "amount": 10}]}}, ".effects[0]"),
    (protocol.effects, {"ok": {"effects": {"kind": "payment"}}}, ".effects"),
]  # fmt: skip


@pytest.mark.parametrize(("read", "answer", "says"), JUNK)
def test_an_answer_that_does_not_fit_is_the_subjects_error(read: Any, answer: object, says: str) -> None:
    """The sentence names the place in the answer, on one line."""
    with pytest.raises(SubjectError) as caught:
        read(answer)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
