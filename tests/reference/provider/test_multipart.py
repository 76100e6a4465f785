"""Forms with files: byte for byte, and nothing where there is no form."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psp_harness.model import Request
from psp_harness.reference.provider.multipart import Part, form_of


def request(body: bytes, kind: bytes = b"multipart/form-data; boundary=b") -> Request:
    """A form as a request."""
    return Request("POST", "/files", ((b"content-type", kind),), body)


def uploaded(content: bytes, name: str = "receipt.png") -> Request:
    """As a client writes it."""
    sent = httpx.Request("POST", "http://psp/files", files={"file": (name, content)}, data={"dispute_id": "dp_1"})
    return request(sent.read(), sent.headers["content-type"].encode())


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_a_file_arrives_byte_for_byte(content: bytes) -> None:
    """Whatever is in it: line ends, zeros, bytes that are no text."""
    form = form_of(uploaded(content))
    assert form == {"dispute_id": Part(b"dp_1"), "file": Part(content, "receipt.png")}


@pytest.mark.parametrize(
    "content", [b"a\r\nb\nc\rd", b"\r\n", b"--b\r\n", b"\x00\x85\x0b\x0c\x1c", b"\xff" * 4096, b""]
)
def test_odd_content_arrives_as_it_is(content: bytes) -> None:
    """Line ends of every kind, and what looks like one."""
    assert form_of(uploaded(content))["file"].content == content


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", b"multipart/form-data; boundary=b"),
        (b"nothing", b"multipart/form-data; boundary=b"),
        (b"--b\r\n", b"multipart/form-data"),
        (b"--b\r\n\r\nx\r\n--b--", b"multipart/form-data; boundary=b"),
        (b"{}", b"application/json"),
        (b"\xff\xfe", b"multipart/form-data; boundary=\xff"),
        (b"--b\r\n" * 5000, b"multipart/form-data; boundary=b"),
    ],
)
def test_what_is_no_form_has_no_fields(body: bytes, kind: bytes) -> None:
    """Junk is never an error."""
    assert form_of(request(body, kind)) == {}


def test_a_field_that_is_no_text_is_empty() -> None:
    """Where text is wanted."""
    assert Part(b"\xff").text == ""
    assert Part("é".encode()).text == "é"
