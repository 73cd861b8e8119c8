"""The plugin daemon's part over TCP, with the plugin's lines written by hand."""

import signal
import socket
import subprocess
import sys

import pytest

from devtools.host import ROOT, DebugServer, PluginGoneError


def answer_to(server: DebugServer, sent: bytes) -> bytes:
    with socket.create_connection(server.address, timeout=10) as connection:
        connection.sendall(sent)
        with connection.makefile("rb") as lines:
            return lines.read()


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (
            b'{"type":"handshake","data":{"key":"wrong"}}\n',
            b"handshake failed, invalid key\n",
        ),
        (
            b"GET / HTTP/1.1\r\n",
            b"handshake failed, invalid handshake message\n",
        ),
        (
            b'{"type":"end","data":{}}\n',
            b"handshake failed, invalid handshake message\n",
        ),
        (
            b'{"type":"handshake","data":{"key":"k"}}\n\n{"type":"end","data":{}}\n',
            b"no registration transferred, cannot initialize\n",
        ),
        (
            b'{"type":"handshake","data":{"key":"k"}}\n{"type":"asset_chunk","data":{}}\n',
            b"transfer assets failed, error: KeyError('data')\n",
        ),
    ],
)
def test_a_plugin_that_attaches_wrongly_is_told_and_left(sent: bytes, answer: bytes) -> None:
    with DebugServer(key="k") as server:
        assert answer_to(server, sent) == answer


def test_calls_without_an_attached_plugin_fail_at_once() -> None:
    with DebugServer() as server:
        with pytest.raises(PluginGoneError, match="No plugin is attached"):
            server.invoke("obey", {}, {})
        with pytest.raises(TimeoutError):
            server.wait_for_plugin(0.05)


ATTACHING = (
    b'{"type":"handshake","data":{"key":"k"}}\n'
    b'{"type":"manifest_declaration","data":{"author":"a","name":"n","version":"1.0.0"}}\n'
    b'{"type":"tool_declaration","data":[]}\n'
    b'{"type":"asset_chunk","data":{"filename":"icon.svg","data":"PHN2","end":false}}\n'
    b'{"type":"asset_chunk","data":{"filename":"icon.svg","data":"Zy8+","end":true}}\n'
    b'{"type":"end","data":{}}\n'
)


def test_an_attached_plugin_has_its_declarations_and_assets_known() -> None:
    with (
        DebugServer(key="k") as server,
        socket.create_connection(server.address) as connection,
    ):
        connection.sendall(ATTACHING)
        server.wait_for_plugin(10)

        assert server.manifest == {"author": "a", "name": "n", "version": "1.0.0"}
        assert server.tools == []
        assert server.assets == {"icon.svg": b"<svg/>"}


def test_a_second_plugin_waits_its_turn() -> None:
    with DebugServer(key="k") as server:
        with socket.create_connection(server.address) as connection:
            connection.sendall(ATTACHING)
            server.wait_for_plugin(10)
            assert answer_to(server, ATTACHING) == b"server is busy now, please try again later\n"

        server.wait_for_detachment(10)
        with socket.create_connection(server.address) as connection:
            connection.sendall(ATTACHING)
            server.wait_for_plugin(10)


def test_a_closed_connection_ends_its_calls() -> None:
    with DebugServer(key="k") as server:
        with socket.create_connection(server.address) as connection:
            connection.sendall(ATTACHING)
            server.wait_for_plugin(10)
            messages = server.invoke("obey", {}, {}, timeout=10)

        with pytest.raises(PluginGoneError, match="Connection closed unexpectedly"):
            list(messages)


def test_the_debug_server_prints_what_attaches_until_ctrl_c() -> None:
    attaching = ATTACHING.replace(
        b'"data":[]',
        b'"data":[{"identity":{"name":"p"},"tools":[{"identity":{"name":"t"},"parameters":[]}]}]',
    )

    with subprocess.Popen(
        [sys.executable, "-m", "devtools.host", "--port", "0", "--key", "k"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    ) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline().decode().split(":")[1].split(".")[0])
        assert b"REMOTE_INSTALL_KEY=k" in server.stdout.readline()
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(attaching)
            printed = [server.stdout.readline() for _ in range(4)]
        detached = server.stdout.readline()
        server.send_signal(signal.SIGINT)

    assert printed == [
        b"Attached: a/n 1.0.0\n",
        b"  provider p\n",
        b"    t: 0 parameters\n",
        b"  asset icon.svg: 6 bytes\n",
    ]
    assert detached == b"Detached.\n"
    assert server.returncode == 0
