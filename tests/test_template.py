"""Messages as templates: what is written with one is read with it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psp_harness.template import ABSENT, decode, encode, fill, holes, match_path, read

BODY = {
    "amount": "{amount}",
    "currency": "{currency|lower}",
    "confirm": True,
    "metadata": {"reference": "{reference}"},
    "note": "order {reference}",
}
VALUES = {"amount": 6540, "currency": "EUR", "reference": "order-7"}


def test_every_value_stands_in_its_place() -> None:
    """Whole leaves keep their type; a part of a text becomes text; `|lower` writes in lower case."""
    assert fill(BODY, VALUES) == {
        "amount": 6540,
        "currency": "eur",
        "confirm": True,
        "metadata": {"reference": "order-7"},
        "note": "order order-7",
    }
    assert fill(["{amount}", 1], VALUES) == [6540, 1]


def test_a_value_that_is_not_given_is_left_out() -> None:
    """Null is a value; an absent one has no member, not an empty one."""
    assert fill({"a": "{amount}", "b": "{reference}"}, {"amount": None}) == {"a": None}
    assert fill({}, {}) == {}


def test_a_template_names_its_values() -> None:
    """Wherever they stand."""
    assert holes(BODY) == {"amount", "currency", "reference"}
    assert holes([{"a": "{x} and {y}"}, 7, None]) == {"x", "y"}


@given(
    st.fixed_dictionaries({
        "amount": st.integers(),
        "currency": st.sampled_from(["EUR", "JPY"]),
        "reference": st.text("abcdefghij-0123456789", min_size=1),
    })
)  # fmt: skip
def test_what_is_filled_in_is_read_out(values: dict[str, object]) -> None:
    """Through JSON and back, every value is the same."""
    message = decode(encode(fill(BODY, values), "json"), "json")
    assert read(BODY, message) == values


def test_a_message_of_another_shape_has_no_values() -> None:
    """Members that are missing or more are no error; a body that is no object has no values."""
    assert read(BODY, {"amount": 1, "more": 2}) == {"amount": 1}
    assert read(BODY, {"amount": 1, "metadata": "none"}) == {"amount": 1}
    assert read(BODY, [1]) is None
    assert read(BODY, ABSENT) is None


def test_strictly_read_every_fixed_member_must_be_there() -> None:
    """Which is how a documented refusal is told from another."""
    refusal = {"error": {"type": "idempotency_error", "message": "{message}"}}
    assert read(refusal, {"error": {"type": "idempotency_error", "message": "x"}}, strict=True) == {"message": "x"}
    assert read(refusal, {"error": {"type": "card_error"}}, strict=True) is None
    assert read(refusal, {}, strict=True) is None
    assert read(refusal, {"error": {}}, strict=True) is None
    assert read({"ok": True}, {"ok": False}, strict=True) is None


@pytest.mark.parametrize(
    ("template", "path", "found"),
    [
        ("/payments", "/payments", {}),
        ("/payments", "/payments?expand=1", {}),
        ("/payments?limit=100", "/payments", {}),
        ("/payments/{id}", "/payments/pay_1", {"id": "pay_1"}),
        ("/payments/{id}/refunds", "/payments/pay_1/refunds", {"id": "pay_1"}),
        ("/payments", "/payments/", None),
        ("/payments/{id}", "/payments/", None),
        ("/payments/{id}", "/payments/a/b", None),
        ("/v1.0/payments", "/v1x0/payments", None),
    ],
)
def test_a_path_is_matched_whole(template: str, path: str, found: dict[str, str] | None) -> None:
    """A query is no part of it, and a dot is a dot."""
    assert match_path(template, path) == found


def test_a_form_is_written_with_brackets() -> None:
    """As Stripe's API takes nested members and lists."""
    assert encode({"amount": 10, "metadata": {"order": "7 & 8"}, "expand": ["a", "b"], "confirm": True}, "form") == (
        b"amount=10&metadata%5Border%5D=7+%26+8&expand%5B0%5D=a&expand%5B1%5D=b&confirm=true"
    )


def test_a_form_is_read_as_a_tree() -> None:
    """Whole numbers are integers; what only looks like one, such as 007, is text; empty values are kept."""
    assert decode(b"amount=10&metadata[order]=007&metadata[n]=-3&empty=&big=12345678901234567890123", "form") == {
        "amount": 10,
        "metadata": {"order": "007", "n": -3},
        "empty": "",
        "big": "12345678901234567890123",
    }


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b'{"amount": NaN}', b"[" * 100_000, b'{"a": ' + b"1" * 5_000 + b"}", b"\xef\xbb\xbf{}"],
    ids=["empty", "broken", "no UTF-8", "NaN", "deep", "long number", "BOM"],
)
def test_what_is_no_json_is_absent(body: bytes) -> None:
    """Junk from a subject is never an error of ours."""
    assert decode(body, "json") is ABSENT


@pytest.mark.parametrize(
    "body", [b"a[b]=1&a=2", b"a=2&a[b]=1", b"[]=1", b"a[b][c]=1&a[b]=2", b"=&=", b"a]]]=1", b"%zz"]
)
def test_a_form_that_contradicts_itself_is_read_all_the_same(body: bytes) -> None:
    """Some tree comes out of it, and no error."""
    assert isinstance(decode(body, "form"), dict)


@given(st.binary(max_size=200), st.sampled_from(["json", "form"]))
def test_no_body_breaks_the_reader(body: bytes, encoding: str) -> None:
    """Whatever bytes come, they are a value or absent."""
    found: Any = decode(body, encoding)
    assert found is ABSENT or json.dumps(found) is not None
