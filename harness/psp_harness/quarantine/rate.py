"""How often something fails, how sure that is, and what a number of passes in a row proves. Pure arithmetic.

Sources: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", 1927 (the interval);
R. G. Newcombe, "Two-sided confidence intervals for the single proportion", 1998 (why it, and the values that the tests
hold it against); J. A. Hanley and A. Lippman-Hand, "If nothing goes wrong, is everything all right?", 1983 (no failure
in n runs).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from statistics import NormalDist

CONFIDENCE = 0.99
"""How sure a proof of release is."""
MOST_PASSES = 300
"""Nobody is asked for more: after so many, at 99 %, it fails in at most 1.5 % of runs."""

_WRITTEN = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class Rate:
    """So many failures in so many runs."""

    failures: int
    runs: int

    def __str__(self) -> str:
        """As the column `rate` has it: `3/20`."""
        return f"{self.failures}/{self.runs}"

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.failures / self.runs

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Wilson's score interval for the true share of failures, from 0 to 1 each."""
        z = NormalDist().inv_cdf((1 + confidence) / 2)
        n, p = self.runs, self.share
        middle, spread = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        scale = 1 + z * z / n
        low = 0.0 if self.failures == 0 else (middle - spread) / scale
        high = 1.0 if self.failures == n else (middle + spread) / scale
        return low, high


def rate_of(text: str) -> Rate | None:
    """What a cell says, or None where it says no rate: `3/20`, with 1 to `runs` failures, or none."""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return None
    rate = Rate(int(found[1]), int(found[2]))
    return rate if rate.runs and rate.failures <= rate.runs else None


def passes_needed(rate: Rate) -> int:
    """So many passes in a row that, were it still failing as often as recorded, they would be a chance of 1 %.

    As often as recorded means the lower end of the interval: three failures out of three are no proof of "always".
    At most `MOST_PASSES`.
    """
    low, _ = rate.interval()
    if low <= 0:
        return MOST_PASSES
    return min(MOST_PASSES, math.ceil(math.log(1 - CONFIDENCE) / math.log1p(-low)))


def bound_after(passes: int) -> float:
    """After so many passes in a row: the highest share of failures that they leave possible, at 99 %; from 0 to 1."""
    return 1 - (1 - CONFIDENCE) ** (1 / passes) if passes else 1.0


def percent(share: float) -> str:
    """For people: `15 %`, `1.5 %`."""
    digits = 0 if share >= 0.1 or share == 0 else 1
    return f"{100 * share:.{digits}f} %"
