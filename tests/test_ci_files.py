"""What we bring for CI: workflows and templates fit their published schemas, and the action's own scripts run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
ACTION = ROOT / ".github" / "actions" / "psp-harness" / "action.yml"
WORKFLOWS = [*ROOT.glob(".github/workflows/*.yml"), *ROOT.glob("docs/examples/ci/github-*.yml")]
GATES = {"pr", "nightly", "release", "manual"}


def checked(schema: str, *files: Path) -> str:
    """What check-jsonschema says of files under one of the schemas that it brings."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-workflows", WORKFLOWS),
        ("custom.github-workflows-require-timeout", WORKFLOWS),
        ("vendor.github-actions", [ACTION]),
        ("vendor.gitlab-ci", [ROOT / "docs" / "examples" / "ci" / "gitlab-ci.yml"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_fits_its_published_schema(schema: str, files: list[Path]) -> None:
    """Those of SchemaStore and GitLab, as check-jsonschema vendors them; and every job has a bound."""
    assert files
    assert checked(schema, *files) == ""


def test_the_schemas_see_a_mistake(tmp_path: Path) -> None:
    """A slip of the pen in a workflow is not let through."""
    text = (ROOT / ".github" / "workflows" / "gate.yml").read_text(encoding="utf-8")
    (tmp_path / "gate.yml").write_text(text.replace("runs-on:", "run-on:"), encoding="utf-8")
    assert "runs-on" in checked("vendor.github-workflows", tmp_path / "gate.yml")


def loaded(path: Path) -> Any:
    """A YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_there_is_a_workflow_for_each_gate() -> None:
    """Ours, and an example for a team."""
    called = {job["with"]["gate"] for path in WORKFLOWS for job in loaded(path)["jobs"].values() if "uses" in job}
    used = [
        step.get("with", {})
        for path in WORKFLOWS
        for job in loaded(path)["jobs"].values()
        for step in job.get("steps", ())
    ]
    assert called == GATES
    assert {step["gate"] for step in used if "gate" in step} >= GATES
    gitlab = loaded(ROOT / "docs" / "examples" / "ci" / "gitlab-ci.yml")
    assert {job["variables"]["GATE"] for job in gitlab.values() if "GATE" in job.get("variables", {})} == GATES


@pytest.mark.parametrize("path", [*WORKFLOWS, ACTION], ids=lambda path: path.name)
def test_no_text_from_outside_is_pasted_into_a_script(path: Path) -> None:
    """The name of a branch or a field of a form may be a command: scripts read the environment."""
    document = loaded(path)
    jobs = [document["runs"], *document.get("jobs", {}).values()] if "runs" in document else document["jobs"].values()
    scripts = [step["run"] for job in jobs for step in job.get("steps", ()) if "run" in step]
    assert [script for script in scripts if "${{" in script] == []


def script(name: str) -> str:
    """One step of the action."""
    return next(str(step["run"]) for step in loaded(ACTION)["runs"]["steps"] if step.get("name") == name)


def ran(name: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The step, as GitHub runs it."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    given = {**os.environ, "PATH": path, "GITHUB_STEP_SUMMARY": str(folder / "summary.md"), **environment}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script(name)]
    return subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, timeout=120, check=False)


VERDICT = "provider/generic/payment-repeated-after-its-answer-was-lost/one-key-has-one-effect"


def test_the_action_judges_and_says_so_on_the_page_of_the_job(tmp_path: Path) -> None:
    """Exit status, annotation, summary, reports."""
    arguments = f"--subject miniature:no-dedupe --only {VERDICT}"
    done = ran("Judge the integrations", tmp_path, GATE="pr", ARGUMENTS=arguments)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "::error title=MUST one-key-has-one-effect%3A miniature%3Ano-dedupe under generic::" in done.stdout
    summary = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert "## psp-harness: provider `miniature:no-dedupe`, profile generic, gate pr" in summary
    assert "- **MUST** `one-key-has-one-effect` in case payment-repeated-after-its-answer-was-lost:" in summary
    assert "## Quarantine at gate pr" in summary
    assert {path.name for path in (tmp_path / "reports").glob("*.*")} >= {"psp-harness.json", "psp-harness.xml"}


def test_the_action_settles_the_results_of_another_runner(tmp_path: Path) -> None:
    """And writes them again."""
    results = str(ROOT / "fixtures" / "runners" / "surefire.xml")
    done = ran("Settle the results of other runners", tmp_path, GATE="pr", RESULTS=results, SUBJECT="tests")
    assert done.returncode == 1, done.stdout + done.stderr
    assert (tmp_path / "reports" / "settled.xml").exists()
    assert "## tests, gate pr" in (tmp_path / "summary.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("text", "status"), [("# Quarantine\n", 0), ("## 🟡 Nightly\n\n| what |\n| --- |\n", 2)])
def test_the_check_is_the_action_and_the_hook(text: str, status: int, tmp_path: Path) -> None:
    """A broken file is red in both."""
    (tmp_path / "QUARANTINE.md").write_text(text, encoding="utf-8")
    assert ran("Judge QUARANTINE.md", tmp_path, BASE="").returncode == status
    (hook,) = loaded(ROOT / ".pre-commit-hooks.yaml")
    assert set(hook) == {"id", "name", "description", "entry", "language", "files", "pass_filenames"}
    program, *arguments = hook["entry"].split()
    done = subprocess.run(
        [Path(sys.executable).parent / program, *arguments], cwd=tmp_path, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == status


def test_the_gates_run_from_the_makefile() -> None:
    """Each of the four, and what CI runs."""
    for gate in GATES:
        done = subprocess.run(
            ["make", "--dry-run", gate], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.count(f"--gate {gate}") >= 2
    assert 'make "${GATE:-pr}"' in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
