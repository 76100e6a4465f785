from __future__ import annotations

from psp_harness.html_page import as_html

PAGE = """# Who & what

Some `code`, and a [page](elsewhere.md).

| rule | it |
|---|---|
| a | ✓ |
| b | ✗ |
| c | ✗ twice |
"""


def test_the_title_is_the_first_heading() -> None:
    """As text, whatever stands in it."""
    assert "<title>Who &amp; what</title>" in as_html(PAGE)
    assert "<h1>Who &amp; what</h1>" in as_html(PAGE)


def test_a_cell_that_is_only_a_sign_is_painted() -> None:
    """And no other cell."""
    page = as_html(PAGE)
    assert '<td class="good">✓</td>' in page
    assert '<td class="bad">✗</td>' in page
    assert "<td>✗ twice</td>" in page


def test_the_file_needs_nothing_else() -> None:
    """No script, no address, and it says how it is encoded."""
    page = as_html(PAGE)
    assert page.startswith("<!doctype html>")
    assert '<meta charset="utf-8">' in page
    assert not [word for word in ("<script", "http:", "https:", "@import", "url(") if word in page]
    assert as_html("nothing") == as_html("nothing")
