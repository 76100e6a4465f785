"""Laws of every scheme: what is signed verifies, junk ends in a value, an empty secret is refused."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from psp_harness.errors import UsageError
from psp_harness.signing import SCHEMES, Draft, Forged, Genuine, Scheme, Unproved, Webhook, sign, verify
from psp_harness.signing.paypal import is_paypals

NOW = 1_790_000_000
BATCH = b'{"notificationItems":[{"NotificationRequestItem":{"pspReference":"P","merchantReference":"a:b","merchantAccountCode":"S"}}]}'
NAMES = pytest.mark.parametrize("name", SCHEMES)


def _pair() -> tuple[str, str]:
    private = rsa.generate_private_key(65537, 2048)
    pem = serialization.Encoding.PEM
    public = private.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    plain = serialization.NoEncryption()
    return private.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain).decode(), public.decode()


PRIVATE, PUBLIC = _pair()
SECRETS = {"adyen-standard": "00ff", "adyen-payload": "00ff", "standard-webhooks": "whsec_c2VjcmV0", "paypal": PUBLIC}


def secret_of(name: str) -> str:
    """What a receiver of the scheme knows."""
    return SECRETS.get(name, "a secret of nobody")


def signed(scheme: Scheme, at: int = NOW) -> Webhook:
    """A delivery of the scheme."""
    secret = PRIVATE if scheme.asymmetric else secret_of(scheme.name)
    return sign(scheme, Draft(BATCH, "https://shop.example/w", "msg_1", at, "WH-1"), [secret])


@NAMES
def test_what_is_signed_verifies(name: str) -> None:
    """Or says that nothing is proved, where the PSP does not sign."""
    scheme = SCHEMES[name]
    found = verify(scheme, signed(scheme), [secret_of(name)], now=NOW, tolerance=300)
    assert isinstance(found, Genuine if scheme.signed else Unproved)
    if isinstance(found, Genuine):
        assert (found.at is not None) == scheme.timestamped
        assert bool(found.id) == bool(scheme.id_header)


@NAMES
def test_a_signed_time_is_held_against_the_clock(name: str) -> None:
    """In both directions, to the second, and only where one is signed."""
    scheme = SCHEMES[name]
    verdicts = [
        verify(scheme, signed(scheme, at), [secret_of(name)], now=NOW, tolerance=300)
        for at in (NOW - 301, NOW - 300, NOW + 300, NOW + 301)
    ]
    late = Forged if scheme.timestamped else type(verdicts[1])
    assert [type(each) for each in verdicts] == [late, type(verdicts[1]), type(verdicts[1]), late]


@pytest.mark.parametrize("name", [name for name, scheme in SCHEMES.items() if scheme.signed])
def test_an_empty_secret_is_refused(name: str) -> None:
    """By both sides, alone or beside another, and so is none at all."""
    scheme = SCHEMES[name]
    for secrets in ([], [""], [secret_of(name), ""]):
        with pytest.raises(UsageError):
            verify(scheme, signed(scheme), secrets, now=NOW, tolerance=None)
        with pytest.raises(UsageError):
            sign(scheme, Draft(BATCH), secrets)


def test_a_secret_of_another_form_is_refused_without_being_shown() -> None:
    """The error says what is wrong with it, and not what it is."""
    for name in ("adyen-payload", "standard-webhooks"):
        with pytest.raises(UsageError) as caught:
            sign(SCHEMES[name], Draft(b""), ["whsec_not/hex/or/base64?"])
        assert "not/hex" not in str(caught.value)


@settings(deadline=None)  # a busy machine is no mistake
@given(
    name=st.sampled_from(sorted(SCHEMES)),
    body=st.binary(max_size=60)
    | st.sampled_from([b"", b"null", b"[]", b'{"notificationItems":3}', b'{"notificationItems":[{"NotificationRequestItem":{}}]}']),
    lines=st.dictionaries(
        st.sampled_from(
            ["Stripe-Signature", "webhook-id", "webhook-timestamp", "webhook-signature", "HmacSignature",
             *(f"PAYPAL-TRANSMISSION-{end}" for end in ("ID", "TIME", "SIG")), "PAYPAL-CERT-URL", "PAYPAL-AUTH-ALGO"]
        ),
        st.binary(max_size=40)
        | st.sampled_from(
            [b"", b",", b"v1", b"v1,", b"t=,v1=", b"t=9" * 9, b"t=1e3,v1=x", b"t=1,t=2,v1=0", "v1,é".encode(), b"SHA256withRSA",
             b"https://api.paypal.com/c", b"https://[", b"2026-02-30T00:00:00Z", b"9" * 15]
        ),
    ),
)  # fmt: skip
def test_junk_ends_in_a_value(name: str, body: bytes, lines: dict[str, bytes]) -> None:
    """Whatever the headers and the body are, nothing is raised and nothing is genuine."""
    webhook = Webhook(tuple((key.encode(), value) for key, value in lines.items()), body)
    found = verify(SCHEMES[name], webhook, [secret_of(name)], now=NOW, tolerance=300)
    assert isinstance(found, Forged if SCHEMES[name].signed else Unproved)


@NAMES
def test_a_header_line_that_comes_twice_is_no_signature(name: str) -> None:
    """Whoever reads the other of the two would verify something else."""
    scheme, webhook = SCHEMES[name], signed(SCHEMES[name])
    if scheme.header:
        twice = Webhook(webhook.headers * 2, webhook.body, webhook.url, webhook.endpoint)
        assert isinstance(verify(scheme, twice, [secret_of(name)], now=NOW, tolerance=300), Forged)


@pytest.mark.parametrize(
    ("url", "is_theirs"),
    [
        ("https://api.paypal.com/v1/notifications/certs/CERT-1", True),
        ("https://api-m.sandbox.paypal.com/v1/notifications/certs/CERT-1", True),
        ("http://api.paypal.com/c", False),
        ("https://api.paypal.com:8443/c", False),
        ("https://paypal.com.evil.example/c", False),
        ("https://evilpaypal.com/c", False),
        ("https://api.paypal.com@evil.example/c", False),
        ("https://[", False),
    ],
)
def test_a_certificate_is_taken_from_paypal_alone(url: str, is_theirs: bool) -> None:
    """Scheme, host and port; a name that only looks like it is not."""
    assert is_paypals(url) is is_theirs
