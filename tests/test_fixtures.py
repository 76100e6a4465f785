"""Nothing proves itself: every profile is held against messages that somebody else made, none of them a secret."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from psp_harness import profile
from psp_harness.model import Answer, Request
from psp_harness.profile import Profile, keys_of, matches, operation_of, told_by, values_of
from psp_harness.reports.scrub import scrub
from psp_harness.signing import Forged, Genuine, Webhook, verify
from psp_harness.template import ABSENT, decode, read

ROOT = Path(__file__).parents[1]
FIXTURES = ROOT / "fixtures"
OURS = {"index.toml", ".gitattributes"}
RUNNERS = "runners"
"""Results of test runners, with an index of their own: tests/runners/test_junit.py."""


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of the index, as its head describes it."""

    path: str
    psp: str
    profiles: tuple[str, ...]
    what: str
    kind: str
    by: str
    source: str
    recorded: date
    operation: str | None = None
    refusal: str | None = None
    status: int = 0
    values: dict[str, Any] = {}
    keys: tuple[str, ...] = ()
    event: str | None = None
    secret: str | None = None
    at: int | None = None

    @property
    def body(self) -> bytes:
        """The file."""
        return (FIXTURES / self.path).read_bytes()


MESSAGES = msgspec.convert(tomllib.loads((FIXTURES / "index.toml").read_text("utf-8"))["message"], tuple[Message, ...])


def of(kind: str, what: str) -> list[Any]:
    """Messages of that kind which have `what`, with each profile that must read them."""
    return [
        pytest.param(message, profile.load(name), id=f"{message.path}-{name}")
        for message in MESSAGES
        for name in message.profiles
        if message.kind == kind and getattr(message, what)
    ]


