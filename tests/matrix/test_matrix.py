from __future__ import annotations

from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.table import Table

from psp_harness.matrix import KEPT, Matrix, show, write

TABLE = Table("miniature")
TABLE.add_row("no-dedupe")
MATRIX = Matrix(TABLE, "# Found\n", "AGREES: on everything", agrees=True)


def test_the_last_line_is_the_verdict() -> None:
    """Below the table."""
    out = StringIO()
    show(MATRIX, Console(file=out, width=80))
    assert out.getvalue().splitlines()[-1] == "AGREES: on everything"


def test_what_is_not_ours_is_kept(tmp_path: Path) -> None:
    """What stands below the line survives, in Markdown and on the page in HTML; the rest is written anew."""
    page, html = tmp_path / "page.md", tmp_path / "page.html"
    page.write_text(f"old\n{KEPT}\n\n## By hand\n", encoding="utf-8")
    for _ in range(2):
        assert list(write(MATRIX, page, html)) == [page, html]
    assert page.read_text(encoding="utf-8") == f"# Found\n\n{KEPT}\n\n## By hand\n"
    assert "<h2>By hand</h2>" in html.read_text(encoding="utf-8")


def test_a_new_page_has_nothing_to_keep(tmp_path: Path) -> None:
    """And only what is asked for is written."""
    assert list(write(MATRIX, tmp_path / "page.md", None)) == [tmp_path / "page.md"]
    assert [(file.name, file.read_text(encoding="utf-8")) for file in tmp_path.iterdir()] == [("page.md", "# Found\n")]
