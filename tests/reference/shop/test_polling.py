from __future__ import annotations

import pytest

from psp_harness.reference.shop.polling import poll


def test_it_looks_until_it_is_decided() -> None:
    """With growing pauses."""
    seen, slept = iter("...x"), list[float]()
    assert poll(lambda: next(seen), "x".__eq__, within_seconds=60, clock=lambda: 0.0, sleep=slept.append) == "x"
    assert slept == [0.05, 0.1, 0.2]


@pytest.mark.parametrize(("within", "slept"), [(0.0, []), (0.2, [0.05, 0.1, 0.05]), (6.0, 8)])
def test_it_ends(within: float, slept: list[float] | int) -> None:
    """With what it saw last; a pause is never longer than what is left, nor than two seconds."""
    now, pauses = [0.0], list[float]()

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        now[0] += seconds

    assert poll(lambda: ".", "x".__eq__, within_seconds=within, clock=lambda: now[0], sleep=sleep) == "."
    assert max(pauses, default=0.0) <= 2.0
    assert now[0] == pytest.approx(within)
    assert len(pauses) == (slept if isinstance(slept, int) else len(slept))
