"""What the shop is told by its environment, as a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from psp_harness.errors import UsageError

T = TypeVar("T", int, float)

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
    redis_url: str = field(default="", repr=False)
    """Where several processes share a lock and a rate limit; empty: each has its own."""
    rabbitmq_url: str = field(default="", repr=False)
    """Where webhooks are queued between inbox and worker; empty: they are applied at once."""
    name: str = "shop"
    """Under which it keeps what it has on Redis and RabbitMQ."""
    payments_each_minute: int = 0
    """That one caller may ask for; 0: as many as they like."""


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
        redis_url=_redis(environment.get("REDIS_ADDR", "")),
        rabbitmq_url=environment.get("RABBITMQ_URL", ""),
        name=environment.get("SHOP_NAME") or "shop",
        payments_each_minute=_number(environment, "SHOP_PAYMENTS_EACH_MINUTE", 0, int, "a positive integer"),
    )


def _redis(address: str) -> str:
    return f"redis://{address}" if address and "://" not in address else address


def _needed(environment: Mapping[str, str], name: str) -> str:
    if value := environment.get(name):
        return value
    raise UsageError(f"{name} is not set", do="the shop must know its PSP: set PSP_BASE_URL and PSP_API_KEY")


def _seconds(environment: Mapping[str, str], name: str, default: float) -> float:
    return _number(environment, name, default, float, "a positive number of seconds")


def _number(environment: Mapping[str, str], name: str, default: T, read: Callable[[str], T], expected: str) -> T:
    said = environment.get(name, "")
    if not said:
        return default
    try:
        number = read(said)
    except ValueError:
        number = None
    if number is None or not 0 < number < float("inf"):
        raise UsageError(f"{name} is {said!r}", do=f"say {expected}")
    return number
