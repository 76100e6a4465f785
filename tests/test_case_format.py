"""The page on the case format names every key that a case file may have, and no other."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from pages import blocks, table
from psp_harness import case, faults
from psp_harness.case import Case, Delivery, Fault, OddKey, Order, Step
from psp_harness.contracts import CASES
from psp_harness.vocabulary import STEPS

PAGE = CASES / "README.md"
STRUCTS = {"case": Case, "step": Step, "order": Order, "delivery": Delivery, "odd key": OddKey, "fault": Fault}
ROWS = table(PAGE, "in")


@pytest.mark.parametrize("name", STRUCTS)
def test_the_table_has_every_key_once_and_nothing_else(name: str) -> None:
    """In the order of the struct, under the name that stands in the file."""
    fields = [field.encode_name for field in msgspec.structs.fields(STRUCTS[name])]
    assert [row["key"].strip("`") for row in ROWS if row["in"] == name] == fields


def test_the_table_speaks_of_nothing_else() -> None:
    """Every row is about one of the structs, and says what its key is and means."""
    assert {row["in"] for row in ROWS} == set(STRUCTS)
    assert all(row["type"] and row["meaning"] for row in ROWS)


@pytest.mark.parametrize("name", STRUCTS)
def test_the_table_says_which_keys_may_be_missing(name: str) -> None:
    """A key that a case must have is not described with what holds without it."""
    required = {field.encode_name for field in msgspec.structs.fields(STRUCTS[name]) if field.required}
    told = {row["key"].strip("`") for row in ROWS if row["in"] == name and "unless told" in row["meaning"]}
    assert not required & told


def test_the_steps_of_the_page_are_those_that_there_are() -> None:
    """The row on `do` names them all."""
    row = next(row for row in ROWS if row["key"] == "`do`")
    assert re.findall("`(.*?)`", row["type"]) == list(STEPS)


def test_the_example_is_a_case(tmp_path: Path) -> None:
    """It is one of ours, unchanged."""
    (example,) = blocks(PAGE, "toml")
    file = tmp_path / "example.toml"
    file.write_text(example, encoding="utf-8")
    (read,) = case.load([file], faults.load())
    assert read in case.load([CASES], faults.load())
    assert tomllib.loads(example)["case"][0]["id"] == read.id
