"""The plugin attaches to a Dify by TCP and draws."""

import io
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from PIL import Image

from devtools.command_words import tools
from devtools.host import (
    ROOT,
    DebugServer,
    PluginError,
    PluginGoneError,
    ProtocolError,
    plugin_environment,
)
from devtools.standin import StandIn

ATTACHING = (
    b'{"type":"handshake","data":{"key":"k"}}\n\n'
    b'{"type":"manifest_declaration","data":{"author":"a","name":"n","version":"1.0.0"}}\n'
    b'{"type":"end","data":{}}\n'
)


@contextmanager
def plugin_with(key: str, server: DebugServer) -> Iterator["subprocess.Popen[bytes]"]:
    """The plugin's process, told by its environment to attach to `server`."""
    environment = plugin_environment(
        {
            "INSTALL_METHOD": "remote",
            "REMOTE_INSTALL_URL": server.address,
            "REMOTE_INSTALL_KEY": key,
        }
    )
    command = [sys.executable, "-m", "main"]
    with subprocess.Popen(  # noqa: S603 - runs the plugin
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def attached() -> Iterator[DebugServer]:
    with DebugServer(key="k") as server, plugin_with("k", server):
        server.wait_for_plugin(60)
        yield server


def connect(server: DebugServer) -> socket.socket:
    host, _, port = server.address.partition(":")
    return socket.create_connection((host, int(port)), timeout=10)


def test_every_tool_arrives_with_its_parameters(attached: DebugServer) -> None:
    [provider] = attached.tools
    arrived = {
        tool["identity"]["name"]: [parameter["name"] for parameter in tool["parameters"]]
        for tool in provider["tools"]
    }

    assert attached.manifest["name"] == "stable-diffusion-webui"
    assert arrived == {
        name: [parameter["name"] for parameter in tool["parameters"]]
        for name, tool in tools().items()
    }


def test_an_attached_plugin_draws(attached: DebugServer) -> None:
    with StandIn() as standin:
        parameters = {"prompt": "a lighthouse at dawn", "width": 192, "height": 128}
        messages = list(
            attached.invoke("txt2img", parameters, {"base_url": standin.base_url}, timeout=60)
        )

    [picture] = [message for message in messages if message.type == "blob"]
    assert picture.meta is not None
    assert picture.meta["mime_type"] == "image/png"
    with Image.open(io.BytesIO(picture.blob or b"")) as image:
        assert image.size == (192, 128)


def test_an_attached_plugin_checks_credentials(attached: DebugServer) -> None:
    with StandIn(api_auth="ali:sesame") as standin:
        login = {"base_url": standin.base_url, "username": "ali"}
        attached.validate(login | {"password": "sesame"}, timeout=60)
        with pytest.raises(PluginError, match="--api-auth"):
            attached.validate(login | {"password": "barley"}, timeout=60)


def test_a_wrong_key_is_refused_and_told() -> None:
    with DebugServer(key="k") as server, plugin_with("wrong", server) as process:
        with pytest.raises(ProtocolError, match="handshake failed, invalid key"):
            server.wait_for_plugin(60)

        assert process.stdout is not None
        assert any(b"handshake failed, invalid key" in line for line in process.stdout)


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"GET / HTTP/1.1\r\n", b"registration failed"),
        (b'{"type":"end","data":{}}\n', b"handshake failed, invalid handshake message"),
        (b'{"type":"handshake","data":{"key":"k"}}\n', b"registration failed"),
    ],
)
def test_who_attaches_wrongly_is_told_and_left(sent: bytes, answer: bytes) -> None:
    with DebugServer(key="k") as server, connect(server) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        with pytest.raises(ProtocolError):
            server.wait_for_plugin(10)
        with connection.makefile("rb") as lines:
            assert lines.read().startswith(answer)


def test_plugins_attach_in_turns_and_leave_no_call_waiting() -> None:
    with DebugServer(key="k") as server:
        with pytest.raises(PluginGoneError, match="No plugin is attached"):
            server.invoke("obey", {}, {})
        with pytest.raises(TimeoutError):
            server.wait_for_plugin(0.05)
        for _ in range(2):
            with connect(server) as connection:
                connection.sendall(ATTACHING)
                server.wait_for_plugin(10)
                messages = server.invoke("obey", {}, {}, timeout=10)
            with pytest.raises(PluginGoneError, match="Connection closed unexpectedly"):
                list(messages)


def test_the_command_prints_what_attaches_until_ctrl_c() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "devtools.host", "--port", "0", "--key", "k"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    ) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline().decode().split(":")[1].split(".")[0])
        assert b"REMOTE_INSTALL_KEY=k" in server.stdout.readline()
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(ATTACHING)
            assert server.stdout.readline() == b"Attached: a/n 1.0.0\n"
        assert server.stdout.readline() == b"Detached.\n"
        server.send_signal(signal.SIGINT)

    assert server.returncode == 0
