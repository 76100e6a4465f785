"""The PSP that a client is given, over real sockets: what it records, what its faults do, and that it stays up."""

from __future__ import annotations

import asyncio
import select
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psp_harness import faults
from psp_harness.model import Answer, Exchange, Request, Strike
from psp_harness.wire.connection import MAX_BODY
from psp_harness.wire.server import MAX_CONNECTIONS, Server
from wire.sockets import BOUND, connected, post, reset, said_to, until

CREATED = Answer(201, ((b"Content-Type", b"application/json"),), b'{"id":"pay_1","status":"succeeded"}')

faults.load()


class Upstream:
    """A PSP that answers everything with 201, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    async def __call__(self, request: Request) -> Answer:
        self.asked.append(request)
        return CREATED


def psp(
    *strikes: Strike, upstream: Callable[[Request], Awaitable[Answer]] | None = None, patience: float = 0.02
) -> Server:
    """A server all of whose requests are attempts of step 1."""
    return Server(upstream or Upstream(), lambda _: (1, "create-payment"), strikes, patience=patience)


async def recorded(*pieces: bytes) -> Sequence[Exchange]:
    """The exchanges of one connection, whose sender then closes it."""
    async with psp() as server:
        await said_to(server.base_url, *pieces)
        return server.exchanges


# --- what is recorded -------------------------------------------------------------------------------------------------


async def test_header_lines_are_kept_as_they_came() -> None:
    """Two lines of one header stay two, an empty value stays, and so do odd casing and bytes beyond ASCII."""
    lines = (b"idempotency-KEY: one", b"Idempotency-Key: two", b"X-Empty:", b"X-Odd: caf\xe9")
    sent = post(b"{}", *lines)
    (exchange,) = await recorded(sent)
    assert exchange.sent == sent
    assert exchange.request is not None
    assert exchange.request.lines("Idempotency-Key") == [b"one", b"two"]
    assert exchange.request.lines("x-empty") == [b""]
    assert exchange.request.lines("x-odd") == [b"caf\xe9"]
    assert (b"idempotency-KEY", b"one") in exchange.request.headers


async def test_a_folded_line_is_one_value_and_its_bytes_stay() -> None:
    """A value that goes on in the next line (RFC 9112 §5.2) is read as one; the bytes show the fold."""
    sent = post(b"{}", b"Idempotency-Key: order-\r\n 7")
    (exchange,) = await recorded(sent)
    assert exchange.sent == sent
    assert exchange.request is not None
    assert exchange.request.lines("idempotency-key") == [b"order- 7"]


async def test_a_chunked_body_is_read_and_its_framing_stays() -> None:
    """The body is what the chunks carry; the bytes are the chunks."""
    head = b"POST /payments HTTP/1.1\r\nHost: psp\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    sent = head + b'7\r\n{"amoun\r\n6;x=y\r\nt":10}\r\n0\r\n\r\n'
    (exchange,) = await recorded(sent)
    assert exchange.sent == sent
    assert exchange.request is not None
    assert exchange.request.body == b'{"amount":10}'


async def test_pipelined_requests_are_split_where_they_meet() -> None:
    """Two requests in one write are two exchanges, each with its own bytes."""
    first = post(b'{"n":1}').replace(b"Connection: close\r\n", b"")
    second = post(b'{"n":22}')
    exchanges = await recorded(first + second)
    assert [exchange.sent for exchange in exchanges] == [first, second]
    assert [exchange.request and exchange.request.body for exchange in exchanges] == [b'{"n":1}', b'{"n":22}']


async def test_a_kept_connection_carries_one_exchange_after_the_other() -> None:
    """The second request on a connection is its own exchange, and begins after the first one ended."""
    sent = post().replace(b"Connection: close\r\n", b"")
    async with psp() as server, connected(server.base_url) as (reader, writer):
        for _ in range(2):
            writer.write(sent)
            await reader.readuntil(CREATED.body)
        first, second = server.exchanges
    assert first.sent == second.sent == sent
    assert first.ended <= second.began
    assert not first.overlaps(second)


@settings(max_examples=30, deadline=None)
@given(cuts=st.sets(st.integers(1, 300), max_size=8))
async def test_it_does_not_matter_how_the_bytes_arrive(cuts: set[int]) -> None:
    """However a connection is cut into pieces, the same requests come out of it."""
    first = post(b'{"n":1}', b"Idempotency-Key: k").replace(b"Connection: close\r\n", b"")
    whole = first + post(b'{"n":22}')
    edges = [0, *sorted(cut for cut in cuts if cut < len(whole)), len(whole)]
    exchanges = await recorded(*(whole[start:end] for start, end in pairwise(edges)))
    assert [exchange.sent for exchange in exchanges] == [first, whole[len(first) :]]


async def test_what_its_sender_was_given_is_recorded_as_bytes() -> None:
    """`received` is what came out of the socket at the other end."""
    async with psp() as server:
        got = await said_to(server.base_url, post())
        (exchange,) = server.exchanges
    assert exchange.received == got
    assert exchange.seen == exchange.answer == CREATED
    assert exchange.fault is None


async def test_a_sender_that_expects_100_continue_is_told_to_go_on() -> None:
    """It gets its 100 before its body is there, and the 100 is a part of what it was given."""
    head, _, body = post(b'{"amount":10}', b"Expect: 100-continue").partition(b"\r\n\r\n")
    async with psp() as server, connected(server.base_url) as (reader, writer):
        writer.write(head + b"\r\n\r\n")
        first = await reader.readuntil(b"\r\n\r\n")
        writer.write(body)
        rest = await reader.read()
        (exchange,) = server.exchanges
    assert first.startswith(b"HTTP/1.1 100 ")
    assert b" 201 " in rest.splitlines()[0]
    assert exchange.received == first + rest


async def test_http_1_0_is_answered_and_its_connection_closed() -> None:
    """A sender of the old protocol, without Host, gets its answer and then the end of the connection."""
    async with psp() as server:
        got = await said_to(server.base_url, b"POST /payments HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}")
        (exchange,) = server.exchanges
    assert got.endswith(CREATED.body)
    assert exchange.seen == CREATED


async def test_an_offer_of_http_2_is_passed_over() -> None:
    """`Upgrade: h2c`, which Java's client sends with each first request, changes nothing, also on a kept connection."""
    offer = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQBAAAAAAIAAAAA")
    sent = post(b"{}", *offer).replace(b"Connection: close\r\n", b"")
    async with psp() as server, connected(server.base_url) as (reader, writer):
        for _ in range(2):
            writer.write(sent)
            await reader.readuntil(CREATED.body)
        assert [exchange.seen for exchange in server.exchanges] == [CREATED, CREATED]


