"""OAuth 2 for a client's id and secret (RFC 6749 §4.4), as an `httpx.Auth`: the token is fetched, kept and refreshed.

    http = httpx.Client(auth=ClientCredentials("https://api-m.paypal.com/v1/oauth2/token", client_id, secret))

A token may expire between two attempts. Whoever is answered 401 was not let in, so nothing was executed: the same
request goes out once more under a new token, with the same key and the same bytes. A second 401 is the answer.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator

import httpx

from psp_harness.reference.client_errors import NotSent

EARLY_SECONDS = 30.0
"""Before a token ends it is no longer begun with."""

_Flow = Generator[httpx.Request, httpx.Response, str]


class GrantRefused(NotSent):
    """There is no token: the credentials are wrong, or were withdrawn. Nothing else went on the wire."""


class ClientCredentials(httpx.Auth):
    """The access of one client; may be shared by threads, of which two may then fetch a token at the same time."""

    requires_response_body = True

    def __init__(
        self, token_url: str, client_id: str, client_secret: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._token_url, self._basic = token_url, httpx.BasicAuth(client_id, client_secret)
        self._clock = clock
        self._token, self._ends = "", 0.0

    def __repr__(self) -> str:
        return f"ClientCredentials({self._token_url!r})"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """The request under a token; and once more under a new one, if that was not let in. Raises `GrantRefused`."""
        token = yield from self._current()
        request.headers["Authorization"] = f"Bearer {token}"
        answer = yield request
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._forget(token)
            request.headers["Authorization"] = f"Bearer {(yield from self._current())}"
            yield request

    def _current(self) -> _Flow:
        if self._token and self._clock() < self._ends:
            return self._token
        asked = httpx.Request("POST", self._token_url, data={"grant_type": "client_credentials"})
        answer = yield next(self._basic.auth_flow(asked))
        self._token, seconds = _granted(answer)
        self._ends = self._clock() + seconds - EARLY_SECONDS
        return self._token

    def _forget(self, token: str) -> None:
        if self._token == token:  # else another thread has a new one already
            self._token = ""


def _granted(answer: httpx.Response) -> tuple[str, float]:
    """The token, and for how many seconds."""
    try:
        told = json.loads(answer.content)
    except ValueError:
        told = None
    match told:
        case {"access_token": str(token), "expires_in": int(seconds)} if answer.is_success and token:
            return token, float(seconds)
        case {"error": str(error)}:
            raise GrantRefused(
                f"no token was granted: {answer.status_code} {error}; look at the client's id and secret"
            )
    raise GrantRefused(f"no token was granted: {answer.status_code}; look at the token's address")
