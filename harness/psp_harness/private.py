"""`.psp-harness`: where things go for which nobody named a file. Git ignores the folder, and it may be deleted."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(".psp-harness")
REPORTS = FOLDER / "reports"
"""The last report of each role and profile."""
EVIDENCE = FOLDER / "evidence"
HISTORY = FOLDER / "history.db"


def made(root: Path = Path()) -> None:
    """See to it that the folder is there, in the project whose root that is."""
    folder = root / FOLDER
    if not (folder / ".gitignore").exists():
        folder.mkdir(exist_ok=True)
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")
