"""Clients that are right and unusual, each in one way; and some that are wrong in a way that is easily missed."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any

from psp_harness.miniatures.clients import CarefulClient, Params, Reply, Said
from psp_harness.model import Answer

KeyLines = Sequence[tuple[str, bytes]]


class Raw(CarefulClient):
    """Writes its requests itself."""

    features = tuple(each for each in CarefulClient.features if each != "tls")
    version = "1.1"
    key_name = "Idempotency-Key"
    more: tuple[str, ...] = ("Connection: close",)

    def target(self, path: str) -> str:
        return path

    def lines(self, path: str, key_lines: KeyLines, length: int) -> list[bytes]:
        lines = [f"POST {self.target(path)} HTTP/{self.version}", f"Host: {self.url.netloc}"]
        lines += [f"authorization: Bearer {self.token}", f"Content-Length: {length}", *self.more]
        return [*(line.encode() for line in lines), *(self.key_line(value) for _, value in key_lines)]

    def key_line(self, value: bytes) -> bytes:
        return self.key_name.encode() + b": " + value

    def speak(self, line: socket.socket, path: str, key_lines: KeyLines, body: bytes) -> None:
        line.sendall(b"\r\n".join(self.lines(path, key_lines, len(body))) + b"\r\n\r\n" + body)

    def send(self, path: str, key_lines: KeyLines, body: bytes) -> Reply:
        try:
            with socket.create_connection((self.url.hostname, self.url.port), timeout=self.timeout) as line:
                self.speak(line, path, key_lines, body)
                return self.hear(line)
        except (OSError, HTTPException):
            return None

    def hear(self, line: socket.socket) -> Reply:
        response = HTTPResponse(line, method="POST")
        response.begin()
        return Answer(response.status, (), response.read())


class Http10(Raw):
    """Speaks HTTP/1.0, and sends no Host."""

    version = "1.0"

    def lines(self, path: str, key_lines: KeyLines, length: int) -> list[bytes]:
        first, _, *rest = super().lines(path, key_lines, length)
        return [first, *rest]


class LowerCase(Raw):
    """Writes its header names in lower case, as HTTP/2 would have them."""

    key_name = "idempotency-key"


class Padded(Raw):
    """Leaves white space around the key, which is no part of it (RFC 9110 §5.5)."""

    def key_line(self, value: bytes) -> bytes:
        return b"Idempotency-Key:\t  " + value + b" \t"


class Chunked(Raw):
    """Sends its body in chunks."""

    def speak(self, line: socket.socket, path: str, key_lines: KeyLines, body: bytes) -> None:
        head = [each for each in self.lines(path, key_lines, 0) if not each.startswith(b"Content-Length")]
        line.sendall(b"\r\n".join([*head, b"Transfer-Encoding: chunked"]) + b"\r\n\r\n")
        for start in range(0, len(body), 7):
            line.sendall(b"%x\r\n%b\r\n" % (len(body[start : start + 7]), body[start : start + 7]))
        line.sendall(b"0\r\n\r\n")


class Continue(Raw):
    """Asks to be told to go on before it sends its body, and waits for that."""

    more = ("Connection: close", "Expect: 100-continue")

    def speak(self, line: socket.socket, path: str, key_lines: KeyLines, body: bytes) -> None:
        line.sendall(b"\r\n".join(self.lines(path, key_lines, len(body))) + b"\r\n\r\n")
        told = b""
        while not told.endswith(b"\r\n\r\n"):
            got = line.recv(1)
            if not got:
                raise ConnectionResetError
            told += got
        line.sendall(body)


class ByteByByte(Raw):
    """Sends every byte on its own."""

    def speak(self, line: socket.socket, path: str, key_lines: KeyLines, body: bytes) -> None:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"\r\n".join(self.lines(path, key_lines, len(body))) + b"\r\n\r\n" + body:
            line.sendall(bytes([byte]))


class OffersHttp2(Raw):
    """Offers to go on in HTTP/2 with each request, as Java's client does."""

    more = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQBAAAAAAIAAAAA")


class WithAQuery(Raw):
    """Puts a query behind the path."""

    def target(self, path: str) -> str:
        return f"{path}?trace=1"


class AsToAProxy(Raw):
    """Writes the whole URL where others write the path."""

    def target(self, path: str) -> str:
        return f"http://{self.url.netloc}{path}"


