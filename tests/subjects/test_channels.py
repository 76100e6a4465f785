"""How messages reach a subject: processes that die, babble, fall silent; objects that raise, block, and leave."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from psp_harness import profile
from psp_harness.errors import SubjectError
from psp_harness.subjects import channels
from psp_harness.subjects.channels import MAX_LINE, ObjectChannel, ProcessChannel
from psp_harness.subjects.clients import python_client
from psp_harness.subjects.options import Options
from subjects import adapters
from subjects.adapters import OBLIGING, Program, lives
from wire.sockets import until

BOUND = 20.0
"""Seconds after which a test gives up; nothing waits that long."""


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that does not end by itself is not waited for as long as usual."""
    monkeypatch.setattr(channels, "_END_SECONDS", 0.2)


@pytest.fixture(autouse=True)
def _nothing_is_left_to_the_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No error comes out behind a caller's back: asyncio logs, with a traceback, what nobody retrieved."""
    yield
    gc.collect()
    assert [record.getMessage() for record in caplog.get_records("call") if record.name == "asyncio"] == []
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []


@asynccontextmanager
async def opened(command: str) -> AsyncIterator[ProcessChannel]:
    """A channel to a process, closed at the end."""
    async with asyncio.timeout(BOUND):
        channel = await ProcessChannel.open(command, {})
        try:
            yield channel
        finally:
            await channel.close()


async def refused(command: str, *, timeout: float = BOUND, command_name: str = "do") -> SubjectError:
    """The error of a process that gives no usable answer: one line, with what to do."""
    async with opened(command) as channel:
        with pytest.raises(SubjectError) as caught:
            await channel.ask(command_name, {}, timeout=timeout)
    assert "\n" not in str(caught.value)
    return caught.value


# --- a process --------------------------------------------------------------------------------------------------------


async def test_a_process_is_asked_and_answers(runs: Program) -> None:
    """Commands go in as lines, and come out as answers without their id."""
    async with opened(runs("for command in answers(): ok(command, asked=command)")) as channel:
        first = await channel.ask("start", {"protocol": 1}, timeout=BOUND)
        second = await channel.ask("do", {"step": "create-payment"}, timeout=BOUND)
    assert first == {"ok": {"asked": {"id": "0", "cmd": "start", "protocol": 1}}}
    assert second == {"ok": {"asked": {"id": "1", "cmd": "do", "step": "create-payment"}}}


async def test_answers_may_come_in_any_order(runs: Program) -> None:
    """Two commands that are asked at once get their own answers, by id."""
    text = """
    both = answers()
    first, second = next(both), next(both)
    ok(second, n=second["n"]), ok(first, n=first["n"])
    """
    async with opened(runs(text)) as channel:
        told = await asyncio.gather(*(channel.ask("do", {"n": n}, timeout=BOUND) for n in (1, 2)))
    assert told == [{"ok": {"n": 1}}, {"ok": {"n": 2}}]


async def test_what_it_prints_beside_the_protocol_is_kept(runs: Program) -> None:
    """Lines of SDKs, on standard output and error, bytes that are no UTF-8 among them, disturb nothing."""
    text = """
    say("DEBUG connecting"); say(""); say("[1, 2]")
    sys.stdout.buffer.write(b"caf\\xe9\\n"); sys.stdout.flush()
    sys.stderr.write("deprecated\\n"); sys.stderr.flush()
    """
    async with opened(runs(text + OBLIGING)) as channel:
        assert await channel.ask("start", {}, timeout=BOUND) == {"ok": {"name": "obliging"}}
        await channel.close()
        notes = channel.notes()
    assert [note for note in notes if not note.startswith("stderr: ")] == ["DEBUG connecting", "", "[1, 2]", "caf\\xe9"]
    assert "stderr: deprecated" in notes


