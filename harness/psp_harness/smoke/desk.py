"""Where an adapter is tried: a process and a PSP of its own for each check."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from psp_harness.drive.local import LocalPsp, strike_on
from psp_harness.drive.upstreams import OurPsp
from psp_harness.model import Claims, Done, Exchange, Failed, Intent, Outcome, Refused
from psp_harness.profile import Profile
from psp_harness.subjects.addresses import Options
from psp_harness.subjects.client import ClientSubject, Session
from psp_harness.wire.tls import Authority


@dataclass(frozen=True, slots=True)
class Desk:
    """A client that was started against a PSP of its own."""

    session: Session
    psp: LocalPsp
    profile: Profile
    started_in: float

    @property
    def claims(self) -> Claims:
        """What it says of itself."""
        return self.session.claims

    def posts(self, operation: str) -> list[Exchange]:
        """Its requests for an operation."""
        return [x for x in self.psp.exchanges if x.operation == operation and x.request is not None]


@asynccontextmanager
async def desk(
    subject: ClientSubject, options: Options, fault: str | None, trusted: Authority | None = None
) -> AsyncIterator[Desk]:
    """Started, with a fault on every request for a payment, if any; over TLS, where somebody vouches for the PSP."""
    behind = OurPsp(options.profile, dict(options.credentials))
    strikes = [strike_on("create-payment", fault, (), {})] if fault else []
    secure = trusted.server if trusted else None
    async with LocalPsp(options.profile, behind.handle, strikes, secure=secure) as psp:
        begun = time.perf_counter()
        async with subject.session(psp.base_url, trusted) as session:
            yield Desk(session, psp, options.profile, time.perf_counter() - begun)
    await behind.close()


def intent(at: Desk, operation: str, amount: int, *, keyed: bool = True) -> Intent:
    """A plain step, with a key if the client takes the caller's."""
    refund = operation == "create-refund"
    key = f"smoke-{operation}-{amount}".encode()
    gives = keyed and "caller-keys" in at.claims.features and at.profile.takes_key(operation)
    return Intent(
        step=2 if refund else 1,
        name=operation,
        operation=operation,
        moment=1,
        amount=amount,
        key=key if gives else None,
        reference=f"smoke-{'refund' if refund else 'order'}-{amount}",
        payment=1 if refund else None,
    )


def said(outcome: Outcome) -> str:
    """What an adapter answered, for people."""
    match outcome:
        case Done(values):
            return f"ok with {dict(values)!r}"
        case Failed(kind, message):
            return f"failed with kind {kind!r} ({message})"
        case Refused(message):
            return f"refused ({message})"
