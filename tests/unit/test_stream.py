"""Servers that drip, swell or never end, before every kind of question."""

import contextlib
import gzip
import math
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.exchange import connect
from support.memory import memory_below
from support.raw_server import Answer, RawServer, reply, stalling_after
from support.self_signed import certificate, server_context
from webui.errors import (
    WebUIConnectionError,
    WebUILateError,
    WebUINotFoundError,
    WebUIResponseError,
    WebUIServerError,
    WebUITimeoutError,
)
from webui.http import client, diagnosis, stream, wires
from webui.http.address import parse_address
from webui.http.client import WebUIClient
from webui.http.endpoints import Endpoint
from webui.http.settings import Settings


@contextmanager
def answering(answer: Answer) -> Iterator[WebUIClient]:
    with RawServer(answer) as server, connect(server.base_url) as there:
        yield there


def dripping(begun: bytes, drop: bytes = b" ") -> Answer:
    """An answer that begins so and goes on for ever, a little at a time."""

    def answer(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection.sendall(begun)
            while True:
                time.sleep(0.02)
                connection.sendall(drop)

    return answer


HEADERS = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
DRIPPING = {
    "a body": dripping(reply("[", length=10_000_000)),
    "a body without length": dripping(HEADERS + b"\r\n["),
    "the size of a chunk": dripping(HEADERS + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x"),
    "headers": dripping(HEADERS + b"X-Header: ", b"x"),
    "a status": dripping(b"HTTP/1.1 200 O", b"K"),
    "continue": dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}
DRIPPING_ERRORS = {
    "an error": dripping(reply("{", length=10_000, status="500 Oh")),
    "a redirect": dripping(reply("{", "Location: /there", length=10_000, status="302 Found")),
}


@pytest.mark.parametrize("answer", DRIPPING.values(), ids=DRIPPING)
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_lookup_has_its_time_in_all_however_a_server_drips(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: Answer, tls: bool
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate(tmp_path)))
    monkeypatch.setattr(client, "LOOKUP_PATIENCE", 0.1)
    monkeypatch.setattr(client, "LOOKUP_TIMEOUT", 0.1)
    with (
        RawServer(answer, server_context(tmp_path) if tls else None) as server,
        connect(server.base_url) as there,
    ):
        begun = time.monotonic()
        with pytest.raises(WebUILateError):
            there.schema()
        with pytest.raises(WebUITimeoutError):
            there.options()
        assert time.monotonic() - begun < 1


@pytest.mark.parametrize("answer", DRIPPING_ERRORS.values(), ids=DRIPPING_ERRORS)
def test_an_error_is_told_though_its_body_never_ends(
    monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    monkeypatch.setattr(client, "LOOKUP_TIMEOUT", 0.2)
    with answering(answer) as there:
        begun = time.monotonic()
        for ask in (
            there.sd_models,
            lambda: there.generate(Endpoint.TXT2IMG, {}, timeout=5, largest=1 << 20),
        ):
            with pytest.raises((WebUIServerError, WebUINotFoundError)):
                ask()
        assert there.entries(Endpoint.LORAS) is None
        assert time.monotonic() - begun < 1


def test_a_tls_handshake_that_never_ends_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "LOOKUP_PATIENCE", 0.2)
    # The start of a handshake record of 16,000 bytes.
    answer = dripping(b"\x16\x03\x03\x3e\x80\x02\x00\x3e\x7c", b"\x03")
    with (
        RawServer(answer) as server,
        connect(server.base_url.replace("http:", "https:")) as there,
    ):
        begun = time.monotonic()
        with pytest.raises(WebUILateError):
            there.schema()
        assert time.monotonic() - begun < 1


@pytest.mark.parametrize("ends", ["in time", "by another thread"])
def test_a_name_server_that_says_nothing_is_left(
    monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(20))
    monkeypatch.setattr(client, "LOOKUP_PATIENCE", 0.3 if ends == "in time" else 10)
    with connect("http://gpu.example:7860") as there:
        if ends == "by another thread":
            threading.Timer(0.3, there.abort).start()
        begun = time.monotonic()
        with pytest.raises(WebUIConnectionError) as caught:
            there.schema()
    over.set()
    assert time.monotonic() - begun < 5
    if ends == "in time":
        assert "The name gpu.example does not resolve" in str(caught.value)


def test_a_name_is_looked_up_once_for_what_the_machine_can_reach_and_each_address_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    look_up, asked = socket.getaddrinfo, []

    def noted(host: str, port: int, *how: int) -> list[Any]:
        if not host.startswith("gpu"):
            return look_up(host, port, *how)
        asked.append((host, *how))
        return [one for n in (2, 1) for one in look_up(f"127.0.0.{n}", port, *how)]

    monkeypatch.setattr(socket, "getaddrinfo", noted)
    monkeypatch.setattr("urllib3.util.connection.HAS_IPV6", False)
    with RawServer(reply("{}")) as server, connect(f"http://gpu.example.:{server.port}") as there:
        assert there.schema() == {}
    assert asked == [("gpu.example.", socket.AF_INET, socket.SOCK_STREAM)]


def test_no_lookup_is_waited_for_beyond_its_callers_time() -> None:
    with RawServer(stalling_after(b"")) as server:
        settings = Settings(parse_address(server.base_url))
        with WebUIClient(settings, until=time.monotonic() + 0.3) as there:
            begun = time.monotonic()
            for _ in range(3):
                assert there.memory() is None
                with pytest.raises(WebUILateError):
                    there.entries(Endpoint.LORAS)
                with pytest.raises(WebUITimeoutError):
                    there.options()
            assert time.monotonic() - begun < 1
    assert len(server.requests) == 1


def test_a_small_packed_lookup_that_becomes_large_is_refused_unheld() -> None:
    packed = gzip.compress(b"[" + b" " * (32 << 20) + b"]")
    with answering(reply(packed, "Content-Encoding: gzip")) as there, memory_below(24 << 20):
        assert there.entries(Endpoint.SAMPLERS) is None
        with pytest.raises(WebUIResponseError, match="is larger than 16 MiB"):
            there.sd_models()


def test_an_error_of_any_size_is_told() -> None:
    packed = gzip.compress(b" " * (16 << 20))
    answer = reply(packed, "Content-Encoding: gzip", status="500 Oh")
    with answering(answer) as there, memory_below(8 << 20), pytest.raises(WebUIServerError):
        there.sd_models()


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize(
    "begun", [b"", HEADERS, HEADERS + b"\r\n[", reply("[", length=1000)],
    ids=["silence", "headers", "a body without length", "a body"],
)  # fmt: skip
def test_whoever_waits_on_a_client_is_freed_when_it_is_aborted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, begun: bytes, tls: bool
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate(tmp_path)))

    def answer(connection: socket.socket) -> None:
        connection.sendall(begun)
        threading.Timer(0.05, there.abort).start()
        connection.recv(1)

    with (
        RawServer(answer, server_context(tmp_path) if tls else None) as server,
        connect(server.base_url) as there,
    ):
        began = time.monotonic()
        for _ in range(3):
            with pytest.raises(WebUIConnectionError) as caught:
                there.options()
            assert not isinstance(caught.value, WebUITimeoutError)
        assert time.monotonic() - began < 1
    assert len(server.requests) == 1


