from __future__ import annotations

from dataclasses import replace

import pytest

from by_hand import report, verdict
from psp_harness.matrix.sdk_rows import Row, disagreements, row_of
from psp_harness.matrix.sdks import agrees, markdown
from psp_harness.matrix.sdks import verdict as told
from psp_harness.model import (
    Claims,
    Errored,
    Level,
    Passed,
    Problem,
    Result,
    Retries,
    Role,
    Skipped,
    Unexercised,
    Violated,
)
from psp_harness.plan import ANY_CASE, CASE_RUNS
from psp_harness.subjects.sdks import use_of
from psp_harness.subjects.sdks.findings import FINDINGS

RULE = "an-unusable-key-is-refused-before-sending"
OTHER = "every-post-carries-a-key"
VIOLATED = Violated(1, (Problem("it was sent all the same"),))
PASSED = Passed(3)
MOLLIE = use_of("mollie")


def row(*said: tuple[str, str, Result], version: str = "4.0.0", address: str = "mollie") -> Row:
    """What a run on that SDK said: (case, rule, result)."""
    verdicts = [verdict(result, case=case, rule=rule, role=Role.CLIENT) for case, rule, result in said]
    claims = Claims("mollie-api-python", version, retries=Retries(2, frozenset({"lost"})))
    return row_of(use_of(address), replace(report(verdicts), subject=claims))


FOUND = row(("empty-key", RULE, VIOLATED), ("blank-key", RULE, PASSED), ("two-payments", OTHER, PASSED))


def test_the_worst_of_all_cases_counts() -> None:
    """And every case in which it was violated is named."""
    two = row(("a", RULE, PASSED), ("b", RULE, VIOLATED), ("c", RULE, VIOLATED), (ANY_CASE, OTHER, Unexercised("")))
    assert (two.results[RULE], two.cases) == (VIOLATED, {RULE: ("b", "c")})
    assert two.reported == {RULE}


def test_it_agrees_where_what_was_found_is_reported() -> None:
    """One finding, one rule, and nothing else."""
    assert disagreements(FOUND) == ()
    assert told([FOUND]) == ("AGREES: 1 SDKs in 1 ways of use are reported for what was found, and for nothing else")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (row(("empty-key", RULE, VIOLATED), ("a", OTHER, VIOLATED)), f"nobody has explained {OTHER}"),
        (row(("empty-key", RULE, PASSED)), f"{RULE} does not report it any more"),
        (row(("blank-key", RULE, VIOLATED)), f"{RULE} does not report it in empty-key any more"),
        (row(("empty-key", RULE, VIOLATED), ("a", CASE_RUNS, Errored("it died"))), "could not be judged in a: it died"),
        (
            row(("empty-key", RULE, VIOLATED), version="4.1.0"),
            "4.1.0 is installed, and the findings are of 4.0.0",
        ),
    ],
)
def test_a_disagreement_is_said_aloud(wrong: Row, said: str) -> None:
    """Of the way of use, on the page and in the last line."""
    assert list(disagreements(wrong)) == [said]
    assert not agrees([FOUND, wrong])
    assert told([FOUND, wrong]).startswith("DISAGREES on 1 of 2 ways of use: sdk:mollie")
    assert f"**{said}**" in markdown([FOUND, wrong])


def test_the_page_says_what_was_not_judged() -> None:
    """A rule that nothing exercised is no pass, and one that was skipped is another thing again."""
    some = row(
        ("empty-key", RULE, VIOLATED),
        (ANY_CASE, OTHER, Unexercised("nothing happened")),
        (ANY_CASE, "refunds-have-keys-of-their-own", Skipped("no refunds")),
        ("a", "every-post-was-asked-for", PASSED),
    )
    page = markdown([some])
    assert f"| `{RULE}` | {Level.MUST} | ✗ |" in page
    assert f"| `{OTHER}` | {Level.MUST} | no occasion |" in page
    assert "| `every-post-was-asked-for` | MUST | ✓ |" in page
    assert "`refunds-have-keys-of-their-own`" not in page  # it binds nobody here


def test_the_page_names_each_finding_with_its_place_and_its_cases() -> None:
    """One line for each, with what it takes to see it."""
    (finding,) = [each for each in FINDINGS if each.holds_for(MOLLIE)]
    line = f"| mollie-api-python 4.0.0 | `{RULE}` | {finding.says} | {finding.source} | however | empty-key |"
    assert line in markdown([FOUND])
    assert "| `sdk:mollie` | as it is | up to 2 times: lost |" in markdown([FOUND])
