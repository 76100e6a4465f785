"""JUnit XML, written again: what is excused, or not run at a gate, is skipped there; everything else is as it was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from xml.sax.saxutils import XMLGenerator, quoteattr
from xml.sax.xmlreader import AttributesImpl

from psp_harness.quarantine import FILE
from psp_harness.runners.junit import ERRORED, FAILED, check_root
from psp_harness.runners.parsing import Handler, local, parse


@dataclass(frozen=True, slots=True)
class Skip:
    """A test that is to be skipped, with its reason."""

    reason: str
    counted_as: str
    """Where its suite counted it: `failures`, `errors`, or nowhere."""
    times: int = 1
    """How often it did."""


def rewrite(paths: Sequence[Path], skipped: Sequence[Mapping[int, Skip]], stale: Sequence[str], out: Path) -> None:
    """Write the suites of all files into one. `skipped` has, for each file, what to skip by its place from 1.

    Rows of QUARANTINE.md that no longer hold (`stale`) are errors in a suite of their own. Raises `DataError` for a
    file that is no JUnit XML.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f".{out.name}.part")  # it may take the place of one of those that it is made from
    with part.open("w", encoding="utf-8", newline="\n") as file:
        counters = [_counted_again(path, skips) for path, skips in zip(paths, skipped, strict=True)]
        file.write(f'<?xml version="1.0" encoding="utf-8"?>\n{_root([counter.root for counter in counters])}\n')
        for path, skips, counter in zip(paths, skipped, counters, strict=True):
            _run(path, _Writer(file, str(path), skips, counter.changes))
            file.write("\n")
        _write_stale(file, stale)
        file.write("</testsuites>\n")
    part.replace(out)


def _write_stale(file: TextIOWrapper, stale: Sequence[str]) -> None:
    if not stale:
        return
    out, count = XMLGenerator(file, encoding="utf-8", short_empty_elements=True), str(len(stale))
    out.startElement("testsuite", _attributes({"name": FILE, "tests": count, "failures": "0", "errors": count}))
    for sentence in stale:
        row, _, why = sentence.partition(": ")
        out.startElement("testcase", _attributes({"classname": "quarantine", "name": row}))
        out.startElement("error", _attributes({"message": why, "type": "stale"}))
        for name in ("error", "testcase"):
            out.endElement(name)
    out.endElement("testsuite")
    file.write("\n")


def _root(names: Sequence[str]) -> str:
    """The root of all files keeps the name that all their roots have: by it pytest's own counts are understood."""
    return f"<testsuites name={quoteattr(names[0])}>" if len(set(names)) == 1 and names[0] else "<testsuites>"


def _counted_again(path: Path, skips: Mapping[int, Skip]) -> _Counter:
    counter = _Counter(skips)
    _run(path, counter)
    return counter


def _run(path: Path, handler: Handler) -> None:
    for _ in parse(path, handler):
        pass


_BAD = FAILED | ERRORED


class _Counter(Handler):
    """By how much the counts of each suite change: a suite says them before it shows its tests."""

    def __init__(self, skips: Mapping[int, Skip]) -> None:
        super().__init__()
        self._skips, self._place = skips, 0
        self._open: list[int] = []
        self.changes: list[dict[str, int]] = []
        self.root = ""

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802 - the parser's name
        super().startElement(name, attrs)
        name = local(name)
        if self.depth == 1 and name == "testsuites":
            self.root = attrs.get("name", "")
        if name in {"testsuites", "testsuite"}:
            self._open.append(len(self.changes))
            self.changes.append({"failures": 0, "errors": 0, "skipped": 0})
        elif name == "testcase":
            self._place += 1
            if skip := self._skips.get(self._place):
                for suite in self._open:
                    self.changes[suite]["skipped"] += 1
                    if skip.counted_as:
                        self.changes[suite][skip.counted_as] -= skip.times

    def endElement(self, name: str) -> None:  # noqa: N802
        super().endElement(name)
        if local(name) in {"testsuites", "testsuite"}:
            self._open.pop()


class _Writer(Handler):
    """Says again what the parser tells, with the changes."""

    def __init__(
        self, file: TextIOWrapper, path: str, skips: Mapping[int, Skip], changes: Iterable[Mapping[str, int]]
    ) -> None:
        super().__init__()
        self._path, self._skips, self._changes = path, skips, iter(changes)
        self._out = XMLGenerator(file, encoding="utf-8", short_empty_elements=True)
        self._place = 0
        self._skip: Skip | None = None
        self._said = False

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802
        super().startElement(name, attrs)
        kind = local(name)
        if kind in {"testsuites", "testsuite"}:
            change = next(self._changes)
            if self.depth == 1:
                check_root(name, self._path)
            if kind == "testsuites":
                return  # one root for all files
            attrs = _counted(attrs, change)
        elif kind == "testcase":
            self._place += 1
            self._skip, self._said = self._skips.get(self._place), False
        elif kind in _BAD and self._skip:
            name, attrs, self._said = "skipped", _attributes({"message": self._skip.reason}), True
        self._out.startElement(name, attrs)

    def characters(self, content: str) -> None:
        super().characters(content)
        self._out.characters(content)

    def endElement(self, name: str) -> None:  # noqa: N802
        super().endElement(name)
        kind = local(name)
        if kind == "testsuites":
            return
        if kind == "testcase" and self._skip:
            if not self._said:
                self._out.startElement("skipped", _attributes({"message": self._skip.reason}))
                self._out.endElement("skipped")
            self._skip = None
        self._out.endElement("skipped" if kind in _BAD and self._skip else name)


def _counted(attrs: AttributesImpl, change: Mapping[str, int]) -> AttributesImpl:
    if not change["skipped"]:
        return attrs
    counts = {name: _number(attrs, name) + by for name, by in change.items() if by or name in attrs}
    return _attributes({**dict(attrs.items()), **{name: str(max(count, 0)) for name, count in counts.items()}})


def _number(attrs: AttributesImpl, name: str) -> int:
    text = attrs.get(name, "")
    return int(text) if text.isdecimal() else 0


def _attributes(values: dict[str, str]) -> AttributesImpl:
    return AttributesImpl(values)
