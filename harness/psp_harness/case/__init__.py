"""Cases: situations in PSP-neutral words, read from TOML. Amounts are integers in minor units; a float is refused.

A case is a few steps and perhaps faults. Steps that stand together in `parallel`, and the copies of a step with
`times`, are one *moment*: they are released together. The format is described in `contracts/cases/README.md`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from psp_harness.case.deliveries import Delivery, Order
from psp_harness.case.deliveries import problems as problems_of_deliveries
from psp_harness.case.written import Written
from psp_harness.errors import DataError
from psp_harness.expected import line_of, misfit, read_toml, type_in_words
from psp_harness.model import Role
from psp_harness.registry import suggest
from psp_harness.vocabulary import CREATES, FEATURES, MOVES, SHOP_STEPS, STEPS

__all__ = ["Case", "Delivery", "Fault", "OddKey", "Order", "Step", "flat", "in_order", "load"]


class OddKey(Written, frozen=True):
    """A key that is not simply fresh: exactly this text, or as long as the profile allows and some more."""

    text: str | None = None
    beyond_limit: int | None = None
    """0: the longest that the profile allows; 1: one longer."""
    like: str | None = None
    """A label: the fresh key of that label, but for what follows."""
    suffix: str = ""
    prefix: str = ""
    upper: bool = False
    """In capitals."""
    lines: tuple[str, ...] = ()
    """Further key lines after the first, exactly these texts."""


class Step(Written, frozen=True, rename=lambda name: name.rstrip("_").replace("_", "-")):
    """One thing to do (`do`), or to send again (`repeat`), or several at once (`parallel`)."""

    do: str | None = None
    repeat: str | None = None
    """The name of an earlier step: the same request again, but for what is written beside it."""
    parallel: tuple[Step, ...] = ()
    as_: str | None = None
    """Its name in this case."""
    of: str | None = None
    """For a refund, a capture, a void or a read: the name of the step that made what it is of; without it, the last
    payment before, and for `get-refund` the last refund. Of a shop: the order, or what a webhook is about."""
    amount: int | None = None
    currency: str | None = None
    key: str | OddKey | None = None
    """A label: the same label is the same fresh key. None: no key is given."""
    id: str | None = None
    """A label for the id that the caller chooses itself, where the PSP lets it."""
    capture: Literal["later"] | None = None
    """Of a payment: it is authorised alone."""
    card: Literal["good", "declined", "refund-fails"] | None = None
    """Of a payment: the test card that it is paid with, instead of one that is good."""
    tenant: str | None = None
    times: int = 1
    """So many copies, released together."""
    spread: float = 0.0
    """Seconds over which the copies are spread, so that the later ones meet the first while it is in flight."""
    after: float = 0.0
    """Seconds after those that are released with it."""
    each: bool = False
    """Every copy has a key and a reference of its own, and an amount that is one minor unit above the last."""
    odd_amount: str | None = None
    """What stands in the body instead of the amount: a JSON literal, such as `-1` or `"10"`."""
    headers: Mapping[str, str] = {}
    """Header lines beside the usual ones."""
    body: Literal["reordered", "spaced"] | None = None
    """The same JSON value in other bytes."""
    elsewhere: bool = False
    """Sent from another local address."""
    refreshed: bool = False
    """Sent with the second credential of its tenant, as after a token was refreshed or an API key replaced."""
    persists: bool = False
    """Sent until the answer is no longer that another one is in flight, at most 12 s."""
    seconds: float = 0.0
    """Of `advance-clock`: by how much."""
    share_of_ttl: float = 0.0
    """Of `advance-clock`: by this share of the time that the PSP keeps a key."""
    share_of_horizon: float = 0.0
    """Of `advance-clock`: by this share of the time for which the PSP tries to deliver."""
    delivery: Delivery | None = None
    """Of `deliver-webhook`: what is told, and what is wrong with it."""


class Fault(Written, frozen=True):
    """What happens on the wire, and to which attempts of which step; no attempts means all of them."""

    strike: str
    on: str
    attempts: tuple[int, ...] = ()
    options: Mapping[str, int | float | str | bool] = {}


class Case(Written, frozen=True):
    """One situation."""

    id: str
    role: Role
    situation: str
    steps: tuple[Step, ...]
    needs: frozenset[str] = frozenset()
    faults: tuple[Fault, ...] = ()
    alone: bool = False
    """Runs when no other case does: it moves what they share, such as the clock."""
    orders: tuple[Order, ...] = ()
    """Of a receiver: what the shop has sold."""
    secretless: bool = False
    """Of a receiver: it is started with an empty secret."""
    crashes: bool = False
    """Of a shop: it is driven once more for each point at which the shop's process can be ended."""