async def test_head_is_answered_without_a_body() -> None:
    """A client that asks whether anybody is there breaks nothing."""
    async with psp() as server:
        got = await said_to(server.base_url, b"HEAD / HTTP/1.1\r\nHost: psp\r\nConnection: close\r\n\r\n")
        assert server.broken == ()
    assert got.startswith(b"HTTP/1.1 201 ")
    assert got.endswith(b"\r\n\r\n")


# --- what is no request -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(post(b'{"amount":10}')[:-5], id="half a body"),
        pytest.param(post()[:30], id="half a head"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", id="a TLS greeting"),
        pytest.param(b"junk\r\n\r\n", id="junk"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: psp\r\nX: " + b"x" * 100_000, id="a head without end"),
        pytest.param(post(b"{}", b"X-Smuggled: a\rb"), id="a bare CR"),
        pytest.param(post(b"{}", b"Content-Length: 7"), id="two lengths"),
    ],
)
async def test_what_is_no_request_is_kept_as_bytes_and_asks_for_nothing(sent: bytes) -> None:
    """It is recorded without a request, the PSP never hears of it, and the next sender is served."""
    upstream = Upstream()
    async with psp(upstream=upstream) as server:
        async with connected(server.base_url) as (reader, writer):
            writer.write(sent)
            writer.write_eof()
            await reader.read()
        assert upstream.asked == []
        await said_to(server.base_url, post())
        broken, after = server.exchanges
    assert broken.request is None
    assert broken.step is None
    assert sent.startswith(broken.sent)
    assert broken.sent
    assert after.seen == CREATED


async def test_a_body_that_is_too_large_is_refused() -> None:
    """A body of 9 MB is read no further than the bound; the PSP never hears of it, and the server stays up."""
    upstream = Upstream()
    async with psp(upstream=upstream) as server:
        async with connected(server.base_url) as (reader, writer):
            writer.write(post(b"x" * (MAX_BODY + 2**20)))
            with suppress(ConnectionError):  # the server may close while we still send
                await writer.drain()
                await reader.read()
        await until(lambda: server.exchanges and server.exchanges[0].answer)
        assert upstream.asked == []
        assert b" 201 " in await said_to(server.base_url, post())
        large = server.exchanges[0]
    assert large.request is None
    assert large.answer is not None
    assert large.answer.status == 413


