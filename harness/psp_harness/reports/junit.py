"""The report as JUnit XML, for CI servers: a test suite for the run, a test case for each verdict.

A violated SHOULD fails a test case under `--strict` alone; a row of QUARANTINE.md that no longer holds is an error.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import assert_never
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from psp_harness.model import Errored, Known, Level, Passed, Problem, Report, Skipped, Unexercised, Verdict, Violated
from psp_harness.reports.json import started
from psp_harness.reports.scrub import Clean

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to write (§2.2), not even escaped."""


def write(clean: Clean, path: Path) -> None:
    """Write the report; the directory is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tree = ElementTree(_suites(clean.report))
    indent(tree)
    tree.write(path, encoding="utf-8", xml_declaration=True)


def _suites(report: Report) -> Element:
    suites = Element("testsuites")
    suite = SubElement(suites, "testsuite", _attributes(report))
    properties = SubElement(suite, "properties")
    for name, value in _properties(report).items():
        SubElement(properties, "property", name=name, value=_legal(value))
    for verdict in report.verdicts:
        _test_case(suite, verdict, strict=report.strict)
    for sentence in report.stale:
        _stale(suite, sentence)
    _count(suite)
    return suites


def _attributes(report: Report) -> dict[str, str]:
    name = f"psp-harness {report.role} {report.address} {report.profile}"
    return {"name": _legal(name), "timestamp": started(report), "time": f"{report.seconds:.3f}"}


def _properties(report: Report) -> dict[str, str]:
    subject = report.subject
    return {
        "subject": report.address,
        "subject-name": f"{subject.name} {subject.version}".strip(),
        "profile": report.profile,
        "gate": report.gate or "none",
    }


def _test_case(suite: Element, verdict: Verdict, *, strict: bool) -> None:
    classname = f"{verdict.role}.{verdict.profile}.{verdict.case}"
    case = SubElement(suite, "testcase", classname=_legal(classname), name=_legal(verdict.rule))
    match verdict.result:
        case Passed():
            pass
        case Violated(_, problems) if strict or verdict.level is Level.MUST:
            _say(case, "failure", f"{verdict.level} {problems[0].sentence}", _sentences(problems), kind="violated")
        case Violated(_, problems):
            SubElement(case, "system-out").text = _legal(f"{verdict.level} violated: {_sentences(problems)}")
        case Known(_, problems, reason):
            _say(case, "skipped", f"known: {reason}", _sentences(problems))
        case Skipped(reason) | Unexercised(reason):
            _say(case, "skipped", f"{verdict.outcome}: {reason}")
        case Errored(reason):
            _say(case, "error", reason, kind="errored")
        case _ as never:
            assert_never(never)


def _stale(suite: Element, sentence: str) -> None:
    row, _, why = sentence.partition(": ")
    case = SubElement(suite, "testcase", classname="quarantine", name=_legal(row))
    _say(case, "error", why or sentence, kind="stale")


def _say(case: Element, tag: str, message: str, text: str = "", *, kind: str = "") -> None:
    element = SubElement(case, tag, {"message": _legal(message), **({"type": kind} if kind else {})})
    element.text = _legal(text) or None


def _sentences(problems: Sequence[Problem]) -> str:
    return "\n".join(f"{problem.sentence} (exchanges {_numbers(problem)})" for problem in problems)


def _numbers(problem: Problem) -> str:
    return ", ".join(map(str, problem.exchanges)) or "none"


def _count(suite: Element) -> None:
    cases = suite.findall("testcase")
    suite.set("tests", str(len(cases)))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(sum(case.find(tag) is not None for case in cases)))


def _legal(text: str) -> str:
    """Characters that XML cannot carry, as their code."""
    return _ILLEGAL.sub(lambda found: found[0].encode("unicode-escape", "surrogatepass").decode(), text)
