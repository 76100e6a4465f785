from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psp_harness.model import Request
from psp_harness.reference.provider.fingerprint import fingerprint

VALUES = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3))


def of(body: bytes, encoding: str = "json", operation: str = "create-payment", target: str = "/payments") -> str:
    """Take the fingerprint of a POST."""
    return fingerprint(operation, encoding, Request("POST", target, (), body))


@given(st.dictionaries(st.text(), VALUES, max_size=5))
def test_the_way_json_is_written_does_not_count(members: dict[str, object]) -> None:
    """Order of members, white space and escapes are free."""
    backwards = dict(reversed(members.items()))
    plain = json.dumps(members, ensure_ascii=False, indent=2).encode("utf-8", "surrogatepass")
    assert of(json.dumps(backwards, separators=(",", ":")).encode()) == of(json.dumps(members).encode())
    assert of(plain) == of(json.dumps(members).encode())


@pytest.mark.parametrize(
    ("one", "other", "encoding"),
    [
        (b'{"amount":1}', b'{"amount":2}', "json"),
        (b'{"amount":1}', b'{"amount":true}', "json"),
        (b'{"amount":1}', b'{"amount":"1"}', "json"),
        (b'{"a":[1,2]}', b'{"a":[2,1]}', "json"),
        (b'{"a":null}', b"{}", "json"),
        (b"not json", b"not json either", "json"),
        (b"amount=1", b"amount=2", "form"),
        (b"amount=1", b"amount=01", "form"),
        (b"expand[]=a", b"expand[]=a&expand[]=b", "form"),
        (b"a=", b"", "form"),
        (b"a=%FF", b"a=%FE", "form"),
    ],
)
def test_what_counts(one: bytes, other: bytes, encoding: str) -> None:
    """Two bodies that mean something else are two requests."""
    assert of(one, encoding) != of(other, encoding)


def test_forms_are_compared_by_name() -> None:
    """Pairs of a form may change places; those of one name may not."""
    assert of(b"a=1&b=2", "form") == of(b"b=2&a=1", "form") == of(b"a=%31&b=2", "form")
    assert of(b"a=1&a=2", "form") != of(b"a=2&a=1", "form")


def test_where_it_was_sent_counts() -> None:
    """The same body on another route, or with another query, is another request."""
    assert len({of(b"{}"), of(b"{}", operation="create-refund"), of(b"{}", target="/payments?expand=all")}) == 3


def test_a_body_too_deep_to_read_stands_for_its_bytes() -> None:
    """Nesting without end neither fails nor meets another such body."""
    assert of(b"[" * 100_000) == of(b"[" * 100_000) != of(b"[" * 100_001)