NODE = r"""
sys.stderr.write('''node:internal/modules/cjs/loader:1143
  throw err;
  ^

Error: Cannot find module './adapter'
Require stack:
- /shop/main.js
    at Module._resolveFilename (node:internal/modules/cjs/loader:1140:15)
    at Module._load (node:internal/modules/cjs/loader:981:27)
    at node:internal/main/run_main_module:28:49 {
  code: 'MODULE_NOT_FOUND',
  requireStack: [ '/shop/main.js' ]
}

Node.js v18.19.0
'''); sys.exit(1)
"""
"""As Node says it: the line that tells is not the last one."""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sys.exit(3)", "exited with status 3"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "was killed by signal 9"),
        (NODE, "Error: Cannot find module './adapter'"),
        ("import nosuchmodule", "No module named 'nosuchmodule'"),
        ("next(answers()); sys.exit('out of money')", "out of money"),
        ("""say('{"id": "0", "ok": ')""", "begins as JSON and is none"),
        ("""say('{"a":' * 100_000)""", "begins as JSON and is none"),
        ("say('{' * 3); time.sleep(60)", "begins as JSON and is none"),
        (f"say('x' * {2 * MAX_LINE}); time.sleep(60)", f"printed a line longer than {MAX_LINE} bytes"),
        ("""say('{"id": "7", "ok": {}}'); time.sleep(60)""", "answered id '7', which nobody asked"),
        ("""say('{"ok": {}}'); time.sleep(60)""", "answered id None, which nobody asked"),
    ],
    ids=["exits", "is killed", "raises in Node", "raises", "dies in the middle", "broken line", "deep line", "braces", "2 MiB",
         "other id", "no id"],
)  # fmt: skip
async def test_a_process_that_does_not_answer_is_one_sentence(text: str, says: str, runs: Program) -> None:
    """It says what became of the process, in its own last words where there are any, and what to do."""
    error = await refused(runs(text))
    assert says in str(error)
    assert error.do


async def test_a_process_that_never_answers_is_told_within_the_bound(runs: Program) -> None:
    """The wait ends, and the sentence names the command and the bound."""
    error = await refused(runs("say('thinking'); time.sleep(60)"), timeout=0.3)
    assert str(error) == "no answer to 'do' within 0.3 s; its last words: 'thinking'; see --step-timeout"


async def test_a_command_that_does_not_exist_is_one_sentence() -> None:
    """The shell's own words are shown."""
    error = await refused("nosuchcommand-psp")
    assert "exited with status 127" in str(error)
    assert "nosuchcommand-psp" in str(error)


async def test_a_process_that_does_not_read_is_told_within_the_bound(runs: Program) -> None:
    """One that closes its standard input and lives on is no reason to wait for its end."""
    error = await refused(runs("os.close(0); say('deaf'); time.sleep(60)"), timeout=1.0)
    assert "'deaf'" in str(error)


async def test_what_broke_a_channel_is_told_again(runs: Program) -> None:
    """After a broken line every command of this process is refused with that sentence, at once."""
    async with opened(runs("say('{'); time.sleep(60)")) as channel:
        for _ in range(2):
            with pytest.raises(SubjectError, match="begins as JSON and is none"):
                await channel.ask("do", {}, timeout=BOUND)


async def test_a_line_of_nearly_1_mib_is_read(runs: Program) -> None:
    """The bound is on longer ones."""
    async with opened(runs(f"for command in answers(): ok(command, long='x' * {MAX_LINE - 100})")) as channel:
        answer = await channel.ask("do", {}, timeout=BOUND)
    assert len(answer["ok"]["long"]) == MAX_LINE - 100


async def test_a_line_on_standard_error_is_one_note(runs: Program) -> None:
    """However it arrives, and the last one without its end."""
    text = """
    for piece in ("first ", "line\\nand ", "the last"):
        os.write(2, piece.encode()); ok(next(answers()))
    """
    async with opened(runs(text)) as channel:
        for _ in range(3):
            await channel.ask("do", {}, timeout=BOUND)
        with pytest.raises(SubjectError, match="its last words: 'stderr: first line / and the last'"):
            await channel.ask("do", {}, timeout=BOUND)
        assert channel.notes() == ("stderr: first line", "stderr: and the last")


