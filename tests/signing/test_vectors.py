"""Signatures that others made and published: each is found genuine, and nothing that was altered is."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from psp_harness.signing import SCHEMES, Draft, Forged, Genuine, Scheme, Webhook, sign, verify


class Vector(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One signed webhook."""

    scheme: str
    source: str
    secrets: tuple[str, ...]
    body: str
    headers: dict[str, str] = {}
    url: str = ""
    endpoint: str = ""

    @property
    def webhook(self) -> Webhook:
        """As it would arrive."""
        lines = tuple((name.encode(), value.encode()) for name, value in self.headers.items())
        return Webhook(lines, self.body.encode(), self.url, self.endpoint)

    @property
    def of(self) -> Scheme:
        """How it is signed."""
        return SCHEMES[self.scheme]


FILE = Path(__file__).with_name("vectors.toml")
VECTORS = msgspec.convert(tomllib.loads(FILE.read_text(encoding="utf-8"))["vector"], tuple[Vector, ...])
EACH = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.scheme)

HMAC_IN_HEADER = [v for v in VECTORS if not v.of.asymmetric and not v.of.timestamped and v.of.header]


@EACH
def test_what_somebody_else_signed_is_genuine(vector: Vector) -> None:
    """Body, headers, URL and secret as they were published."""
    found = verify(vector.of, vector.webhook, vector.secrets, now=0, tolerance=None)
    assert isinstance(found, Genuine), found


@EACH
def test_the_right_secret_may_be_the_second(vector: Vector) -> None:
    """While a secret is changed a receiver knows two."""
    if vector.of.asymmetric:
        pytest.skip("keys are public: another test has two of them")
    other = f"{vector.secrets[0][:-1]}0"
    found = verify(vector.of, vector.webhook, [other, *vector.secrets], now=0, tolerance=None)
    assert isinstance(found, Genuine)
    assert isinstance(verify(vector.of, vector.webhook, [other], now=0, tolerance=None), Forged)


@EACH
def test_a_digit_less_is_no_signature(vector: Vector) -> None:
    """The signature is that of all bytes: one changed in the body, or one taken from the signature, and it is forged."""
    altered = replace(vector.webhook, body=vector.body.replace("i", "I", 1).encode() + b" ")
    if vector.of.raw_body:
        assert isinstance(verify(vector.of, altered, vector.secrets, now=0, tolerance=None), Forged)
    for name, line in vector.webhook.headers:
        if name.decode() == vector.of.header:
            shorter = tuple((key, line[:-1] if key == name else value) for key, value in vector.webhook.headers)
            found = verify(vector.of, replace(vector.webhook, headers=shorter), vector.secrets, now=0, tolerance=None)
            assert isinstance(found, Forged)


@pytest.mark.parametrize("vector", HMAC_IN_HEADER, ids=lambda vector: vector.scheme)
def test_signing_gives_the_published_header(vector: Vector) -> None:
    """Byte for byte."""
    signed = sign(vector.of, Draft(vector.body.encode(), url=vector.url), vector.secrets)
    assert signed.headers == vector.webhook.headers


def test_a_paypal_signature_is_for_one_endpoint_and_one_host() -> None:
    """What is genuine for one registration is forged for another, and so it is with a certificate from elsewhere."""
    vector = next(v for v in VECTORS if v.scheme == "paypal")
    elsewhere = replace(vector.webhook, endpoint="WH-OF-SOMEBODY-ELSE")
    assert isinstance(verify(vector.of, elsewhere, vector.secrets, now=0, tolerance=None), Forged)
    for url in (
        "https://api.paypal.com.evil.example/c",
        "http://api.paypal.com/c",
        "https://api.paypal.com@evil.example/c",
    ):
        lines = tuple((n, url.encode() if n == b"PAYPAL-CERT-URL" else v) for n, v in vector.webhook.headers)
        found = verify(vector.of, replace(vector.webhook, headers=lines), vector.secrets, now=0, tolerance=None)
        assert found == Forged("PAYPAL-CERT-URL does not name PayPal's host")