def as_request(raw: bytes) -> Request:
    """A request as it came off the socket."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    method, target, _ = first.decode().split(" ")
    headers = [line.partition(b": ") for line in lines]
    return Request(method, target, tuple((name, value) for name, _, value in headers), body)


def as_answer(message: Message) -> Answer:
    """An answer of which the body was recorded."""
    return Answer(message.status, ((b"Content-Type", b"application/json"),), message.body)


# --- the index ------------------------------------------------------------------------------------------------------


def test_the_index_and_the_files_agree() -> None:
    """Each message stands in the index once, and each entry has its file."""
    files = {path.relative_to(FIXTURES) for path in FIXTURES.rglob("*") if path.is_file()}
    messages = {str(file) for file in files if file.parts[0] != RUNNERS} - OURS
    indexed = [message.path for message in MESSAGES]
    assert sorted(indexed) == sorted(messages)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.path)
def test_an_entry_says_what_it_is_and_where_it_is_from(message: Message) -> None:
    """There is a source, and exactly one thing for which the message is used."""
    assert message.source
    assert message.what
    assert message.by in {"vendor", "norm", "double"}
    assert message.kind in {"request", "answer", "webhook"}
    assert [message.operation, message.refusal, message.event].count(None) == 2
    assert (message.event is not None) == (message.kind == "webhook")
    assert bool(message.status) == (message.kind == "answer")
    assert message.path.endswith(".json" if message.kind == "answer" else ".http")
    assert set(message.profiles) <= set(profile.names())


@pytest.mark.parametrize("name", profile.names())
def test_a_profile_is_held_against_a_message_that_is_not_ours(name: str) -> None:
    """Each has at least one that the vendor made or the norm says; an imitation of the PSP does not count."""
    assert [m.path for m in MESSAGES if name in m.profiles and m.by != "double"], f"profile {name!r} has no message"


# --- what the profiles read -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("message", "psp"), of("request", "operation"))
def test_a_profile_reads_a_request(message: Message, psp: Profile) -> None:
    """Operation, amount, currency and reference are those that were sent."""
    found = operation_of(psp, as_request(message.body))
    assert found is not None
    operation, values = found
    assert operation == message.operation
    assert values == {**values, **message.values}
    assert "amount" in message.values


@pytest.mark.parametrize(("message", "psp"), of("request", "operation"))
def test_a_profile_finds_the_key_of_a_request(message: Message, psp: Profile) -> None:
    """Exactly the keys that were sent, byte for byte, and none where there is none."""
    assert keys_of(psp, as_request(message.body)) == [key.encode() for key in message.keys]


@pytest.mark.parametrize(("message", "psp"), of("answer", "operation"))
def test_a_profile_reads_an_answer(message: Message, psp: Profile) -> None:
    """Id, amount, currency and status are those that were answered, and so is the HTTP status."""
    assert message.operation is not None
    values = values_of(psp, message.operation, as_answer(message))
    assert message.values
    assert values == {**values, **message.values}
    assert message.status == psp.operations[message.operation].status


@pytest.mark.parametrize(("message", "psp"), of("answer", "refusal"))
def test_a_profile_recognises_a_refusal(message: Message, psp: Profile) -> None:
    """The documented one, by its status and the fixed members of its body."""
    assert message.refusal is not None
    refusal = psp.refusals[message.refusal]
    assert matches(refusal, as_answer(message))
    values = read(refusal.body, decode(message.body, "json"), strict=True)
    assert values is not None
    assert values == {**values, **message.values}


@pytest.mark.parametrize(("message", "psp"), of("answer", "refusal"))
def test_a_profile_tells_one_refusal_from_another(message: Message, psp: Profile) -> None:
    """No recorded refusal passes for another one, nor does the right body under another status."""
    assert message.refusal is not None
    others = [
        m for m in MESSAGES if m.refusal not in {None, message.refusal} and set(m.profiles) & set(message.profiles)
    ]
    assert [m.path for m in others if matches(psp.refusals[message.refusal], as_answer(m))] == []
    assert not matches(psp.refusals[message.refusal], Answer(500, (), message.body))
    assert not matches(psp.refusals[message.refusal], Answer(message.status, (), b"<html>"))


@pytest.mark.parametrize(("message", "psp"), of("webhook", "event"))
def test_a_webhook_is_genuine_and_is_read(message: Message, psp: Profile) -> None:
    """Its signature is right, a moment later too; with another byte in the body it is not; and it tells what it told."""
    assert psp.webhooks is not None
    request, scheme = as_request(message.body), psp.webhooks.signature
    secret = message.secret or psp.secrets["tenant-a"]
    webhook = Webhook(request.headers, request.body)
    now = (message.at or 0) + 1
    found = verify(scheme, webhook, [secret], now=now, tolerance=psp.webhooks.tolerance_seconds)
    assert isinstance(found, Genuine)
    assert found.at == message.at
    altered = Webhook(request.headers, request.body.replace(b'"', b"'", 1).replace(b"1130", b"1131"))
    assert isinstance(verify(scheme, altered, [secret], now=now, tolerance=None), Forged)
    *_, last = told_by(psp.webhooks, request.body)
    assert last.means == message.event
    assert last.values == {**last.values, **message.values}


def test_a_listed_refund_reads_as_the_refund_itself() -> None:
    """The items of a list have the shape of what was created: effects are read from them."""
    stripe = profile.load("stripe")
    by_path = {message.path: message for message in MESSAGES}
    listed = values_of(stripe, "list-refunds", as_answer(by_path["stripe/refunds-listed.json"]))["items"]
    assert isinstance(listed, list)
    created = values_of(stripe, "create-refund", as_answer(by_path["stripe/refund-succeeded.json"]))
    assert [read(stripe.operations["create-refund"].answer, item) for item in listed] == [created]


def test_the_sdk_sends_a_lost_call_again_byte_for_byte() -> None:
    """Both recorded attempts are one request: what the client rules ask for is what a real SDK does."""
    lost, again = ((FIXTURES / f"stripe/create-refund-{name}.http").read_bytes() for name in ("answer-lost", "again"))
    assert lost == again


@pytest.mark.parametrize(
    "message", [m for m in MESSAGES if m.source == "docs/generic-profile.md"], ids=lambda m: m.path
)
def test_the_generic_messages_stand_in_their_contract(message: Message) -> None:
    """The norm of the generic profile is its page, word for word."""
    page = (ROOT / message.source).read_text(encoding="utf-8")
    body = message.body if message.kind == "answer" else as_request(message.body).body
    assert body.decode().strip() in page


@pytest.mark.parametrize("message", [m for m in MESSAGES if m.kind != "answer"], ids=lambda m: m.path)
def test_scrubbing_left_a_request_whole(message: Message) -> None:
    """The body is as long as its header says, so nothing was taken out of it."""
    asked = as_request(message.body)
    assert asked.lines("content-length") == [str(len(asked.body)).encode()]


@pytest.mark.parametrize("message", [m for m in MESSAGES if m.kind == "answer"], ids=lambda m: m.path)
def test_an_answer_is_json(message: Message) -> None:
    """The draft's own examples are not (they end with a comma): ours are."""
    assert decode(message.body, "json") is not ABSENT


