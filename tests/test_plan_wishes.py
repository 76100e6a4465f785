"""From the words of a shop's case to what is asked: what is asked again is one wish, and events are about what happened."""

from __future__ import annotations

from pathlib import Path

import pytest

from psp_harness import case, faults
from psp_harness.errors import DataError
from psp_harness.model import Intent
from psp_harness.plan.points import Point, is_point_of, points
from psp_harness.plan.wishes import Wishes

CASE = """
[[case]]
id = "asked"
role = "shop"
situation = "something"
steps = [{}]
"""
ORDER = "{ do = 'place-order', as = 'order', amount = 700, currency = 'USD' }"


def planned(steps: str, tmp_path: Path) -> list[Intent]:
    """The intents of one case."""
    path = tmp_path / "case.toml"
    path.write_text(CASE.format(f"{ORDER}, {steps}"), encoding="utf-8")
    (only,) = case.load([path], faults.load())
    return list(Wishes(only, "cafe0001").all())


def test_what_is_pressed_twice_is_one_wish(tmp_path: Path) -> None:
    """Copies and repetitions keep the reference; another refund has its own."""
    steps = "{ do = 'refund-order', as = 'r', amount = 100, times = 2 }, { repeat = 'r' }, { do = 'refund-order', amount = 200 }"
    _, *refunds = planned(steps, tmp_path)
    assert len({each.reference for each in refunds[:3]}) == 1
    assert refunds[3].reference != refunds[0].reference
    assert len({each.name for each in refunds}) == 4
    assert [each.moment for each in refunds] == [2, 2, 3, 4]


def test_an_order_is_paid_with_its_own_amount_and_currency(tmp_path: Path) -> None:
    """And under the id that it was placed with."""
    order, paid = planned("{ do = 'confirm-order' }", tmp_path)
    assert (paid.amount, paid.currency, paid.reference) == (700, "USD", order.reference)
    assert paid.payment == order.step


def test_an_event_is_about_an_order_or_a_refund(tmp_path: Path) -> None:
    """Its amount is that of what it is about, unless told; told again, it is the same event in another transmission."""
    steps = (
        "{ do = 'refund-order', as = 'r', amount = 100 }, "
        "{ do = 'deliver-webhook', of = 'r', as = 'e', delivery = { event = 'refund-succeeded' } }, { repeat = 'e' }, "
        "{ do = 'deliver-webhook', delivery = { amount = 1 } }"
    )
    _, refund, told, again, cheap = planned(steps, tmp_path)
    assert told.delivery
    assert again.delivery
    assert cheap.delivery
    assert (told.delivery.amount, told.refund, told.payment) == (100, refund.step, refund.payment)
    assert told.delivery.event_id == again.delivery.event_id
    assert told.delivery.transmission != again.delivery.transmission
    assert (cheap.delivery.amount, cheap.refund) == (1, None)


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ("{ do = 'create-payment', amount = 1 }", "a shop cannot be asked to create-payment"),
        ("{ do = 'subscribe' }", "no amount of subscribe: expected a positive integer in minor units"),
        ("{ do = 'refund-order', of = 'ordr', amount = 1 }", "names 'ordr', which is no earlier step"),
        ("{ do = 'confirm-order', as = 'paid' }, { do = 'deliver-webhook', of = 'paid' }", "name a place-order or"),
    ],
)
def test_what_a_shop_cannot_be_asked_is_said(steps: str, problem: str, tmp_path: Path) -> None:
    """With the case and what to do."""
    with pytest.raises(DataError, match=problem) as caught:
        planned(steps, tmp_path)
    assert "case 'asked'" in str(caught.value)


def test_a_pattern_may_be_about_points() -> None:
    """The name of a point, or how it begins, or a glob; one of the case itself is about none."""
    case = "shop/generic/asked"
    about = (f"{case}-exchange-7-before/any", f"{case}-commit-", f"{case}-*", "*-commit-*", f"{case}*/an-order*")
    assert [is_point_of(pattern, case) for pattern in about] == [True, True, True, True, False]
    assert not is_point_of(f"{case}/*", case)
    assert not is_point_of("shop/generic/asked-again-*", case)


def test_points_are_named_after_where_the_process_ends() -> None:
    """Three for a request, by its number; two for a commit."""
    assert [each.suffix for each in points([2], 1)] == [
        "-exchange-2-before",
        "-exchange-2-acted",
        "-exchange-2-answered",
        "-commit-1-before",
        "-commit-1-after",
    ]
    assert Point("commit", 1, "after").suffix == "-commit-1-after"
