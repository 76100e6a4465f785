"""OAuth 2 access tokens for a client's id and secret (RFC 6749 §4.4), where and for how long the profile says.

A token says whose it is and until when, under a MAC by the client's secret: nothing of it is kept, so every process
that knows the client knows its tokens. A new one is the same tenant's, and so the keys of the one before it count.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping

from psp_harness.model import Answer, Request
from psp_harness.profile import Profile
from psp_harness.reference.asgi import as_json
from psp_harness.reference.provider.ledger import Refusal
from psp_harness.template import decode

_FORM = re.compile(rb"([A-Za-z0-9_-]+)\.([0-9]+)\.([A-Za-z0-9_-]+)\.([0-9a-f]{64})")


def granted(profile: Profile, request: Request, now: float) -> Answer | None:
    """What a request for a token is answered; None: it is another request. `now` is Unix time."""
    facts = profile.tokens
    if facts is None or f"{request.method} {request.target.partition('?')[0]}" != facts.route:
        return None
    tenant = _client_of(profile.clients, request)
    if tenant is None:
        return _refused(401, "invalid_client", "Client Authentication failed")
    form = decode(request.body, "form")
    grant = form.get("grant_type") if isinstance(form, Mapping) else None
    if grant is None:
        return _refused(400, "invalid_request", "grant_type is missing")
    if grant != "client_credentials":
        return _refused(400, "unsupported_grant_type", "this client may ask for client_credentials")
    token = _token(tenant, profile.clients[tenant], int(now) + facts.seconds)
    told = {"access_token": token, "token_type": "Bearer", "expires_in": facts.seconds, "scope": "payments"}
    answer = as_json(200, told)
    return Answer(200, (*answer.headers, (b"cache-control", b"no-store")), answer.body)


def bearer_of(profile: Profile, request: Request, now: float) -> str | Refusal:
    """Whose request it is, by its token."""
    lines = request.lines(profile.auth.header)
    scheme, _, token = lines[0].partition(b" ") if len(lines) == 1 else (b"", b"", b"")
    found = _FORM.fullmatch(token)
    if scheme.lower() != b"bearer" or found is None:
        return Refusal("unauthorized", f"{profile.auth.header} is missing or wrong")
    tenant, until = _unwritten(found[1]), int(found[2])
    client = profile.clients.get(tenant)
    if client is None or not hmac.compare_digest(found[4], _mac(client, token[: found.start(4)])):
        return Refusal("unauthorized", "the token is not one of ours")
    if now >= until:
        return Refusal("unauthorized", "the token has expired: get another one")
    return tenant


def _client_of(clients: Mapping[str, str], request: Request) -> str | None:
    """By HTTP Basic authentication (RFC 7617)."""
    lines = request.lines("authorization")
    for tenant, client in clients.items():
        expected = b"Basic " + base64.b64encode(client.encode())
        if len(lines) == 1 and hmac.compare_digest(lines[0], expected):
            return tenant
    return None


def _refused(status: int, error: str, description: str) -> Answer:
    """RFC 6749 §5.2."""
    answer = as_json(status, {"error": error, "error_description": description})
    challenge = ((b"www-authenticate", b'Basic realm="psp-harness"'),) if status == 401 else ()
    return Answer(status, (*answer.headers, *challenge), answer.body)


def _token(tenant: str, client: str, until: int) -> str:
    name = base64.urlsafe_b64encode(tenant.encode()).rstrip(b"=")
    said = b"%s.%d.%s." % (name, until, secrets.token_urlsafe(8).encode())
    return (said + _mac(client, said)).decode()


def _unwritten(name: bytes) -> str:
    try:
        return base64.urlsafe_b64decode(name + b"=" * (-len(name) % 4)).decode()
    except ValueError:
        return ""


def _mac(client: str, said: bytes) -> bytes:
    return hmac.new(client.encode(), said, hashlib.sha256).hexdigest().encode()
