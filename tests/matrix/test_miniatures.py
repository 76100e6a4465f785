from __future__ import annotations

import re
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from psp_harness.matrix import KEPT
from psp_harness.matrix.miniatures import Row, agrees, markdown, reports, rows, table, verdict
from psp_harness.miniatures.modes import MODES
from psp_harness.model import Report, Role
from psp_harness.run import Job, Progress, run
from psp_harness.subjects.addresses import MINIATURES

PAGE = Path(__file__).parents[2] / "docs" / "kill-matrix.md"
RULE = "one-key-has-one-effect"


def row(name: str = "mini", mode: str = "P01", expected: str = RULE, reported: str = RULE, errored: str = "") -> Row:
    """One row; several rules are joined by a blank."""
    return Row(
        name,
        Role.PROVIDER,
        mode,
        "Does a|b.",
        frozenset(expected.split()),
        frozenset(reported.split()),
        errored,
        frozenset(),
    )


GOOD = row()
CORRECT = row("good", "", "", "")


def printed(*matrix: Row) -> str:
    """What a terminal shows."""
    out = StringIO()
    Console(file=out, width=200).print(table(matrix))
    return out.getvalue()


def test_a_matrix_agrees_where_each_is_reported_as_declared() -> None:
    """A faulty one by its rules, a correct one by none."""
    assert agrees([GOOD, CORRECT])
    assert verdict([GOOD, CORRECT]).startswith("AGREES: each of 2 miniatures")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (row("wrong", reported=""), f"missing: {RULE}"),
        (row("wrong", reported=f"{RULE} other"), "unexpected: other"),
        (row("wrong", "", "", RULE), f"unexpected: {RULE}"),
        (row("wrong", "", "", "", "case: it died"), "not judged: case: it died"),
    ],
)
def test_a_disagreement_is_said_aloud_and_in_the_verdict(wrong: Row, said: str) -> None:
    """What is missing, what is too much, and what could not be judged."""
    assert not agrees([GOOD, wrong])
    assert said in printed(GOOD, wrong)
    assert verdict([GOOD, wrong]) == "DISAGREES on 1 of 2 miniatures: wrong"


def test_a_page_names_what_is_missing_and_what_is_too_much() -> None:
    """In bold, in the row of the miniature; and bars do not break the table."""
    page = markdown([row("wrong", reported="other")])
    assert f"| P01 | `wrong` | Does a\\|b. | `other` **unexpected**<br>`{RULE}` **missing** |" in page


async def test_a_role_is_judged_with_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the miniatures of that role, each of them told when it is done."""
    some = {
        name: MINIATURES[name] for name in ("tries-once", "lost-answer-is-declined", "no-dedupe", "refuses-every-call")
    }
    monkeypatch.setattr("psp_harness.matrix.miniatures.MINIATURES", some)
    told: list[object] = []

    class Told(Progress):
        def planned(self, cases: int) -> None:
            told.append(cases)

        def done(self, case_id: str) -> None:
            told.append(case_id)

    matrix = await rows(Role.CLIENT, Told())
    assert [each.name for each in matrix] == ["tries-once", "lost-answer-is-declined", "refuses-every-call"]
    assert told[0] == 3
    assert set(told[1:]) == {each.name for each in matrix}
    assert agrees(matrix)


@pytest.mark.parametrize(
    ("instead", "runs"),
    [("tries-once", 2), ("lost-answer-is-declined", 1)],
    ids=["nothing-is-reported-yet", "something-else-is-reported"],
)
async def test_what_is_not_reported_is_asked_again_and_what_should_not_be_is_not(
    instead: str, runs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests that should meet may miss each other on a busy machine; a rule that cries wolf is wrong on any."""
    asked: list[str] = []

    async def first_of_another(job: Job) -> Report:
        asked.append(job.address)
        return await run(replace(job, address=f"miniature:{instead}") if len(asked) == 1 else job)

    monkeypatch.setattr("psp_harness.matrix.miniatures.run", first_of_another)
    found = await reports(["keyless-payments"], Progress())
    assert asked == ["miniature:keyless-payments"] * runs
    assert isinstance(found["keyless-payments"], Report)


def test_the_committed_page_knows_every_miniature_and_mode() -> None:
    """Each faulty miniature stands there with its mode and rules, and each mode that none shows with its reason."""
    text = PAGE.read_text(encoding="utf-8").partition(KEPT)[0]
    told = {
        name: (mode, frozenset(re.findall("`([^`]+)`", rules)))
        for mode, name, rules in re.findall(r"^\| (\w+) \| `([^`]+)` \| .* \| (.*) \|$", text, re.MULTILINE)
    }
    assert told == {each.name: (each.mode, each.breaks) for each in MINIATURES.values() if each.mode}
    unshown = text.partition("## Failure modes that no miniature shows")[2]
    reasons = {name for name, mode in MODES.items() if mode.unshown}
    assert set(re.findall(r"^\| (\w\d+) \|", unshown, re.MULTILINE)) == reasons
    assert "AGREES: " in text