async def test_more_connections_than_there_is_room_for_are_closed() -> None:
    """Of 300 connections some are refused at once, which is said; when they are gone, the next one is served."""
    async with psp() as server:
        async with AsyncExitStack() as stack:
            lines = [await stack.enter_async_context(connected(server.base_url)) for _ in range(300)]
            await until(lambda: server.broken and len(server._open) == MAX_CONNECTIONS)
            lines[0][1].write(post())
            assert b" 201 " in await lines[0][0].read()
        await until(lambda: not server._open)
        assert b" 201 " in await said_to(server.base_url, post())


# --- faults -----------------------------------------------------------------------------------------------------------


async def struck(strike: Strike, *, upstream: Any = None) -> tuple[Exchange, bytes | Exception]:
    """The one exchange of a strike, and what its sender saw."""
    async with psp(strike, upstream=upstream) as server:
        saw: bytes | Exception
        try:
            saw = await said_to(server.base_url, post())
        except ConnectionError as error:
            saw = error
        (exchange,) = server.exchanges
        return exchange, saw


async def test_a_lost_answer_is_a_reset_after_the_psp_acted() -> None:
    """The PSP acted and answered; its sender sees a reset connection and not one byte."""
    exchange, saw = await struck(Strike("response-lost", 1))
    assert isinstance(saw, ConnectionResetError)
    assert (exchange.answer, exchange.seen, exchange.received) == (CREATED, None, b"")
    assert exchange.fault == "response-lost"


async def test_a_lost_request_never_reaches_the_psp() -> None:
    """Its sender sees the same reset, and the PSP was never asked."""
    upstream = Upstream()
    exchange, saw = await struck(Strike("request-lost", 1), upstream=upstream)
    assert isinstance(saw, ConnectionResetError)
    assert (exchange.answer, exchange.seen, exchange.received) == (None, None, b"")
    assert upstream.asked == []
    assert exchange.request is not None


async def test_a_truncated_answer_ends_in_the_middle_of_its_body() -> None:
    """Its sender is promised the whole body, gets a part of it, and then the end of the connection."""
    exchange, saw = await struck(Strike("answer-truncated", 1))
    assert isinstance(saw, bytes)
    head, _, body = saw.partition(b"\r\n\r\n")
    assert b"Content-Length: %d" % len(CREATED.body) in head
    assert 0 < len(body) < len(CREATED.body)
    assert exchange.received == saw
    assert (exchange.answer, exchange.seen) == (CREATED, None)


async def test_an_answer_without_a_body_is_truncated_too() -> None:
    """There the head breaks off: what its sender got is never a complete answer."""

    async def empty(_: Request) -> Answer:
        return Answer(200)

    exchange, saw = await struck(Strike("answer-truncated", 1), upstream=empty)
    assert isinstance(saw, bytes)
    assert not saw.endswith(b"\r\n\r\n")
    assert exchange.seen is None


async def test_a_slow_answer_comes_after_the_patience_of_its_sender() -> None:
    """One who waits all the same gets it whole, and not before the time."""
    exchange, saw = await struck(Strike("slow-answer", 1, options={"seconds": 0.05}))
    assert isinstance(saw, bytes)
    assert saw.endswith(CREATED.body)
    assert exchange.seen == CREATED
    assert exchange.ended - exchange.began >= 0.05


@pytest.mark.parametrize("leave", [asyncio.StreamWriter.close, reset], ids=["closes", "resets"])
async def test_who_leaves_before_a_slow_answer_sees_none_of_it(leave: Callable[[asyncio.StreamWriter], None]) -> None:
    """The fault struck, however its sender left; the wait ends with the sender, long before its time."""
    acted = asyncio.Event()

    async def upstream(_: Request) -> Answer:
        acted.set()
        return CREATED

    async with psp(Strike("slow-answer", 1, options={"seconds": 60.0}), upstream=upstream) as server:
        async with connected(server.base_url) as (_, writer):
            writer.write(post())
            await acted.wait()
            leave(writer)
            await until(lambda: server.exchanges[0].fault)
        (exchange,) = server.exchanges
        assert server.broken == ()
    assert (exchange.answer, exchange.seen, exchange.received) == (CREATED, None, b"")
    assert exchange.ended - exchange.began < BOUND


