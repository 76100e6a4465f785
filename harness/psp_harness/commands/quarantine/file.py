"""The project's QUARANTINE.md as the commands see it: read, a row of it found, and written back whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from psp_harness import config, quarantine
from psp_harness.commands.quarantine.lock import locked
from psp_harness.errors import UsageError
from psp_harness.quarantine import Row, name_of, names_test, spellings
from psp_harness.registry import suggest


@dataclass(frozen=True, slots=True)
class File:
    """The file, as it was when the command began."""

    path: Path
    settings: config.Config
    text: str
    rows: tuple[Row, ...]

    def row(self, what: str, subject: str | None, rule: str | None) -> Row:
        """The one row of that name, or of that rule. Raises `UsageError` where there is none, or several."""
        named = [row for row in self.rows if row.what == what]
        named = named or [row for row in self.rows if set(spellings(name_of(row.what))) & set(spellings(what))]
        named = named or [row for row in self.rows if row.rule == what or names_test(row.what, what)]
        found = [row for row in named if subject in {None, row.subject} and rule in {None, row.rule}]
        if not named:
            known = suggest(what, {row.what for row in self.rows}) if self.rows else "the file has no rows"
            raise UsageError(f"{self.path}: no row is about {what!r}", do=known)
        if not found:
            told = "; ".join(f"--subject {row.subject!r} --rule {row.rule!r}" for row in named)
            raise UsageError(f"{self.path}: none of the rows about {what!r} is meant", do=f"there are: {told}")
        if len(found) > 1:
            ids = list(dict.fromkeys(row.what for row in found))
            told = (
                ", ".join(ids)
                if len(ids) > 1
                else "; ".join(f"--subject {r.subject!r} --rule {r.rule!r}" for r in found)
            )
            raise UsageError(f"{self.path}: {len(found)} rows are about {what!r}", do=f"say which: {told}")
        return found[0]

    def write(self, text: str) -> None:
        """Put another text in the place of this one; raises `UsageError` where somebody else did so meanwhile."""
        with locked():
            self._replace(text)

    def _replace(self, text: str) -> None:
        if quarantine.text_of(self.path) != self.text:
            raise UsageError(f"{self.path} was changed meanwhile, and nothing was written", do="say it again")
        whole = self.path.resolve()
        descriptor, name = tempfile.mkstemp(dir=whole.parent, prefix=f".{whole.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(text.encode())
            if whole.exists():
                shutil.copymode(whole, name)
            else:
                Path(name).chmod(0o644)
            Path(name).replace(whole)
        finally:
            Path(name).unlink(missing_ok=True)


def opened() -> File:
    """The file that the project's configuration names, and its rows. Raises `DataError` where it is broken."""
    settings = config.load(Path.cwd())
    path = Path(settings.quarantine)
    text = quarantine.text_of(path)
    return File(path, settings, text, quarantine.parse(text, str(path)))


def described(row: Row) -> Iterator[str]:
    """A row as the cells of a list."""
    yield from (row.section, row.what, row.subject, row.rule, f"{row.kind} {row.rate or ''}".strip())
    yield from (f"until {row.until}", row.owner, row.issue)