class _File(Written, frozen=True):
    case: tuple[Case, ...]


def load(paths: Iterable[Path], faults: Mapping[str, _TakesOptions]) -> tuple[Case, ...]:
    """Every case of these files and folders, in order; `faults` are the faults that exist.

    Raises `DataError` with file, case and key for anything that is wrong.
    """
    cases: dict[str, Case] = {}
    for file in _files(paths):
        for case in _read(file):
            _check(case, str(file), faults)
            if case.id in cases:
                raise DataError(f"case {case.id!r} exists twice", file=str(file), do="give it another id")
            cases[case.id] = case
    return tuple(cases.values())


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        found = sorted(path.glob("*.toml")) if path.is_dir() else [path]
        if not found:
            raise DataError("no TOML file in this folder", file=str(path), do="name the folder or file of your cases")
        yield from found


def _read(file: Path) -> tuple[Case, ...]:
    text, raw = read_toml(file)
    if not raw:
        raise DataError(
            "there is no case in it", file=str(file), do="begin each one with [[case]]: id, role, situation, steps"
        )
    try:
        return msgspec.convert(raw, _File).case
    except msgspec.ValidationError as error:
        raise _explain(error, raw, text, str(file)) from None


def _explain(error: msgspec.ValidationError, raw: Mapping[str, object], text: str, file: str) -> DataError:
    """The key that is wrong, with the line of its case, and under the id of that rather than its index."""
    wrong = misfit(error, _File)
    where = wrong.where
    cases = raw.get("case")
    index = where.removeprefix("case[").partition("]")[0]
    if isinstance(cases, list) and index.isdigit() and isinstance(cases[int(index)], Mapping):
        case_id, key = cases[int(index)].get("id"), where.partition(".")[2]
        named = f"case {case_id!r}" if isinstance(case_id, str) else "its [[case]]"
        where = line_of(text, where) + (f"{named}, {key}" if key else named)
    do = "write an integer in minor units: 1050 is 10.50" if where.endswith("amount") else wrong.do
    return DataError(wrong.problem, file=file, where=where, do=do)


def _check(case: Case, file: str, faults: Mapping[str, _TakesOptions]) -> None:
    def wrong(problem: str, key: str, do: str = "") -> DataError:
        return DataError(problem, file=file, where=f"case {case.id!r}, {key}", do=do)

    if not _ID.fullmatch(case.id):
        raise wrong("a case id is kebab-case: it names verdicts and files", "id", "for instance two-payments")
    if any(step.parallel and (step.do or step.repeat) for step in case.steps):
        raise wrong("a step has exactly one of do, repeat, parallel", "steps")
    for feature in sorted(case.needs - set(FEATURES)):
        raise wrong(f"unknown feature {feature!r}", "needs", suggest(feature, FEATURES))
    named: dict[str, str] = {}
    asked: set[str] = set()
    _check_role(case, wrong)
    for step in flat(case.steps):
        _check_step(step, named, wrong)
        does = step.do or named[step.repeat or ""]
        above = ABOVE.get(does)
        if above is not None and above not in asked:
            raise wrong(f"{does} needs a {above} before it", "steps", f"put a {above} before it")
        asked.add(does)
        named |= {step.as_: does} if step.as_ else {}
    _check_faults(case, named, faults, wrong)


_ASKED: Mapping[Role, frozenset[str]] = {
    Role.CLIENT: CREATES | {"advance-clock"},
    Role.PROVIDER: frozenset(STEPS) - SHOP_STEPS,
    Role.RECEIVER: frozenset({"deliver-webhook", "advance-clock"}),
    Role.SHOP: SHOP_STEPS,
}
"""What a case may ask of whom."""


def _check_role(case: Case, wrong: _Wrong) -> None:
    """Steps and orders fit the role."""
    allowed = _ASKED.get(case.role, frozenset(STEPS))
    for step in flat(case.steps):
        if step.do in STEPS and step.do not in allowed:
            do = f"ask for {' or '.join(sorted(allowed))}"
            raise wrong(f"a {case.role} cannot be asked to {step.do}", "steps", do)
    if case.role is Role.RECEIVER:
        for problem, key, do in problems_of_deliveries(case.orders, flat(case.steps)):
            raise wrong(problem, key, do)


