"""What a file was expected to say: how one is read, and what is wrong with it in words, with the place and the way out.

A reader of TOML knows no objects, fields or `int | null`: what msgspec says is put into the words of the file.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec import inspect

from psp_harness.errors import DataError
from psp_harness.registry import suggest

_KEY = re.compile(r"Object contains unknown field `(?P<word>.*)`", re.DOTALL)
_ABSENT = re.compile(r"Object missing required field `(?P<word>.*)`", re.DOTALL)
_WORD = re.compile(r"Invalid enum value '?(?P<word>.*?)'?", re.DOTALL)
_TYPE = re.compile(r"Expected `(?P<wanted>[^`]*)`(?P<more>.*?)(?:, got `(?P<got>[^`]*)`)?", re.DOTALL)
_STEP = re.compile(r"\[\.{3}\]|\[\d+\]|[^.\[\]]+")
_NUMBERED = re.compile(r"(?P<table>\w+)\[(?P<index>\d+)\]")

_TYPES: Mapping[str, str] = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text in quotes",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
}
"""What TOML has, as its users call it."""

_GOT: Mapping[str, str] = {
    **_TYPES,
    "float": "a number with a point",
    "str": "a text",
    "date": "a date",
    "datetime": "a time",
    "time": "a time",
}


@dataclass(frozen=True, slots=True)
class Misfit:
    """What is wrong, where in the file (`run[0].role`), and what to do; empty where nobody can guess it."""

    problem: str
    where: str
    do: str


def read_toml(path: Path) -> tuple[str, dict[str, object]]:
    """A TOML file, as it stands there and as tables. Raises `DataError` where it is none."""
    file = str(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(error.strerror or "cannot be read", file=file, do="name an existing TOML file") from None
    try:
        text = raw.decode("utf-8")
        return text, tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DataError(
            "not UTF-8, as TOML has to be", file=file, where=f"line {line}", do="save it as UTF-8"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"not TOML: {error}", file=file, do="mend it there, and run again") from None


def misfit(error: msgspec.ValidationError, expected: type) -> Misfit:
    """What an error says of a file that was to be `expected`."""
    problem, _, path = str(error).partition(" - at ")
    where = path.strip("`").removeprefix("$").removeprefix(".")
    at = _at(inspect.type_info(expected), _STEP.findall(where))
    if found := _KEY.fullmatch(problem):
        known = (f.encode_name for each in at for f in _fields(each))
        return Misfit(f"unknown key {found['word']!r}", where, suggest(found["word"], known))
    if found := _ABSENT.fullmatch(problem):
        return Misfit(f"the key {found['word']!r} is missing", where, "add it")
    if found := _WORD.fullmatch(problem):
        known = (word for each in at for word in _words(each))
        return Misfit(f"unknown word {found['word']!r}", where, suggest(found["word"], known))
    if found := _TYPE.fullmatch(problem):
        got = f", not {_GOT.get(found['got'], found['got'])}" if found["got"] else ""
        return Misfit(f"expected {_kinds(found['wanted'])}{found['more']}{got}", where, "")
    return Misfit(problem, where, "")


def line_of(text: str, where: str) -> str:
    """`line 7, ` of a place such as `run[1].role`, if the headers of its tables stand in the text; else nothing."""
    found = _NUMBERED.match(where.removeprefix("tool.psp-harness."))
    if found is None:
        return ""
    head = re.compile(rf"\[\[\s*(tool\.psp-harness\.)?{found['table']}\s*\]\]\s*(#.*)?")
    lines = [number for number, line in enumerate(text.splitlines(), 1) if head.fullmatch(line.strip())]
    index = int(found["index"])
    return f"line {lines[index]}, " if index < len(lines) else ""


def type_in_words(of: type) -> str:
    """A type of Python, as users of TOML call it."""
    return _TYPES.get(of.__name__, of.__name__)


def _kinds(wanted: str) -> str:
    """`int | null` in words; nothing is null in TOML."""
    kinds = [_TYPES.get(kind, kind) for kind in wanted.split(" | ") if kind != "null"]
    return " or ".join(kinds)


def _at(root: inspect.Type, steps: Iterable[str]) -> list[inspect.Type]:
    """The types that may stand at the end of a path."""
    found = _alternatives(root)
    for step in steps:
        below = [inner for each in found for inner in _below(each, step)]
        found = [alternative for each in below for alternative in _alternatives(each)]
    return found


def _alternatives(of: inspect.Type) -> list[inspect.Type]:
    return list(of.types) if isinstance(of, inspect.UnionType) else [of]


def _below(of: inspect.Type, step: str) -> list[inspect.Type]:
    if step.startswith("["):  # an index, or `[...]`: some key of a mapping
        if isinstance(of, inspect.DictType):
            return [of.value_type]
        return [of.item_type] if isinstance(of, (inspect.ListType, inspect.VarTupleType)) else []
    return [field.type for field in _fields(of) if field.encode_name == step]


def _fields(of: inspect.Type) -> tuple[inspect.Field, ...]:
    return of.fields if isinstance(of, inspect.StructType) else ()


def _words(of: inspect.Type) -> list[str]:
    if isinstance(of, inspect.EnumType):
        return [str(each.value) for each in of.cls]
    return [str(each) for each in of.values] if isinstance(of, inspect.LiteralType) else []