async def test_a_flood_on_standard_error_holds_nothing_up(runs: Program) -> None:
    """20 MB of it are read and mostly dropped; the last words are the last."""
    text = "sys.stderr.write(('x' * 199 + '\\n') * 100_000); sys.stderr.write('the end\\n'); sys.stderr.flush()\n"
    async with opened(runs(text + "command = next(answers()); ok(command); sys.exit(4)")) as channel:
        assert await channel.ask("start", {}, timeout=BOUND) == {"ok": {}}
        with pytest.raises(SubjectError, match=r"exited with status 4.*the end"):
            await channel.ask("do", {}, timeout=BOUND)
        assert len(channel.notes()) <= channels._MAX_NOTES


BREEDS = """
import subprocess
child = subprocess.Popen(["sleep", "60"], start_new_session={})
for command in answers(): ok(command, pids=[os.getpid(), child.pid])
time.sleep(60)
"""


async def test_a_process_that_ignores_the_end_of_its_input_is_killed_with_its_children(runs: Program) -> None:
    """Nothing of a subject outlives its case."""
    async with opened(runs(BREEDS.format(False))) as channel:
        pids = (await channel.ask("start", {}, timeout=BOUND))["ok"]["pids"]
        assert all(map(lives, pids))
    await until(lambda: not any(map(lives, pids)))


async def test_a_child_that_holds_the_pipes_does_not_hold_up_the_run(runs: Program) -> None:
    """One that left the process group lives on, and closing does not wait for it."""
    async with opened(runs(BREEDS.format(True))) as channel:
        parent, child = (await channel.ask("start", {}, timeout=BOUND))["ok"]["pids"]
    assert not lives(parent)
    assert lives(child)
    os.kill(child, signal.SIGKILL)


# --- an object --------------------------------------------------------------------------------------------------------


async def asked(subject: object, command: str = "do", *, timeout: float = BOUND, **members: object) -> Any:
    """What an object answers."""
    channel = ObjectChannel(subject)
    try:
        return await channel.ask(command, members, timeout=timeout)
    finally:
        await channel.close()


class Subject:
    """A subject with the method that a test gives it."""

    def __init__(self, do: Any) -> None:
        self.do = do


async def later(answer: object) -> object:
    """A coroutine that gives an answer."""
    await asyncio.sleep(0)
    return answer


async def test_an_object_is_asked_synchronously_or_not() -> None:
    """A plain method, a coroutine function, and a plain one that gives a coroutine are all the same to the harness."""

    async def do(step: str) -> object:
        return {"ok": {"step": step}}

    for method in (lambda step: {"ok": {"step": step}}, do, lambda step: later({"ok": {"step": step}})):
        assert await asked(Subject(method), step="create-payment") == {"ok": {"step": "create-payment"}}


async def test_an_object_is_given_what_it_takes() -> None:
    """Members that a method does not name are left out, unless it takes all."""
    assert await asked(Subject(lambda step: {"ok": {"got": step}}), step="s", params={}) == {"ok": {"got": "s"}}
    assert await asked(Subject(lambda **all_: {"ok": all_}), step="s", params={}) == {"ok": {"step": "s", "params": {}}}


async def test_an_object_need_not_know_of_effects_and_stop() -> None:
    """Without those methods it cannot say what it did, and has nothing to stop."""
    assert await asked(object(), "effects") == {"ok": {}}
    assert await asked(object(), "stop") == {"ok": {}}
    with pytest.raises(SubjectError, match=r"object has no method 'start'; see docs/subject-protocol.md"):
        await asked(object(), "start")


