"""Servers at their worst, and a process whose every word is kept."""

import base64
import json
import re
import socket
import struct
import time
import zlib
from collections.abc import Mapping
from typing import override
from urllib.parse import quote, urlsplit

from devtools.host import PluginProcess
from support.dify_files import picture
from support.raw_server import Answer, RawServer, reply

USERNAME, SECRET = "ann", 'Tr0ub4dor&"ü'
SPELLINGS = [
    SECRET,
    quote(SECRET, safe=""),
    quote(SECRET, safe="").lower().replace("tr0", "Tr0"),
    json.dumps(SECRET)[1:-1],
    base64.b64encode(f"{USERNAME}:{SECRET}".encode()).decode(),
    base64.b64encode(SECRET.encode()).decode(),
]
# Beginnings count too: half a password is one.
TRACES = [SECRET[:5], "YW5uOlRyMHVi", "VHIwdWI0"]
MARKUP = "\x1b[31mred <script>alert(1)</script> [click](http://evil.example/) <img src=x>"
HALF = "half \ud83d of one"
# What a malicious or careless server repeats; the cut at any length may fall into a password.
ECHO = " ".join([*SPELLINGS, MARKUP, *(f"{'x' * n} {SECRET}" for n in range(19))])


def said(status: str, detail: object = ECHO, *headers: str) -> bytes:
    """An error in the servers' own form."""
    return reply(json.dumps({"error": "Fault", "detail": detail}), *headers, status=status)


def page(status: str, *headers: str) -> bytes:
    """An error as a proxy words it."""
    html = f"<html><head><title>{status}</title></head><body>{ECHO}</body></html>"
    return reply(html, *headers, status=status, content_type="text/html")


def told(value: object) -> bytes:
    return reply(json.dumps(value))


_SHOWN = base64.b64encode(picture(64, 64)).decode()


def drawn(info: object = None, *images: object, raw: bytes = b"") -> bytes:
    """A finished job; `raw` stands in the place of `info`, which is JSON inside of JSON."""
    account = raw or json.dumps(info if isinstance(info, str) else json.dumps(info or {})).encode()
    begun = json.dumps({"images": images or [_SHOWN], "parameters": {}}).encode()[:-1]
    return reply(begun + b', "info": ' + account + b"}")


def nested(levels: int, opening: bytes = b"[", closing: bytes = b"]") -> bytes:
    return opening * levels + closing * levels


def bomb(megabytes: int, begun: bytes = b"[") -> Answer:
    """So much of blanks, gzipped, whether or not that was asked for."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    head = deflate.compress(begun) + deflate.flush(zlib.Z_FULL_FLUSH)
    # After a full flush nothing refers to what came before, so the same bytes may come again.
    blanks = deflate.compress(b" " * (1 << 20)) + deflate.flush(zlib.Z_FULL_FLUSH)
    return reply(head + blanks * megabytes, "Content-Encoding: gzip")


def flood(begun: bytes, piece: bytes, times: int, end: bytes = b"") -> Answer:
    """A long reply that is never whole in this process's memory."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(reply(begun, length=len(begun) + len(piece) * times + len(end)))
        for _ in range(times):
            connection.sendall(piece)
        connection.sendall(end)

    return answer


def dripping(content: bytes, seconds: float = 40.0) -> Answer:
    """The head at once, the rest at some bytes a second."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(reply(content, length=4096))
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            connection.sendall(b" ")
            time.sleep(0.1)

    return answer


def after(seconds: float, answer: bytes) -> Answer:
    def late(connection: socket.socket) -> None:
        time.sleep(seconds)
        connection.sendall(answer)

    return late


def silence(connection: socket.socket) -> None:
    connection.recv(1)


def reset_after(begun: bytes) -> Answer:
    """An answer that begins so and is torn off."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(begun)
        time.sleep(0.02)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    return answer


class HostileServer(RawServer):
    """A stand-in's equal but for the paths in `faults`.

    deaf: from the moment that a job comes in, no new connection is taken.
    """

    def __init__(self, behind: str, faults: Mapping[str, Answer], *, deaf: bool = False) -> None:
        super().__init__(b"")
        self._behind = (urlsplit(behind).hostname, urlsplit(behind).port)
        self._faults, self._deaf = faults, deaf
        # Whoever leaves a connection open shall not hold the test.
        self._server.daemon_threads = True

    @override
    def answer_to(self, request: bytes) -> Answer:
        path = re.split(rb"[ ?]", request, maxsplit=2)[1].decode() if b" " in request else ""
        if self._deaf and path.endswith("2img"):
            self._server.shutdown()
            self._server.server_close()
        return self._faults.get(path, lambda connection: self._pass_on(request, connection))

    def _pass_on(self, request: bytes, connection: socket.socket) -> None:
        with socket.create_connection(self._behind) as healthy:
            healthy.sendall(request.replace(b"keep-alive", b"close", 1))
            while received := healthy.recv(1 << 16):
                connection.sendall(received)


class Watched(PluginProcess):
    """The plugin's process; `written` is all that it wrote, log lines included."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        super().__init__(environment=environment)
        self.written = bytearray()

    @override
    def _receive(self, line: bytes) -> None:
        self.written += line
        super()._receive(line)

    @override
    def _keep_stderr(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.written += line
