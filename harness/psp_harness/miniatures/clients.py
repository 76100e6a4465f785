"""A correct client of profile `generic`, and correct ones that go about it in another way.

Every decision is a method of `CarefulClient`, so that another client is that one with a decision of its own.
"""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid4, uuid5

from psp_harness.miniatures.declaration import miniature
from psp_harness.model import Answer, Role
from psp_harness.template import decode, encode

Params = Mapping[str, object]
Said = dict[str, dict[str, object]]
"""One answer of the subject protocol: `{"ok": …}`, `{"failed": …}` or `{"refused": …}`."""
Reply = Answer | None
"""None: no complete answer came."""

HEADER = "Idempotency-Key"
PAUSE = 0.01
"""Seconds between two attempts."""
LONG_PAUSE = 0.1
"""Seconds before the next attempt, where the PSP said that it has no room for this one."""
NOT_NOW = frozenset({408, 425, 429})
"""Not executed, and may be sent again: RFC 9110 section 15.5.9, RFC 8470 section 5.2, RFC 6585 section 4."""
ROUTE = {"create-payment": "/payments", "create-refund": "/refunds"}
RETRIES = {"max": 2, "on": ["lost", "5xx", "408", "409", "425", "429"]}
_USABLE = re.compile(r"[\x21-\x2b\x2d-\x7e]{1,255}")


def failed(kind: str, message: str) -> Said:
    """It did not work, or nobody can tell: `declined`, `rejected` or `unknown`."""
    return {"failed": {"kind": kind, "message": message}}


def uncertain(reply: Reply) -> bool:
    """Money may have moved: no answer, a server's error, or the first attempt is still in flight."""
    return reply is None or reply.status >= 500 or reply.status == 409


def pause(reply: Reply) -> float:
    """How many seconds to wait after this answer: as long as it says, and some time in any case."""
    told = reply.lines("Retry-After") if reply is not None else []
    if told and told[0].isdigit():
        return float(told[0])
    return LONG_PAUSE if reply is not None and reply.status in {429, 503} else PAUSE


def shop_id(step: str, params: Params) -> str:
    """The shop's id of what is created: the order's, or the pending refund's."""
    return str(params["order_id" if step == "create-payment" else "refund_id"])


@miniature("careful-client", role=Role.CLIENT)
class CarefulClient:
    """Sends the caller's key as it is, refuses one that cannot be, and retries twice with the same key and bytes."""

    features: tuple[str, ...] = ("caller-keys", "refunds", "retries", "parallel", "tls")
    more_attempts = 2

    def start(
        self,
        *,
        base_url: str,
        credentials: Mapping[str, str],
        answer_timeout: float,
        ca_file: str | None = None,
        **_: object,
    ) -> Said:
        """Remember where the PSP is and who we are; `answer_timeout` is in seconds."""
        self.url, self.ca_file = urlsplit(base_url), ca_file
        self.token, self.timeout = credentials["token"], answer_timeout
        self.refreshed = credentials.get("refreshed", self.token)
        claims: dict[str, object] = {"name": type(self).__name__, "version": "1", "language": "python"}
        declared = {"retries": RETRIES} if "retries" in self.features else {}
        return {"ok": {**claims, "features": list(self.features), **declared}}

    def do(self, step: str, params: Params) -> Said:
        """One payment or refund, in as many attempts as it takes and is allowed."""
        key = self.key_for(step, params)
        if key is None or not self.usable(key):
            return {"refused": {"message": f"a key is 1 to 255 visible ASCII characters without a comma, not {key!r}"}}
        replies: list[Reply] = []
        for attempt in range(1, 2 + self.more_attempts):
            time.sleep(self.pause(replies[-1]) if replies else 0)
            replies.append(self.send(ROUTE[step], self.key_lines(key, attempt), self.body(step, params, attempt)))
            if not self.may_work_later(replies[-1]):
                break
            key = self.next_key(key, replies[-1])
        return self.outcome(step, replies)

    def stop(self) -> Said:
        """Nothing is left open between two calls."""
        return {"ok": {}}

    def next_key(self, key: str, reply: Reply) -> str:
        """The key of the next attempt: the same."""
        return key

    def pause(self, reply: Reply) -> float:
        """Seconds to wait after this answer, before the next attempt."""
        return pause(reply)

    def may_work_later(self, reply: Reply) -> bool:
        """Whether the same request is worth another attempt."""
        return uncertain(reply) or (reply is not None and reply.status in NOT_NOW)

    def key_for(self, step: str, params: Params) -> str | None:
        """The key of this call, for all its attempts; None where there is none."""
        key = params.get("key")
        return key if isinstance(key, str) else None

    def usable(self, key: str) -> bool:
        """Whether profile `generic` takes this key."""
        return _USABLE.fullmatch(key) is not None

    def key_lines(self, key: str, attempt: int) -> list[tuple[str, bytes]]:
        """The header lines that carry the key."""
        return [(HEADER, key.encode())]

    def body(self, step: str, params: Params, attempt: int) -> bytes:
        """The request's body."""
        given = ("amount", "currency") if step == "create-payment" else ("payment_id", "amount")
        message = {name: params[name] for name in given}
        return encode({**message, "reference": shop_id(step, params)}, "json")

    def send(self, path: str, key_lines: Sequence[tuple[str, bytes]], body: bytes) -> Reply:
        """One attempt, on a connection of its own."""
        connection = self._connection()
        try:
            self.connect(connection)
            connection.putrequest("POST", self.url.path.rstrip("/") + path)
            connection.putheader("Authorization", f"Bearer {self.token}")
            connection.putheader("Content-Type", "application/json")
            connection.putheader("Content-Length", str(len(body)))
            for name, value in key_lines:
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            headers = tuple((name.encode(), value.encode("latin-1")) for name, value in answer.getheaders())
            return Answer(answer.status, headers, answer.read())
        except (OSError, HTTPException):
            return None
        finally:
            connection.close()

    def connect(self, connection: HTTPConnection) -> None:
        """Before anything is sent."""
        connection.connect()

    def _connection(self) -> HTTPConnection:
        host, port = self.url.hostname or "", self.url.port
        if self.url.scheme == "http":
            return HTTPConnection(host, port, timeout=self.timeout)
        trusted = ssl.create_default_context(cafile=self.ca_file)
        return HTTPSConnection(host, port, timeout=self.timeout, context=trusted)

    def outcome(self, step: str, replies: Sequence[Reply]) -> Said:
        """What came of it: a no is certain only where no attempt before it was uncertain."""
        last = replies[-1]
        made = decode(last.body, "json") if last is not None and last.accepted else None
        if isinstance(made, dict) and isinstance(made.get("id"), str):
            name = "payment_id" if step == "create-payment" else "refund_id"
            return {"ok": {name: made["id"], "status": made.get("status")}}
        if last is None or any(map(uncertain, replies)) or last.status < 400:
            return failed("unknown", "no attempt was answered for certain")
        return failed("declined" if last.status == 402 else "rejected", f"answered {last.status}")


