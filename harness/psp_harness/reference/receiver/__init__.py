"""A webhook receiver that is right: it believes nothing unproved, does it once, and says yes when it is written.

`inbox` is the part that matters: one transaction of a database for the event, the order and what comes of them. `app`
is the HTTP around it.
"""

from __future__ import annotations

from psp_harness.reference.receiver.app import reference_receiver

__all__ = ["reference_receiver"]
