"""Correct clients of profile `generic` that do what few do, and nothing wrong: no rule reports them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from psp_harness.miniatures.clients import CarefulClient, Params, Reply, Said, shop_id
from psp_harness.miniatures.declaration import miniature
from psp_harness.model import Role


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
