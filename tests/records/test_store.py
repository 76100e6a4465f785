"""Tests of the history: what is recorded stays, once, and comes back from JSON Lines."""

from __future__ import annotations

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psp_harness.errors import DataError
from psp_harness.records import Past, Store, export, load, recorded

AT = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
PAST = Past(AT, "nightly", "sdk:stripe", (("a/b", "passed"), ("a/b", "violated"), ("c", "errored")), "r1")
LATER = replace(PAST, at=datetime(2026, 11, 27, tzinfo=UTC), id="r2", outcomes=())
RUNS = st.builds(
    Past,
    st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(microsecond=0)),
    st.sampled_from(["nightly", "manual", "proof"]),
    st.text(min_size=1),
    st.lists(st.tuples(st.text(min_size=1), st.sampled_from(["passed", "violated", "skipped"])), max_size=4).map(
        lambda found: tuple(sorted(found, key=lambda each: each[1]))
    ),
    st.text("abcdef0123456789", min_size=4),
)


def test_a_run_comes_back_as_it_was_recorded(tmp_path: Path) -> None:
    """The oldest first, an id that stands twice twice."""
    store = Store(tmp_path / "new" / "h.db")
    assert [store.add(LATER), store.add(PAST)] == [True, True]
    assert list(store.runs()) == [PAST, LATER]


def test_a_run_is_recorded_once(tmp_path: Path) -> None:
    """However often it is brought in."""
    store = Store(tmp_path / "h.db")
    assert [store.add(PAST), store.add(replace(PAST, outcomes=()))] == [True, False]
    assert list(store.runs()) == [PAST]


def test_where_there_is_no_file_there_are_no_runs(tmp_path: Path) -> None:
    """And none is made by looking."""
    assert list(Store(tmp_path / "h.db").runs()) == []
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_recorded_whole_or_not_at_all(tmp_path: Path) -> None:
    """What breaks off in the middle leaves no half of it."""
    store = Store(tmp_path / "h.db")
    store.add(LATER)

    def breaks_off() -> object:
        yield ("a", "passed")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.add(replace(PAST, outcomes=breaks_off()))  # type: ignore[arg-type]
    assert list(store.runs()) == [LATER]


def test_many_may_record_at_once(tmp_path: Path) -> None:
    """CI jobs share a file: nobody's run is lost."""
    with ThreadPoolExecutor(8) as pool:
        done = pool.map(lambda number: Store(tmp_path / "h.db").add(replace(PAST, id=str(number))), range(40))
        assert all(done)
    assert len(list(Store(tmp_path / "h.db").runs())) == 40


@pytest.mark.parametrize("what", ["text", "database", "newer", "folder"])
def test_a_file_that_is_no_history_is_one_sentence(what: str, tmp_path: Path) -> None:
    """And is not touched."""
    path = tmp_path / "h.db"
    if what == "text":
        path.write_text("no database at all, and long enough to be read", encoding="utf-8")
    elif what == "folder":
        path.mkdir()
    elif what == "database":
        with sqlite3.connect(path) as db:
            db.execute("CREATE TABLE accounts (id)")
        db.close()
    else:
        Store(path).add(PAST)
        with sqlite3.connect(path) as db:
            db.execute("PRAGMA user_version = 99")
        db.close()
    before = path.read_bytes() if path.is_file() else b""
    for use in (lambda: Store(path).add(LATER), lambda: list(Store(path).runs())):
        with pytest.raises(DataError) as raised:
            use()
        assert str(raised.value).startswith(f"{path}: ")
    assert not path.is_file() or path.read_bytes() == before


@settings(max_examples=30, deadline=None)
@given(runs=st.lists(RUNS, max_size=4, unique_by=lambda past: past.id))
def test_json_lines_bring_every_run_back(runs: list[Past], tmp_path_factory: pytest.TempPathFactory) -> None:
    """To another machine, and again without doubling anything."""
    folder = tmp_path_factory.mktemp("lines")
    here, there = Store(folder / "a.db"), Store(folder / "b.db")
    for past in runs:
        here.add(past)
    assert export(here.runs(), folder / "h.jsonl") == len(runs)
    assert load(folder / "h.jsonl", there) == len(runs)
    assert load(folder / "h.jsonl", there) == 0
    assert list(there.runs()) == list(here.runs())


def test_the_lines_are_what_their_format_says(tmp_path: Path) -> None:
    """One object for each run, outcomes by their word."""
    export([PAST], tmp_path / "h.jsonl")
    assert json.loads((tmp_path / "h.jsonl").read_text(encoding="utf-8")) == {
        "format": "psp-harness-history/1",
        "id": "r1",
        "at": "2026-11-26T03:00:00+00:00",
        "gate": "nightly",
        "subject": "sdk:stripe",
        "outcomes": {"passed": ["a/b"], "violated": ["a/b"], "errored": ["c"]},
    }


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "line 2: no run: "),
        ('{"format": "psp-harness-report/1"}', "line 2: no run: "),
        ("<<<<<<< HEAD", "line 2: no run: "),
        (json.dumps({"format": "psp-harness-history/1", "id": "x", "at": "2026-11-26T03:00:00", "gate": "", "subject": "", "outcomes": {}}), "line 2: no run: "),
        (json.dumps({"format": "psp-harness-history/1", "id": "x", "at": "2026-11-26T03:00:00Z", "gate": "", "subject": "", "outcomes": {"ok": []}}), "line 2: no run: "),
    ],
)  # fmt: skip
def test_a_wrong_line_is_one_sentence_and_nothing_is_brought_in(line: str, says: str, tmp_path: Path) -> None:
    """With the number of the line, and what to do after a merge."""
    export([PAST], tmp_path / "h.jsonl")
    with (tmp_path / "h.jsonl").open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    with pytest.raises(DataError, match=says) as raised:
        load(tmp_path / "h.jsonl", Store(tmp_path / "h.db"))
    assert "keep the lines of both sides" in str(raised.value)
    assert not (tmp_path / "h.db").exists()


def test_what_was_excused_is_recorded_as_it_came_out() -> None:
    """A rate counts failures, not opinions about them."""
    assert recorded([("a", "known"), ("b", "passed")]) == (("a", "violated"), ("b", "passed"))
