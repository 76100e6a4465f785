"""What a row calls things by: globs, and the two spellings of the id of a pytest test.

A test's id is `class::name`, as its runner writes both into JUnit XML: `com.shop.RefundTest::twice`,
`example.org/shop/refunds::TestTwice/eur`, `tests.test_refunds.TestTwice::test_it[eur]`. Where class and name are one
(jest-junit), it is that one. A row may also name a pytest test as pytest does:
`tests/test_refunds.py::TestTwice::test_it`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import lru_cache

from psp_harness.model import Role

_SLASHES = 3
_NODE = re.compile(r"(?P<path>[^:\[]*)\.py(?:::(?P<inner>.*))?", re.DOTALL)
"""A pytest node id, or the path of its file alone."""
_UNWRITABLE = re.compile(r"[^\S \u00a0]|^\s|\s$")
_ESCAPED = re.compile(r"\\([*?\\])")
_PIECE = re.compile(r"\\[*?\\]|\[")


def names(pattern: str, name: str) -> bool:
    r"""`*` and `?` are globs, and nothing else is: `test_twice[eu]` names no `test_twicee`. `\*` is a star itself."""
    return pattern == name or fnmatchcase(name, _as_fnmatch(pattern))


def is_glob(pattern: str) -> bool:
    """It may name several things."""
    return bool(set("*?") & set(_ESCAPED.sub("", pattern)))


def pattern_of(name: str) -> str:
    """The pattern that names this alone, but for the white space that no cell of a table can hold."""
    escaped = re.sub(r"[*?\\]", r"\\\g<0>", name) if set("*?") & set(name) else name
    return _UNWRITABLE.sub("?", escaped)


def name_of(pattern: str) -> str:
    """What a pattern names that is no glob: without its escapes."""
    return _ESCAPED.sub(r"\1", pattern) if set("*?") & set(pattern) and not is_glob(pattern) else pattern


@lru_cache(maxsize=4096)
def _as_fnmatch(pattern: str) -> str:
    return _PIECE.sub(lambda piece: f"[{piece[0][-1]}]", pattern)


def names_test(pattern: str, name: str) -> bool:
    """As `names`, for the id of a test: in either spelling."""
    return any(names(spelling, name) for spelling in spellings(pattern))


@lru_cache(maxsize=4096)
def spellings(pattern: str) -> tuple[str, ...]:
    """A pattern as it stands and, if it is a pytest node id, as `class::name`."""
    return tuple(dict.fromkeys((pattern, *_of_node(pattern))))


def is_verdict_id(name: str) -> bool:
    """`role/profile/case/rule`, and no test's id."""
    return name.count("/") == _SLASHES and name.partition("/")[0] in set(Role) and "::" not in name


def id_of_test(class_name: str, name: str) -> str:
    """The id of a test from the two attributes of its `<testcase>`."""
    return name if class_name in {"", name} else f"{class_name}::{name}"


def node_test_id(node_id: str) -> str:
    """The id of a pytest test, from its node id: what pytest's own JUnit XML says of it."""
    return next(_of_node(node_id), node_id)


@lru_cache(maxsize=4096)
def containers(pattern: str) -> tuple[str, ...]:
    """Globs of the classes (packages, modules) in which what a row names would stand."""
    return tuple(_container(spelling) for spelling in spellings(pattern) if "::" in spelling)


def _container(spelling: str) -> str:
    """What stands before the last `::`, but for those in the parameters of a test: `test_it[a::b]`."""
    first = spelling.index("::")
    parameters = spelling.find("[", first)
    return (spelling if parameters < 0 else spelling[:parameters]).rpartition("::")[0]


def _of_node(node_id: str) -> Iterator[str]:
    """`a/b.py::C::test[x]` is in JUnit XML the class `a.b.C` and the name `test[x]` (pytest, `mangle_test_address`)."""
    found = _NODE.fullmatch(node_id.partition("[")[0])
    if found is None:
        return
    parts = [found["path"].replace("/", "."), *(found["inner"] or "*").split("::")]
    parts[-1] += node_id[node_id.find("[") :] if "[" in node_id else ""
    yield f"{'.'.join(parts[:-1])}::{parts[-1]}"
    if parts[-1].startswith("*"):  # a star of the node id reaches into the classes of its file as well
        yield f"{'.'.join(parts[:-1])}.*::{parts[-1]}"
