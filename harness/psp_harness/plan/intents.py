"""From the words of a case to what is asked: every key and reference fresh for the run, every label the same key."""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from psp_harness.case import ABOVE, Case, OddKey, Step, in_order
from psp_harness.model import Intent, Manner, Role
from psp_harness.profile import Profile
from psp_harness.vocabulary import CHANGES, USUAL

_FRESH = re.compile("[0-9a-f]{8}-.*-[0-9a-f]{8}")
"""What `Intents` makes of a label."""


class Intents:
    """Expands the steps of one case."""

    def __init__(self, case: Case, profile: Profile, features: Collection[str], run: str) -> None:
        self._case, self._profile, self._run = case, profile, run
        self._gives_keys = case.role is not Role.CLIENT or "caller-keys" in features
        self._named: dict[str, Intent] = {}
        self._count = 0
        self._at = 0.0
        self._last: dict[str, int] = {}
        """By operation: the last step that asked for it."""
        self._last_change = "create-payment"

    def all(self) -> Iterator[Intent]:
        for moment, step, copy in in_order(self._case.steps):
            yield self._one(step, moment, copy)

    def _one(self, step: Step, moment: int, copy: int) -> Intent:
        self._count += 1
        name = step.as_ or f"step-{self._count}"
        intent = self._again(step, moment) if step.repeat else self._first(step, name, moment, copy)
        if intent.operation in CHANGES:
            self._last_change = intent.operation
            intent = intent if self._profile.takes_key(intent.operation) else replace(intent, key=None)
        self._last[intent.operation] = intent.step
        self._named.setdefault(name, intent)
        self._at += intent.seconds
        after = step.after + step.spread * copy / max(1, step.times - 1)
        return replace(intent, at=self._at - intent.seconds, manner=_manner(step, after))

    def _first(self, step: Step, name: str, moment: int, copy: int) -> Intent:
        kind = (step.do or "").removeprefix("create-")
        above = ABOVE.get(step.do or "", "")
        of = self._named[step.of].step if step.of else self._last.get(above)
        own = f"-{copy}" if step.each else ""
        called = name if step.times == 1 else f"{step.as_ or 'copies'}{own}"
        ttl = self._profile.lifetime(self._last_change)
        return Intent(
            step=self._count,
            name=name,
            operation=step.do or "",
            moment=moment,
            amount=(step.amount or 0) + (copy if step.each else 0),
            currency=step.currency or USUAL,
            key=self._key(f"{step.key}{own}" if isinstance(step.key, str) else step.key),
            tenant=step.tenant or "tenant-a",
            reference=self._fresh(f"{kind}-{called}"),
            payment=of if above == "create-payment" else None,
            refund=of if above == "create-refund" else None,
            chosen_id=self._fresh(step.id) if step.id else None,
            captured_later=step.capture == "later",
            card=step.card or "good",
            odd_amount=step.odd_amount,
            seconds=step.seconds + step.share_of_ttl * (ttl or 0),
        )

    def _again(self, step: Step, moment: int) -> Intent:
        first = self._named[step.repeat or ""]
        return replace(
            first,
            step=self._count,
            name=step.as_ or first.name,
            moment=moment,
            amount=step.amount or first.amount,
            currency=step.currency or first.currency,
            odd_amount=step.odd_amount,
            payment=self._named[step.of].step if step.of else first.payment,
            tenant=step.tenant or first.tenant,
            card=step.card or first.card,
            key=self._key(step.key) if step.key is not None else first.key,
        )

    def _key(self, key: str | OddKey | None) -> bytes | None:
        if isinstance(key, OddKey):
            return self._odd(key)
        return self._fresh(key).encode() if key is not None and self._gives_keys else None

    def _odd(self, key: OddKey) -> bytes:
        if key.text is not None:
            return key.text.encode()
        if key.like is not None:
            text = f"{key.prefix}{self._fresh(key.like)}{key.suffix}"
            return (text.upper() if key.upper else text).encode()
        limit = self._profile.key.max_length if self._profile.key else None
        length = (limit or 255) + (key.beyond_limit or 0)
        return self._fresh("long").ljust(length, "x").encode()

    def _fresh(self, label: str) -> str:
        """Meets no other run's and no other case's; letters, digits and hyphens, which every PSP takes."""
        return f"{self._run}-{label}-{zlib.crc32(self._case.id.encode()):08x}"


def _manner(step: Step, after: float) -> Manner:
    lines = step.key.lines if isinstance(step.key, OddKey) else ()
    return Manner(
        headers=tuple(step.headers.items()),
        key_lines=tuple(line.encode() for line in lines),
        body=step.body or "",
        elsewhere=step.elsewhere,
        refreshed=step.refreshed,
        persists=step.persists,
        after=after,
    )


def is_of_another_run(reference: str, run: str) -> bool:
    """Whether a reference was made fresh for a run, and not for this one; a provider's own are anybody's."""
    return _FRESH.fullmatch(reference) is not None and not reference.startswith(f"{run}-")


def moments(intents: Iterable[Intent]) -> list[list[Intent]]:
    """The intents in the order in which they are released."""
    grouped: dict[int, list[Intent]] = {}
    for intent in intents:
        grouped.setdefault(intent.moment, []).append(intent)
    return list(grouped.values())
