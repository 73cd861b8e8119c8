"""The plugin daemon's part over stdin and stdout, with a plugin made for tests."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import probe_plugin

from devtools.host import Message, PluginError, PluginGoneError, PluginProcess


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("probe")
    probe_plugin.build(root)
    return root


@pytest.fixture(scope="module")
def process(probe: Path) -> Iterator[PluginProcess]:
    with PluginProcess(root=probe, environment={"HEARTBEAT_INTERVAL": "0.2"}) as process:
        yield process


def call(process: PluginProcess, timeout: float | None = 30, **orders: object) -> Iterator[Message]:
    return process.invoke("obey", orders, {}, timeout)


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
    messages = process.invoke("obey", {"credentials": ""}, {"key": "k"})

    assert [message.message for message in messages] == [{"json_object": {"key": "k"}}]


@pytest.mark.parametrize("size", [0, 8192, 100_000])
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
    provider = "tester/probe/stable_diffusion"
    assert str(caught.value) == (
        f"An error occurred in the {provider}, please contact the author of {provider} for help, "
        "error type: LookupError, error details: no such thing"
    )


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
        assert len(blob.blob or b"") == 20_000 + number


def test_heartbeats_are_noted_with_their_time(process: PluginProcess) -> None:
    begin = time.monotonic()
    list(call(process, sleep=0.6))

    assert any(begin < beat < time.monotonic() for beat in process.heartbeats)
    assert process.heartbeats == sorted(process.heartbeats)


def test_of_lines_that_are_no_message_only_the_log_s_belong_there(process: PluginProcess) -> None:
    list(call(process, log="all is well", write="hello\n"))

    assert process.stray_lines == ["hello"]


def test_credentials_are_accepted_or_raise_the_error_of_the_provider(
    process: PluginProcess,
) -> None:
    process.validate({"word": "sesame"})
    with pytest.raises(PluginError, match="wrong word") as caught:
        process.validate({"word": "barley"})

    assert caught.value.error_type == "ToolProviderCredentialValidationError"


def test_a_line_just_under_five_mebibytes_passes(process: PluginProcess) -> None:
    [message] = call(process, text="x" * (5 * 1024 * 1024 - 1000))

    assert len(message.message["text"]) == 5 * 1024 * 1024 - 1000


def test_a_longer_line_kills_the_plugin(probe: Path) -> None:
    with PluginProcess(root=probe) as process:
        with pytest.raises(PluginGoneError, match="longer than 5242880 bytes"):
            list(call(process, json={"much": "x" * 5 * 1024 * 1024}))
        with pytest.raises(PluginGoneError, match="longer than 5242880 bytes"):
            call(process, text="anyone there?")


def test_a_dying_plugin_ends_its_calls_with_the_end_of_its_stderr(probe: Path) -> None:
    with PluginProcess(root=probe) as process:
        waiting = call(process, sleep=30)
        with pytest.raises(PluginGoneError, match="ended with exit code 7") as caught:
            list(call(process, die="lost" + "." * 1000 + "found"))
        with pytest.raises(PluginGoneError, match="ended with exit code 7"):
            list(waiting)

    assert str(caught.value).endswith(".found")


def test_a_plugin_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("raise SystemExit('the manifest is missing')")

    with (
        pytest.raises(PluginGoneError, match=r"exit code 1\. the manifest is missing"),
        PluginProcess(root=tmp_path),
    ):
        pass


def test_proxies_are_not_inherited_but_can_be_given_and_nothing_is_left_behind(
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
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)