@miniature("tries-once", role=Role.CLIENT)
class TriesOnce(CarefulClient):
    """Tries once, declares no retries, and reports what is uncertain as unknown."""

    features = ("caller-keys", "refunds", "parallel", "tls")
    more_attempts = 0


@miniature("own-keys-uuid5", role=Role.CLIENT)
class OwnKeysUuid5(CarefulClient):
    """Takes no keys, and makes them as a UUID of version 5 from the id of the order or refund."""

    features: tuple[str, ...] = ("own-keys", "keeps-keys", "refunds", "retries", "parallel", "tls")

    def key_for(self, step: str, params: Params) -> str | None:
        """The same for the same order or refund, in every process."""
        return str(uuid5(NAMESPACE_URL, f"{step}:{shop_id(step, params)}"))


@miniature("prefixed-own-keys", role=Role.CLIENT)
class PrefixedOwnKeys(OwnKeysUuid5):
    """Takes no keys, and makes them as the name of the step and the id of the order or refund."""

    def key_for(self, step: str, params: Params) -> str | None:
        """Readable, and the same for the same order or refund."""
        return f"{step}-{shop_id(step, params)}"


@miniature("refund-id-keys", role=Role.CLIENT)
class RefundIdKeys(OwnKeysUuid5):
    """Takes no keys: an order's id is its payment's key, and a pending refund's id is the refund's key."""

    features = ("own-keys", "keeps-keys", "refund-id-is-key", "refunds", "retries", "parallel")

    def key_for(self, step: str, params: Params) -> str | None:
        """The shop's id, unchanged."""
        return shop_id(step, params)


@miniature("key-or-random", role=Role.CLIENT)
class KeyOrRandom(CarefulClient):
    """Sends the caller's key, and where it is given none makes a random one that all attempts of the call share."""

    features = ("caller-keys", "own-keys", "refunds", "retries", "parallel")

    def key_for(self, step: str, params: Params) -> str | None:
        """An empty key is a key that was given, and is refused."""
        return str(uuid4()) if params.get("key") is None else super().key_for(step, params)


@miniature("refuses-every-call", role=Role.CLIENT)
class RefusesEveryCall(CarefulClient):
    """Refuses every call and sends nothing, which breaks no rule and keeps none."""

    def usable(self, key: str) -> bool:
        """Never."""
        return False
