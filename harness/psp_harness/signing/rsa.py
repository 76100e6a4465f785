"""RSA with SHA-256 (RFC 8017 §8.2), by the package `cryptography`: imported only where it is needed."""

from __future__ import annotations

import base64
import binascii

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

_BITS, _EXPONENT = 2048, 65537


def pair() -> tuple[str, str]:
    """A fresh private key and its public one, in PEM."""
    private = generate_private_key(_EXPONENT, _BITS)
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    public = private.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain).decode(), public.decode()


def signature(pem: bytes, text: bytes) -> bytes:
    """In base64, by a private key in PEM; raises `ValueError` where it is none of RSA."""
    private = serialization.load_pem_private_key(pem, None)
    if not isinstance(private, RSAPrivateKey):
        message = "no private key of RSA"
        raise ValueError(message)  # noqa: TRY004 - it is the key's content that is wrong
    return base64.b64encode(private.sign(text, PKCS1v15(), SHA256()))


def is_signed(pem: bytes, text: bytes, line: bytes) -> bool:
    """Whether the owner of a certificate or public key, in PEM, made this signature; `line` is base64."""
    try:
        public = _public(pem)
        public.verify(base64.b64decode(line, validate=True), text, PKCS1v15(), SHA256())
    except (InvalidSignature, UnsupportedAlgorithm, binascii.Error, ValueError):
        return False
    return True


def _public(pem: bytes) -> RSAPublicKey:
    if b"BEGIN CERTIFICATE" in pem:
        found = x509.load_pem_x509_certificate(pem).public_key()
    else:
        found = serialization.load_pem_public_key(pem)  # type: ignore[assignment]
    if not isinstance(found, RSAPublicKey):
        message = "no public key of RSA"
        raise ValueError(message)  # noqa: TRY004 - it is the key's content that is wrong
    return found
