"""From the words of a receiver's case to what is delivered: orders and events whose ids are fresh for the run."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import replace

from psp_harness.case import Case, Step, in_order
from psp_harness.case import Delivery as Wanted
from psp_harness.model import Delivery, Intent, Manner, Order
from psp_harness.profile import Profile


class Deliveries:
    """Expands the steps of one case."""

    def __init__(self, case: Case, profile: Profile, run: str) -> None:
        self._case, self._profile, self._run = case, profile, run
        self._named: dict[str, Intent] = {}
        self._count = 0
        self._at = 0.0
        self.orders = {
            each.as_: Order(
                self._fresh(each.as_),
                each.amount,
                each.currency,
                self._id("pay", each.as_),
                status=each.status,
                known=each.known,
            )
            for each in case.orders
        }

    def all(self) -> Iterator[Intent]:
        """One intent for each webhook, and for each time that the clock jumps."""
        for moment, step, copy in in_order(self._case.steps):
            yield self._one(step, moment, copy)

    def _one(self, step: Step, moment: int, copy: int) -> Intent:
        self._count += 1
        name = step.as_ or step.repeat or f"step-{self._count}"
        seconds = step.seconds + step.share_of_horizon * self._horizon
        manner = Manner(tuple(step.headers.items()), body=step.body or "", after=self._after(step, copy))
        operation = step.do or "deliver-webhook"
        intent = Intent(self._count, name, operation, moment, at=self._at, seconds=seconds, manner=manner)
        self._at += seconds
        if operation == "deliver-webhook":
            intent = replace(intent, delivery=self._delivery(step, name), tenant=step.tenant or "tenant-a")
        self._named.setdefault(name, intent)
        return intent

    @property
    def _horizon(self) -> float:
        webhooks = self._profile.webhooks
        return float(webhooks.horizon or 0) if webhooks else 0.0

    def _after(self, step: Step, copy: int) -> float:
        return step.spread * copy / max(1, step.times - 1)

    def _delivery(self, step: Step, name: str) -> Delivery:
        """A first one; or one that was told before, told again: the same event, in another transmission."""
        wanted = step.delivery or Wanted()
        transmission = self._id("msg", f"{name}-{self._count}")
        told = self._named[step.repeat].delivery if step.repeat else None
        if told is None:
            return self._first(wanted, name, transmission)
        return replace(
            told,
            transmission=transmission,
            forged=wanted.forged or "",
            until_acknowledged=wanted.until_acknowledged,
            ends=wanted.ends,
        )

    def _first(self, wanted: Wanted, name: str, transmission: str) -> Delivery:
        order = self.orders[wanted.order]
        return Delivery(
            event=wanted.event,
            order=order,
            event_id=self._id("evt", name),
            transmission=transmission,
            amount=wanted.amount or order.amount,
            currency=wanted.currency or order.currency,
            tenant=wanted.account,
            mode=wanted.mode,
            forged=wanted.forged or "",
            rotated=wanted.rotated,
            beside=self.orders[wanted.beside] if wanted.beside else None,
            duplicate=self._id("pay", wanted.payment) if wanted.payment else "",
            until_acknowledged=wanted.until_acknowledged,
            ends=wanted.ends,
        )

    def _fresh(self, label: str) -> str:
        """Meets no other run's and no other case's; letters, digits and hyphens."""
        return f"{self._run}-{label}-{zlib.crc32(self._case.id.encode()):08x}"

    def _id(self, kind: str, label: str) -> str:
        """As PSPs write ids: letters, digits and underscores."""
        return f"{kind}_{self._fresh(label).replace('-', '_')}"
