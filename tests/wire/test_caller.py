"""The client that a provider is given, over real sockets: exact bytes out, exact bytes in, and a bound on every wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import pytest

from psp_harness import faults
from psp_harness.errors import SubjectError
from psp_harness.model import Answer, Exchange, Request, Strike
from psp_harness.wire import caller
from psp_harness.wire.caller import Caller, Outgoing, Target, raw_bytes, target_of
from wire.sockets import BOUND, Handler, free_port, listening, until

BODY = b'{"id":"pay_1"}'
CREATED = b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\nX-Twice: a\r\nx-twice: b\r\n\r\n%s" % (len(BODY), BODY)

faults.load()


def payment(step: int = 1, strike: Strike | None = None, *, mark: bytes = b"") -> Outgoing:
    """A request to be sent as it is, odd lines and all."""
    headers = ((b"Host", b"psp"), (b"Idempotency-Key", b""), (b"idempotency-key", b"\xff two"), (b"X-Mark", mark))
    body = b'{"amount":10}'
    request = Request("POST", "/payments", (*headers, (b"Content-Length", b"%d" % len(body))), body)
    return Outgoing(step, "create-payment", request, raw_bytes(request), strike)


async def request_from(reader: asyncio.StreamReader) -> bytes:
    """One whole request, as it came off the socket."""
    head = await reader.readuntil(b"\r\n\r\n")
    return head + await reader.readexactly(len(payment().request.body))


def answering(answer: bytes) -> Handler:
    """A provider that answers these bytes, and closes."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_from(reader)
        writer.write(answer)
        await writer.drain()
        writer.close()

    return handle


async def exchanged(handler: Handler, *outgoing: Outgoing, step_timeout: float = BOUND) -> Sequence[Exchange]:
    """What is recorded when these are sent together."""
    async with listening(handler) as url:
        sender = Caller(target_of(url), step_timeout=step_timeout)
        await sender.together(outgoing or [payment()])
        return sender.exchanges


# --- bytes ------------------------------------------------------------------------------------------------------------


async def test_exactly_these_bytes_are_sent() -> None:
    """Duplicate lines, an empty value and bytes beyond ASCII arrive as they were given."""
    arrived: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.append(await request_from(reader))
        writer.write(CREATED)

    (exchange,) = await exchanged(handle)
    assert arrived == [payment().raw] == [exchange.sent]
    assert b"Idempotency-Key: \r\nidempotency-key: \xff two\r\n" in exchange.sent


async def test_exactly_the_bytes_that_came_are_kept() -> None:
    """The answer is read from them: header lines apart, names as they were written."""
    (exchange,) = await exchanged(answering(CREATED))
    assert exchange.received == CREATED
    assert exchange.seen == exchange.answer
    assert exchange.answer is not None
    assert exchange.answer.lines("x-twice") == [b"a", b"b"]
    assert (b"X-Twice", b"a") in exchange.answer.headers
    assert exchange.answer.body == BODY


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.0 201 Created\r\n\r\n" + BODY, id="HTTP/1.0 without a length"),
        pytest.param(b"HTTP/1.1 201 Created\r\nConnection: close\r\n\r\n" + BODY, id="ended by the connection's end"),
        pytest.param(b"HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n4\r\n" + BODY[:4] + b"\r\na;x=1\r\n" + BODY[4:] + b"\r\n0\r\nX-Trailer: 1\r\n\r\n", id="chunked, with a trailer"),
        pytest.param(b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + CREATED, id="after 102 and 103"),
        pytest.param(b"HTTP/1.1 201\r\ncontent-length: 14\r\n\r\n" + BODY, id="without a reason, in lower case"),
        pytest.param(CREATED + b"and more", id="with more than its length"),
    ],
)  # fmt: skip
async def test_an_answer_is_read_however_it_is_framed(answer: bytes) -> None:
    """Every framing that RFC 9112 allows gives the same answer."""
    (exchange,) = await exchanged(answering(answer))
    assert exchange.answer is not None
    assert (exchange.answer.status, exchange.answer.body) == (201, BODY)


@pytest.mark.parametrize(
    ("url", "authority"), [("http://127.0.0.1:81/api/", "127.0.0.1:81"), ("http://[::1]:81", "[::1]:81")]
)
def test_the_host_header_names_host_and_port(url: str, authority: str) -> None:
    """An IPv6 address stands in brackets there (RFC 9110 §7.2)."""
    assert target_of(url).authority == authority


