"""What we bring for CI: workflows and templates fit their published schemas, and the action's own scripts run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from pages import blocks

ROOT = Path(__file__).parents[1]
ACTION = ROOT / ".github" / "actions" / "psp-harness" / "action.yml"
WORKFLOWS = [*ROOT.glob(".github/workflows/*.yml"), *ROOT.glob("docs/examples/ci/github-*.yml")]
GITLAB = ROOT / "docs" / "examples" / "ci" / "gitlab-ci.yml"
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
        ("vendor.gitlab-ci", [GITLAB]),
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
    assert {job["variables"]["GATE"] for job in loaded(GITLAB).values() if "GATE" in job.get("variables", {})} == GATES


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


def stand_in(folder: Path, name: str, text: str) -> None:
    """A program of that name, found before any other."""
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "bin" / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    (folder / "bin" / name).chmod(0o755)


def in_bash(script: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A script, with the stand-ins of that folder."""
    given = {**os.environ, "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}", **environment}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, timeout=60, check=False)


def gitlab(part: str) -> str:
    """`before_script` or `script` of the template."""
    return "\n".join(loaded(GITLAB)[".psp-harness"][part])


@pytest.mark.parametrize("variable", ["INSTALL", "PSP_HARNESS"])
def test_what_a_subject_imports_is_installed_beside_the_harness(variable: str, tmp_path: Path) -> None:
    """Several requirements, at GitHub and at GitLab; brackets name extras, also where a file would fit them."""
    stand_in(tmp_path, "python", 'printf "%s\\n" "$@"')
    (tmp_path / "psp-harnesss").write_text("", encoding="utf-8")
    text = script("Install psp-harness") if variable == "INSTALL" else gitlab("before_script")
    done = in_bash(text, tmp_path, **{variable: "psp-harness[sdks] flask -r requirements.txt ."})
    installed = ["psp-harness[sdks]", "flask", "-r", "requirements.txt", "."]
    assert done.stdout.split() == ["-m", "pip", "install", "--quiet", *installed], done.stderr


@pytest.mark.parametrize(
    ("fails", "results", "status", "called"),
    [
        ("", "", 0, ["quarantine", "run"]),
        ("", "a.xml b.xml", 0, ["quarantine", "run", "settle"]),
        ("quarantine", "a.xml", 1, ["quarantine", "run", "settle"]),
        ("run", "a.xml", 1, ["quarantine", "run", "settle"]),
        ("settle", "a.xml", 1, ["quarantine", "run", "settle"]),
    ],
)
def test_the_template_of_gitlab_judges_everything_and_fails_for_each(
    fails: str, results: str, status: int, called: list[str], tmp_path: Path
) -> None:
    """Whatever failed before, the rest is judged as well."""
    stand_in(tmp_path, "psp-harness", f'echo "$1"; [ "$1" = settle ] && echo "$@" >&2; [ "$1" != "{fails}" ]')
    done = in_bash(gitlab("script"), tmp_path, GATE="pr", ROWS="*", STRICT="", RESULTS=results)
    assert (done.returncode, done.stdout.split()) == (status, called)
    assert done.stderr.strip().endswith(results)


def test_the_artifact_has_a_name_that_is_taken(tmp_path: Path) -> None:
    """upload-artifact refuses what no file system has in a name."""
    named = 'psp-harness-pr-http://127.0.0.1:8080/"<a>|b*?\\c'
    done = in_bash(script("Name the artifact"), tmp_path, NAMED=named, GITHUB_OUTPUT=str(tmp_path / "output"))
    assert done.returncode == 0, done.stderr
    (line,) = (tmp_path / "output").read_text(encoding="utf-8").splitlines()
    assert line == "name=psp-harness-pr-http---127.0.0.1-8080---a--b---c"
    (kept,) = [step for step in loaded(ACTION)["runs"]["steps"] if step.get("name") == "Keep the reports"]
    assert kept["with"]["name"] == "${{ steps.artifact.outputs.name }}"


def test_what_compares_with_a_commit_has_it() -> None:
    """Whoever names a base checks out more than the last commit, and the input says so."""
    assert "fetch-depth 0" in loaded(ACTION)["inputs"]["base"]["description"]
    for path in WORKFLOWS:
        for job in loaded(path)["jobs"].values():
            if any("base" in step.get("with", {}) for step in job.get("steps", ())):
                assert job["steps"][0]["with"]["fetch-depth"] == 0


def test_the_page_names_the_hook_that_there_is() -> None:
    """What a project writes into its `.pre-commit-config.yaml`."""
    (snippet,) = blocks(ROOT / "docs" / "quarantine.md", "yaml")
    (repo,) = yaml.safe_load(snippet)["repos"]
    (hook,) = loaded(ROOT / ".pre-commit-hooks.yaml")
    assert repo["hooks"] == [{"id": hook["id"]}]


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
