"""Profiles: facts with sources, read and checked; and messages read with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from psp_harness import profile
from psp_harness.errors import DataError, HarnessError, UsageError
from psp_harness.model import Answer, Request

Write = Callable[[str], Path]

LEAST = """
name = "mine"
title = "our own gateway"
credentials = { tenant-a = "a" }

[sources]
docs = "docs.example, 2026-11-01"

[auth]
header = { is = "Authorization", source = "docs" }
value = { is = "Bearer {credential}", source = "docs" }

[operations.create-payment]
route = { is = "POST /payments", source = "docs" }
request = { is = { amount = "{amount}" }, source = "docs" }
answer = { is = { id = "{id}" }, source = "docs" }

[refusals]
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a profile file."""

    def write(text: str) -> Path:
        path = tmp_path / "mine.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def refused(name: str) -> str:
    """The one sentence on a profile that cannot be loaded."""
    with pytest.raises(HarnessError) as caught:
        profile.load(name)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- loading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", profile.names())
def test_every_bundled_profile_is_loaded_by_its_name(name: str) -> None:
    """Each of its facts has a source that is listed."""
    facts = profile.load(name)
    assert facts.name == name
    assert facts.facts
    assert set(facts.facts.values()) <= set(facts.sources)


def test_a_profile_of_your_own_says_no_more_than_it_must(write: Write) -> None:
    """What it leaves out is not promised, and nothing is guessed."""
    facts = profile.load(str(write(LEAST)))
    assert facts.name == "mine"
    assert facts.features == frozenset()
    assert facts.facts["operations.create-payment.route"] == "docs"


def test_a_file_may_extend_a_bundled_profile(write: Write) -> None:
    """What it says replaces the fact, what it does not say stays, each with its own source."""
    own = """
    extends = "generic"
    name = "mine"
    sources = { docs = "docs.example" }
    key = { max-length = { is = 64, source = "docs" } }
    """
    facts, below = profile.load(str(write(own))), profile.load("generic")
    assert facts.key is not None
    assert facts.key.max_length == 64
    assert facts.operations == below.operations
    assert (facts.facts["key.max-length"], facts.facts["key.name"]) == ("docs", "contract")


def test_a_file_may_have_the_name_of_what_it_extends(tmp_path: Path) -> None:
    """Only a bundled profile cannot extend itself."""
    path = tmp_path / "generic.toml"
    path.write_text('extends = "generic"', encoding="utf-8")
    assert profile.load(str(path)) == profile.load("generic")


def test_an_unknown_name_is_one_sentence() -> None:
    """With the nearest one that exists, and another way out."""
    said = refused("hyperswich")
    assert said == (
        "unknown profile 'hyperswich'; did you mean 'hyperswitch'?; or give the path of a TOML file of your own"
    )
    assert "known: adyen, " in refused("zzz")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (LEAST.replace('header = { is = "Authorization", source = "docs" }', 'header = "Authorization"'),
         "auth.header: a fact without a source: write { is = …, source = … }"),
        (LEAST.replace(', source = "docs" }\nvalue', " }\nvalue"), "auth.header: a fact without a source"),
        (LEAST.replace('"Authorization", source = "docs"', '"Authorization", source = "dosc"'),
         "auth.header: source 'dosc' is not in [sources]; did you mean 'docs'?"),
        ('extends = "generik"', "extends: extends 'generik', which is no bundled profile; did you mean 'generic'?"),
        ("extends = 7", "extends: extends 7, which is no bundled profile"),
        (LEAST.replace("[auth]", "[auth"), "not TOML: Expected ']' at the end of a table declaration (at line 9, column 6)"),
        (LEAST.replace('title = "our own gateway"\n', ""), "the key 'title' is missing; add it"),
        (LEAST.replace('title = "our own gateway"', "title = 7"), "title: expected a text in quotes, not a whole number"),
        (LEAST + "[keys]\n", "unknown key 'keys'; did you mean 'key'?"),
        (LEAST + '[key]\ncarrier = { is = "query", source = "docs" }\nname = { is = "k", source = "docs" }', "key.carrier"),
        (LEAST + '[operations.create-coffee]\nroute = { is = "POST /", source = "docs" }',
         "operations: unknown operation 'create-coffee'; did you mean 'create-"),
        (LEAST.replace("POST /payments", "/payments"), "operations.create-payment.route: '/payments' is no route"),
        (LEAST.replace("POST /payments", "PUT /payments"), "is no route; write a method and a path"),
        (LEAST.replace("{amount}", "{amout}"), "operations.create-payment.request: nothing is called 'amout'; did you mean 'amount'?"),
        (LEAST.replace("create-payment", "get-payment"), "operations: no create-payment"),
        (LEAST.replace("tenant-a", "merchant"), "credentials: no credential of tenant-a"),
        (LEAST.replace('"mine"', '"../mine"'), "name: '../mine' is not kebab-case"),
        ("\x00", "not TOML"),
    ],
)  # fmt: skip
def test_a_file_that_is_wrong_is_one_sentence(text: str, says: str, write: Write) -> None:
    """It names the file, the fact or the line, and what was expected."""
    path = str(write(text))
    said = refused(path)
    assert said.startswith(f"{path}: ")
    assert says in said


@pytest.mark.parametrize(
    ("name", "says"), [("no/such.toml", "No such file"), (".toml", "No such file"), ("./", "Is a dir")]
)
def test_a_file_that_cannot_be_read_is_one_sentence(name: str, says: str) -> None:
    """A path is told from the name of a bundled profile by its looks."""
    with pytest.raises(DataError, match=says):
        profile.load(name)


def test_a_name_is_no_path() -> None:
    """What has neither a slash nor `.toml` is the name of a bundled profile."""
    with pytest.raises(UsageError):
        profile.load("README")


# --- reading with it --------------------------------------------------------------------------------------------------

GENERIC = profile.load("generic")
STRIPE = profile.load("stripe")
DRAFT = profile.load("ietf-draft")


def asked(target: str = "/payments", body: bytes = b"{}", *keys: bytes, method: str = "POST") -> Request:
    """A request with these key lines."""
    return Request(method, target, tuple((b"idempotency-key", key) for key in keys), body)


def test_a_request_is_an_operation_with_its_values() -> None:
    """Method and path say which; the path's own values count more than the body's."""
    found = profile.operation_of(GENERIC, asked(body=b'{"amount":10,"currency":"EUR"}'))
    assert found == ("create-payment", {"amount": 10, "currency": "EUR"})
    assert profile.operation_of(GENERIC, asked("/refunds?x=1", b'{"payment_id":"p"}')) == (
        "create-refund", {"payment_id": "p"},
    )  # fmt: skip
    assert profile.operation_of(GENERIC, asked("/payments/p", method="GET")) == ("get-payment", {"id": "p"})
    assert profile.operation_of(GENERIC, asked("HTTP://127.0.0.1:80/payments?x=1")) == ("create-payment", {})
    assert profile.operation_of(GENERIC, asked("http://[")) is None
    assert profile.operation_of(GENERIC, asked("/orders")) is None
    assert profile.operation_of(GENERIC, asked(method="PUT")) is None
    assert profile.operation_of(GENERIC, asked(body=b"junk")) == ("create-payment", {})


def test_a_form_is_an_operation_too() -> None:
    """In the words of Stripe's API."""
    body = b"amount=10&currency=eur&metadata[reference]=order-7"
    found = profile.operation_of(STRIPE, asked("/v1/payment_intents", body))
    assert found is not None
    assert found[0] == "create-payment"
    assert {"amount": 10, "currency": "EUR"}.items() <= found[1].items()


