"""Faults by name: each says what happens, takes only the options that it declares, and passes on at most once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from psp_harness import faults
from psp_harness.faults import FAULTS, Fault, Forward
from psp_harness.model import Answer

CREATED = Answer(201, (), b"{}")

SAMPLE: Mapping[type, int | float | str | bool] = {int: 503, bool: True, float: 0.0, str: "x"}


class Line:
    """A line that writes down what is done to it."""

    patience = 0.0
    asked = "http://psp/payments"
    in_flight = Answer(409, (), b"busy")

    def __init__(self) -> None:
        self.done: list[str] = []
        self.given: list[Answer] = []

    async def answer(self, answer: Answer) -> None:
        self.done.append("answer")
        self.given.append(answer)

    async def truncate(self, answer: Answer) -> None:
        self.done.append("truncate")
        self.given.append(answer)

    async def reset(self) -> None:
        self.done.append("reset")

    async def leave(self, forward: Forward) -> None:
        self.done.append("leave")
        await forward()

    async def end_sender(self) -> None:
        self.done.append("end")

    async def wait(self, seconds: float) -> None:
        self.done.append(f"wait {seconds:g}")

    async def forward(self) -> Answer:
        self.done.append("forward")
        return CREATED


async def struck(name: str, **options: Any) -> Line:
    """What a fault does to a line."""
    line = Line()
    await faults.load()[name].strike(line, line.forward, options)
    return line


@pytest.mark.parametrize(
    ("name", "options", "done"),
    [
        ("request-lost", {}, ["reset"]),
        ("response-lost", {}, ["forward", "reset"]),
        ("answer-truncated", {}, ["forward", "truncate"]),
        ("slow-answer", {"seconds": 7}, ["forward", "wait 7", "answer"]),
        ("status-answer", {}, ["answer"]),
        ("sender-ended", {"when": "before"}, ["end"]),
        ("sender-ended", {}, ["forward", "end"]),
        ("sender-ended", {"when": "answered"}, ["forward", "answer", "end"]),
        ("status-answer", {"after": True}, ["forward", "answer"]),
        ("answered-in-flight", {}, ["forward", "answer"]),
        ("redirected", {}, ["answer"]),
        ("connection-refused", {}, ["reset"]),
        ("handshake-broken", {"alert": 80}, ["reset"]),
    ],
)
async def test_a_fault_does_what_its_name_says(name: str, options: dict[str, Any], done: list[str]) -> None:
    """In this order, and nothing else."""
    assert (await struck(name, **options)).done == done


async def test_a_slow_answer_is_later_than_its_sender_waits() -> None:
    """By half as much again, where the case does not say by how much."""
    line = Line()
    line.patience = 2.0
    await faults.load()["slow-answer"].strike(line, line.forward, {})
    assert line.done[1] == "wait 3"
    assert line.given == [CREATED]


async def test_a_gateway_answers_what_the_case_says() -> None:
    """502 unless told, in words that are no PSP's."""
    statuses = [(await struck("status-answer", **options)).given[0].status for options in ({}, {"status": 504})]
    assert statuses == [502, 504]


async def test_a_gateway_asks_for_time_only_where_the_case_says_so() -> None:
    """In whole seconds, as RFC 9110 section 10.2.3 has it."""
    asked = [(await struck("status-answer", **o)).given[0].lines("Retry-After") for o in ({}, {"retry_after": 2})]
    assert asked == [[], [b"2"]]


async def test_a_redirect_points_to_where_the_request_was_sent() -> None:
    """With 307 unless told, and without a word of a body."""
    given = (await struck("redirected", status=308)).given + (await struck("redirected")).given
    assert [(answer.status, answer.lines("Location")) for answer in given] == [
        (308, [b"http://psp/payments"]),
        (307, [b"http://psp/payments"]),
    ]


async def test_a_request_in_flight_is_told_of_in_the_words_of_the_psp() -> None:
    """Whatever its line says they are."""
    assert (await struck("answered-in-flight")).given == [Line.in_flight]


@pytest.mark.parametrize("fault", faults.load().values(), ids=lambda fault: fault.id)
async def test_every_fault_is_told_in_words_and_takes_its_options(fault: Fault) -> None:
    """Its sentence is what people read; its options are those that it mentions; it passes on at most once."""
    assert fault.says.endswith(".")
    assert all(f"`{name}`" in fault.says for name in fault.options)
    named = set(re.findall(r"`([a-z_]+)`", fault.says))
    assert named <= {*fault.options, "forward"}
    line = Line()
    await fault.strike(line, line.forward, {name: SAMPLE[kind] for name, kind in fault.options.items()})
    assert line.done.count("forward") <= 1
    assert line.done


@pytest.fixture
def unregistered() -> Iterator[str]:
    """A name that is no fault's, before and after the test."""
    name = "nothing-happens"
    yield name
    FAULTS._items.pop(name, None)


async def test_the_fault_of_the_manual_does_nothing(unregistered: str) -> None:
    """The example that new faults grow from works as it stands."""
    text = (faults.__doc__ or "").split(":\n\n", 1)[1].split("\n\nWhoever", 1)[0]
    names: dict[str, Any] = {name: getattr(faults, name) for name in ("fault", "Line", "Forward", "Options")}
    exec("\n".join(line[4:] for line in text.splitlines()), names)  # noqa: S102 - it is ours
    line = await struck(unregistered)
    assert line.done == ["forward", "answer"]
    with pytest.raises(ValueError, match="fault 'nothing-happens' is registered twice"):
        faults.fault(unregistered)(names["nothing_happens"])
