"""Correct clients of profile `generic` that do what few do, and nothing wrong: no rule reports them."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from psp_harness.miniatures.clients import CarefulClient, Reply
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
