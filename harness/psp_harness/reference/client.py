"""The Hyperswitch client to copy: what moves money carries a key of its caller, goes out once, and fails loudly.

    with HyperswitchClient("https://sandbox.hyperswitch.io", api_key) as psp:
        payment = psp.create_payment(order.id, amount=6540, currency="EUR", payment_token=token)
        refund_id, status = psp.create_refund(refund_row.id, payment_id=payment.payment_id, amount=1000)

**The key** is the first argument, always: the order's id, or the id of the pending refund row; both stand in the
database before the call. It goes out twice:

- as the header `Idempotency-Key`, which Hyperswitch's FAQ asks for (learn-more/frequently-asked-questions.md:914-927,
  August 2026) and its router does not read (an unused constant, crates/router/src/lib.rs:61, release 2026.06.25.0);
- as `payment_id` or `refund_id` in the body, which is what protects: with the merchant it is the primary key, and a
  second one is refused with HE_01 (api_error_response.rs:417,424-429 in hyperswitch_domain_models, same release).

**It covers** one logical call that arrives more than once: the transport connected again, a proxy sent it again, or you
did, with the same key. **It does not cover** two calls for one wish: a double click, a form submitted twice, a restart
after a crash before the row was written. The order's state machine, the handlers' guards and a UNIQUE index on the
refund's PSP id do. **It ends:** PSPs keep keys for a limited time, mostly 24 hours to 7 days (Hyperswitch names none);
after it the same key is a new request, and only the id in the body is still refused.

**Nothing is retried here.** httpx's transport connects a second time where no connection came about, and takes a new
one where a kept one was closed; nothing was sent before, and what is then sent is the same request with the same key.
What an `OutcomeUnknown` leaves open, `get_payment(key)` or `get_refund(key)` answers.
"""

from __future__ import annotations

import re
import reprlib
import ssl
from collections.abc import Mapping
from typing import Literal, Self

import httpx