def test_a_path_of_the_address_stands_before_every_route() -> None:
    """A provider that is mounted below a path is asked there."""
    assert target_of("http://127.0.0.1:81/api/v1/").prefix == "/api/v1"


# --- together ---------------------------------------------------------------------------------------------------------


async def test_requests_of_one_moment_are_in_flight_together() -> None:
    """A provider that answers nobody before it has all eight answers all eight; their recorded times overlap."""
    all_there = asyncio.Barrier(8)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_from(reader)
        await all_there.wait()
        writer.write(CREATED)

    exchanges = await exchanged(handle, *(payment(step) for step in range(1, 9)))
    assert sorted(exchange.step or 0 for exchange in exchanges) == list(range(1, 9))
    assert all(one.overlaps(other) for one in exchanges for other in exchanges)


async def test_no_request_is_complete_before_all_are_there() -> None:
    """Each is held back by its last byte until every one of the moment has come that far."""
    parts: list[str] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        whole = len(payment().raw)
        await reader.readexactly(whole - 1)
        parts.append("all but one byte")
        await reader.readexactly(1)
        parts.append("whole")
        writer.write(CREATED)

    await exchanged(handle, payment(1), payment(2), payment(3))
    assert len(parts) == 6
    assert set(parts[-1:]) == {"whole"}


async def test_a_broken_one_does_not_hold_up_the_others() -> None:
    """One of four is hung up on: that is the error, and the other three are answered and recorded."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sent = await request_from(reader)
        if b"X-Mark: break" not in sent:
            writer.write(CREATED)

    outgoing = [payment(1), payment(2, mark=b"break"), payment(3), payment(4)]
    async with listening(handle) as url:
        sender = Caller(target_of(url), step_timeout=BOUND)
        with pytest.raises(SubjectError, match="closed before an answer came"):
            await sender.together(outgoing)
    assert {exchange.step: exchange.seen is not None for exchange in sender.exchanges} == {
        1: True,
        2: False,
        3: True,
        4: True,
    }


async def test_one_that_never_comes_that_far_does_not_hold_up_the_others() -> None:
    """A request that is lost half-way leaves the others of its moment, which go on without it."""
    lost = Strike("request-lost", 2)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_from(reader)
        writer.write(CREATED)

    exchanges = await exchanged(handle, payment(1), payment(2, lost), payment(3))
    assert {exchange.step: exchange.seen is not None for exchange in exchanges} == {1: True, 2: False, 3: True}


# --- faults -----------------------------------------------------------------------------------------------------------


async def test_a_lost_answer_was_given_and_not_seen() -> None:
    """The provider acted and answered; its sender saw nothing of it."""
    (exchange,) = await exchanged(answering(CREATED), payment(1, Strike("response-lost", 1)))
    assert exchange.fault == "response-lost"
    assert exchange.answer is not None
    assert (exchange.seen, exchange.received) == (None, b"")


async def test_of_a_lost_request_half_arrives_and_then_a_reset() -> None:
    """The provider sees a part of the request and a broken connection, never the whole."""
    ended: list[tuple[bytes, str]] = []

    async def handle(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        got = b""
        try:
            while chunk := await reader.read(100):
                got += chunk
        except ConnectionResetError:
            ended.append((got, "reset"))

    async with listening(handle) as url:
        sender = Caller(target_of(url), step_timeout=BOUND)
        await sender.together([payment(1, Strike("request-lost", 1))])
        await until(lambda: ended)
    (exchange,) = sender.exchanges
    assert exchange.fault == "request-lost"
    assert (exchange.answer, exchange.seen) == (None, None)
    assert payment().raw.startswith(exchange.sent)
    assert 0 < len(exchange.sent) < len(payment().raw)
    assert exchange.sent.startswith(ended[0][0])  # what was on its way when the reset came may be gone


async def test_a_truncated_answer_is_seen_in_part() -> None:
    """What its sender was given ends in the middle of the body."""
    (exchange,) = await exchanged(answering(CREATED), payment(1, Strike("answer-truncated", 1)))
    assert exchange.fault == "answer-truncated"
    assert exchange.answer is not None
    assert exchange.seen is None
    assert CREATED.startswith(exchange.received)
    assert CREATED.index(BODY) < len(exchange.received) < len(CREATED)


@pytest.mark.parametrize(("seconds", "sees"), [(0.005, True), (0.03, False)])
async def test_a_slow_answer_is_seen_by_the_patient(
    seconds: float, sees: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sender waits as long as its patience, and sees nothing of what comes later."""
    monkeypatch.setattr(caller._ProviderLine, "patience", 0.02)
    strike = Strike("slow-answer", 1, options={"seconds": seconds})
    (exchange,) = await exchanged(answering(CREATED), payment(1, strike))
    assert exchange.fault == "slow-answer"
    assert exchange.answer is not None
    assert (exchange.seen is not None, exchange.received) == (sees, CREATED if sees else b"")


