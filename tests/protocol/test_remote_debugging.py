"""The plugin attaches to a Dify by TCP and draws."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from devtools.host import ROOT, DebugServer, PluginError, PluginGoneError, ProtocolError
from devtools.standin import StandIn
from support.process_call import Called

ATTACHING = (
    b'{"type":"handshake","data":{"key":"k"}}\n\n'
    b'{"type":"manifest_declaration","data":{"author":"a","name":"n","version":"1.0.0"}}\n'
    b'{"type":"end","data":{}}\n'
)


@contextmanager
def plugin_with(
    key: str, server: DebugServer, output: int = subprocess.DEVNULL
) -> Iterator["subprocess.Popen[bytes]"]:
    """The plugin's process, told by its environment to attach to `server`."""
    told = {"INSTALL_METHOD": "remote", "REMOTE_INSTALL_URL": server.address}
    with subprocess.Popen(
        [sys.executable, "-m", "main"],
        cwd=ROOT,
        env=os.environ | told | {"REMOTE_INSTALL_KEY": key},
        stdout=output,
        stderr=subprocess.STDOUT,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def connect(address: str) -> socket.socket:
    host, _, port = address.partition(":")
    return socket.create_connection((host, int(port)), timeout=10)


@pytest.mark.slow
def test_an_attached_plugin_draws_and_checks_credentials() -> None:
    with DebugServer(key="k") as server, plugin_with("k", server), StandIn(api_auth="a:b") as webui:
        server.wait_for_plugin(60)
        login = {"base_url": webui.base_url, "username": "a", "password": "b"}
        given = {"prompt": "a lighthouse at dawn", "width": 192, "height": 128}
        reply = Called(server.invoke("txt2img", given, login, timeout=60))
        server.validate(login, timeout=60)
        with pytest.raises(PluginError, match="--api-auth"):
            server.validate(login | {"password": "barley"}, timeout=60)

    assert server.manifest["name"] == "stable-diffusion-webui"
    [(_, meta)] = reply.files
    assert meta["mime_type"] == "image/png"


@pytest.mark.slow
def test_a_wrong_key_is_refused_and_told() -> None:
    with DebugServer(key="k") as server, plugin_with("wrong", server, subprocess.PIPE) as process:
        with pytest.raises(ProtocolError, match="handshake failed, invalid key"):
            server.wait_for_plugin(60)

        assert process.stdout is not None
        assert any(b"handshake failed, invalid key" in line for line in process.stdout)


def test_plugins_attach_in_turns_and_leave_no_call_waiting() -> None:
    with DebugServer(key="k") as server:
        with pytest.raises(PluginGoneError, match="No plugin is attached"):
            server.invoke("obey", {}, {})
        for _ in range(2):
            with connect(server.address) as connection:
                connection.sendall(ATTACHING)
                server.wait_for_plugin(10)
                messages = server.invoke("obey", {}, {}, timeout=10)
            with pytest.raises(PluginGoneError, match="Connection closed unexpectedly"):
                list(messages)


def test_the_command_prints_what_attaches_until_ctrl_c() -> None:
    # Interrupted from within: on Windows nobody can send one program alone a Ctrl-C.
    run = (
        "import _thread, runpy, sys, threading\n"
        "def wait(): sys.stdin.read(); _thread.interrupt_main()\n"
        "threading.Thread(target=wait, daemon=True).start()\n"
        "runpy.run_module('devtools.host', run_name='__main__')"
    )
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", run, "--port", "0", "--key", "k"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        address = server.stdout.readline().split()[2].rstrip(".")
        assert f"REMOTE_INSTALL_URL={address} REMOTE_INSTALL_KEY=k" in server.stdout.readline()
        with connect(address) as connection:
            connection.sendall(ATTACHING)
            assert server.stdout.readline() == "Attached: a/n 1.0.0\n"
        assert server.stdout.readline() == "Detached.\n"
        server.stdin.close()

    assert server.returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("module", ["devtools.host", "devtools.standin"])
def test_a_port_that_is_taken_is_told_in_a_sentence(module: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", module, "--port", str(port)]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == (
        f"Port {port} is taken: end what listens there, or choose another with --port.\n"
    )
