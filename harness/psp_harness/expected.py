"""What a file was expected to say: msgspec's errors, with the place in the file and the nearest word that fits."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
from msgspec import inspect

from psp_harness.registry import suggest

_KEY = re.compile(r"Object contains unknown field `(?P<word>.*)`", re.DOTALL)
_WORD = re.compile(r"Invalid enum value '(?P<word>.*)'", re.DOTALL)
_STEP = re.compile(r"\[\.{3}\]|\[\d+\]|[^.\[\]]+")


@dataclass(frozen=True, slots=True)
class Misfit:
    """What is wrong, where in the file (`run[0].role`), and which word was probably meant; empty where none is near."""

    problem: str
    where: str
    do: str


def misfit(error: msgspec.ValidationError, expected: type) -> Misfit:
    """What an error says of a file that was to be `expected`."""
    problem, _, path = str(error).partition(" - at ")
    where = path.strip("`").removeprefix("$").removeprefix(".")
    at = _at(inspect.type_info(expected), _STEP.findall(where))
    if found := _KEY.fullmatch(problem):
        return Misfit(problem, where, suggest(found["word"], (f.encode_name for each in at for f in _fields(each))))
    if found := _WORD.fullmatch(problem):
        return Misfit(problem, where, suggest(found["word"], (word for each in at for word in _words(each))))
    return Misfit(problem, where, "")


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
    return [str(each.value) for each in of.cls] if isinstance(of, inspect.EnumType) else []
