"""The host on its own, with a plugin made for these tests."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devtools.host import (
    ROOT,
    DebugServer,
    Message,
    PluginError,
    PluginGoneError,
    PluginProcess,
    ProtocolError,
    plugin_environment,
)
from devtools.messages import MessageReader

FILES = {
    "main.py": """
        from dify_plugin import DifyPluginEnv, Plugin

        Plugin(DifyPluginEnv()).run()
        """,
    "manifest.yaml": """
        version: 1.2.3
        type: plugin
        author: tester
        name: probe
        label: {en_US: Probe}
        description: {en_US: Does as it is told}
        icon: icon.svg
        resource: {memory: 1048576}
        plugins: {tools: [provider/probe.yaml]}
        meta:
          version: 0.0.1
          arch: [amd64, arm64]
          runner: {language: python, version: "3.12", entrypoint: main}
        created_at: 2026-01-01T00:00:00Z
        """,
    "_assets/icon.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
    "provider/probe.yaml": """
        identity:
          author: tester
          name: probe
          label: {en_US: Probe}
          description: {en_US: Does as it is told}
          icon: icon.svg
        tools: [tools/obey.yaml]
        extra: {python: {source: provider/probe.py}}
        """,
    "provider/probe.py": """
        from dify_plugin import ToolProvider
        from dify_plugin.errors.tool import ToolProviderCredentialValidationError


        class Probe(ToolProvider):
            def _validate_credentials(self, credentials):
                if credentials != {"word": "sesame"}:
                    raise ToolProviderCredentialValidationError("wrong word")
        """,
    "tools/obey.yaml": """
        identity: {author: tester, name: obey, label: {en_US: Obey}}
        description: {human: {en_US: Obeys}, llm: Obeys}
        parameters: []
        extra: {python: {source: tools/obey.py}}
        """,
    "tools/obey.py": """
        import logging
        import os
        import sys
        import time

        from dify_plugin import Tool
        from dify_plugin.config.logger_format import plugin_logger_handler

        logger = logging.getLogger(__name__)
        logger.setLevel(logging.INFO)
        logger.addHandler(plugin_logger_handler)


        class Obey(Tool):
            def _invoke(self, tool_parameters):
                for order, value in tool_parameters.items():
                    yield from getattr(self, order)(value)

            def text(self, value):
                yield self.create_text_message(value)

            def json(self, value):
                yield self.create_json_message(value)

            def credentials(self, value):
                yield self.create_json_message(self.runtime.credentials)

            def environment(self, names):
                yield self.create_json_message({name: os.environ.get(name) for name in names})

            def blob(self, size):
                content = bytes(i % 251 for i in range(size))
                yield self.create_blob_message(content, {"filename": "a.bin"})

            def sleep(self, seconds):
                time.sleep(seconds)
                yield from ()

            def log(self, value):
                logger.info(value)
                yield from ()

            def write(self, value):
                sys.stdout.write(value)
                sys.stdout.flush()
                yield from ()

            def fail(self, value):
                yield from ()
                raise LookupError(value)

            def die(self, value):
                yield from ()
                sys.stderr.write(value)
                sys.stderr.flush()
                os._exit(7)
        """,
}


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("probe")
    for name, text in FILES.items():
        file = root / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(textwrap.dedent(text).lstrip())
    return root


@pytest.fixture(scope="module")
def process(probe: Path) -> Iterator[PluginProcess]:
    with PluginProcess(root=probe, environment={"HEARTBEAT_INTERVAL": "0.2"}) as process:
        yield process


def call(process: PluginProcess, timeout: float | None = 30, **orders: object) -> Iterator[Message]:
    return process.invoke("obey", orders, {}, provider="probe", timeout=timeout)


def test_the_first_line_of_the_plugin_is_its_manifest(process: PluginProcess) -> None:
    assert process.manifest["name"] == "probe"
    assert process.manifest["version"] == "1.2.3"


def test_messages_come_in_the_order_of_the_tool(process: PluginProcess) -> None:
    messages = list(call(process, text="one", json={"two": 2}))

    assert messages == [
        Message("text", {"text": "one"}, None, None),
        Message("json", {"json_object": {"two": 2}}, None, None),
    ]


def test_credentials_reach_the_tool(process: PluginProcess) -> None:
    messages = process.invoke("obey", {"credentials": ""}, {"key": "k"}, provider="probe")

    assert [message.message for message in messages] == [{"json_object": {"key": "k"}}]


@pytest.mark.parametrize("size", [0, 1, 8192, 8193, 100_000])
def test_a_file_in_pieces_arrives_whole(process: PluginProcess, size: int) -> None:
    [message] = call(process, blob=size)

    assert message.type == "blob"
    assert message.blob == bytes(i % 251 for i in range(size))
    assert message.meta == {"filename": "a.bin"}


def test_messages_are_yielded_before_the_call_ends(process: PluginProcess) -> None:
    messages = call(process, text="early", fail="late")

    assert next(messages).message == {"text": "early"}
    with pytest.raises(PluginError):
        next(messages)


def test_an_error_of_the_tool_reads_as_in_dify(process: PluginProcess) -> None:
    with pytest.raises(PluginError) as caught:
        list(call(process, fail="no such thing"))

    assert caught.value.error_type == "LookupError"
    assert caught.value.message == "no such thing"
    assert "in fail" in caught.value.arguments["traceback"]
    assert str(caught.value) == (
        "An error occurred in the tester/probe/probe, please contact the author of "
        "tester/probe/probe for help, error type: LookupError, error details: no such thing"
    )


def test_an_unknown_tool_is_an_error_of_the_plugin(process: PluginProcess) -> None:
    with pytest.raises(PluginError, match="Tool `nothing` not found"):
        list(process.invoke("nothing", {}, {}, provider="probe"))


def test_a_call_over_its_time_ends_and_others_go_on(process: PluginProcess) -> None:
    with pytest.raises(TimeoutError, match="killed by timeout"):
        list(call(process, timeout=0.1, sleep=1, text="late"))

    assert [message.message for message in call(process, text="well")] == [{"text": "well"}]


def test_calls_from_many_threads_keep_to_themselves(process: PluginProcess) -> None:
    replies: dict[int, list[Message]] = {}

    def draw(number: int) -> None:
        replies[number] = list(call(process, text=str(number), sleep=0.1, blob=20_000 + number))

    threads = [threading.Thread(target=draw, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(replies) == 20
    for number, (text, blob) in replies.items():
        assert text.message == {"text": str(number)}
        assert blob.blob is not None
        assert len(blob.blob) == 20_000 + number


def test_heartbeats_are_noted_with_their_time(process: PluginProcess) -> None:
    begin = time.monotonic()
    list(call(process, sleep=0.6))

    assert any(begin < beat < time.monotonic() for beat in process.heartbeats)
    assert process.heartbeats == sorted(process.heartbeats)


def test_log_lines_are_kept_apart_from_stray_ones(process: PluginProcess) -> None:
    list(call(process, log="all is well"))

    assert "INFO all is well" in process.log_lines
    assert process.stray_lines == []


def test_valid_credentials_are_accepted(process: PluginProcess) -> None:
    process.validate({"word": "sesame"}, provider="probe")


def test_refused_credentials_raise_the_error_of_the_provider(process: PluginProcess) -> None:
    with pytest.raises(PluginError, match="wrong word") as caught:
        process.validate({"word": "barley"}, provider="probe")

    assert caught.value.error_type == "ToolProviderCredentialValidationError"


def test_what_is_printed_is_a_stray_line(probe: Path) -> None:
    with PluginProcess(root=probe) as process:
        list(call(process, write="hello\n"))

        assert process.stray_lines == ["hello"]


def test_a_line_over_five_mebibytes_kills_the_plugin(probe: Path) -> None:
    with PluginProcess(root=probe) as process:
        with pytest.raises(PluginGoneError, match="longer than 5242880 bytes"):
            list(call(process, json={"much": "x" * 5 * 1024 * 1024}))
        with pytest.raises(PluginGoneError, match="longer than 5242880 bytes"):
            call(process, text="anyone there?")


def test_a_line_just_under_the_limit_passes(process: PluginProcess) -> None:
    [message] = call(process, text="x" * (5 * 1024 * 1024 - 1000))

    assert len(message.message["text"]) == 5 * 1024 * 1024 - 1000


def test_a_dying_plugin_ends_its_calls_with_the_end_of_its_stderr(probe: Path) -> None:
    with PluginProcess(root=probe) as process:
        waiting = call(process, sleep=30)
        with pytest.raises(PluginGoneError, match="ended with exit code 7") as caught:
            list(call(process, die="lost" + "." * 1000 + "found"))
        with pytest.raises(PluginGoneError, match="ended with exit code 7"):
            list(waiting)

    assert str(caught.value).endswith(".found")
    assert len(process.stderr) == 1005 + 4


def test_a_plugin_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("raise SystemExit('the manifest is missing')")

    with (
        pytest.raises(PluginGoneError, match=r"exit code 1\. the manifest is missing"),
        PluginProcess(root=tmp_path),
    ):
        pass


def test_no_process_is_left_behind(probe: Path) -> None:
    with PluginProcess(root=probe) as process:
        os.kill(process.pid, 0)

    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


def test_proxies_are_not_inherited_but_can_be_given(
    monkeypatch: pytest.MonkeyPatch, probe: Path
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.test:1")
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("INSTALL_METHOD", "remote")
    given = {"https_proxy": "http://proxy.test:2"}

    with PluginProcess(root=probe, environment=given) as process:
        names = ["HTTP_PROXY", "no_proxy", "https_proxy", "INSTALL_METHOD"]
        [message] = call(process, environment=names)

    assert message.message["json_object"] == {
        "HTTP_PROXY": None,
        "no_proxy": None,
        "https_proxy": "http://proxy.test:2",
        "INSTALL_METHOD": "local",
    }
    assert plugin_environment() == plugin_environment({})


def piece(**changes: object) -> dict[str, Any]:
    message = {"id": "f", "sequence": 0, "total_length": 3, "blob": "AAAA", "end": False}
    return {"type": "blob_chunk", "message": message | changes, "meta": None}


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ({"type": "video", "message": {}}, "'video' is no type"),
        (piece(blob="AAAA" * 2731), "8193 bytes, over 8192"),
        (piece(sequence=1), "piece 1 of a file came as 0"),
        (piece(blob="*"), "no base64"),
        (piece(total_length=4, end=True), "a file of 4 bytes came with 3"),
    ],
)
def test_what_dify_refuses_is_an_error(data: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ProtocolError, match=complaint):
        MessageReader().read(data)


def test_a_file_without_an_end_is_an_error() -> None:
    reader = MessageReader()
    assert reader.read(piece()) is None

    with pytest.raises(ProtocolError, match="without their last piece"):
        reader.finish()


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
