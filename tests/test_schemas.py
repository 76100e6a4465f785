"""The JSON Schemas of what people write: committed as they are generated, and true of what the loader takes."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from psp_harness import case, faults, profile, schemas
from psp_harness.contracts import CASES, SCHEMAS
from psp_harness.errors import DataError

CASE_FILES = sorted(CASES.glob("*.toml"))
PROFILE_FILES = sorted(profile.BUNDLED.glob("*.toml"))

GOOD_CASE = """
[[case]]
id = "x"
role = "client"
situation = "x"
steps = [{ do = "create-payment", as = "p", amount = 1 }]
"""

GOOD_PROFILE = """
extends = "generic"
name = "mine"
sources = { page = "my.example/docs" }
key = { max-length = { is = 64, source = "page" } }
"""


def validator(name: str) -> Draft202012Validator:
    """The committed schema."""
    return Draft202012Validator(json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8")))


def fits(name: str, text: str) -> bool:
    """Whether a TOML text fits the schema."""
    return validator(name).is_valid(tomllib.loads(text))


def loads(name: str, text: str, tmp_path: Path) -> bool:
    """Whether the loader takes it."""
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    try:
        case.load([path], faults.load()) if name == "case" else profile.read_file(path)
    except DataError:
        return False
    return True


@pytest.mark.parametrize("name", schemas.SCHEMA_OF)
def test_the_committed_schema_is_the_generated_one(name: str) -> None:
    """The structs and the files in contracts/schemas never part: `python -m psp_harness.schemas` writes them."""
    committed = (SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8")
    assert committed == schemas.rendered(schemas.SCHEMA_OF[name]())
    Draft202012Validator.check_schema(json.loads(committed))


@pytest.mark.parametrize(
    ("name", "path"),
    [("case", path) for path in CASE_FILES] + [("profile", path) for path in PROFILE_FILES],
    ids=lambda value: getattr(value, "stem", value),
)
def test_a_bundled_file_fits_its_schema(name: str, path: Path) -> None:
    """Every case and profile that the package brings."""
    errors = [error.message[:200] for error in validator(name).iter_errors(tomllib.loads(path.read_text("utf-8")))]
    assert errors == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("case", GOOD_CASE),
        ("case", GOOD_CASE.replace("amount = 1", "amount = 1, key = { text = '' }, times = 8")),
        ("case", GOOD_CASE + "faults = [{ strike = 'status-answer', on = 'p', options = { status = 502 } }]"),
        ("profile", GOOD_PROFILE),
        ("profile", GOOD_PROFILE + "mismatch = { is = { answer = 'refused' }, source = 'page' }"),
    ],
)
def test_a_good_file_fits_and_loads(name: str, text: str, tmp_path: Path) -> None:
    """Schema and loader take it both; a fact may be a leaf or a whole table."""
    assert loads(name, text, tmp_path)
    assert fits(name, text)


@pytest.mark.parametrize(
    ("name", "was", "becomes"),
    [
        ("case", "amount = 1", "amount = 10.50"),
        ("case", "amount = 1", "amount = 0"),
        ("case", ", amount = 1", ""),
        ("case", "create-payment", "create-payments"),
        ("case", 'do = "create-payment", ', ""),
        ("case", 'do = "create-payment"', 'do = "create-payment", repeat = "p"'),
        ("case", 'role = "client"', 'role = "customer"'),
        ("case", 'situation = "x"', ""),
        ("case", 'situation = "x"', 'situation = "x"\nneeds = ["refund"]'),
        ("case", "amount = 1", "amount = 1, ammount = 2"),
        ("profile", '{ is = 64, source = "page" }', "64"),
        ("profile", "is = 64", 'is = "64"'),
        ("profile", ', source = "page"', ""),
        ("profile", "max-length", "max-lenght"),
        ("profile", 'extends = "generic"', ""),
        ("profile", "key = {", "auth = { header = 'X' }\nkey = {"),
        ("profile", "key = {", "operations = { create-pay = { route = { is = 'POST /', source = 'page' } } }\nkey = {"),
    ],
)
def test_a_wrong_file_fits_as_little_as_it_loads(name: str, was: str, becomes: str, tmp_path: Path) -> None:
    """What the loader refuses for its shape, an editor shows in red."""
    good = GOOD_CASE if name == "case" else GOOD_PROFILE
    wrong = good.replace(was, becomes)
    assert wrong != good
    assert not loads(name, wrong, tmp_path)
    assert not fits(name, wrong)


def test_a_complete_profile_says_what_each_table_must_have() -> None:
    """A file that extends no other is refused without a route; one that extends may leave it out."""
    alone = tomllib.loads((profile.BUNDLED / "generic.toml").read_text(encoding="utf-8"))
    del alone["operations"]["create-payment"]["route"]
    assert not validator("profile").is_valid(alone)
    assert validator("profile").is_valid({**alone, "extends": "generic"})
