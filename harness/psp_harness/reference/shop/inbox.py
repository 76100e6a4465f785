"""The inbox of webhooks: believed only when proved, written down before the PSP is told so, and applied once.

receive   verify the bytes, write the event under its name        one transaction, before the 2xx
apply     let it happen to its order or refund                    another one; again after a crash between the two
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from psp_harness.model import Headers
from psp_harness.reference.shop import events
from psp_harness.reference.shop.books import Books
from psp_harness.reference.shop.events import Event
from psp_harness.reference.shop.tables import Received
from psp_harness.signing import SCHEMES, Genuine, Webhook, verify

RECEIVED, APPLIED, IGNORED = "received", "applied", "ignored"


class NotBelieved(Exception):
    """The signature is not the PSP's, or what it signed is no event."""


class TooEarly(Exception):
    """What must come first has not: the event stays in the inbox, and is applied later."""


class DoesNotFit(Exception):
    """It contradicts what the shop knows, or is none of its business: nothing is done."""


class Applies(Protocol):
    """Lets an event happen, in the transaction that it is given. Raises `TooEarly` and `DoesNotFit`."""

    def __call__(self, session: Session, event: Event, /) -> None: ...


class Inbox:
    """What the PSP told."""

    def __init__(
        self, books: Books, secrets: Sequence[str], applying: Mapping[str, Applies], *, account: str = ""
    ) -> None:
        """`secrets`: each of them is believed, so that one can be changed; `account`: the only merchant, if given."""
        self._books, self._secrets, self._applying, self._account = books, tuple(secrets), applying, account

    def receive(self, headers: Headers, body: bytes) -> str:
        """Write an event down, and give its name. Raises `NotBelieved`, and then nothing was written."""
        event = self._proved(headers, body)
        name = self.name(event)
        with self._books.transaction() as session:
            self._books.add_once(
                session,
                Received,
                name=name,
                kind=event.kind,
                about=event.about,
                facts={**event.facts, "account": event.account},
                status=RECEIVED,
                reason="",
            )
        return name

    def name(self, event: Event) -> str:
        """The inbox key: what is the same in every delivery of one event."""
        return event.name

    def apply(self, name: str) -> str:
        """Let an event happen that was received; the status that it has then. Once applied it stays so."""
        with self._books.transaction() as session:
            row = session.get(Received, name, with_for_update=True)
            if row is None or row.status != RECEIVED:
                return row.status if row is not None else IGNORED
            row.status, row.reason = self._happen(session, row)
            return row.status

    def waiting(self) -> list[str]:
        """The names of what was received and not applied."""
        with self._books.transaction() as session:
            waiting = select(Received.name).where(Received.status == RECEIVED)
            return list(session.scalars(waiting.order_by(Received.name)))

    def _proved(self, headers: Headers, body: bytes) -> Event:
        if not any(self._secrets):
            raise NotBelieved("no webhook secret is configured: nobody is believed")
        webhook = Webhook(headers, body)
        proof = verify(SCHEMES["hyperswitch"], webhook, self._secrets, now=time.time(), tolerance=None)
        if not isinstance(proof, Genuine):
            raise NotBelieved("the signature is not the PSP's")
        event = events.read(body)
        if event is None:
            raise NotBelieved("this is no event")
        return event

    def _happen(self, session: Session, row: Received) -> tuple[str, str]:
        event = Event(row.name, row.kind, row.about, row.facts, str(row.facts.get("account", "")))
        apply = self._applying.get(event.kind)
        if apply is None:
            return IGNORED, "the shop does nothing about it"
        if self._account not in {"", event.account}:
            return IGNORED, f"it is of the merchant {event.account!r}"
        try:
            apply(session, event)
        except TooEarly as early:
            return RECEIVED, str(early)
        except DoesNotFit as misfit:
            return IGNORED, str(misfit)
        return APPLIED, ""
