"""Rules as tests of a user's suite: what a verdict is becomes what a test does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from psp_harness import config, rules
from psp_harness.model import Role
from psp_harness.run import Job

CLIENT_RULES = [rule.id for rule in rules.load().values() if rule.role is Role.CLIENT]

CONFIGURATION = """
[[run]]
role = "client"
subject = "miniature:{name}"
profile = "generic"
"""


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients are asked to wait 0.3 s for an answer that never comes."""
    job_of = config.job_of

    def quick(chosen: config.Run, settings: config.Config) -> Job:
        return replace(job_of(chosen, settings), answer_timeout=0.3)

    monkeypatch.setattr(config, "job_of", quick)


def outcomes(suite: pytest.Pytester, *arguments: str) -> Mapping[str, str]:
    """What became of each test, by the rule that it is named after."""
    result = suite.runpytest("-q", "-rA", "--tb=no", *arguments)
    lines = [line.split(" ", 1) for line in result.stdout.lines if line.startswith(("PASSED", "FAILED", "XFAIL"))]
    return {rest.split(" ")[0].rpartition("::")[2]: word for word, rest in lines}


@pytest.mark.parametrize("how", ["option", "file"])
def test_every_rule_of_the_role_is_a_test(how: str, suite: pytest.Pytester) -> None:
    """Of a correct client all pass or are skipped with a reason, by option and by the project's configuration."""
    suite.makefile(".toml", **{"psp-harness": CONFIGURATION.format(name="refund-id-keys")})
    suite.makepyfile("def test_mine(): pass")
    asked = ("psp-harness.toml",) if how == "file" else ("--psp-subject", "miniature:refund-id-keys")
    result = suite.runpytest("-v", "-rs", *asked)
    counts = result.parseoutcomes()
    own, where = (0, "psp-harness.toml") if how == "file" else (1, "psp-harness")
    assert counts["passed"] + counts["skipped"] == len(CLIENT_RULES) + 1 + own
    assert "failed" not in counts
    result.stdout.fnmatch_lines(
        [f"*{where}::client/generic::every-post-carries-a-key PASSED*", "*skipped: not claimed here: *"]
    )


def test_a_configuration_is_collected_where_it_is_named_and_nowhere_else(suite: pytest.Pytester) -> None:
    """A project that has one for the command line gets no tests that it did not ask for."""
    suite.makefile(".toml", **{"psp-harness": CONFIGURATION.format(name="careful-client")})
    suite.makepyfile("def test_mine(): pass")
    suite.runpytest("-q").assert_outcomes(passed=1)


def test_a_violated_must_fails_with_the_picture_and_the_fix(suite: pytest.Pytester) -> None:
    """That rule's test alone; it shows no frame of ours."""
    result = suite.runpytest("-q", "--psp-subject", "miniature:keyless-payments")
    assert result.parseoutcomes()["failed"] == 1
    result.stdout.fnmatch_lines(
        [
            "VIOLATED  MUST every-post-carries-a-key",
            "*-> POST /payments  amount * no key",
            "*fix: send the idempotency key*",
        ]
    )
    assert "items.py" not in result.stdout.str().partition("short test summary")[0]


def test_a_violated_should_is_an_expected_failure_unless_strict(suite: pytest.Pytester) -> None:
    """As with `psp-harness run`."""
    asked = ("--psp-subject", "miniature:long-key-not-refused")
    rule = "an-over-long-key-is-refused-before-sending"
    assert outcomes(suite, *asked)[rule] == "XFAIL"
    assert outcomes(suite, *asked, "--psp-strict")[rule] == "FAILED"


def test_what_is_known_is_an_expected_failure(suite: pytest.Pytester) -> None:
    """A defect that the profile lists is told, and stops nobody."""
    asked = ("--psp-subject", "reference:provider", "--psp-profile", "hyperswitch")
    seen = outcomes(suite, *asked)
    assert seen["one-key-has-one-effect"] == "XFAIL"
    assert "FAILED" not in seen.values()


def test_a_subject_that_cannot_be_driven_fails_one_test_and_passes_none(suite: pytest.Pytester) -> None:
    """The one that says whether the cases came to their end, with the reason."""
    asked = ("--psp-subject", "exec:echo no such table >&2; exit 3", "--psp-role", "client")
    seen = outcomes(suite, *asked)
    assert seen == {"case-runs-to-its-end": "FAILED"}
    suite.runpytest("-q", *asked).stdout.fnmatch_lines(["*exited with status 3 before it answered*no such table*"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--psp-subject", "sdk:strip"), "unknown SDK 'strip'; did you mean 'stripe'?"),
        (("--psp-subject", "nothing"), "'nothing' is no address; an address begins with one of"),
        (("--psp-subject", "miniature:no-dedup"), "unknown miniature 'no-dedup'; did you mean 'no-dedupe'?"),
        (("--psp-subject", "miniature:careful-client", "--psp-role", "bank"), "--psp-role is 'bank'; expected one of client"),
        (("--psp-subject", "miniature:careful-client", "--psp-profile", "strip"), "unknown profile 'strip'; did you mean 'stripe'?"),
        (("psp-harness.toml",), "run[0].role: unknown word 'bank'"),
    ],
)  # fmt: skip
def test_a_wrong_call_is_one_sentence(arguments: tuple[str, ...], says: str, suite: pytest.Pytester) -> None:
    """And no traceback."""
    if arguments == ("psp-harness.toml",):
        suite.makefile(".toml", **{"psp-harness": CONFIGURATION.format(name="x").replace("client", "bank")})
    suite.makepyfile("def test_mine(): pass")
    result = suite.runpytest("-q", *arguments)
    shown = result.stdout.str() + result.stderr.str()
    assert result.ret != 0
    assert says in shown
    assert "Traceback" not in shown


def test_workers_of_xdist_share_the_rules_of_a_subject(suite: pytest.Pytester) -> None:
    """Each judges for itself what it was given, and together they say what one would."""
    asked = ("-q", "--psp-subject", "miniature:keyless-payments")
    spread = suite.runpytest_subprocess(*asked, "-n", "2").parseoutcomes()
    assert spread == suite.runpytest(*asked).parseoutcomes()


def test_a_rule_can_be_chosen_by_name_and_told_to_a_ci_server(suite: pytest.Pytester) -> None:
    """`-k` picks it, and JUnit XML names it."""
    asked = ("--psp-subject", "miniature:careful-client", "-k", "every-post-carries-a-key", "--junitxml", "out.xml")
    suite.runpytest("-q", *asked).assert_outcomes(passed=1, deselected=len(CLIENT_RULES))
    assert 'name="every-post-carries-a-key"' in (suite.path / "out.xml").read_text(encoding="utf-8")
