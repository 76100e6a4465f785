"""What a project has written down, in a file of its own or in pyproject.toml."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import msgspec
import pytest

from pages import blocks, tables
from psp_harness import config
from psp_harness.config import Config, Run
from psp_harness.errors import DataError
from psp_harness.model import Role
from psp_harness.quarantine import Class, Kind, Row

OWN = """
cases = ["payments/cases"]
quarantine = "docs/QUARANTINE.md"

[[run]]
role = "client"
subject = "exec:node adapter.js"
profile = "stripe"
without = ["refunds"]

[[run]]
role = "provider"
subject = "http://127.0.0.1:8080"
profile = "generic"
effects = "/did"
credentials = { tenant-a = "token" }
allow-hosts = ["psp.test"]
ca = "ca.pem"
"""

WRITTEN = Config(
    run=(
        Run(Role.CLIENT, "exec:node adapter.js", "stripe", without=("refunds",)),
        Run(
            Role.PROVIDER, "http://127.0.0.1:8080", "generic", "/did", credentials={"tenant-a": "token"},
            allow_hosts=("psp.test",), ca="ca.pem",
        ),
    ),
    cases=("payments/cases",),
    quarantine="docs/QUARANTINE.md",
)  # fmt: skip


def nested(text: str) -> str:
    """The same under `[tool.psp-harness]`."""
    return "[tool.psp-harness]\n" + text.replace("[[run", "[[tool.psp-harness.run")


def test_a_file_of_its_own_is_read(tmp_path: Path) -> None:
    """And counts more than pyproject.toml."""
    (tmp_path / "pyproject.toml").write_text(nested('quarantine = "other.md"'), encoding="utf-8")
    (tmp_path / config.FILE).write_text(OWN, encoding="utf-8")
    assert config.load(tmp_path) == WRITTEN


def test_pyproject_is_read_where_there_is_no_such_file(tmp_path: Path) -> None:
    """The same words, under `[tool.psp-harness]`."""
    (tmp_path / "pyproject.toml").write_text(nested(OWN), encoding="utf-8")
    assert config.load(tmp_path) == WRITTEN


@pytest.mark.parametrize("text", [None, "", "[project]\nname = 'shop'", "tool = 7", "[tool]\nruff = {}"])
def test_a_project_that_has_written_nothing_down_has_the_usual(text: str | None, tmp_path: Path) -> None:
    """That is no error: the reference subjects are judged then."""
    if text is not None:
        (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    assert config.load(tmp_path) == Config()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (OWN.replace('"client"', '"bank"'), "run[0].role: unknown word 'bank'"),
        (OWN.replace('profile = "stripe"\n', ""), "run[0]: the key 'profile' is missing; add it"),
        (
            OWN.replace("without", "widthout"),
            "run[0]: unknown key 'widthout'; did you mean 'without'?",
        ),
        (OWN.replace('["refunds"]', '"refunds"'), "run[0].without: expected a list, not a text"),
        (OWN.replace("[[run]]", "[[runs]]"), "unknown key 'runs'; did you mean 'run'?"),
        (OWN.replace('"stripe"', '"strip"'), "run[0].profile: unknown profile 'strip'; did you mean 'stripe'?"),
        ("cases = [", "not TOML: Invalid value (at end of document)"),
    ],
)
def test_a_file_that_is_wrong_is_one_sentence(text: str, says: str, tmp_path: Path) -> None:
    """It names the file and the key; in pyproject.toml under its table."""
    for name, written in ((config.FILE, text), ("pyproject.toml", nested(text))):
        folder = tmp_path / name.removesuffix(".toml")
        folder.mkdir()
        (folder / name).write_text(written, encoding="utf-8")
        with pytest.raises(DataError) as caught:
            config.load(folder)
        assert str(caught.value).startswith(f"{folder / name}: ")
        assert says in str(caught.value)
        assert "\n" not in str(caught.value)
        if name == "pyproject.toml" and "run[0]" in says:
            assert "tool.psp-harness.run[0]" in str(caught.value)


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    """Bytes that are no text."""
    (tmp_path / config.FILE).write_bytes(b'quarantine = "caf\xe9"')
    with pytest.raises(DataError, match=r"psp-harness.toml: line 1: not UTF-8, as TOML has to be; save it as UTF-8"):
        config.load(tmp_path)


# --- docs/configuration.md --------------------------------------------------------------------------------------------

PAGE = Path(__file__).parents[1] / "docs" / "configuration.md"


@pytest.mark.parametrize(("first", "of"), [("`run`", Config), ("`role`", Run)])
def test_the_page_says_every_key(first: str, of: type) -> None:
    """And no other."""
    found = {rows[0]["key"]: rows for rows in tables(PAGE, "key")}
    assert {row["key"].strip("`") for row in found[first]} == {
        field.encode_name for field in msgspec.structs.fields(of)
    }


def test_the_example_on_the_page_is_read(tmp_path: Path) -> None:
    """As it stands."""
    (example,) = blocks(PAGE, "toml")
    (tmp_path / config.FILE).write_text(example, encoding="utf-8")
    assert [run.role for run in config.load(tmp_path).run] == [Role.CLIENT, Role.PROVIDER]


@pytest.mark.parametrize(
    ("what", "expected"), [("a::t[x]", True), (r"a::t[\*]", True), ("a.py::t[x]", True), ("a::u[x]", False)]
)
def test_a_row_about_a_test_is_a_money_risk_by_name(what: str, *, expected: bool) -> None:
    """In either spelling, and whatever its id has in it."""
    day = date(2026, 12, 1)
    row = Row(Class.RELEASE, what, "tests", "two refunds", Kind.BROKEN, "ann", "so", "#1", day, day, 5)
    assert Config(money_risk=("a::t[?]",)).limits.is_money_risk(row) is expected