def read(answer: Answer, *, until: float = math.inf, most: float = math.inf) -> list[bytes]:
    """The pieces of an answer, as anybody may fetch them."""
    with (
        RawServer(answer) as server,
        wires.Session() as session,
        session.get(server.base_url, stream=True, timeout=10) as response,
    ):
        return list(stream.pieces(response, most=most, until=until))


@pytest.mark.parametrize(
    ("pack", "encoding"),
    [(bytes, "identity"), (gzip.compress, "gzip"), (gzip.compress, "X-GZIP"),
     (zlib.compress, "deflate")],
)  # fmt: skip
def test_a_body_comes_unpacked_in_pieces(pack: Callable[[bytes], bytes], encoding: str) -> None:
    body = bytes(range(256)) * 2000
    pieces = read(reply(pack(body), f"Content-Encoding: {encoding}"))
    assert b"".join(pieces) == body
    assert max(map(len, pieces)) <= 65536


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (reply(b"x" * (2 << 20)), "is larger than 1 MiB"),
        (reply(b"x", "Content-Encoding: br"), "is encoded as 'br'"),
        (reply(b"x", "Content-Encoding: gzip, gzip"), "is encoded as 'gzip, gzip'"),
        (reply(b"nonsense", "Content-Encoding: gzip"), "is not compressed as it says"),
    ],
)
def test_a_body_that_cannot_be_used_says_why(answer: bytes, words: str) -> None:
    with pytest.raises(stream.BodyError, match=words):
        read(answer, most=1 << 20)


def test_a_body_that_drips_ends_in_time_without_a_client() -> None:
    with pytest.raises(diagnosis.Broken):
        read(dripping(reply("[", length=10_000_000)), until=time.monotonic() + 0.3)


def test_of_forty_megabytes_of_loras_the_names_are_kept() -> None:
    one = '{"name": "%d", "alias": "a%d", "metadata": {"name": "no", "tags": ["' + "x" * 1_000_000
    many = ", ".join(one % (n, n) + '"]}, "path": null, "aliases": ["no"]}' for n in range(40))
    with answering(reply(f"[{many}]")) as there, memory_below(20 << 20):
        found = there.entries(Endpoint.LORAS)
    assert found[39] == {"name": "39", "alias": "a39", "path": None}
    assert len(found) == 40


@pytest.mark.parametrize("odd", ["5", '"x"', "{}", "[1", "[" * 200 + "]" * 200, "nothing"])
def test_loras_that_are_no_list_are_not_offered(odd: str) -> None:
    with answering(reply(odd)) as there:
        assert there.entries(Endpoint.LORAS) is None