def _check_faults(case: Case, named: Mapping[str, str], faults: Mapping[str, _TakesOptions], wrong: _Wrong) -> None:
    for fault in case.faults:
        if fault.strike not in faults:
            raise wrong(f"unknown fault {fault.strike!r}", "faults", suggest(fault.strike, faults))
        if fault.on not in named:
            raise wrong(f"strikes {fault.on!r}, which is no step of this case", "faults", _names_step(fault.on, named))
        _check_options(fault, faults[fault.strike].options, wrong)


def _check_options(fault: Fault, known: Mapping[str, type], wrong: _Wrong) -> None:
    for name, value in fault.options.items():
        if name not in known:
            do = suggest(name, known) if known else "it takes none"
            raise wrong(f"{fault.strike} has no option {name!r}", "faults", do)
        if type(value) not in ({int, float} if known[name] is float else {known[name]}):
            written = json.dumps(value)
            raise wrong(
                f"option {name} of {fault.strike} is {written}; expected {type_in_words(known[name])}", "faults"
            )


def _names_step(name: str, named: Mapping[str, str]) -> str:
    """What to do about a step that nobody has named so."""
    return suggest(name, named) if named else f"give the step that is meant its name: as = {json.dumps(name)}"


def _check_step(step: Step, named: Mapping[str, str], wrong: _Wrong) -> None:
    if step.parallel or (step.do is None) == (step.repeat is None):
        raise wrong("a step has exactly one of do, repeat, parallel, and none inside parallel", "steps")
    if step.times < 1:
        raise wrong(f"times is {step.times}; expected a positive number of copies", "steps")
    if step.do is not None and step.do not in STEPS:
        raise wrong(f"unknown step {step.do!r}", "steps", suggest(step.do, STEPS))
    moves = step.do in MOVES | _ASKED_WITH_AMOUNT
    if (moves and step.amount is None) or (step.amount is not None and step.amount < 1):
        what = "no amount" if step.amount is None else f"amount {step.amount}"
        raise wrong(f"{what} of {step.do or step.repeat}: expected a positive integer in minor units", "steps")
    for name in (step.repeat, step.of):
        if name is not None and name not in named:
            raise wrong(f"names {name!r}, which is no earlier step", "steps", _names_step(name, named))
    does = step.do or named[step.repeat or ""]
    above = (
        ("place-order", "refund-order", "refund-at-psp") if does == "deliver-webhook" else (ABOVE.get(does, "step"),)
    )
    if step.of is not None and named[step.of] not in above:
        raise wrong(f"{does} is not of {step.of!r}, a {named[step.of]}", "steps", f"name a {' or '.join(above)}")
    if step.as_ in named:
        raise wrong(f"two steps are called {step.as_!r}", "steps")


ABOVE: Mapping[str, str] = {
    "capture-payment": "create-payment",
    "cancel-payment": "create-payment",
    "create-refund": "create-payment",
    "get-payment": "create-payment",
    "get-refund": "create-refund",
    "confirm-order": "place-order",
    "refund-order": "place-order",
    "refund-at-psp": "place-order",
}
"""What each step is of: the step that has to come before it."""

_ASKED_WITH_AMOUNT = frozenset({"place-order", "refund-order", "subscribe", "payout", "refund-at-psp"})

_ID = re.compile("[a-z0-9]+(-[a-z0-9]+)*")


class _TakesOptions(Protocol):
    @property
    def options(self) -> Mapping[str, type]: ...


class _Wrong(Protocol):
    def __call__(self, problem: str, key: str, do: str = "") -> DataError: ...


def flat(steps: Iterable[Step]) -> Iterator[Step]:
    """Every step, those in `parallel` among them."""
    for step in steps:
        if step.parallel:
            yield from step.parallel
        else:
            yield step


def in_order(steps: Iterable[Step]) -> Iterator[tuple[int, Step, int]]:
    """Each thing to do: the moment that it belongs to, from 1; its step; and which copy of it, from 0."""
    for moment, step in enumerate(steps, 1):
        for single in step.parallel or (step,):
            for copy in range(single.times):
                yield moment, single, copy
