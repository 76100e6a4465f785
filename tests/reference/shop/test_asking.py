from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from psp_harness.reference.client_answers import Payment
from psp_harness.reference.shop.asking import Asking
from psp_harness.reference.shop.psp import PayoutTold
from psp_harness.reference.shop.shop import Shop
from reference.shop.selling import Psp

MINUTE = 60


def test_what_is_on_its_way_is_so_until_the_last_is_back() -> None:
    """And nothing else is."""
    asking = Asking()
    with asking.about("a"):
        with asking.about("a"):
            assert "a" in asking
        assert "a" in asking
        assert "b" not in asking
    assert "a" not in asking


class Slow(Psp):
    """It answers when it is told to, and has nothing in its books until then."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.may_answer = threading.Semaphore(0), threading.Event()

    def create_payment(self, *args: Any, **more: Any) -> Payment:
        self._wait()
        return super().create_payment(*args, **more)

    def create_refund(self, *args: Any, **more: Any) -> tuple[str, str]:
        self._wait()
        return super().create_refund(*args, **more)

    def create_payout(self, *args: Any, **more: Any) -> PayoutTold:
        self._wait()
        return super().create_payout(*args, **more)

    def _wait(self) -> None:
        self.asked.release()
        assert self.may_answer.wait(MINUTE)


def test_who_looks_after_things_leaves_alone_what_is_on_its_way(database: str) -> None:
    """A payment, a refund and a payout of which the PSP knows nothing yet: none is given up, none is asked for twice."""
    psp = Slow()
    psp.may_answer.set()
    shop = Shop(database, psp)
    paid = shop.orders.place_order("cart-1", amount=6540, currency="EUR").id
    shop.orders.confirm_order(paid, payment_token="tok_1")
    psp.asked.acquire()
    psp.may_answer.clear()
    order_id = shop.orders.place_order("cart-2", amount=6540, currency="EUR").id
    with ThreadPoolExecutor(3) as pool:
        begun = [
            pool.submit(shop.orders.confirm_order, order_id, payment_token="tok_1"),
            pool.submit(shop.refunds.refund_order, paid, request="r-1", amount=1000),
            pool.submit(shop.payouts.pay_out, "p-1", amount=5000, currency="EUR", destination="tok_1"),
        ]
        for _ in begun:
            assert psp.asked.acquire(timeout=MINUTE)
        found = shop.reconcile()
        assert (found.settled, found.open) == ([], {})
        assert shop.orders.get(order_id).status == "confirming"
        psp.may_answer.set()
        assert [each.result(MINUTE).status for each in begun] == ["paid", "succeeded", "succeeded"]
    assert [psp.count(name) for name in ("create_payment", "create_refund", "create_payout")] == [2, 1, 1]
    shop.close()
