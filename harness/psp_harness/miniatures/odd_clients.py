"""Correct clients of profile `generic` that do what few do, and nothing wrong: no rule reports them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from psp_harness.miniatures.clients import ROUTE, CarefulClient, Params, Reply, Said, failed, shop_id
from psp_harness.miniatures.declaration import miniature
from psp_harness.model import Role

KEPT_SECONDS = 24 * 3600
"""As long as profile `generic` keeps a key."""


@miniature("follows-redirects", role=Role.CLIENT)
class FollowsRedirects(CarefulClient):
    """Sends a POST that is answered 307 or 308 once more to where that points, with the same key and bytes."""

    features = ("caller-keys", "refunds", "parallel")
    more_attempts = 0
    hops = 3

    def send(self, path: str, key_lines: Sequence[tuple[str, bytes]], body: bytes) -> Reply:
        reply = super().send(path, key_lines, body)
        for _ in range(self.hops):
            where = reply.lines("Location") if reply is not None and reply.status in {307, 308} else []
            if not where:
                break
            reply = super().send(urlsplit(where[0].decode()).path, self.lines_elsewhere(key_lines), body)
        return reply

    def lines_elsewhere(self, key_lines: Sequence[tuple[str, bytes]]) -> Sequence[tuple[str, bytes]]:
        """The key lines of the request that follows a redirect."""
        return key_lines


@miniature("pays-in-euros-alone", role=Role.CLIENT)
class PaysInEurosAlone(CarefulClient):
    """Refuses to ask for any other currency, and sends nothing."""

    def do(self, step: str, params: Params) -> Said:
        if params["currency"] != "EUR":
            return {"refused": {"message": f"{params['currency']} is no currency of ours"}}
        return super().do(step, params)


@miniature("refreshes-its-token", role=Role.CLIENT)
class RefreshesItsToken(CarefulClient):
    """Where its credential is refused it takes the other one, and sends the same request with the same key."""

    features: tuple[str, ...] = ("caller-keys", "refreshes-tokens", "refunds", "retries", "parallel")

    def send(self, path: str, key_lines: Sequence[tuple[str, bytes]], body: bytes) -> Reply:
        reply = super().send(path, key_lines, body)
        if reply is None or reply.status != 401:
            return reply
        self.token = self.refreshed
        return super().send(path, self.lines_after_refresh(key_lines), body)

    def lines_after_refresh(self, key_lines: Sequence[tuple[str, bytes]]) -> Sequence[tuple[str, bytes]]:
        """The key lines of the request with the other credential."""
        return key_lines


@miniature("writes-its-keys-down", role=Role.CLIENT)
class WritesItsKeysDown(CarefulClient):
    """Makes a random key for each order and refund, and writes it to a file before it sends anything."""

    features: tuple[str, ...] = ("own-keys", "keeps-keys", "durable", "refunds")
    more_attempts = 0

    def start(self, **options: Any) -> Said:
        self.folder = Path(options["state_dir"])
        return super().start(**options)

    def key_for(self, step: str, params: Params) -> str | None:
        """The key in the file, or a new one that is in it from now on."""
        name = f"{step}-{shop_id(step, params)}"
        return self.kept(name) or self.keep(name, str(uuid4()))

    def kept(self, name: str) -> str | None:
        """What is written down under this name."""
        file = self.folder / f"{name}.json"
        return str(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else None

    def keep(self, name: str, key: str) -> str:
        """Write it down."""
        (self.folder / f"{name}.json").write_text(json.dumps(key), encoding="utf-8")
        return key


@miniature("knows-when-a-key-expires", role=Role.CLIENT)
class KnowsWhenAKeyExpires(WritesItsKeysDown):
    """Writes down when it first sent a key, and later than the PSP keeps it sends nothing: it reads what there is."""

    features = ("own-keys", "keeps-keys", "told-the-time", "refunds")

    def do(self, step: str, params: Params) -> Said:
        name = f"{step}-{shop_id(step, params)}-sent"
        sent = self.kept(name) or self.keep(name, str(params["now"]))
        if float(str(params["now"])) - float(sent) < KEPT_SECONDS:
            return super().do(step, params)
        found = self.found(ROUTE[step], shop_id(step, params))
        if found is None:
            return failed("unknown", "its key is not kept any more, and the PSP shows nothing: ask a person")
        return {
            "ok": {"payment_id" if step == "create-payment" else "refund_id": found["id"], "status": found["status"]}
        }

    def found(self, path: str, reference: str) -> dict[str, Any] | None:
        """What the PSP has under this reference."""
        connection = self._connection()
        connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
        rows = json.loads(connection.getresponse().read())["data"]
        connection.close()
        return next((row for row in rows if row.get("reference") == reference), None)


@miniature("books-by-the-id-of-the-psp", role=Role.CLIENT)
class BooksByTheIdOfThePsp(CarefulClient):
    """Books each success under the id that the PSP gave: one that is told twice has one row."""

    features = (*CarefulClient.features, "keeps-books")

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, object]] = {}

    def do(self, step: str, params: Params) -> Said:
        said = super().do(step, params)
        if "ok" in said:
            self.book(step, params, said["ok"])
        return said

    def book(self, step: str, params: Params, made: Mapping[str, object]) -> None:
        """One row for what was made."""
        kind = step.removeprefix("create-")
        row = {"kind": kind, "id": made[f"{kind}_id"], "amount": params["amount"], "currency": params["currency"]}
        self.rows[self.row_of(step, params, row)] = row

    def row_of(self, step: str, params: Params, row: Mapping[str, object]) -> str:
        """Under what it stands."""
        return str(row["id"])

    def effects(self) -> Said:
        """Everything that it has booked."""
        return {"ok": {"effects": list(self.rows.values())}}


@miniature("answers-from-its-books", role=Role.CLIENT)
class AnswersFromItsBooks(BooksByTheIdOfThePsp):
    """Books each order and refund in a row with an id of its own, and for one that it has booked sends nothing more."""

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[str, Said] = {}

    def do(self, step: str, params: Params) -> Said:
        name = shop_id(step, params)
        if name not in self.told:
            said = super().do(step, params)
            if "ok" not in said:
                return said
            self.told[name] = said
        return self.told[name]

    def book(self, step: str, params: Params, made: Mapping[str, object]) -> None:
        kind, name = step.removeprefix("create-"), shop_id(step, params)
        self.rows[name] = {"kind": kind, "id": f"row-{len(self.rows) + 1}", "amount": params["amount"]}
