"""Each way a connection fails, over real sockets where there is one."""

import json
import socket
import warnings
from contextlib import ExitStack
from pathlib import Path

import pytest
from urllib3.exceptions import InsecureRequestWarning

from support.exchange import connect, failure
from support.raw_server import RawServer, free_port, reply
from support.self_signed import certificate, server_context
from webui.errors import (
    WebUICertificateError,
    WebUIConnectionError,
    WebUIResponseError,
    WebUITimeoutError,
)
from webui.http import client

OPTIONS = '{"sd_model_checkpoint": "dream", "samples_format": "png"}'


def test_a_proxy_that_is_down_is_named_as_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://me:hunter2@127.0.0.1:{free_port()}")
    error = failure("http://gpu.example:7860")
    assert type(error) is WebUIConnectionError
    assert "The HTTP proxy of the plugin's environment could not reach" in str(error)
    assert "Add gpu.example to NO_PROXY" in str(error)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_refused_connection_to_this_machine_explains_docker(host: str) -> None:
    port = free_port()
    error = failure(f"http://{host}:{port}")
    assert type(error) is WebUIConnectionError
    assert f"nothing listens on port {port}" in str(error)
    assert f"Inside Docker, {host} is the container itself: use" in str(error)
    assert f"http://host.docker.internal:{port}, and start the WebUI with --listen" in str(error)


def test_a_name_that_does_not_resolve_is_said_to() -> None:
    error = failure("http://gpu.invalid:7860")
    assert type(error) is WebUIConnectionError
    assert "The name gpu.invalid does not resolve. Check the spelling" in str(error)


@pytest.mark.parametrize(
    "host", ["gpu\x00", "a..b", "*", pytest.param("a" * 64, id="long label"), "x." * 150 + "x"]
)
def test_a_host_that_no_name_can_be_is_said_to(host: str) -> None:
    error = failure(f"http://{host}:7860")
    assert not isinstance(error, WebUIResponseError)
    assert host in str(error)


def test_a_connection_that_nobody_accepts_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "CONNECT_TIMEOUT", 0.3)
    with ExitStack() as held, socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        fill(listener, held)
        error = failure(f"http://127.0.0.1:{listener.getsockname()[1]}")
    assert type(error) is WebUITimeoutError
    assert "did not accept a connection in time" in str(error)
    assert "firewall" in str(error)


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
    def stall(connection: socket.socket) -> None:
        connection.sendall(begun)
        connection.recv(1)

    monkeypatch.setattr(client, "LOOKUP_TIMEOUT", 0.3)
    with RawServer(stall) as server:
        error = failure(server.base_url)
    assert type(error) is WebUITimeoutError
    assert "accepted the request but did not answer in time" in str(error)


def test_a_server_that_hangs_up_is_said_to_have_closed() -> None:
    with RawServer(b"") as server:
        error = failure(server.base_url)
    assert type(error) is WebUIConnectionError
    assert "closed the connection without an answer" in str(error)
    assert "If it speaks TLS, write https:// instead." in str(error)


def test_an_answer_that_breaks_off_is_said_to() -> None:
    with RawServer(reply(OPTIONS, length=1000)) as server:
        error = failure(server.base_url)
    assert type(error) is WebUIConnectionError
    assert "broke off the connection in the middle of a reply" in str(error)


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH_9.6\r\n", b"\0\0\0\0", b"220 mail\r\n"])
def test_a_server_that_does_not_speak_http_is_a_failed_connection(answer: bytes) -> None:
    with RawServer(answer) as server:
        assert type(failure(server.base_url)) is WebUIConnectionError


def test_plain_http_to_a_tls_port_hints_at_https(tmp_path: Path) -> None:
    with RawServer(reply(OPTIONS), tls=server_context(tmp_path)) as server:
        error = failure(server.base_url.replace("https", "http"))
    assert type(error) is WebUIConnectionError
    assert "write https:// instead" in str(error)


def test_tls_to_a_plain_port_hints_at_http() -> None:
    with RawServer(reply("", status="400 Bad Request")) as server:
        error = failure(server.base_url.replace("http", "https"))
    assert type(error) is WebUIConnectionError
    assert "does not answer with TLS" in str(error)
    assert "use http://" in str(error)


def test_a_certificate_nobody_vouches_for_is_refused_with_the_reason(tmp_path: Path) -> None:
    with RawServer(reply(OPTIONS), tls=server_context(tmp_path)) as server:
        error = failure(server.base_url)
    assert type(error) is WebUICertificateError
    assert "self-signed certificate" in str(error)
    assert "turn off verify_tls" in str(error)
    assert server.requests == []


@pytest.mark.parametrize(
    ("variable", "verify_tls"),
    [("REQUESTS_CA_BUNDLE", True), ("CURL_CA_BUNDLE", True), ("UNSET", False),
     ("REQUESTS_CA_BUNDLE", False)],
)  # fmt: skip
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


def test_a_bundle_that_is_missing_is_told_by_its_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    missing = str(tmp_path / "missing.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", missing)
    error = failure("https://127.0.0.1:1")
    assert type(error) is WebUICertificateError
    assert missing in str(error)
