"""Whether an endpoint may be registered: what a URL must be, and what there must be to sign with. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from psp_harness.errors import UsageError
from psp_harness.profile import Profile, Webhooks
from psp_harness.reference.provider.sending.outbox import Endpoint

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def checked(profile: Profile, hosts: Collection[str], url: str, tenant: str, secret: str | None) -> Endpoint:
    """The endpoint; its secret is the profile's unless one is given.

    Raises `UsageError` for a PSP that sends no webhooks, a URL that it may not send to, and a missing secret.
    """
    return Endpoint(tenant, _permitted(url, hosts), _secret(profile, tenant, secret))


def webhooks_of(profile: Profile) -> Webhooks:
    """How the PSP delivers. Raises `UsageError` where the profile does not say."""
    if profile.webhooks is None:
        problem = f"profile {profile.name!r} does not say how webhooks are delivered"
        raise UsageError(problem, do="psp-harness list profiles; generic is one of those with webhooks")
    return profile.webhooks


def _permitted(url: str, hosts: Collection[str]) -> str:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise UsageError(f"{url!r} is no URL: {error}", do="for instance http://127.0.0.1:8080/webhooks") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise UsageError(f"{url!r} is no URL of HTTP", do="for instance http://127.0.0.1:8080/webhooks")
    if host not in hosts:
        raise UsageError(f"webhooks do not go to {host!r}, which is not loopback", do="listen on 127.0.0.1")
    return url


def _secret(profile: Profile, tenant: str, given: str | None) -> str:
    scheme = webhooks_of(profile).signature
    if not scheme.signed:
        return ""
    secret = given or ("" if scheme.asymmetric else profile.secrets.get(tenant, ""))
    try:
        if scheme.key(secret):
            return secret
    except ValueError:
        pass
    raise UsageError(f"there is no secret to sign {tenant}'s webhooks with", do="give one, as the PSP shows it")
