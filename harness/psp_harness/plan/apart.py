"""What the steps and cases of one run must not share: requests and effects are attributed by amount."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from psp_harness.case import Case
from psp_harness.errors import DataError
from psp_harness.model import Intent, Role
from psp_harness.vocabulary import MOVES, WISHES

_OWN_AMOUNT = "give each step an amount of its own: what a subject did is attributed by it"


def refuse_shared_amounts(asked: Iterable[tuple[Case, Sequence[Intent]]]) -> None:
    """No two payments of a run share an amount, nor two things asked in one case. Raises `DataError`."""
    seen: dict[int, str] = {}
    for case, intents in asked:
        _in_one_case(case, intents)
        for amount in {intent.amount for intent in intents if intent.operation == "create-payment"}:
            if amount in seen:
                raise wrong(case, f"pays {amount}, as does case {seen[amount]!r}", _OWN_AMOUNT)
            seen[amount] = case.id


def _in_one_case(case: Case, intents: Sequence[Intent]) -> None:
    asked: dict[tuple[object, ...], Intent] = {}
    for intent in (each for each in intents if each.operation in MOVES | WISHES.keys()):
        of_client = case.role is Role.CLIENT
        apart = None if of_client or case.role is Role.SHOP else intent.payment
        what = (WISHES.get(intent.operation, intent.operation), intent.amount, apart)
        other = asked.setdefault(what, intent)
        told_apart = of_client and other.moment != intent.moment  # a client answers before the next one is asked
        alike = other.reference == intent.reference and not of_client
        if other is not intent and not (told_apart or alike):
            raise wrong(case, f"two steps ask for {intent.operation} of {intent.amount}", _OWN_AMOUNT)


def wrong(case: Case, problem: str, do: str) -> DataError:
    """An error in a case that shows only against a profile, or beside other cases."""
    return DataError(f"case {case.id!r}: {problem}", file="the cases of this run", do=do)