# --- no secrets -----------------------------------------------------------------------------------------------------

FORBIDDEN = {
    "a credential": re.compile(
        r"(?i)\b[sprk]{2}_(?:live|test)_\w|\bwhsec_\w|\b(?:dev|snd|prod)_\w{16,}|\bbearer +[^\[]"
    ),
    "an e-mail address": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    "an address of a machine": re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b|\blocalhost\b|(?m:^Host: (?!\[host\]\r?$))"),
    "a host": re.compile(r"https?://(?!developer\.example\.com/)"),
    "a path of a machine": re.compile(r"(?<![\w.:/*])/(?!v\d+/)\w+/|\b[A-Z]:\\"),
    "an operating system": re.compile(r"\b(?:Linux|Darwin|Windows)-|glibc"),
}


def secrets_in(text: str) -> Iterator[str]:
    """What must not stand in a fixture: in words."""
    if scrub(text, ()) != text:
        yield "something that reports scrub"
    for what, pattern in FORBIDDEN.items():
        if pattern.search(text):
            yield what


@pytest.mark.parametrize("path", ["index.toml", *(message.path for message in MESSAGES)])
def test_a_fixture_carries_no_secret(path: str) -> None:
    """No credential, card number, e-mail address, host or path: what a report would scrub was scrubbed."""
    assert list(secrets_in((FIXTURES / path).read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    ("secret", "what"),
    [
        ("Authorization: Bearer abc", "something that reports scrub"),
        ('"client_secret": "pi_1_secret_2"', "something that reports scrub"),
        ("4242 4242 4242 4242", "something that reports scrub"),
        ("Authorization: Bearer abc", "a credential"),
        ("sk_live_1", "a credential"),
        ("rk_test_1", "a credential"),
        ("whsec_1", "a credential"),
        ("dev_0123456789abcdef0123", "a credential"),
        ("someone@shop.example", "an e-mail address"),
        ("Host: 127.0.0.1:8080", "an address of a machine"),
        ("Host: build-7", "an address of a machine"),
        ("https://internal.shop.example/", "a host"),
        ("/home/someone/.netrc", "a path of a machine"),
        ("Linux-6.1-x86_64-with-glibc2.36", "an operating system"),
    ],
)
def test_a_planted_secret_is_found(secret: str, what: str) -> None:
    """The check can fail: in a request, and within JSON."""
    request = (FIXTURES / "stripe/create-payment.http").read_text(encoding="utf-8")
    assert what in secrets_in(request.replace("Accept: */*", secret))
    assert what in secrets_in(secret)
    assert list(secrets_in(json.dumps({"reference": "order-7"}))) == []