from psp_harness.reference import client_answers as answers
from psp_harness.reference.client_errors import (
    InvalidAmount,
    InvalidId,
    InvalidIdempotencyKey,
    OutcomeUnknown,
    Unreachable,
)

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""A payment_id (crates/common_utils/src/id_type.rs:74-76). Refund ids may be freer, but they stand in a path, too."""

_NOTHING_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


class HyperswitchClient:
    """One merchant's access to Hyperswitch; a context manager.

    `timeout_seconds` bounds each of connecting, writing, and waiting for more bytes, not their sum. `ca_file` trusts
    the authorities in that file and no others. An `http` client of yours is used as it is (its proxies, its
    certificates) and left open; its transport must not send anything twice by itself.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        timeout_seconds: float = 30.0,
        ca_file: str | None = None,
        http: httpx.Client | None = None,
    ) -> None:
        self._base = httpx.URL(base_url.rstrip("/"))
        if self._base.scheme not in {"http", "https"} or not self._base.host:
            raise ValueError(f"base url {self._base!r}: expected http(s)://host; pass the root of the PSP's API")
        if not re.fullmatch(r"[!-~]+", api_key):
            raise ValueError("api key: expected visible ASCII without spaces; look for a line end that came with it")
        if http is not None and ca_file is not None:
            raise ValueError("ca_file and http exclude each other; give your own client its certificates yourself")
        self._api_key = api_key
        self._timeout_seconds = timeout_seconds
        self._owned = http is None
        self._http = http or httpx.Client(transport=_transport(self._base.scheme, ca_file))

    def __repr__(self) -> str:
        return f"HyperswitchClient({self._base!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections, unless they belong to an `http` client of yours."""
        if self._owned:
            self._http.close()

    def create_payment(
        self,
        idempotency_key: str,
        *,
        amount: int,
        currency: str,
        payment_token: str | None = None,
        reference: str | None = None,
        capture: Literal["automatic", "manual"] = "automatic",
    ) -> answers.Payment:
        """Charge a customer `amount` minor units of an ISO 4217 `currency`, captured at once unless `capture` says so.

        The key is the order's id and becomes the `payment_id`. Without a `payment_token` nothing is charged yet: the
        payment waits until the customer's browser confirms it. Raises what `client_errors` names; a payment that is
        returned was not declined, and its status says how far it is.
        """
        key = expect_key(idempotency_key)
        card = {"confirm": True, "payment_method": "card", "payment_token": payment_token}
        told = self._post(
            "/payments",
            key,
            {
                "payment_id": key,
                "amount": expect_amount(amount),
                "currency": currency,
                "capture_method": capture,
                **(card if payment_token is not None else {}),
                **({"merchant_order_reference_id": reference} if reference is not None else {}),
            },
        )
        payment = answers.payment(told)
        answers.expect((payment.payment_id, payment.amount, payment.currency), (key, amount, currency))
        answers.expect_no_decline(payment.status, told)
        return payment

    def create_payment_simple(self, idempotency_key: str, amount: int, currency: str) -> answers.Payment:
        """Prepare a payment that the customer's browser will confirm: `create_payment` without a token."""
        return self.create_payment(idempotency_key, amount=amount, currency=currency)

    def create_refund(
        self, idempotency_key: str, *, payment_id: str, amount: int, reference: str | None = None
    ) -> tuple[str, str]:
        """Give back `amount` minor units of a payment: `(refund_id, status)`, the status never `failed`.

        The key is the id of the pending refund row, never the payment's or the order's: two partial refunds of one
        payment are two rows, and two keys. It becomes the `refund_id`. Raises what `client_errors` names; see
        `Rejected` there for what IR_13 means after a lost answer.
        """
        key = expect_key(idempotency_key)
        told = self._post(
            "/refunds",
            key,
            {
                "payment_id": expect_id(payment_id),
                "refund_id": key,
                "amount": expect_amount(amount),
                **({"metadata": {"reference": reference}} if reference is not None else {}),
            },
        )
        refund = answers.refund(told)
        answers.expect((refund.refund_id, refund.payment_id, refund.amount), (key, payment_id, amount))
        answers.expect_no_decline(refund.status, told)
        return refund.refund_id, refund.status

    def get_payment(self, payment_id: str) -> answers.Payment:
        """Read a payment: `Rejected` with status 404 if there is none; one that failed is returned, not raised."""
        payment = answers.payment(self._get(f"/payments/{expect_id(payment_id)}"))
        answers.expect(payment.payment_id, payment_id)
        return payment

    def get_refund(self, refund_id: str) -> answers.Refund:
        """Read a refund: `Rejected` with status 404 if there is none; one that failed is returned, not raised."""
        refund = answers.refund(self._get(f"/refunds/{expect_id(refund_id)}"))
        answers.expect(refund.refund_id, refund_id)
        return refund

    def _post(self, path: str, key: str, body: Mapping[str, object]) -> Mapping[str, object]:
        return self._send("POST", path, {"Idempotency-Key": key}, body)

    def _get(self, path: str) -> Mapping[str, object]:
        return self._send("GET", path, {}, None)

    def _send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: Mapping[str, object] | None,
        form: Mapping[str, tuple[str | None, str | bytes]] | None = None,
    ) -> Mapping[str, object]:
        try:
            answer = self._http.request(
                method,
                f"{self._base}{path}",
                headers={"api-key": self._api_key, **headers},
                json=body,
                files=form,
                timeout=self._timeout_seconds,
                follow_redirects=False,  # it would send a second time, and the api key to wherever it points
            )
        except _NOTHING_SENT as error:
            raise Unreachable(f"no connection for {method} {path} ({_say(error)}); nothing was sent") from error
        except httpx.RequestError as error:
            raise OutcomeUnknown(f"no complete answer to {method} {path} ({_say(error)})") from error
        return answers.members(answer)


def _transport(scheme: str, ca_file: str | None) -> httpx.HTTPTransport:
    trusted: ssl.SSLContext | bool = ssl.create_default_context(cafile=ca_file) if ca_file else True
    if scheme == "http":
        trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # it trusts nobody: authorities take 70 ms, and none is asked
    # retries: of the connection alone, while nothing was sent (httpx.HTTPTransport)
    return httpx.HTTPTransport(retries=1, verify=trusted)


def _say(error: httpx.RequestError) -> str:
    return f"{type(error).__name__}: {error}".removesuffix(": ")


def expect_key(value: object) -> str:
    """A key that can be the id of what is made; raises `InvalidIdempotencyKey`."""
    if isinstance(value, str) and _ID.fullmatch(value):
        return value
    raise InvalidIdempotencyKey(
        f"idempotency key {reprlib.repr(value)}: expected 1 to 64 of A-Z a-z 0-9 _ -, as it is also the id of what is "
        "made; pass the id of the order, or of the pending refund row"
    )


def expect_id(value: object) -> str:
    """An id that can stand in a path; raises `InvalidId`."""
    if isinstance(value, str) and _ID.fullmatch(value):
        return value
    raise InvalidId(f"id {reprlib.repr(value)}: expected 1 to 64 of A-Z a-z 0-9 _ -; pass the id that the PSP returned")


def expect_amount(value: object) -> int:
    """A positive integer of minor units; raises `InvalidAmount`."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    raise InvalidAmount(f"amount {reprlib.repr(value)}: expected a positive integer; pass minor units, no float")