def raising(error: BaseException) -> Iterator[Any]:
    """Methods that raise, synchronously or not."""

    def plain() -> object:
        raise error

    async def coroutine() -> object:
        raise error

    yield plain
    yield coroutine


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ValueError("no such order"), "'do' raised ValueError: no such order"),
        (TimeoutError("read timed out"), "'do' raised TimeoutError: read timed out"),
        (StopIteration(), "raised"),
        (SystemExit(0), "it raised SystemExit(0)"),
        (KeyboardInterrupt(), "it raised KeyboardInterrupt()"),
        (asyncio.CancelledError(), "it raised CancelledError()"),
        (GeneratorExit(), "it raised GeneratorExit()"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_whatever_an_object_raises_is_its_error(error: BaseException, says: str) -> None:
    """It is told as one sentence, and never ends or passes the run: not even `sys.exit(0)`."""
    for method in raising(error):
        with pytest.raises(SubjectError) as caught:
            await asked(Subject(method))
        assert says in str(caught.value)
        assert caught.value.do


class Unspeakable:
    """Cannot even be shown."""

    def __repr__(self) -> str:
        raise ValueError


@pytest.mark.parametrize("junk", [None, "ok", 7, [("ok", {})], Unspeakable(), "x" * 10_000])
async def test_junk_from_an_object_is_one_sentence(junk: object) -> None:
    """It names the command, a part of what came, and what was expected."""
    with pytest.raises(SubjectError, match=r"'do' returned .*; expected a mapping") as caught:
        await asked(Subject(lambda: junk))
    assert len(str(caught.value)) < 400


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Holds up whoever waits for it, until the test is over."""
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.parametrize("kind", ["a thread that waits", "a coroutine that waits", "a coroutine that blocks its loop"])
async def test_an_object_that_never_answers_is_told_within_the_bound(kind: str, gate: threading.Event) -> None:
    """The wait ends, and nothing of ours stands still meanwhile."""

    async def waits() -> object:
        return await asyncio.Event().wait()

    async def blocks() -> object:
        return gate.wait()

    methods = dict(zip(("a thread that waits", "a coroutine that waits"), (gate.wait, waits), strict=True))
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.005)
            beats += 1

    heart = asyncio.create_task(beat())
    began = time.monotonic()
    with pytest.raises(SubjectError, match=r"no answer to 'do' within 0.2 s"):
        await asked(Subject(methods.get(kind, blocks)), timeout=0.2)
    heart.cancel()
    assert time.monotonic() - began < 2
    assert beats > 5


async def test_the_coroutines_of_an_object_share_one_loop() -> None:
    """What one call opens, the next one may use; both see one another's loop, and not ours."""

    class Remembers:
        async def start(self) -> object:
            self.loop = asyncio.get_running_loop()
            self.future = self.loop.create_future()
            return {"ok": {"name": "remembers"}}

        async def do(self) -> object:
            assert asyncio.get_running_loop() is self.loop
            self.loop.call_soon(self.future.set_result, {"ok": {}})
            return await self.future

    subject = Remembers()
    channel = ObjectChannel(subject)
    await channel.ask("start", {}, timeout=BOUND)
    assert await channel.ask("do", {}, timeout=BOUND) == {"ok": {}}
    assert subject.loop is not asyncio.get_running_loop()
    await channel.close()
    await until(subject.loop.is_closed)


class KeepsBooks:
    """A subject with databases that are bound to the thread in which they were opened, as SQLite's are."""

    def __init__(self) -> None:
        self.made = sqlite3.connect(":memory:")

    def start(self) -> object:
        self.opened = sqlite3.connect(":memory:")
        return {"ok": {"name": "keeps books"}}

    def do(self) -> object:
        return {"ok": {"rows": [db.execute("SELECT 1").fetchall() for db in (self.made, self.opened)]}}


async def test_what_was_opened_before_serves_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """A serial subject lives in one thread, from its making to its end."""
    monkeypatch.setattr(adapters, "KeepsBooks", KeepsBooks, raising=False)
    generic = profile.load("generic")
    channel = await python_client("subjects.adapters:KeepsBooks", Options(generic, {}, BOUND))({})
    await channel.ask("start", {}, timeout=BOUND)
    steps = [await channel.ask("do", {}, timeout=BOUND) for _ in range(3)]
    await channel.close()
    assert steps == [{"ok": {"rows": [[(1,)], [(1,)]]}}] * 3


async def test_what_is_asked_at_once_is_done_at_once() -> None:
    """The second one gets a thread of its own, and does not wait for the first."""
    both = threading.Barrier(2, timeout=BOUND)
    channel = ObjectChannel(Subject(lambda: {"ok": {"was": both.wait() >= 0}}))
    answers = await asyncio.gather(*(channel.ask("do", {}, timeout=BOUND) for _ in range(2)))
    await channel.close()
    assert answers == [{"ok": {"was": True}}] * 2
