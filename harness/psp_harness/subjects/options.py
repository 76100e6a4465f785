"""How a subject is to be opened, whatever its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from psp_harness.profile import Profile

WEBHOOK_PATH = "/webhooks"


@dataclass(frozen=True, slots=True)
class Options:
    """How a subject is to be opened."""

    profile: Profile
    credentials: Mapping[str, str]
    step_timeout: float
    answer_timeout: float = 2.0
    effects_path: str | None = None
    clock_path: str | None = None
    allowed_hosts: frozenset[str] = frozenset()
    ca_file: str | None = None
    claimed: frozenset[str] = frozenset()
    """Features that the caller claims for a subject which cannot say so itself: an application that is hosted."""
    webhook_path: str = WEBHOOK_PATH
    """Of a receiver that is started for the run: where it takes webhooks."""
    orders_path: str | None = None
    """Of a receiver: its route that is told which orders there are."""
    psp_url: str = ""
    """Where a receiver can ask what became of a payment."""
