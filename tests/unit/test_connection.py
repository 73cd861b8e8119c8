"""Each way a connection fails, over real sockets where there is one."""

import json
import socket
import struct
import warnings
from contextlib import ExitStack
from pathlib import Path

import pytest
from urllib3.exceptions import InsecureRequestWarning

from support.exchange import connect, failure
from support.raw_server import Answer, RawServer, free_port, reply, stalling_after
from support.self_signed import certificate, server_context
from webui.errors import WebUICertificateError, WebUIConnectionError, WebUITimeoutError
from webui.http import client

OPTIONS = '{"sd_model_checkpoint": "dream", "samples_format": "png"}'


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def reset(connection: socket.socket) -> None:
    """Begin a reply and drop the connection without a goodbye."""
    connection.sendall(reply(OPTIONS, length=1000))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


BROKEN_OFF: dict[str, Answer] = {
    "too short": reply(OPTIONS, length=1000),
    "in a chunk": CHUNKED + b"ff\r\n{",
    "between chunks": CHUNKED + b"1\r\n{\r\n",
    "no chunk": CHUNKED + b"zz\r\n{",
    "reset": reset,
    "in the headers": b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nContent-Ty",
}


def assert_says(error: Exception, kind: type[Exception], *words: str) -> None:
    assert type(error) is kind
    assert [word for word in words if word not in str(error)] == []


def test_a_proxy_that_is_down_is_named_as_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://me:hunter2@127.0.0.1:{free_port()}")
    error = failure("http://gpu.example:7860")
    assert_says(error, WebUIConnectionError, "The HTTP proxy", "could not reach http://gpu.example")
    assert getattr(error, "caller_setting", None) == "no_proxy"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_refused_connection_to_this_machine_explains_docker(host: str) -> None:
    port = free_port()
    assert_says(
        failure(f"http://{host}:{port}"),
        WebUIConnectionError,
        f"nothing listens on port {port}",
        f"Inside Docker, {host} is the container itself: use http://host.docker.internal:{port}.",
    )


def test_a_name_that_does_not_resolve_is_said_to() -> None:
    words = "The name gpu.invalid does not resolve. Check the spelling"
    assert_says(failure("http://gpu.invalid:7860"), WebUIConnectionError, words)


def test_a_connection_that_nobody_accepts_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "CONNECT_TIMEOUT", 0.3)
    with ExitStack() as held, socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        fill(listener, held)
        error = failure(f"http://127.0.0.1:{listener.getsockname()[1]}")
    assert_says(error, WebUITimeoutError, "did not accept a connection in time", "firewall")


def fill(listener: socket.socket, held: ExitStack) -> None:
    """Take every place in the queue of a listener that accepts nobody."""
    for _ in range(100):
        waiting = held.enter_context(socket.socket())
        waiting.settimeout(0.2)
        try:
            waiting.connect(listener.getsockname())
        except TimeoutError:
            return
    raise AssertionError("The queue of the listener has no end.")


@pytest.mark.parametrize("begun", [b"", reply(OPTIONS, length=1000)], ids=["silence", "half"])
def test_a_server_that_does_not_finish_its_answer_times_out(
    monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(client, "LOOKUP_TIMEOUT", 0.3)
    with RawServer(stalling_after(begun)) as server:
        error = failure(server.base_url)
    assert_says(error, WebUITimeoutError, "accepted the request but did not answer in time")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "closed the connection without an answer. Did the WebUI crash or restart? "
         "If it speaks TLS, write https:// instead."),
        *((answer, "broke off the connection in the middle of a reply. Did the WebUI stop, or "
           "did a proxy's time end?") for answer in BROKEN_OFF.values()),
        *((answer, "does not answer with HTTP. Check host and port. If it speaks TLS, write https")
          for answer in (b"SSH-2.0-OpenSSH_9.6\r\n", b"\0\0\0\0", b"220 mail\r\n",
                         b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000)),
    ],
    ids=["hang up", *BROKEN_OFF, "SSH", "zeros", "mail", "endless header"],
)  # fmt: skip
def test_an_answer_that_is_not_whole_or_not_http_is_a_failed_connection(
    answer: Answer, words: str
) -> None:
    with RawServer(answer) as server:
        assert_says(failure(server.base_url), WebUIConnectionError, words)


def test_the_wrong_scheme_is_told_with_the_right_one(tmp_path: Path) -> None:
    with RawServer(reply(OPTIONS), tls=server_context(tmp_path)) as server:
        error = failure(server.base_url.replace("https", "http"))
    assert_says(error, WebUIConnectionError, "write https:// instead")
    with RawServer(reply("", status="400 Bad Request")) as server:
        error = failure(server.base_url.replace("http", "https"))
    assert_says(error, WebUIConnectionError, "does not answer with TLS", "use http://")


def test_a_certificate_nobody_vouches_for_is_refused_with_the_reason(tmp_path: Path) -> None:
    with RawServer(reply(OPTIONS), tls=server_context(tmp_path)) as server:
        error = failure(server.base_url)
    assert_says(error, WebUICertificateError, "self-signed certificate", "turn off verify_tls")
    assert server.requests == []


@pytest.mark.parametrize(
    ("variable", "verify_tls"),
    [("REQUESTS_CA_BUNDLE", True), ("CURL_CA_BUNDLE", True), ("REQUESTS_CA_BUNDLE", False)],
)
def test_a_certificate_is_trusted_by_the_environments_bundle_or_with_verify_tls_off(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, verify_tls: bool
) -> None:
    bundle = certificate(tmp_path) if verify_tls else tmp_path / "missing.pem"
    monkeypatch.setenv(variable, str(bundle))
    with (
        RawServer(reply(OPTIONS), tls=server_context(tmp_path)) as server,
        connect(server.base_url, verify_tls=verify_tls) as there,
        warnings.catch_warnings(action="ignore", category=InsecureRequestWarning),
    ):
        assert there.options() == json.loads(OPTIONS)


def test_a_bundle_that_is_missing_is_told_by_its_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/missing.pem")
    assert_says(failure("https://127.0.0.1:1"), WebUICertificateError, "/missing.pem")
