"""Long runs through the real tool class, against the stand-in, with short times."""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dify_plugin.entities.tool import ToolInvokeMessage
from raw_server import RawServer, reply

from devtools.standin import StandIn
from tools.txt2img import Txt2ImgTool
from webui import generation, job
from webui.errors import (
    WebUIConnectionError,
    WebUIError,
    WebUITimeoutError,
)

LIMIT = "PLUGIN_MAX_EXECUTION_TIMEOUT"
PATH = "/sdapi/v1/txt2img"


@pytest.fixture(autouse=True)
def _short_times(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(generation, "FIRST_LOOK", 0.1)
    monkeypatch.setattr(generation, "LOOK_EVERY", 0.1)
    monkeypatch.setattr(generation, "GRACE", 3.0)
    kept = job.Kept()
    monkeypatch.setattr(generation, "_KEPT", kept)
    yield
    for left in kept._jobs:
        left.pictures.discard()


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn(delay=1.0) as running:
        yield running


class Call:
    """One call of the tool, in a thread of its own."""

    def __init__(self, base_url: str, **given: object) -> None:
        self.messages: list[ToolInvokeMessage] = []
        self.error: BaseException | None = None
        values = {"prompt": "a cat", "width": 64, "height": 64, "seed": 5} | given
        self._tool = Txt2ImgTool.from_credentials({"base_url": base_url})
        self._values = values
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            for message in self._tool.invoke(self._values):
                self.messages.append(message)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test looks at it
            self.error = error

    def done(self) -> "Call":
        """Wait for the end."""
        self._thread.join(30)
        assert not self._thread.is_alive()
        return self

    def of(self, kind: str) -> list[Any]:
        return [m.message for m in self.messages if m.type.value == kind]

    @property
    def pictures(self) -> list[bytes]:
        assert self.error is None
        return [message.blob for message in self.of("blob")]

    @property
    def progress(self) -> list[str]:
        variables = [v for v in self.of("variable") if v.variable_name == "progress"]
        return [variable.variable_value for variable in variables]

    def variable(self, name: str) -> Any:  # noqa: ANN401 - as Dify has it
        (found,) = [v for v in self.of("variable") if v.variable_name == name]
        return found.variable_value

    def failure[E: BaseException](self, kind: type[E]) -> E:
        assert isinstance(self.error, kind)
        return self.error


def call(standin: StandIn, **given: object) -> Call:
    return Call(standin.base_url, **given)


def drawn(standin: StandIn) -> int:
    return len([r for r in standin.received if r.path == PATH])


def interrupted(standin: StandIn) -> bool:
    return any(r.path == "/sdapi/v1/interrupt" for r in standin.received)


def until(condition: Callable[[], object]) -> None:
    for _ in range(200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it never came to that")


def test_a_short_run_costs_one_request_once_the_server_is_known(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation, "FIRST_LOOK", 2.0)
    standin.state.delay = 0.0
    call(standin).done()
    standin.received.clear()
    assert len(call(standin).done().pictures) == 1
    assert [r.path for r in standin.received] == [PATH]


def test_progress_is_told_from_our_own_task(standin: StandIn) -> None:
    lines = call(standin).done().progress
    assert any(line.startswith("drawing ") and "%" in line for line in lines)
    assert all(line.endswith(" s\n") and line.count("\n") == 1 for line in lines)


def test_waiting_in_the_queue_is_told(standin: StandIn) -> None:
    first = call(standin)
    until(lambda: standin.state.running)
    second = call(standin, seed=6).done()
    assert any("queue" in line.lower() for line in second.progress)
    first.done()


def test_without_the_tasks_progress_the_servers_is_told_and_marked(standin: StandIn) -> None:
    for _ in range(100):
        standin.fail_next("/internal/progress", status=404, body={"detail": "Not Found"})
    lines = call(standin).done().progress
    assert any(line.startswith("the server's running job ") for line in lines)


def test_without_any_progress_the_time_is_told(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation, "SAY_EVERY", 0.3)
    for path in ("/internal/progress", "/sdapi/v1/progress"):
        for _ in range(100):
            standin.fail_next(path, status=404, body={"detail": "Not Found"})
    lines = call(standin).done().progress
    assert lines
    assert set(lines) <= {"0 s\n", "1 s\n"}


def test_at_the_deadline_our_own_task_is_interrupted_and_what_is_ready_arrives(
    standin: StandIn,
) -> None:
    found = call(standin, n_iter=5, timeout=2).done()
    assert interrupted(standin)
    assert 1 <= len(found.pictures) < 5
    first, second = found.variable("warnings")[:2]
    assert first.startswith("Interrupted after 2 s, the timeout")
    assert second == f"{len(found.pictures)} of 5 images came back."


def test_a_strangers_running_task_survives_our_deadline(standin: StandIn) -> None:
    stranger = call(standin, n_iter=3)
    until(lambda: standin.state.running)
    ours = call(standin, seed=6, timeout=1).done()
    assert "still in the queue" in str(ours.failure(WebUITimeoutError))
    assert not interrupted(standin)
    assert len(stranger.done().pictures) == 3


def test_a_server_that_cannot_tell_is_left_alone(standin: StandIn) -> None:
    for _ in range(100):
        standin.fail_next("/internal/progress", status=404, body={"detail": "Not Found"})
    found = call(standin, n_iter=3, timeout=1).done()
    assert "cannot tell whose job" in str(found.failure(WebUITimeoutError))
    assert not interrupted(standin)


def test_difys_limit_is_answered_before_it_strikes_and_names_the_way_out(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LIMIT, "1")
    began = time.monotonic()
    text = str(call(standin, timeout=1800).done().failure(DifyTimeLimitError))
    assert time.monotonic() - began < 1
    assert "ends every call after 1 s" in text
    assert "retry on failure" in text
    assert "PLUGIN_MAX_EXECUTION_TIMEOUT=1860" in text
    assert not interrupted(standin)


def test_the_same_call_takes_over_while_it_runs(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LIMIT, "1")
    call(standin, n_iter=2).done().failure(DifyTimeLimitError)
    monkeypatch.setenv(LIMIT, "60")
    assert len(call(standin, n_iter=2).done().pictures) == 2
    assert drawn(standin) == 1


def test_the_same_call_collects_what_is_done(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LIMIT, "1")
    call(standin, n_iter=2).done().failure(DifyTimeLimitError)
    until(lambda: not standin.state.running)
    found = call(standin, n_iter=2).done()
    assert len(found.pictures) == 2
    assert found.variable("seeds") == [5, 6]
    assert found.variable("elapsed_seconds") >= 1.9
    assert drawn(standin) == 1


def test_retrying_often_enough_collects_a_long_run(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LIMIT, "1")
    for _ in range(10):
        found = call(standin, n_iter=3).done()
        if found.error is None:
            break
    assert len(found.pictures) == 3
    assert drawn(standin) == 1


def test_a_result_is_delivered_once(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LIMIT, "1")
    call(standin).done().failure(DifyTimeLimitError)
    monkeypatch.setenv(LIMIT, "60")
    assert len(call(standin).done().pictures) == 1
    assert len(call(standin).done().pictures) == 1
    assert drawn(standin) == 2


def test_two_equal_calls_at_once_draw_each_their_own(standin: StandIn) -> None:
    both = [call(standin), call(standin)]
    assert [len(one.done().pictures) for one in both] == [1, 1]
    assert drawn(standin) == 2


def test_two_equal_calls_after_the_limit_share_nothing(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LIMIT, "1")
    call(standin).done().failure(DifyTimeLimitError)
    monkeypatch.setenv(LIMIT, "60")
    both = [call(standin), call(standin)]
    assert [len(one.done().pictures) for one in both] == [1, 1]
    assert drawn(standin) == 2


@pytest.mark.parametrize("other", [{"seed": 7}, {"prompt": "a dog"}, {"width": 72}], ids=str)
def test_another_request_takes_nothing_over(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch, other: dict[str, object]
) -> None:
    monkeypatch.setenv(LIMIT, "1")
    call(standin).done().failure(DifyTimeLimitError)
    monkeypatch.setenv(LIMIT, "60")
    call(standin, **other).done()
    assert drawn(standin) == 2


def test_without_resume_the_job_is_stopped_at_difys_limit(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LIMIT, "1")
    text = str(call(standin, n_iter=5, resume=False).done().failure(DifyTimeLimitError))
    assert LIMIT in text
    assert "kept" not in text
    assert interrupted(standin)


def test_a_process_that_was_restarted_claims_nothing(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LIMIT, "1")
    call(standin).done().failure(DifyTimeLimitError)
    with monkeypatch.context() as restarted:
        restarted.setattr(generation, "_KEPT", job.Kept())
        restarted.setenv(LIMIT, "60")
        assert len(call(standin).done().pictures) == 1
    assert drawn(standin) == 2


def test_an_error_that_came_meanwhile_is_told_to_the_one_who_asks_again(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LIMIT, "1")
    first = call(standin, n_iter=3)
    first.done().failure(DifyTimeLimitError)
    standin.stop()
    monkeypatch.setenv(LIMIT, "60")
    call(standin, n_iter=3).done().failure(WebUIError)
    standin.start()


def test_the_server_gone_and_back_is_drawn_with_again(standin: StandIn) -> None:
    standin.state.delay = 0.0
    assert call(standin).done().pictures
    standin.stop()
    call(standin).done().failure(WebUIConnectionError)
    with StandIn(port=int(standin.base_url.rpartition(":")[2])) as back:
        assert call(back).done().pictures
    standin.start()


def test_one_picture_too_large_for_dify_fails_but_the_others_arrive(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    standin.state.delay = 0.0
    small, large = (call(standin, width=w).done().pictures[0] for w in (64, 1024))
    monkeypatch.setenv("PLUGIN_MAX_FILE_SIZE", str(len(large) - 1))
    encoded = [base64.b64encode(data).decode() for data in (small, large, small)]
    standin.fail_next(PATH, status=200, body={"images": encoded, "info": ""})
    found = call(standin).done()
    assert [message.blob for message in found.of("blob")] == [small, small]
    text = str(found.failure(FileTooLargeError))
    assert f"Image 2 has {len(large)} bytes" in text
    assert "PLUGIN_MAX_FILE_SIZE" in text


def test_a_connection_dropped_in_mid_reply_hands_on_what_had_come(standin: StandIn) -> None:
    standin.state.delay = 0.0
    picture = base64.b64encode(call(standin).done().pictures[0]).decode()
    body = json.dumps({"images": [picture] * 3, "info": ""})
    with RawServer(reply(body[: -len(picture)], length=len(body))) as broken:
        found = Call(broken.base_url).done()
    assert len(found.of("blob")) == 2
    assert "2 images had arrived" in str(found.failure(WebUIConnectionError))


def test_a_mistake_of_ours_is_reported_and_not_swallowed(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*_: object, **__: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(job, "Reply", wrong)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    call(standin).done().failure(ZeroDivisionError)


def test_kept_pictures_lie_on_disk_without_a_name(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv(LIMIT, "1")
    call(standin).done().failure(DifyTimeLimitError)
    until(lambda: not standin.state.running)
    assert list(tmp_path.iterdir()) == []
