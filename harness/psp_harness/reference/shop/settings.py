"""What the shop is told by its environment, as a process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from psp_harness.errors import UsageError

DEFAULT_DATABASE = "sqlite:///shop.sqlite3"


@dataclass(frozen=True, slots=True)
class Settings:
    """Where everything is."""

    psp_base_url: str
    psp_api_key: str = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    """Any of them is believed, so that one can be changed."""
    account: str = ""
    """The merchant whose events are taken; empty: any."""
    database_url: str = field(default=DEFAULT_DATABASE, repr=False)
    psp_timeout_seconds: float = 30.0
    reconcile_seconds: float = 60.0
    """How often it looks after what is in doubt."""


def from_environment(environment: Mapping[str, str]) -> Settings:
    """The settings; raises `UsageError` where one is missing, or no number."""
    return Settings(
        psp_base_url=_needed(environment, "PSP_BASE_URL"),
        psp_api_key=_needed(environment, "PSP_API_KEY"),
        webhook_secrets=tuple(filter(None, environment.get("PSP_WEBHOOK_SECRET", "").split(","))),
        account=environment.get("PSP_MERCHANT_ID", ""),
        database_url=environment.get("DATABASE_URL", DEFAULT_DATABASE),
        psp_timeout_seconds=_seconds(environment, "PSP_TIMEOUT_SECONDS", 30.0),
        reconcile_seconds=_seconds(environment, "SHOP_RECONCILE_SECONDS", 60.0),
    )


def _needed(environment: Mapping[str, str], name: str) -> str:
    if value := environment.get(name):
        return value
    raise UsageError(f"{name} is not set", do="the shop must know its PSP: set PSP_BASE_URL and PSP_API_KEY")


def _seconds(environment: Mapping[str, str], name: str, default: float) -> float:
    try:
        seconds = float(environment.get(name) or default)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise UsageError(f"{name} is {environment[name]!r}", do="say a positive number of seconds")
    return seconds
