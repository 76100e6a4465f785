"""A shop out of its settings, and its HTTP front as the application that uvicorn runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psp_harness.reference.shop.front import front
from psp_harness.reference.shop.hyperswitch import HyperswitchOfShop
from psp_harness.reference.shop.limits import Limit, OwnCounts, RedisCounts
from psp_harness.reference.shop.locks import NoLocks, RedisLocks
from psp_harness.reference.shop.queue import Queue
from psp_harness.reference.shop.settings import Settings, from_environment
from psp_harness.reference.shop.shop import Parts, Shop


def shop_of(settings: Settings, parts: Parts | None = None) -> Shop:
    """The shop, its database migrated."""
    psp = HyperswitchOfShop(settings.psp_base_url, settings.psp_api_key, timeout_seconds=settings.psp_timeout_seconds)
    return Shop(
        settings.database_url,
        psp,
        webhook_secrets=settings.webhook_secrets,
        account=settings.account,
        locks=RedisLocks(settings.redis_url, settings.name) if settings.redis_url else NoLocks(),
        parts=parts or Parts(),
    )


def front_of(settings: Settings, parts: Parts | None = None) -> Any:
    """The ASGI application around it."""
    counts = RedisCounts(settings.redis_url, settings.name) if settings.redis_url else OwnCounts()
    return front(
        shop_of(settings, parts),
        reconcile_seconds=settings.reconcile_seconds,
        queue=Queue(settings.rabbitmq_url, f"{settings.name}.events") if settings.rabbitmq_url else None,
        limit=Limit(settings.payments_each_minute, counts),
    )


def application(environment: Mapping[str, str], parts: Parts | None = None) -> Any:
    """The ASGI application that these variables describe. Raises `UsageError`."""
    return front_of(from_environment(environment), parts)
