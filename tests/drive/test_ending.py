"""How a case ended: a fault that met nothing proves nothing, and one that missed what it met is our error."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from by_hand import exchange, request
from psp_harness.case import Case
from psp_harness.drive.ending import ended
from psp_harness.model import Claims, Driven, Exchange, History, Intent, Strike
from psp_harness.plan import Planned

CASE = msgspec.convert({"id": "x", "role": "client", "situation": "x", "steps": []}, Case)
INTENTS = (Intent(1, "payment", "create-payment", 1, amount=6540), Intent(2, "other", "create-payment", 2, amount=7))


def first(fault: str | None = None) -> Exchange:
    """An exchange of step 1, struck or not."""
    return replace(exchange(1, request()), fault=fault)


def after(*exchanges: Exchange, strikes: tuple[Strike, ...], errored: str = "", doubtful: str = "") -> Driven:
    """The ended case."""
    history = History("x", INTENTS, {}, exchanges, (), Claims("x"))
    return ended(Planned(CASE, INTENTS, strikes), history, errored=errored, doubtful=doubtful)


LOST = Strike("response-lost", 1)


@pytest.mark.parametrize(
    ("exchanges", "strikes", "errored", "unexercised"),
    [
        pytest.param([first("response-lost")], [LOST], "", "", id="struck"),
        pytest.param([], [LOST], "", "response-lost was to strike any attempt of 'payment', which never happened", id="never sent"),
        pytest.param([first()], [LOST], "response-lost did not strike", "", id="missed"),
        pytest.param([first("response-lost"), first()], [LOST], "response-lost did not strike", "", id="missed the second"),
        pytest.param([first("response-lost"), first()], [Strike("response-lost", 1, (1,))], "", "", id="only the first"),
        pytest.param([first()], [Strike("response-lost", 1, (2,))], "", "attempt 2 of 'payment', which never happened", id="tried once"),
        pytest.param([replace(first(), step=None)], [LOST], "", "never happened", id="a request of nobody's"),
        pytest.param([replace(first(), request=None)], [LOST], "", "never happened", id="no whole request"),
        pytest.param([first("response-lost")], [LOST, Strike("slow-answer", 2)], "", "any attempt of 'other'", id="one of two"),
    ],
)  # fmt: skip
def test_a_fault_strikes_meets_nothing_or_misses(
    exchanges: list[Exchange], strikes: list[Strike], errored: str, unexercised: str
) -> None:
    """Only what happened can be struck; what happened and was not struck is no evidence of anything."""
    driven = after(*exchanges, strikes=tuple(strikes))
    assert (bool(driven.errored), bool(driven.unexercised)) == (bool(errored), bool(unexercised))
    assert errored in driven.errored
    assert unexercised in driven.unexercised


def test_of_several_reasons_the_gravest_is_told() -> None:
    """An error before a doubt, a doubt before a fault that met nothing."""
    both = after(strikes=(LOST,), errored="it died", doubtful="it was refused")
    assert (both.errored, both.doubtful, both.unexercised) == ("it died", "", "")
    doubt = after(strikes=(LOST,), doubtful="it was refused")
    assert (doubt.errored, doubt.doubtful, doubt.unexercised) == ("", "it was refused", "")
