"""Webhooks, sent: what the books come to is told to every endpoint that is registered, until it says that it took it.

events ─► outbox ─► sender ─► message
 pure      pure      I/O       pure

Nothing is kept beside the books. Which events there are follows from the entries and from the clock; endpoints,
attempts and what became of them are entries themselves. So an event is as durable as the payment that it tells of: a
process that dies between the two, or between a delivery and the word that it was taken, sends it (again) when it is
started again, under the same id. That is delivery at least once, and nobody can have more.
"""

from __future__ import annotations

from psp_harness.reference.provider.sending.manner import Manner
from psp_harness.reference.provider.sending.outbox import Attempt, Endpoint, Sending
from psp_harness.reference.provider.sending.sender import Sender

__all__ = ["Attempt", "Endpoint", "Manner", "Sender", "Sending"]
