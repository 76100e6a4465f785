"""A shop that is right: what it sells is paid once, goes back once, and is known to it whatever happens in between.

    front ──► calls ──► shop ──► orders, captures, refunds, payouts,         ──► psp, hyperswitch: the PSP, over HTTP
                          │      subscriptions, customers, disputes          ──► books, tables: one database
                          └────► inbox ──► telling: webhooks
    working, beside it: reconcile, and the queue on RabbitMQ; locks and limits on Redis

**Started** as a process of its own, it applies its migrations and picks up what was left in doubt:

    pip install 'psp-harness[shop]'
    PSP_BASE_URL=http://127.0.0.1:4242 PSP_API_KEY=… PSP_WEBHOOK_SECRET=… DATABASE_URL=sqlite:////tmp/shop.sqlite3 \
        python -m psp_harness.reference.shop --port 8090

or, for a server of yours, `application(environment)`; or without HTTP, `open_shop(settings)`. `settings` says what each
variable means, `front` what it answers. The PSP is one that speaks as Hyperswitch does.

**What protects the money**, and the one place of each (`Parts` takes a subclass that does without):

    the pending row        Refunds.refund_order: `open_refund` writes it, and `send_refund` asks with its id as key
    the guards             Orders.claim, by the table of states: one confirms; Orders.place_order: a checkout is one
                           order; Refunds.open_refund: a request is one refund, and no more than what is left
    the UNIQUE indexes     Books.prepare makes them (`refunds_psp_id_once`, …), and Books.add_once relies on them
    the inbox key          Inbox.name: one event, one row
    nothing goes back      states.ORDER_MOVES, states.REFUND_MOVES
    what does not fit      telling: amount, currency and order are those that the shop knows
    nothing is forgotten   Shop.reconcile

A transaction ends with SQLAlchemy's `commit` event on `books.engine`: that is where a crash can be struck.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from psp_harness.errors import UsageError

if TYPE_CHECKING:
    from psp_harness.reference.shop.settings import Settings
    from psp_harness.reference.shop.shop import Parts, Shop

__all__ = ["application", "loaded", "open_shop"]


def application(environment: Mapping[str, str], parts: Parts | None = None) -> Any:
    """The ASGI application of a shop that these variables describe. Raises `UsageError`."""
    return loaded().application(environment, parts)


def open_shop(settings: Settings, parts: Parts | None = None) -> Shop:
    """A shop without HTTP, its database migrated. Raises `UsageError`."""
    shop: Shop = loaded().shop_of(settings, parts)
    return shop


def loaded() -> Any:
    """What runs a shop, imported. Raises `UsageError` where a package is not installed."""
    try:
        return importlib.import_module("psp_harness.reference.shop.running")
    except ImportError as error:
        needs = f"the reference shop needs a package that is not installed ({error.name or error})"
        raise UsageError(needs, do="pip install 'psp-harness[shop]'") from None
