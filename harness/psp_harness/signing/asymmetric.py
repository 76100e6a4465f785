"""Signatures by a key pair: what they need is an extra, and only those who sign so pay for it."""

from __future__ import annotations

from types import ModuleType

from psp_harness.errors import UsageError


def rsa() -> ModuleType:
    """The module `signing.rsa`; raises `UsageError` where the package that it stands on is not installed."""
    try:
        from psp_harness.signing import rsa as found
    except ImportError:
        raise UsageError(
            "PayPal's signatures need a package that is not installed (cryptography)",
            do="pip install 'psp-harness[paypal]'",
        ) from None
    return found
