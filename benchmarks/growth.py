"""How the time of a run grows with the number of cases: the provider suite once, twice and four times over.

    python benchmarks/growth.py [--profile NAME] [--subject ADDRESS] [--times N …] [--rounds N]

Each copy has ids of its own, and amounts that are those of the suite times a prime, so that no case meets another's
effects. All sizes are measured in turn, round after round, in one process, and the cheapest round of each counts.
What is compared is work, the processor's time of harness and provider together, and not time by the clock: that is
waiting for the most part, and a busy machine makes more of it. In the last column 1.00 is linear: less, and what is
paid once for each run is spread over more cases; more, and a case costs more the more there are of them. 1.15 and
above is reported, with exit status 1.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import tempfile
import time
from pathlib import Path

from psp_harness import profile
from psp_harness.contracts import CASES
from psp_harness.model import Role
from psp_harness.run import Job, run

PRIMES = (1, 1009, 1013, 1019, 1021, 1031, 1033, 1039)
"""What the amounts of each copy are multiplied by."""

LINEAR = 1.15
"""From this growth on a case is more expensive where there are more of them."""

_ID = re.compile(r'^id = "(.*)"$', re.MULTILINE)
_AMOUNT = re.compile(r"\bamount = ([0-9]+)")


def copies(times: int, folder: Path) -> Path:
    """A folder with the provider suite so many times over."""
    target = folder / f"{times}-times"
    target.mkdir()
    for number, prime in enumerate(PRIMES[:times], 1):
        for path in sorted(CASES.glob("provider*.toml")):
            text = _ID.sub(lambda found, n=number: f'id = "{found[1]}-{n}"', path.read_text(encoding="utf-8"))
            text = _AMOUNT.sub(lambda found, by=prime: f"amount = {int(found[1]) * by}", text)
            (target / f"{number}-{path.name}").write_text(text, encoding="utf-8")
    return target


def measured(cases: Path, subject: str, name: str) -> tuple[float, float, int, int]:
    """Seconds of one run, of work and by the clock; its cases; and how many verdicts are neither passed nor skipped."""
    job = Job(Role.PROVIDER, subject, profile.load(name), cases=(cases,))
    started, worked = time.perf_counter(), time.process_time()
    report = asyncio.run(run(job))
    work, seconds = time.process_time() - worked, time.perf_counter() - started
    odd = sum(verdict.outcome not in {"passed", "known", "skipped"} for verdict in report.verdicts)
    return work, seconds, len(report.histories), odd


def main() -> None:
    """Measure, print a table, and say whether it is linear."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--profile", default="generic")
    asked.add_argument("--subject", default="reference:provider")
    asked.add_argument("--times", type=int, nargs="+", default=[1, 2, 4], choices=range(1, len(PRIMES) + 1))
    asked.add_argument("--rounds", type=int, default=3)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        suites = {times: copies(times, Path(folder)) for times in given.times}
        rounds = [
            {times: measured(suite, given.subject, given.profile) for times, suite in suites.items()}
            for _ in range(given.rounds)
        ]
    best = {times: min(each[times] for each in rounds) for times in suites}
    first = best[given.times[0]]
    print(f"{'suite':>6}  {'cases':>5}  {'seconds':>7}  {'of work':>7}  {'ms/case':>7}  growth")
    growths = []
    for times, (work, seconds, cases, odd) in best.items():
        growths.append(work / cases / (first[0] / first[2]))
        note = f"  {odd} verdicts are not as they should be" if odd else ""
        told = f"{times:5}x  {cases:5}  {seconds:7.2f}  {work:7.2f}  {1000 * work / cases:7.1f}"
        print(f"{told}  {growths[-1]:6.2f}{note}")
    if max(growths) >= LINEAR:
        print(f"a case costs {max(growths):.2f} times as much where there are more of them: not linear")
        sys.exit(1)


if __name__ == "__main__":
    main()