# --- providers that cannot be driven ----------------------------------------------------------------------------------


async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Takes the request, and never answers."""
    await reader.read()


def endless(piece: bytes, begin: bytes) -> Handler:
    """Begins an answer, and never ends it."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_from(reader)
        writer.write(begin)
        while True:
            writer.write(piece)
            await writer.drain()

    return handle


async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends one byte of an answer at a time, and never the last."""
    await request_from(reader)
    writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("handler", "says"),
    [
        (silent, "no answer to POST /payments within 0.3 s"),
        (drips, "no answer to POST /payments within 0.3 s"),
        (answering(b""), "the connection was closed before an answer came"),
        (answering(b"HTTP/1.1 201 Created\r\nContent-Len"), "the connection was closed after 33 bytes of it"),
        (answering(CREATED[:-3]), "the connection was closed after"),
        (answering(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), "the answer is not HTTP"),
        (answering(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"), "the answer is not HTTP"),
        (answering(b"\x00" * 70_000), "the answer is not HTTP"),
        (endless(b"X-More: more\r\n" * 1000, b"HTTP/1.1 200 OK\r\n"), "the answer is not HTTP"),
        (endless(b"x" * 2**20, b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n"), "the answer is longer than"),
        (endless(b"x" * 2**20, b"HTTP/1.0 200 OK\r\n\r\n"), "the answer is longer than"),
        (endless(b"HTTP/1.1 103 Early Hints\r\nLink: %b\r\n\r\n" % (b"x" * 30_000), b""), "the answer is longer than"),
    ],
    ids=["never answers", "drips", "closes", "half a head", "half a body", "ssh", "no length", "zeros",
         "headers forever", "100 MB", "endless", "hints forever"],
)  # fmt: skip
async def test_a_provider_that_cannot_be_driven_is_one_sentence(handler: Handler, says: str) -> None:
    """One error within the bound, on one line, that says what is wrong and what to do; the bytes are kept."""
    bound = 0.3 if "0.3 s" in says else BOUND
    async with listening(handler) as url:
        sender = Caller(target_of(url), step_timeout=bound)
        began = time.monotonic()
        with pytest.raises(SubjectError) as caught:
            await sender.together([payment()])
    assert time.monotonic() - began < bound + 1
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.do
    (exchange,) = sender.exchanges
    assert exchange.sent == payment().raw
    assert (exchange.answer, exchange.seen) == (None, None)


@pytest.mark.parametrize(
    ("target", "says"),
    [
        (lambda: Target("127.0.0.1", free_port()), "connection refused"),
        (lambda: Target("a..b", 80), "no such host"),
    ],
    ids=["refuses", "no name"],
)
async def test_a_provider_that_is_not_there_is_one_sentence(target: Callable[[], Target], says: str) -> None:
    """The sentence names where it was looked for, and what to do."""
    sender = Caller(target(), step_timeout=BOUND)
    with pytest.raises(SubjectError, match="start it, or correct the address") as caught:
        await sender.together([payment()])
    assert says in str(caught.value)
    assert sender.exchanges[0].sent == b""


async def test_plain_http_where_tls_is_spoken_is_one_sentence() -> None:
    """A provider that does not speak TLS on an https address is told apart from one that is not there."""

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(CREATED)
        await writer.drain()

    async with listening(plain) as url:
        sender = Caller(target_of(url.replace("http", "https")), step_timeout=BOUND)
        with pytest.raises(SubjectError, match="TLS failed"):
            await sender.together([payment()])


async def test_its_exchanges_are_in_the_order_of_their_numbers() -> None:
    """However the answers come in, numbers count the requests from 1."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_from(reader)
        writer.write(CREATED)

    async with listening(handle) as url:
        sender = Caller(target_of(url), step_timeout=BOUND)
        await sender.together([payment(step) for step in (1, 2, 3)])
        await sender.together([payment(4)])
    assert [exchange.number for exchange in sender.exchanges] == [1, 2, 3, 4]
    assert isinstance(sender.exchanges[3].answer, Answer)
    assert sender.exchanges[3].step == 4
