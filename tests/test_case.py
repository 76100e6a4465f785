"""Cases are read from TOML, and whatever is wrong in one is said with its file, its case and its key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from psp_harness import case, faults
from psp_harness.case import Case, OddKey
from psp_harness.contracts import CASES
from psp_harness.errors import DataError
from psp_harness.model import Role

Write = Callable[..., Path]

HEAD = """
[[case]]
id = "mine"
role = "provider"
situation = "a payment"
"""

PAY = '{ do = "create-payment", as = "first", key = "k", amount = 1050 }'


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a case file."""

    def write(text: str, name: str = "mine.toml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def steps(*lines: str, more: str = "") -> str:
    """The file of one case with these steps."""
    return f"{HEAD}steps = [{', '.join(lines)}]\n{more}"


def struck(fault: str) -> str:
    """The file of one case with one fault."""
    return steps(PAY, more=f"faults = [{fault}]")


def load(*paths: Path) -> tuple[Case, ...]:
    """As a run does."""
    return case.load(paths, faults.load())


def test_the_bundled_cases_are_read() -> None:
    """For both roles, each with a situation in words."""
    bundled = load(CASES)
    assert {each.role for each in bundled} >= {Role.CLIENT, Role.PROVIDER}
    assert all(each.situation and each.steps for each in bundled)


def test_a_file_and_a_folder_are_read_alike(write: Write) -> None:
    """A folder is its TOML files, in the order of their names."""
    file = write(steps(PAY))
    assert load(file) == load(file.parent)
    write(steps(PAY).replace("mine", "also-mine"), "a.toml")
    assert [each.id for each in load(file.parent)] == ["also-mine", "mine"]


def test_an_odd_key_is_a_text_or_a_length(write: Write) -> None:
    """The empty text is a key, and is not the same as none."""
    (read,) = load(write(steps(PAY.replace('"k"', '{ text = "" }'), '{ do = "create-payment", amount = 2 }')))
    assert read.steps[0].key == OddKey(text="")
    assert read.steps[1].key is None


WRONG = [
    # amounts
    (steps(PAY.replace("1050", "10.50")), "line 2, case 'mine', steps[0].amount: expected a whole number, not a number with a point; write an integer in minor units: 1050 is 10.50"),
    (steps(PAY.replace("1050", '"1050"')), "steps[0].amount: expected a whole number, not a text"),
    (steps(PAY.replace("1050", "2026-12-01")), "steps[0].amount: expected a whole number, not a date"),
    (steps(PAY.replace("1050", "true")), "steps[0].amount: expected a whole number, not true or false"),
    (steps(PAY.replace("1050", "0")), "amount 0 of create-payment: expected a positive integer in minor units"),
    (steps(PAY.replace("1050", "-1")), "amount -1 of create-payment"),
    (steps(PAY.replace(", amount = 1050", "")), "no amount of create-payment: expected a positive integer"),
    (steps(PAY, '{ repeat = "first", amount = -5 }'), "amount -5 of first"),
    # names
    (steps('{ do = "create-paymet", amount = 1 }'), "case 'mine', steps: unknown step 'create-paymet'; did you mean 'create-payment'?"),
    (steps(PAY, more='needs = ["refund"]'), "case 'mine', needs: unknown feature 'refund'; did you mean 'refunds'?"),
    (struck('{ strike = "respons-lost", on = "first" }'), "case 'mine', faults: unknown fault 'respons-lost'; did you mean 'response-lost'?"),
    (struck('{ strike = "response-lost", on = "second" }'), "strikes 'second', which is no step of this case"),
    (struck('{ strike = "response-lost", on = "first", options = { late = 1 } }'), "response-lost has no option 'late'; it takes none"),
    (struck('{ strike = "status-answer", on = "first", options = { statsu = 500 } }'), "has no option 'statsu'; did you mean 'status'?"),
    (struck('{ strike = "status-answer", on = "first", options = { status = "500" } }'), 'option status of status-answer is "500"; expected a whole number'),
    (struck('{ strike = "status-answer", on = "first", options = { status = true } }'), "is true; expected a whole number"),
    (struck('{ strike = "slow-answer", on = "first", options = { seconds = "1" } }'), 'is "1"; expected a number'),
    (steps(PAY, '{ repeat = "frist" }'), "names 'frist', which is no earlier step; did you mean 'first'?"),
    (steps('{ repeat = "first" }', PAY), "names 'first', which is no earlier step; give the step that is meant its name: as = \"first\""),
    (steps(PAY, PAY), "two steps are called 'first'"),
    (HEAD.replace("provider", "bank"), "case 'mine', role: unknown word 'bank'; known: client, provider, receiver, shop"),
    (HEAD, "the key 'steps' is missing; add it"),
    (steps(PAY, more="colour = 1"), "unknown key 'colour'; known: "),
    (steps(PAY.replace("key", "keey")), "case 'mine', steps[0]: unknown key 'keey'; did you mean 'key'?"),
    (steps(PAY) + HEAD.replace("id", "name"), "line 8, its [[case]]: unknown key 'name'; known: "),
    # shapes
    (steps("{ amount = 1 }"), "a step has exactly one of do, repeat, parallel"),
    (steps(PAY, '{ do = "create-refund", repeat = "first", amount = 1 }'), "a step has exactly one of do, repeat, parallel"),
    (steps('{ do = "create-payment", amount = 1, parallel = [{ do = "create-payment", amount = 2 }] }'), "exactly one of"),
    (steps("{ parallel = [{ parallel = [" + PAY + "] }] }"), "exactly one of do, repeat, parallel, and none inside parallel"),
    (steps(PAY.replace("amount", "times = 0, amount")), "times is 0; expected a positive number of copies"),
    (steps('{ do = "create-refund", amount = 1 }'), "create-refund needs a create-payment before it"),
    (steps(PAY, '{ do = "create-refund", as = "r", amount = 1 }', '{ do = "create-refund", of = "r", amount = 2 }'), "create-refund is not of 'r', a create-refund"),
    (steps(PAY).replace('"mine"', '"../mine"'), "case '../mine', id: a case id is kebab-case"),
    (steps(PAY).replace('"mine"', '"Mine"'), "a case id is kebab-case"),
    # files
    ("", "there is no case in it; begin each one with [[case]]"),
    ("x = 1", "unknown key 'x'; known: case"),
    ("case = 7", "case: expected a list, not a whole number"),
    ("[[case]]\nid = 'a'\nrole == 'client'\n", "not TOML: Invalid value (at line 3, column 7)"),
    ("\ufeff[[case]]", "not TOML"),
]  # fmt: skip


def test_bytes_that_are_no_text_are_said_with_their_line(tmp_path: Path) -> None:
    """An editor that saves another encoding, and nothing of a codec."""
    file = tmp_path / "mine.toml"
    file.write_bytes(steps(PAY).replace("a payment", "café").encode("latin-1"))
    with pytest.raises(DataError) as caught:
        load(file)
    assert str(caught.value) == f"{file}: line 5: not UTF-8, as TOML has to be; save it as UTF-8"


@pytest.mark.parametrize(("text", "says"), WRONG)
def test_a_file_that_is_wrong_is_one_sentence(text: str, says: str, write: Write) -> None:
    """It names the file first, then where in it, then what was expected."""
    file = write(text)
    with pytest.raises(DataError) as caught:
        load(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_id_is_given_once(write: Write) -> None:
    """Also over several files."""
    first, second = write(steps(PAY)), write(steps(PAY), "other.toml")
    with pytest.raises(DataError, match=r"other.toml: case 'mine' exists twice; give it another id"):
        load(first, second)


def test_what_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    """A file that is not there, an empty folder, and bytes that are no text."""
    with pytest.raises(DataError, match="No such file or directory; name an existing TOML file"):
        load(tmp_path / "none.toml")
    with pytest.raises(DataError, match="no TOML file in this folder"):
        load(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b'x = "caf\xe9"')
    with pytest.raises(DataError, match="line 1: not UTF-8"):
        load(tmp_path)