def test_key_lines_are_read_as_bytes() -> None:
    """Each line apart, the empty one too."""
    assert profile.keys_of(GENERIC, asked("/", b"", b"one", b"", b'"two"')) == [b"one", b"", b'"two"']


@pytest.mark.parametrize("key", [b"plain", b'with "quotes"', b"back\\slash", b'\\"', b""])
def test_a_quoted_key_is_written_and_read(key: bytes) -> None:
    """What is written as a Structured Field string is read as the key."""
    line = profile.write_key(DRAFT, key)
    assert line.startswith(b'"')
    assert profile.written_key(DRAFT, line) == (True, key)
    assert profile.write_key(GENERIC, key) == key


@pytest.mark.parametrize("line", [b"bare", b'"', b'"open', b'close"'])
def test_an_unquoted_line_stays_what_it_is(line: bytes) -> None:
    """Where quotes are wanted, their absence can be seen."""
    assert profile.written_key(DRAFT, line) == (False, line)


@pytest.mark.parametrize(
    ("status", "body", "holds"),
    [
        (422, b'{"code":"idempotency_key_reused","message":"x","more":1}', True),
        (422, b'{"code":"idempotency_key_reused"}', True),
        (422, b'{"code":"other","message":"x"}', False),
        (422, b"{}", False),
        (422, b"junk", False),
        (409, b'{"code":"idempotency_key_reused"}', False),
    ],
)
def test_a_refusal_is_the_documented_one(status: int, body: bytes, holds: bool) -> None:
    """Its status, and every fixed member of its body; a message is free."""
    assert profile.matches(GENERIC.refusals["key-reused"], Answer(status, (), body)) is holds


def test_a_refusal_is_held_to_members_of_members() -> None:
    """An empty body is not what Stripe documents, though all but its type is free there."""
    documented = STRIPE.refusals["key-reused"]
    right = b'{"error":{"type":"idempotency_error","message":"x"}}'
    assert profile.matches(documented, Answer(documented.status[0], (), right))
    assert not profile.matches(documented, Answer(documented.status[0], (), b"{}"))
    assert not profile.matches(documented, Answer(documented.status[0], (), b'{"error":{"message":"x"}}'))


def test_the_values_of_an_answer_are_read_where_it_has_them() -> None:
    """An answer of another shape has none."""
    answer = Answer(201, (), b'{"id":"pay_1","amount":10,"more":true}')
    assert profile.values_of(GENERIC, "create-payment", answer) == {"id": "pay_1", "amount": 10}
    assert profile.values_of(GENERIC, "create-payment", Answer(201, (), b"<html>")) == {}
