"""From the words of a receiver's case to what is delivered: fresh for the run, the same event where it is told again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from psp_harness import case, faults, profile
from psp_harness.errors import DataError
from psp_harness.model import Delivery, Intent, Order
from psp_harness.plan.deliveries import Deliveries

GENERIC = profile.load("generic")

CASE = """
[[case]]
id = "told"
role = "receiver"
situation = "something"
orders = [{{ as = "order", amount = 700 }}, {{ as = "other", amount = 800, currency = "USD", known = false }}]
steps = [{}]
"""


def planned(steps: str, tmp_path: Path, run: str = "cafe0001") -> tuple[list[Intent], dict[str, Order]]:
    """The intents and orders of one case."""
    path = tmp_path / "case.toml"
    path.write_text(CASE.format(steps), encoding="utf-8")
    (only,) = case.load([path], faults.load())
    deliveries = Deliveries(only, GENERIC, run)
    return list(deliveries.all()), deliveries.orders


def of(intent: Intent) -> Delivery:
    """What it delivers."""
    assert intent.delivery is not None
    return intent.delivery


def test_what_is_told_again_is_the_same_event_in_another_delivery(tmp_path: Path) -> None:
    """Copies that are in flight together, and one that comes later."""
    steps = "{ do = 'deliver-webhook', as = 'paid', times = 2 }, { repeat = 'paid' }, { do = 'deliver-webhook' }"
    intents, _ = planned(steps, tmp_path)
    events = [of(intent).event_id for intent in intents]
    assert events[0] == events[1] == events[2] != events[3]
    assert len({of(intent).transmission for intent in intents}) == 4
    assert [intent.moment for intent in intents] == [1, 1, 2, 3]


def test_an_event_says_what_the_order_says_unless_told(tmp_path: Path) -> None:
    """Amount and currency are those of its order; the case may say others."""
    steps = "{ do = 'deliver-webhook', delivery = { order = 'other' } }, { do = 'deliver-webhook', delivery = { amount = 1 } }"
    intents, orders = planned(steps, tmp_path)
    assert [(of(i).amount, of(i).currency) for i in intents] == [(800, "USD"), (1, "EUR")]
    assert [of(i).order for i in intents] == [orders["other"], orders["order"]]
    assert not orders["other"].known


def test_ids_are_fresh_for_each_run(tmp_path: Path) -> None:
    """No order and no event of one run meets another's."""
    steps = "{ do = 'deliver-webhook' }"
    ids = []
    for run in ("cafe0001", "cafe0002"):
        (intent,), orders = planned(steps, tmp_path, run)
        ids += [of(intent).event_id, *(order.id for order in orders.values()), *(o.payment_id for o in orders.values())]
    assert len(set(ids)) == len(ids)


def test_the_clock_moves_by_a_share_of_the_horizon(tmp_path: Path) -> None:
    """Half of what the PSP's waits come to, and what comes after it is that much later."""
    steps = "{ do = 'deliver-webhook' }, { do = 'advance-clock', share-of-horizon = 0.5 }, { do = 'deliver-webhook' }"
    intents, _ = planned(steps, tmp_path)
    assert GENERIC.webhooks is not None
    assert GENERIC.webhooks.horizon == 272_105
    assert [intent.at for intent in intents] == [0, 0, 136_052.5]


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ("{ do = 'create-payment', amount = 1 }", "a receiver cannot be asked to create-payment"),
        (
            "{ do = 'deliver-webhook', delivery = { order = 'oder' } }",
            "names 'oder', which there is not; did you mean 'order'?",
        ),
        (
            "{ do = 'deliver-webhook', delivery = { forged = 'stail' } }",
            "names 'stail', which there is not; did you mean 'stale'?",
        ),
        ("{ do = 'deliver-webhook', delivery = { event = 'paid' } }", "names 'paid', which there is not"),
        ("{ do = 'deliver-webhook', delivery = { beside = 'x' } }", "names 'x', which there is not"),
        (
            "{ do = 'deliver-webhook', delivery = { amount = 1.5 } }",
            "expected a whole number, not a number with a point",
        ),
        ("{ do = 'deliver-webhook', delivery = { signed = true } }", "unknown key 'signed'"),
    ],
)
def test_a_wrong_case_is_one_clear_error(steps: str, said: str, tmp_path: Path) -> None:
    """File, case, and what was meant."""
    with pytest.raises(DataError) as caught:
        planned(steps, tmp_path)
    assert said in str(caught.value)
    assert re.search(r"case.toml: (line 2, )?case 'told', ", str(caught.value))


@pytest.mark.parametrize(
    ("orders", "said"), [("[]", "a receiver needs an order to be told of"), ("[{ as = 'o', amount = 0 }]", "amount 0")]
)
def test_a_receiver_needs_orders_that_cost_something(orders: str, said: str, tmp_path: Path) -> None:
    """Else there is nothing to pay."""
    path = tmp_path / "case.toml"
    text = f"[[case]]\nid = 'x'\nrole = 'receiver'\nsituation = 'x'\norders = {orders}\nsteps = [{{ do = 'deliver-webhook', delivery = {{ order = 'o' }} }}]\n"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        case.load([path], faults.load())
    assert said in str(caught.value)
