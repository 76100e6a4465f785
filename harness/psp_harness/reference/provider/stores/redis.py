"""The store in Redis, for any number of processes on any number of machines, as far as its persistence is trusted.

Redis has no transaction that looks, lets us decide, and writes. So `complete` compares and sets:

    look      one script: the claim is still ours, and this is the ledger
    decide    here, on what was seen
    enter     one script: the claim is still ours, and the ledger is still what was seen: the entry and its answer, at
              once; otherwise nothing, and the step begins anew with another look

Why it is atomic: Redis runs one script at a time, writes its effects to the append-only file as one MULTI/EXEC, and
drops one that is cut off when it reads the file again. Whoever begins anew does so because another one has entered, so
somebody always gets on. Every name has the store's hash tag, `{name}:`, so that a cluster keeps them on one node: a
script can be atomic on no more than that.

No step is sent twice by the driver: its retries are switched off. A step whose answer was lost is `StoreUnavailable`;
whether it happened, the retry under the same key gets to know: the token tells one claim from another, and an answered
key takes no second answer.

What persistence means for money. Acknowledged is not durable here, unless the server is told so:
 - `appendonly no` (snapshots alone) forgets minutes of charges and keys in a crash; `appendfsync everysec` a second of
   them. The customers stay charged. For money: `appendonly yes`, `appendfsync always`.
 - `maxmemory-policy allkeys-…` forgets keys when memory is short: a second charge each. Such a server is refused.
   `noeviction` refuses writes instead: `StoreUnavailable`.
 - A replica that takes over lacks what had not reached it: replication is asynchronous, and `WAIT` and
   `min-replicas-to-write` make that rarer, not impossible. Where that is too often, keys belong into PostgreSQL.
 - A server that comes back empty would execute every retry. So a store has a birth, a random word written once, and
   each script asks for it first: where it is gone, every step is `StoreUnavailable` until somebody opens the store
   anew. A loss of the last seconds alone leaves the word, and cannot be seen from here.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import redis
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry as BlockingRetry

from psp_harness.reference.provider.keys import Claim, Record, Slot, Term
from psp_harness.reference.provider.ledger import Entry, Ledger, Place, Refusal
from psp_harness.reference.provider.stores import Decide, Effected, Lost, StoreUnavailable
from psp_harness.reference.provider.stores import redis_steps as steps
from psp_harness.reference.provider.stores.kept import freeze, thaw
from psp_harness.reference.provider.stores.rows import entry_of, ledger_of_rows, row_of

SECONDS: Final = 5.0
"""The bound on connecting, on one answer, and on the wait for a connection."""
MOST_CONNECTIONS: Final = 16


_LIMITS: Final[dict[str, Any]] = {
    "socket_timeout": SECONDS,
    "socket_connect_timeout": SECONDS,
    "decode_responses": True,
    "maint_notifications_config": MaintNotificationsConfig(enabled=False),
}
"""With maintenance notifications, redis-py 8.1 lends connections without looking whether the server has closed them."""


class RedisStore:
    """All names that begin with `{name}:`, in one database of one server."""

    def __init__(self, server: str, name: str) -> None:
        """`server` as redis-py reads it: `redis://…`. Raises `StoreUnavailable` where it cannot be used."""
        self._name = name
        with _told(), _opened(server) as db:
            if str(db.info("memory").get("maxmemory_policy")).startswith("allkeys"):
                raise StoreUnavailable("it evicts keys, and a key that is forgotten is a second charge: set noeviction")
            db.set(self._at("born"), secrets.token_hex(16), nx=True)
            self._birth = str(db.get(self._at("born")))
        once = {"retry": Retry(NoBackoff(), 0), "max_connections": MOST_CONNECTIONS, "timeout": SECONDS}
        self._db = Redis.from_pool(BlockingConnectionPool.from_url(server, **_LIMITS, **once))
        self._scripts = {step: self._db.register_script(step) for step in steps.ALL}

    async def claim(self, slot: Slot, fingerprint: str, term: Term) -> Claim | Record:
        """One script."""
        claim = Claim(slot, secrets.token_hex(16))
        expires = term.now + term.ttl
        leased_until = min(term.now + term.lease, expires)
        standing = await self._run(steps.CLAIM, *_owner(claim), fingerprint, term.now, leased_until, expires)
        if standing is None:
            return claim
        key = json.loads(standing)
        return Record(key["fingerprint"], thaw(key["answer"]) if "answer" in key else None)

    async def complete(self, claim: Claim | None, place: Place, decide: Decide) -> Effected | Refusal | Lost:
        """Look, decide, and enter if nothing has changed; a refusal frees the key, if that is still ours."""
        while True:
            seen = await self._look(place, claim)
            if seen is None:
                return Lost()
            decision = decide(_ledger(place, seen))
            if isinstance(decision, Refusal):
                return decision if claim is None or await self._free(claim) else Lost()
            match await self._enter(claim, place, seen, decision):
                case "kept":
                    return decision
                case "lost":
                    return Lost()
                case "taken":
                    raise ValueError(f"decided to enter {place.id!r}, which was seen to be taken")

    async def release(self, claim: Claim) -> None:
        """One script: it deletes the key only where token and missing answer say that it is still ours."""
        await self._free(claim)

    async def ledger(self, place: Place) -> Ledger:
        """One script, and so one moment."""
        return _ledger(place, await self._look(place, None) or ())

    async def entries(self) -> tuple[Entry, ...]:
        """One script. Nothing else runs meanwhile: good for the books of a test, not for those of years."""
        return tuple(entry_of(json.loads(text)) for text in await self._run(steps.ENTRIES))

    async def close(self) -> None:
        """Close the connections."""
        await self._db.aclose()

    async def _look(self, place: Place, claim: Claim | None) -> Sequence[str] | None:
        found: Sequence[str] | None = await self._run(steps.LOOK, *_ids(place), *_owner(claim), place=place)
        return found

    async def _enter(self, claim: Claim | None, place: Place, seen: Sequence[str], decision: Effected) -> str:
        entry = decision.entry
        id_, text = _id(entry.tenant, entry.kind, entry.id), _text(entry)
        state = hashlib.sha1("\0".join(seen).encode(), usedforsecurity=False).hexdigest()
        over = [part for each in decision.redacted for part in (_id(each.tenant, each.kind, each.id), _text(each))]
        values = (*_ids(place), *_owner(claim), state, id_, text, freeze(decision.answer), *over)
        return str(await self._run(steps.ENTER, *values, place=place, entered=entry))

    async def _free(self, claim: Claim) -> bool:
        return bool(await self._run(steps.FREE, *_owner(claim)))

    async def _run(self, step: str, *values: object, place: Place | None = None, entered: Entry | None = None) -> Any:
        names = [self._at(part) for part in ("born", "keys", "over", "entries", "order")]
        named = (place, entered if entered and entered.of else None)
        names += [self._at(f"of:{json.dumps([each.tenant, each.of])}") for each in named if each]
        with _told():
            return await self._scripts[step](keys=names, args=[self._birth, *map(str, values)])

    def _at(self, part: str) -> str:
        return f"{{{self._name}}}:{part}"


def remove(server: str, name: str) -> None:
    """Delete everything that the store has written. Raises `StoreUnavailable`."""
    with _told(), _opened(server) as db:
        for found in db.scan_iter(f"{{{name}}}:*", count=1000):
            db.unlink(found)


def _opened(server: str) -> redis.Redis:
    try:
        return redis.Redis.from_url(server, retry=BlockingRetry(NoBackoff(), 0), **_LIMITS)
    except ValueError:  # its message quotes what it cannot read, which may be the password
        raise StoreUnavailable("redis-py cannot read its address") from None


def _id(tenant: str, kind: str, id_: str) -> str:
    return json.dumps([tenant, kind, id_])


def _text(entry: Entry) -> str:
    return json.dumps(row_of(entry))


def _ids(place: Place) -> tuple[str, str]:
    return _id(place.tenant, place.kind, place.id), _id(place.tenant, *place.above)


def _owner(claim: Claim | None) -> tuple[str, str]:
    if claim is None:
        return "", ""
    slot = claim.slot
    return json.dumps([slot.tenant, slot.operation, slot.key.decode("latin-1")]), claim.token


def _ledger(place: Place, seen: Sequence[str]) -> Ledger:
    return ledger_of_rows(place, (json.loads(text) for text in seen if text))


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except redis.RedisError as error:
        sentence = next(iter(str(error).splitlines()), type(error).__name__)
        raise StoreUnavailable(f"Redis: {sentence}") from error
