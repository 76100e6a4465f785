"""From the words of a shop's case to what is asked of it: orders, refunds and events with ids fresh for the run."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import replace

from psp_harness.case import ABOVE, Case, Step, in_order
from psp_harness.case import Delivery as Wanted
from psp_harness.model import Delivery, Intent, Manner, Order
from psp_harness.vocabulary import USUAL


class Wishes:
    """Expands the steps of one case. What is asked again keeps its reference: it is one wish."""

    def __init__(self, case: Case, run: str) -> None:
        self._case, self._run = case, run
        self._named: dict[str, Intent] = {}
        self._last: dict[str, Intent] = {}
        """By operation: the last step that asked for it."""
        self._count = 0

    def all(self) -> Iterator[Intent]:
        """One intent for each thing that is asked."""
        for moment, step, copy in in_order(self._case.steps):
            yield self._one(step, moment, copy)

    def _one(self, step: Step, moment: int, copy: int) -> Intent:
        self._count += 1
        name = step.as_ or (f"{step.repeat}-again-{self._count}" if step.repeat else f"step-{self._count}")
        name += f"-copy-{copy + 1}" if copy else ""
        if step.repeat:
            intent = self._again(self._named[step.repeat], step)
        elif copy:
            intent = self._last[step.do or ""]
        else:
            intent = self._first(step, name)
        after = step.after + step.spread * copy / max(1, step.times - 1)
        intent = replace(intent, step=self._count, name=name, moment=moment, manner=Manner(after=after))
        self._named.setdefault(name, intent)
        self._last[intent.operation] = intent
        return intent

    def _again(self, first: Intent, step: Step) -> Intent:
        """The same once more; a webhook in another transmission, and perhaps with something wrong."""
        if first.delivery is None:
            return first
        wanted = step.delivery or Wanted()
        transmission = self._id("msg", f"{first.name}-{self._count}")
        return replace(first, delivery=replace(first.delivery, transmission=transmission, forged=wanted.forged or ""))

    def _first(self, step: Step, name: str) -> Intent:
        operation = step.do or ""
        if operation == "deliver-webhook":
            return self._event(step, name)
        order = self._above(step, operation)
        amount, currency, reference = step.amount or 0, step.currency or USUAL, self._fresh(name)
        if order is not None:
            amount, currency = step.amount or order.amount, order.currency
            reference = order.reference if operation == "confirm-order" else reference
        return Intent(
            self._count,
            name,
            operation,
            0,
            amount,
            currency,
            reference=reference,
            payment=order.step if order else None,
        )

    def _above(self, step: Step, operation: str) -> Intent | None:
        above = ABOVE.get(operation)
        return None if above is None else self._named[step.of] if step.of else self._last[above]

    def _event(self, step: Step, name: str) -> Intent:
        wanted = step.delivery or Wanted()
        about = self._named[step.of] if step.of else self._last["place-order"]
        of_refund = about.operation in {"refund-order", "refund-at-psp"}
        order = Order(about.reference, about.amount, about.currency, "")
        delivery = Delivery(
            event=wanted.event,
            order=order,
            event_id=self._id("evt", name),
            transmission=self._id("msg", f"{name}-{self._count}"),
            amount=wanted.amount or about.amount,
            currency=wanted.currency or about.currency,
            tenant=wanted.account,
            mode=wanted.mode,
            forged=wanted.forged or "",
        )
        return Intent(
            self._count,
            name,
            "deliver-webhook",
            0,
            payment=about.payment if of_refund else about.step,
            refund=about.step if of_refund else None,
            delivery=delivery,
        )

    def _fresh(self, label: str) -> str:
        """Meets no other run's and no other case's; letters, digits and hyphens."""
        return f"{self._run}-{label}-{zlib.crc32(self._case.id.encode()):08x}"

    def _id(self, kind: str, label: str) -> str:
        """As PSPs write ids: letters, digits and underscores."""
        return f"{kind}_{self._fresh(label).replace('-', '_')}"
