"""Files as people write them, for property-based tests: any line ends, any columns, any prose between the tables."""

from __future__ import annotations

from datetime import date

from hypothesis import strategies as st

from psp_harness.quarantine import COLUMNS, Class, Kind, Rate, Row

LETTERS = st.text(st.sampled_from(list(r"ab1 |\`*_[]<>&#-!~é🔴:/(){}\"'")), min_size=1, max_size=14)
CELL = LETTERS.map(lambda text: " ".join(text.split())).filter(bool)
DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))
NAMES = st.text(st.sampled_from("abcyz"), min_size=1, max_size=6)
PROSE = st.sampled_from(
    [
        "What fails here is known.",
        "- one\n- two",
        "> a word on gates",
        "```\n| what | subject |\n| --- | --- |\n| x | y |\n```",
        "<!-- | what | x | -->",
        "1. first  \n   second",
        "A line with | a pipe and `code | too`",
        "### of stripe",
        "***",
        "",
        "\ttabs   and spaces   ",
    ]
)


@st.composite
def rows(draw: st.DrawFn) -> Row:
    """Any row, on line 0."""
    since, until = sorted((draw(DAYS), draw(DAYS)))
    failures, passes = draw(st.integers(0, 40)), draw(st.integers(0, 40))
    return Row(
        section=draw(st.sampled_from(list(Class))),
        what=draw(CELL),
        subject=draw(CELL),
        rule=draw(CELL),
        kind=draw(st.sampled_from(list(Kind))),
        owner=draw(NAMES),
        reason=draw(CELL),
        issue=draw(CELL),
        since=since,
        until=until,
        line=0,
        rate=draw(st.sampled_from([None, Rate(failures, failures + passes or 1)])),
    )


def distinct(found: list[Row]) -> list[Row]:
    """No two that the file would call duplicates."""
    return list({(row.what, row.subject, row.rule): row for row in found}.values())


def escaped(text: str) -> str:
    """Written by somebody who is careful: every mark has its backslash."""
    return "".join(f"\\{char}" if char in r"\|`*_[]<>&#!~-" else char for char in text)


@st.composite
def files(draw: st.DrawFn) -> tuple[str, list[Row]]:
    """A file, and the rows that it has, without their lines."""
    found = distinct(draw(st.lists(rows(), max_size=5)))
    parts = ["# Quarantine", "", draw(PROSE), "", "| gate | excuses |", "| :-- | --: |", "| pr | all |", ""]
    for section in draw(st.permutations(list(Class))):
        mine = [row for row in found if row.section is section]
        if not mine and draw(st.booleans()):
            continue
        with_rate = any(row.rate for row in mine) or draw(st.booleans())
        columns = draw(st.permutations([*COLUMNS, *(["rate"] if with_rate else [])]))
        pad = draw(st.sampled_from(["", " ", "   ", "\t"]))
        edge = draw(st.sampled_from(["|", "| "]))
        parts += [f"## {section} {draw(NAMES)}", "", draw(PROSE), ""]
        parts.append(f"| {' | '.join(columns)} |")
        parts.append(f"|{'|'.join(draw(st.sampled_from(['---', ':--', ' :-: '])) for _ in columns)}|")
        for row in mine:
            cells = [escaped("" if getattr(row, name) is None else str(getattr(row, name))) for name in columns]
            cells = [
                cell.replace("\\-", "-") if name in {"since", "until", "kind", "rate"} else cell
                for name, cell in zip(columns, cells, strict=True)
            ]
            cells = [
                f"{cell} " if cell.endswith("\\") else cell for cell in cells
            ]  # `\\\\|` is a pipe in the text to Markdown
            parts.append(edge + f"{pad}|{pad}".join(cells) + "|")
        parts += ["", draw(PROSE), ""]
    if draw(st.booleans()):
        parts += ["## History", "", "- 2026-11-01: something was released"]
    end = draw(st.sampled_from(["\n", "\r\n"]))
    text = (
        draw(st.sampled_from(["", "\ufeff"])) + "\n".join(parts).replace("\n", end) + draw(st.sampled_from(["", end]))
    )
    return text, found