class KeepsItsConnection(CarefulClient):
    """Keeps one connection for all its calls, and opens another one when that is broken."""

    line: HTTPConnection | None = None

    def send(self, path: str, key_lines: KeyLines, body: bytes) -> Reply:
        self.line = self.line or self._connection()
        try:
            self.line.request("POST", path, body, {"Authorization": f"Bearer {self.token}", **self.keys(key_lines)})
            answer = self.line.getresponse()
            return Answer(answer.status, (), answer.read())
        except (OSError, HTTPException):
            self.line.close()
            self.line = None
            return None

    def keys(self, key_lines: KeyLines) -> dict[str, Any]:
        return dict(key_lines)

    def stop(self) -> Said:
        if self.line is not None:
            self.line.close()
        return super().stop()


class LooksAround(KeepsItsConnection):
    """Asks whether anybody is there with HEAD and OPTIONS, and reads what it has paid, key line and all."""

    features = Raw.features

    def send(self, path: str, key_lines: KeyLines, body: bytes) -> Reply:
        for method, where in (("HEAD", "/"), ("OPTIONS", "*"), ("GET", "/payments/none")):
            line = self._connection()
            line.request(method, where, headers={"Authorization": f"Bearer {self.token}", **self.keys(key_lines)})
            line.getresponse().read()
            line.close()
        return super().send(path, key_lines, body)


class ResetsWhenItTiresOfWaiting(Raw):
    """Breaks its connection off with RST where an answer takes too long."""

    def send(self, path: str, key_lines: KeyLines, body: bytes) -> Reply:
        line = socket.create_connection((self.url.hostname, self.url.port), timeout=self.timeout)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        try:
            self.speak(line, path, key_lines, body)
            return self.hear(line)
        except (OSError, HTTPException):
            return None
        finally:
            line.close()


class WritesItsJsonOtherwise(CarefulClient):
    """Sends its members in another order, spread over lines, with escapes where none are needed."""

    def body(self, step: str, params: Params, attempt: int) -> bytes:
        plain = json.loads(super().body(step, params, attempt))
        return json.dumps(dict(reversed(plain.items())), indent=4).replace("reference", "\\u0072eference").encode()


RIGHT = (
    Raw, Http10, LowerCase, Padded, Chunked, Continue, ByteByByte, OffersHttp2, WithAQuery, AsToAProxy,
    KeepsItsConnection, LooksAround, ResetsWhenItTiresOfWaiting, WritesItsJsonOtherwise,
)  # fmt: skip


# --- wrong ------------------------------------------------------------------------------------------------------------


class SwapsKeys(CarefulClient):
    """Sends each of two payments that are made at once with the key of the other."""

    def start(self, **options: Any) -> Said:
        self.there = threading.Barrier(2)
        self.given: dict[int, str] = {}
        return super().start(**options)

    def do(self, step: str, params: Params) -> Said:
        mine = int(str(params["amount"]))
        self.given[mine] = str(params["key"])
        self.there.wait(10)
        (other,) = (key for amount, key in self.given.items() if amount != mine)
        return super().do(step, {**params, "key": other})


class AmountsAsFloats(CarefulClient):
    """Sends 6540 as 6540.0, which is the same number and not what the contract asks for."""

    def body(self, step: str, params: Params, attempt: int) -> bytes:
        return super().body(step, {**params, "amount": float(str(params["amount"]))}, attempt)


class Forgetful(CarefulClient):
    """Reports success without having sent anything."""

    def send(self, path: str, key_lines: KeyLines, body: bytes) -> Reply:
        return Answer(201, (), b'{"id": "pay_made_up", "status": "succeeded"}')


class FiresAndForgets(Raw):
    """Sends its request, does not wait for the answer, and reports success."""

    def send(self, path: str, key_lines: KeyLines, body: bytes) -> Reply:
        with socket.create_connection((self.url.hostname, self.url.port), timeout=self.timeout) as line:
            self.speak(line, path, key_lines, body)
        return Answer(201, (), b'{"id": "pay_made_up", "status": "succeeded"}')


class GoesOnAfterwards(CarefulClient):
    """Reports that it does not know, and sends once more behind its caller's back with a key of its own."""

    features = ("caller-keys", "refunds", "parallel")
    more_attempts = 0

    def send(self, path: str, key_lines: KeyLines, body: bytes) -> Reply:
        reply = super().send(path, key_lines, body)
        if reply is None:
            again = [(name, value + b"-again") for name, value in key_lines]
            threading.Thread(target=super().send, args=(path, again, body), daemon=True).start()
        return reply

    def stop(self) -> Said:
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline and any(
            each.daemon and "send" in each.name for each in threading.enumerate()
        ):
            time.sleep(0.005)
        return super().stop()
