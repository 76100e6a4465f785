"""The PSP of a client over TLS: real handshakes, of which some are broken off."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from psp_harness import faults
from psp_harness.model import Answer, Request, Strike
from psp_harness.wire import tls
from psp_harness.wire.server import Server
from wire.sockets import BOUND, post, until

pytest.importorskip("trustme", reason="pip install 'psp-harness[tls]'")

CREATED = Answer(201, (), b"{}")
faults.load()


async def created(_: Request) -> Answer:
    """What this PSP says to everything."""
    return CREATED


def psp(*strikes: Strike) -> Server:
    """A server all of whose connections are for step 1."""
    secure = tls.authority().server
    return Server(created, lambda _: (1, "create-payment"), strikes, patience=0.02, secure=secure, asked=lambda: [1])


async def said_to(server: Server, trusted: ssl.SSLContext | None = None) -> bytes:
    """What comes back for one request, up to the end that the server announces."""
    trusted = trusted or ssl.create_default_context(cafile=tls.authority().ca_file)
    port = int(server.base_url.rpartition(":")[2])
    async with asyncio.timeout(BOUND):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusted)
        try:
            writer.write(post().replace(b"Connection: close\r\n", b""))
            return await reader.read()
        finally:
            writer.transport.abort()


async def test_each_request_has_a_connection_of_its_own() -> None:
    """The bytes are those within TLS, and the answer tells that the connection ends."""
    async with psp() as server:
        assert server.base_url.startswith("https://127.0.0.1:")
        answers = [await said_to(server) for _ in range(2)]
        assert all(b"201" in each and b"Connection: close" in each for each in answers)
        assert [x.sent[:15] for x in server.exchanges] == [b"POST /payments "] * 2


@pytest.mark.parametrize(
    ("options", "says"),
    [({}, None), ({"alert": 80}, "ALERT_INTERNAL_ERROR"), ({"alert": 40}, "HANDSHAKE_FAILURE")],
)
async def test_a_handshake_that_is_broken_off_is_an_attempt_that_sent_nothing(
    options: dict[str, int], says: str | None
) -> None:
    """Its sender sees the alert, or the end; the next connection is fine, and its request is the second attempt."""
    async with psp(Strike("handshake-broken", 1, (1,), options), Strike("response-lost", 1, (3,))) as server:
        with pytest.raises((ssl.SSLError, ConnectionError), match=says):
            await said_to(server)
        assert b"201" in await said_to(server)
        with pytest.raises(ConnectionError):
            await said_to(server)
        first, second, third = server.exchanges
    assert (first.request, first.step, first.fault) == (None, 1, "handshake-broken")
    assert (second.step, second.fault) == (1, None)
    assert third.fault == "response-lost"


async def test_whoever_trusts_somebody_else_sends_nothing() -> None:
    """That is no failure of the server's, and leaves no exchange."""
    async with psp() as server:
        with pytest.raises(ssl.SSLCertVerificationError):
            await said_to(server, ssl.create_default_context())
        await until(lambda: not server._open)
        assert (server.broken, server.exchanges) == ((), ())


async def test_what_is_no_hello_ends_its_connection() -> None:
    """Plain HTTP on a port for TLS is nothing that anybody could answer."""
    async with psp(Strike("handshake-broken", 1)) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(server.base_url.rpartition(":")[2]))
        writer.write(b"POST")
        writer.write_eof()
        async with asyncio.timeout(BOUND):
            assert await reader.read() == b""
        writer.close()
        assert server.broken == ()


def test_no_private_key_is_in_a_file() -> None:
    """What is written down is what a client is to trust, once for all runs of a process."""
    file = Path(tls.authority().ca_file)
    assert tls.authority() is tls.authority()
    assert [each.name for each in file.parent.iterdir()] == [file.name]
    assert "PRIVATE KEY" not in file.read_text(encoding="ascii")
