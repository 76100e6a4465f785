"""Every published SDK, in every way of use, judged: what the rules report is what was found by hand, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from psp_harness.html_page import as_html
from psp_harness.matrix import KEPT
from psp_harness.matrix.sdk_rows import Row, disagreements, rows
from psp_harness.matrix.sdks import markdown
from psp_harness.model import Passed
from psp_harness.run import Progress
from psp_harness.subjects.sdks import SDKS
from real.sdks import MARKS, connected

pytestmark = [*MARKS, pytest.mark.slow, pytest.mark.timeout(600)]

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def matrix() -> Sequence[Row]:
    """The whole of it: the slowest SDK needs half a minute for its pauses."""
    for name in SDKS:
        connected(name, "http://127.0.0.1:9")
    return asyncio.run(rows(Progress()))


def test_each_is_reported_for_what_was_found_and_for_nothing_else(matrix: Sequence[Row]) -> None:
    """The exact set of rules for each way of use; the reason for each stands in `subjects/sdks/findings.py`."""
    assert {row.use.address: list(disagreements(row)) for row in matrix} == {row.use.address: [] for row in matrix}


def test_those_that_try_again_send_one_key_and_one_body(matrix: Sequence[Row]) -> None:
    """Whoever sends a key keeps it on every attempt, and money moves once."""
    kept = ("attempts-of-one-call-share-one-key", "attempts-of-one-call-share-one-body", "one-call-has-one-effect")
    addresses = ("sdk:stripe?retry=on", "sdk:square", "sdk:gocardless")
    found = {row.use.address: [type(row.results[rule]) for rule in kept] for row in matrix}
    assert {address: found[address] for address in addresses} == {address: [Passed] * 3 for address in addresses}


def test_the_committed_pages_say_what_is_found(matrix: Sequence[Row]) -> None:
    """`make sdks` would write them as they are."""
    made, line, by_hand = (DOCS / "sdks.md").read_text(encoding="utf-8").partition(KEPT)
    assert made.rstrip("\n") == markdown(matrix).rstrip("\n")
    assert (DOCS / "sdks.html").read_text(encoding="utf-8") == as_html(made + line + by_hand)
