"""TLS in front of a client: an authority that lives as long as this process, and handshakes that are broken off.

What it signs is trusted by whoever is told its file, and by nobody else. Its private key is in no file; that of the
certificate is, for as long as OpenSSL takes to read it.
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import importlib.util
import shutil
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path

FAULT = "handshake-broken"
"""The one fault that strikes a connection before it carries a request."""

HANDSHAKE_SECONDS = 10.0
"""What a handshake may take; past it, its connection is closed."""

READ_BY: tuple[str, ...] = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
"""Where programs look for authorities: OpenSSL (and Go, Ruby, PHP, .NET), Python's requests, Node."""

_RECORD = 5
"""Bytes before what a TLS record carries; the last two are its length (RFC 8446 section 5.1)."""
_ALERT = bytes([21, 3, 3, 0, 2, 2])
"""A record with a fatal alert, but for its number (RFC 8446 sections 5.1 and 6)."""


@dataclass(frozen=True, slots=True)
class Authority:
    """Somebody who vouches for the loopback address."""

    ca_file: str
    """PEM: what a client is to trust."""
    server: ssl.SSLContext
    """What a server shows."""

    @property
    def environment(self) -> dict[str, str]:
        """For a process that is to trust it without being told in its own words."""
        return dict.fromkeys(READ_BY, self.ca_file)


def can_be_spoken() -> bool:
    """What makes certificates is installed: the extra `tls`."""
    return importlib.util.find_spec("trustme") is not None


@functools.cache
def authority() -> Authority:
    """One for all runs of this process; made when it is first asked for. Raises `ImportError` without the extra."""
    import trustme

    ca = trustme.CA()
    folder = tempfile.mkdtemp(prefix="psp-harness-ca-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = Path(folder) / "ca.pem"
    file.write_bytes(ca.cert_pem.bytes())
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("127.0.0.1", "localhost").configure_cert(server)
    return Authority(str(file), server)


async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, alert: int | None) -> None:
    """Take the client's hello, and answer it with a fatal alert of this number, or hang up without a word."""
    async with asyncio.timeout(HANDSHAKE_SECONDS):
        head = await reader.readexactly(_RECORD)
        await reader.readexactly(int.from_bytes(head[3:]))
        if alert is not None:
            writer.write(_ALERT + bytes([alert]))
            await writer.drain()
