"""The plugin daemon's part over stdin and stdout, with a plugin made for tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.host import Message, PluginError, PluginGoneError, PluginProcess
from support import probe_plugin

LIMIT = 5 * 1024 * 1024


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("probe")
    probe_plugin.build(root)
    return root


@pytest.fixture(scope="module")
def process(probe: Path) -> Iterator[PluginProcess]:
    with pytest.MonkeyPatch.context() as patched:
        # As on Windows, where pipes have few letters.
        patched.setenv("PYTHONIOENCODING", "cp1252")
        with PluginProcess(root=probe, environment={"HEARTBEAT_INTERVAL": "0.2"}) as process:
            yield process


def call(process: PluginProcess, timeout: float | None = 30, **orders: object) -> Iterator[Message]:
    return process.invoke("obey", orders, {}, timeout)


def test_messages_are_yielded_in_order_before_the_call_ends(process: PluginProcess) -> None:
    messages = call(process, text="early", blob=100_000, print="hello", fail="no such thing")

    assert next(messages) == Message("text", {"text": "early"}, None, None)
    assert next(messages) == Message("blob", {}, {"filename": "a.bin"}, b"x" * 100_000)
    provider = "tester/probe/stable_diffusion"
    with pytest.raises(PluginError) as caught:
        next(messages)
    assert str(caught.value) == (
        f"An error occurred in the {provider}, please contact the author of {provider} for help, "
        "error type: LookupError, error details: no such thing"
    )
    assert process.stray_lines == ["hello"]


def test_calls_keep_to_themselves_and_one_over_its_time_ends(process: PluginProcess) -> None:
    late = call(process, timeout=0.1, sleep=1)
    others = [call(process, text=str(number), sleep=0.3) for number in range(20)]

    with pytest.raises(TimeoutError, match="killed by timeout"):
        list(late)
    texts = [[message.message["text"] for message in other] for other in others]
    assert texts == [[str(number)] for number in range(20)]
    assert len(process.heartbeats) > 1


@pytest.mark.slow
def test_a_line_of_over_five_mebibytes_kills_the_plugin(probe: Path) -> None:
    with PluginProcess(root=probe) as process:
        assert len(list(call(process, text="x" * (LIMIT - 1000)))) == 1
        with pytest.raises(PluginGoneError, match="longer than 5242880 bytes"):
            list(call(process, text="x" * LIMIT))
        with pytest.raises(PluginGoneError, match="longer than 5242880 bytes"):
            call(process, text="anyone there?")


@pytest.mark.slow
def test_a_dying_plugin_ends_its_calls_with_the_end_of_its_stderr(
    monkeypatch: pytest.MonkeyPatch, probe: Path
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.test:1")
    with PluginProcess(root=probe, environment={"https_proxy": "mine"}) as process:
        [message] = call(process, environment=["HTTP_PROXY", "https_proxy"])
        assert message.message["json_object"] == {"HTTP_PROXY": None, "https_proxy": "mine"}
        waiting = call(process, sleep=30)
        with pytest.raises(PluginGoneError, match=r"ended with exit code 7\. .*found$") as caught:
            list(call(process, die="lost" + "." * 1100 + "found"))
        with pytest.raises(PluginGoneError, match="ended with exit code 7"):
            list(waiting)

    assert "lost" not in str(caught.value)


def test_letters_arrive_where_pipes_have_few_as_on_windows(process: PluginProcess) -> None:
    [message] = call(process, text="夜明けの灯台")
    assert message.message["text"] == "夜明けの灯台"


def test_a_plugin_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("raise SystemExit('the manifest is missing')")

    with pytest.raises(PluginGoneError, match=r"exit code 1\. the manifest is missing"):
        PluginProcess(root=tmp_path).__enter__()
