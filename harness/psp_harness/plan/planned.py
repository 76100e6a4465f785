"""One case of a plan, ready to be driven."""

from __future__ import annotations

from dataclasses import dataclass

from psp_harness.case import Case
from psp_harness.model import Intent, Order, Strike


@dataclass(frozen=True, slots=True)
class Planned:
    """A case made ready for one run."""

    case: Case
    intents: tuple[Intent, ...]
    strikes: tuple[Strike, ...]
    orders: tuple[Order, ...] = ()
    """Of a receiver's case."""
