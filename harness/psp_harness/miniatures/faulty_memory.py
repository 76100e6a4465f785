"""Clients of profile `generic` that do not know any more what they did, or for whom, with one fault each."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from uuid import uuid4

from psp_harness.miniatures.clients import CarefulClient, OwnKeysUuid5, Params, Reply, Said, TriesOnce, failed, shop_id
from psp_harness.miniatures.declaration import miniature
from psp_harness.miniatures.odd_clients import BooksByTheIdOfThePsp, RefreshesItsToken, WritesItsKeysDown
from psp_harness.model import Role
from psp_harness.template import decode

Lines = Sequence[tuple[str, bytes]]
_TWICE = frozenset({"asked-again-the-key-is-the-same", "asked-again-it-happens-once"})


# --- another key for the same wish ------------------------------------------------------------------------------------


@miniature("makes-its-key-in-the-call", role=Role.CLIENT, mode="C06", breaks=_TWICE)
class MakesItsKeyInTheCall(WritesItsKeysDown):
    """Makes a key whenever it is called, and believes that it is the order's."""

    def kept(self, name: str) -> str | None:
        return None


@miniature("takes-its-key-from-a-counter", role=Role.CLIENT, mode="C13", breaks=_TWICE)
class TakesItsKeyFromACounter(WritesItsKeysDown):
    """Takes the number of a row for the key, and where nothing came of that the next row has another number."""

    features = ("own-keys", "keeps-keys", "refunds")

    def __init__(self) -> None:
        self.rows = 0

    def key_for(self, step: str, params: Params) -> str | None:
        self.rows += 1
        return f"{step}-{self.folder.name}-{self.rows}"


@miniature("drops-its-key-on-an-error", role=Role.CLIENT, mode="C14", breaks=_TWICE)
class DropsItsKeyOnAnError(WritesItsKeysDown):
    """Takes back what it wrote down where the PSP answers with an error, the key with it."""

    def outcome(self, step: str, replies: Sequence[Reply]) -> Said:
        last = replies[-1]
        if last is not None and last.status >= 500:
            for file in self.folder.glob("*.json"):
                file.unlink()
        return super().outcome(step, replies)


@miniature("keeps-its-key-in-memory", role=Role.CLIENT, mode="C15", breaks=_TWICE)
class KeepsItsKeyInMemory(WritesItsKeysDown):
    """Knows the key of an order as long as it runs, and makes another one when it was started again."""

    def __init__(self) -> None:
        self.keys: dict[str, str] = {}

    def kept(self, name: str) -> str | None:
        return self.keys.get(name)

    def keep(self, name: str, key: str) -> str:
        return self.keys.setdefault(name, key)


@miniature(
    "sends-an-expired-key",
    role=Role.CLIENT,
    mode="C22",
    breaks={"retries-end-before-the-key-expires", "asked-again-it-happens-once"},
)
class SendsAnExpiredKey(WritesItsKeysDown):
    """Sends the key that it wrote down, however long ago that was."""

    features = ("own-keys", "keeps-keys", "told-the-time", "refunds")


@miniature(
    "new-key-with-a-new-token",
    role=Role.CLIENT,
    mode="C05",
    breaks={"attempts-of-one-call-share-one-key", "one-call-has-one-effect"},
)
class NewKeyWithANewToken(RefreshesItsToken):
    """Starts the request over with a key of its own when it has another credential."""

    features = ("own-keys", "refreshes-tokens", "refunds", "retries", "parallel")

    def key_for(self, step: str, params: Params) -> str | None:
        return f"{step}-{shop_id(step, params)}"

    def lines_after_refresh(self, key_lines: Lines) -> Lines:
        return self.key_lines(str(uuid4()), 1)


@miniature(
    "tries-again-on-another-account",
    role=Role.CLIENT,
    mode="C23",
    breaks={"one-call-has-one-effect", "asked-again-it-happens-once"},
)
class TriesAgainOnAnotherAccount(CarefulClient):
    """Sends what its first account did not answer to the second one that it has with this PSP, where the key is new."""

    second = "tenant-b"

    def send(self, path: str, key_lines: Lines, body: bytes) -> Reply:
        reply = super().send(path, key_lines, body)
        self.token = self.second if reply is None else self.token
        return reply


# --- the same key for another wish ------------------------------------------------------------------------------------


@miniature(
    "hash-of-the-request",
    role=Role.CLIENT,
    mode="C11",
    breaks={"different-payments-have-different-keys", "refunds-have-keys-of-their-own"},
)
class HashOfTheRequest(OwnKeysUuid5):
    """Makes the key from all that is asked for but the order, so that a second order of one price gets the first's."""

    def key_for(self, step: str, params: Params) -> str | None:
        asked = [step, *(str(params.get(name)) for name in ("payment_id", "amount", "currency"))]
        return hashlib.sha256("|".join(asked).encode()).hexdigest()


class _LooksForTheFirst(TriesOnce):
    """Knows what it made under each key."""

    def __init__(self) -> None:
        self.made: dict[object, Mapping[str, object]] = {}

    def do(self, step: str, params: Params) -> Said:
        said = super().do(step, params)
        if "ok" in said:
            self.made.setdefault(params.get("key"), said["ok"])
        return said


@miniature("shows-the-other-payment", role=Role.CLIENT, mode="C29", breaks={"a-refused-key-is-a-loud-error"})
class ShowsTheOtherPayment(_LooksForTheFirst):
    """Where the PSP says that a key was used, it reads what was made under it, and returns that."""

    def do(self, step: str, params: Params) -> Said:
        said = super().do(step, params)
        first = self.made.get(params.get("key"), {}).get("payment_id")
        if "ok" in said or first is None:
            return said
        connection = self._connection()
        connection.request("GET", f"/payments/{first}", headers={"Authorization": f"Bearer {self.token}"})
        found = decode(connection.getresponse().read(), "json")
        connection.close()
        return {"ok": {"payment_id": first, "status": "succeeded"}} if isinstance(found, dict) else said


@miniature("used-key-is-declined", role=Role.CLIENT, mode="C29", breaks={"a-refused-key-is-a-loud-error"})
class UsedKeyIsDeclined(TriesOnce):
    """Tells the customer that the card was declined where the PSP refuses a key that was used."""

    def outcome(self, step: str, replies: Sequence[Reply]) -> Said:
        last = replies[-1]
        used = last is not None and last.status == 422
        return failed("declined", "payment failed, try again") if used else super().outcome(step, replies)


# --- the same answer for news -----------------------------------------------------------------------------------------


@miniature("books-each-answer", role=Role.CLIENT, mode="C28", breaks={"what-happened-once-is-booked-once"})
class BooksEachAnswer(BooksByTheIdOfThePsp):
    """Takes each success for news: the answer that the PSP gives again is booked again."""

    def row_of(self, step: str, params: Params, row: Mapping[str, object]) -> str:
        return str(len(self.rows))
