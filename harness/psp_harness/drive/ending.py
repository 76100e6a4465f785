"""How a case ended: whether its faults struck what they name, and what it then proves."""

from __future__ import annotations

from collections.abc import Iterable

from psp_harness.errors import SubjectError
from psp_harness.model import Driven, Exchange, History, Strike
from psp_harness.plan import Planned


class NothingThere(SubjectError):
    """The payment or refund that a step is of never came to be: the case ends there, and perhaps a rule says why."""


def ended(planned: Planned, history: History, *, errored: str, doubtful: str) -> Driven:
    """The driven case with the first of the reasons for which it may prove nothing."""
    errored = errored or _missed(planned, history.exchanges)
    if errored:
        return Driven(history, errored=errored)
    if doubtful:
        return Driven(history, doubtful=doubtful)
    return Driven(history, unexercised=_met_nothing(planned, history.exchanges))


def _met(strike: Strike, exchanges: Iterable[Exchange]) -> list[Exchange]:
    """The exchanges that a fault was to strike, of those that happened."""
    if strike.number is not None:
        return [x for x in exchanges if x.number == strike.number and x.request is not None]
    of_step = [x for x in exchanges if x.step == strike.step and (x.request is not None or x.fault is not None)]
    return [x for attempt, x in enumerate(of_step, 1) if strike.hits(x.step, attempt)]


def _met_nothing(planned: Planned, exchanges: tuple[Exchange, ...]) -> str:
    """Which fault of the case names an exchange that never happened, if any: the case is then unexercised."""
    by_number = [strike for strike in planned.strikes if strike.number is not None]
    for strike in by_number or planned.strikes:  # what a crash leaves for the case's own faults to strike is open
        if _met(strike, exchanges):
            continue
        if strike.number is not None:
            return f"{strike.fault} was to strike exchange {strike.number}, which never happened this time"
        attempts = f"attempt {strike.attempts[0]}" if strike.attempts else "any attempt"
        name = next(intent.name for intent in planned.intents if intent.step == strike.step)
        return f"{strike.fault} was to strike {attempts} of {name!r}, which never happened"
    return ""


def _missed(planned: Planned, exchanges: tuple[Exchange, ...]) -> str:
    """Which fault did not strike the exchange that it names, though that happened: the case is then errored."""
    taken = {strike.number for strike in planned.strikes}
    for strike in planned.strikes:
        met = [x for x in _met(strike, exchanges) if strike.number is not None or x.number not in taken]
        if any(exchange.fault != strike.fault for exchange in met):
            return f"{strike.fault} did not strike an exchange that it names: its sender hung up before"
    return ""