@pytest.mark.parametrize("after", [True, False], ids=["the PSP acted", "the PSP was never asked"])
async def test_a_gateway_answers_instead_of_the_psp(after: bool) -> None:
    """Its sender sees the gateway's status; whether the PSP acted is the case's to say."""
    upstream = Upstream()
    exchange, saw = await struck(Strike("status-answer", 1, options={"status": 503, "after": after}), upstream=upstream)
    assert isinstance(saw, bytes)
    assert saw.startswith(b"HTTP/1.1 503 ")
    assert exchange.seen is not None
    assert exchange.seen.status == 503
    assert exchange.answer == (CREATED if after else None)
    assert len(upstream.asked) == after


async def test_only_the_named_attempts_are_struck() -> None:
    """Attempts are counted by step, over all its connections."""
    async with psp(Strike("response-lost", 1, (2,)), Strike("status-answer", 1, (3,))) as server:
        for attempt in range(1, 5):
            if attempt == 2:
                with pytest.raises(ConnectionResetError):
                    await said_to(server.base_url, post())
            else:
                await said_to(server.base_url, post())
        assert [x.fault for x in server.exchanges] == [None, "response-lost", "status-answer", None]


async def test_a_request_of_another_step_is_not_struck() -> None:
    """A fault strikes the step that it names: a request of nobody's, or of another step, passes."""
    steps = iter([None, 2, 1])
    server = Server(Upstream(), lambda _: (next(steps), None), [Strike("response-lost", 1)], patience=0.02)
    async with server:
        for _ in range(2):
            assert b" 201 " in await said_to(server.base_url, post())
        with pytest.raises(ConnectionResetError):
            await said_to(server.base_url, post())
        assert [x.fault for x in server.exchanges] == [None, None, "response-lost"]


# --- its end ----------------------------------------------------------------------------------------------------------


async def test_it_ends_while_handlers_still_wait() -> None:
    """A PSP that never answers, a sender that never sends and one that waits for a late answer hold nothing up."""

    async def never(_: Request) -> Answer:
        await asyncio.Event().wait()
        raise AssertionError

    async with asyncio.timeout(BOUND), AsyncExitStack() as stack, psp(upstream=never) as server:
        (_, silent), (_, asking) = [await stack.enter_async_context(connected(server.base_url)) for _ in range(2)]
        silent.write(post()[:20])
        asking.write(post())
        await until(lambda: len(server.exchanges) == 2 and any(x.request for x in server.exchanges))
    assert [x.answer for x in server.exchanges] == [None, None]


async def test_nothing_is_recorded_after_its_end() -> None:
    """What arrives when the case is over belongs to no case."""
    async with AsyncExitStack() as stack:
        async with psp() as server:
            reader, writer = await stack.enter_async_context(connected(server.base_url))
        writer.write(post())
        with suppress(ConnectionError):
            assert await reader.read() == b""
    assert server.exchanges == ()


async def test_a_psp_of_ours_that_fails_is_said_and_the_others_go_on() -> None:
    """An error on our side is no finding: it is told, so that the case is errored."""
    failures = [ValueError("no such row")]

    async def failing(_: Request) -> Answer:
        if failures:
            raise failures.pop()
        return CREATED

    async with psp(upstream=failing) as server:
        assert await said_to(server.base_url, post()) == b""
        assert b" 201 " in await said_to(server.base_url, post())
        assert [("no such row" in problem) for problem in server.broken] == [True]


@pytest.mark.parametrize("reads", [True, False])
async def test_who_leaves_an_answer_unread_is_known_to(reads: bool) -> None:
    """Closing with bytes that were never read resets the connection: its sender perhaps saw nothing of the answer."""

    def talk(port: int) -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=BOUND) as line:
            line.sendall(post(b"{}").replace(b"Connection: close\r\n", b""))
            select.select([line], [], [], BOUND)
            if reads:
                line.recv(65_536)

    async with psp() as server:
        await asyncio.to_thread(talk, int(server.base_url.rpartition(":")[2]))
        await until(lambda: not server._open)
        assert [exchange.broken_off for exchange in server.exchanges] == [not reads]
