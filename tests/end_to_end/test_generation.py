"""Long runs against the stand-in, with short times: waiting, stopping, leaving and coming back."""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dify_plugin.core.runtime import Session
from dify_plugin.entities.tool import ToolRuntime

from devtools.standin import StandIn
from dify.limits import DifyTimeLimitError
from support.drawing import Drawn, draw, paths, refused, until
from support.raw_server import RawServer, reply
from support.running import Run
from tools.txt2img import Txt2ImgTool
from webui import errors, lasting
from webui.http.address import parse_address
from webui.http.client import WebUIClient
from webui.http.settings import Settings
from webui.run import job, kept, watch
from webui.run.generation import grace
from webui.run.progress import Progress
from webui.run.summary import Image

PATH, INTERRUPT = "/sdapi/v1/txt2img", "/sdapi/v1/interrupt"
TASK, SERVER = "/internal/progress", "/sdapi/v1/progress"


@pytest.fixture(autouse=True)
def _short_times(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(watch, "FIRST_LOOK", 0.05)
    monkeypatch.setattr(watch, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(job, "FIRST_PAUSE", 0.3)
    yield
    lasting.forget()


@pytest.fixture
def slow() -> Iterator[StandIn]:
    """A WebUI that takes a while for a picture."""
    with StandIn(delay=0.4) as running:
        yield running


def submitted(standin: StandIn) -> int:
    return paths(standin).count(PATH)


def silence(standin: StandIn, *silent: str) -> None:
    for path in silent:
        for _ in range(100):
            standin.fail_next(path, status=404, body={"detail": "Not Found"})


def leave(standin: StandIn, **asked: Any) -> None:  # noqa: ANN401 - a form's values
    """Make a call whose caller does not wait for the picture."""
    said = Run(standin, patience=0.2, **asked).failure(errors.TimeUpError)
    assert "Run this again to collect it." in said
    assert INTERRUPT not in paths(standin)


def test_a_short_run_costs_one_request_once_the_server_is_known(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "FIRST_LOOK", 2.0)
    Run(standin).done()
    standin.received.clear()
    Run(standin).done()
    assert paths(standin) == [PATH]


def test_waiting_and_drawing_are_told(slow: StandIn) -> None:
    slow.state.delay = 0.3
    first = Run(slow)
    until(lambda: slow.state.queue.running)
    news = Run(slow, seed=6).events(Progress)
    assert {one.queue for one in news} == {"1/1", ""}
    assert any(one.share for one in news)
    assert all(one.elapsed is not None and one.is_ours for one in news)
    first.done()


def test_without_any_progress_the_time_is_told_now_and_then(
    slow: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "SAY_EVERY", 0.2)
    silence(slow, TASK, SERVER)
    told = Run(slow).events(Progress)
    assert told
    assert all(one.elapsed and not one for one in told)


def test_at_the_deadline_our_own_task_is_interrupted_and_what_is_ready_arrives(
    slow: StandIn,
) -> None:
    slow.state.delay = 0.3
    summary, images = Run(slow, n_iter=5, timeout=1).done()
    assert INTERRUPT in paths(slow)
    assert 1 <= len(images) < 5
    first, second = summary.warnings[:2]
    assert first.startswith("Interrupted after 1 s, the timeout")
    assert second == f"{len(images)} of 5 images came back."


def test_every_request_about_a_job_names_it_and_no_other_does(slow: StandIn) -> None:
    slow.fail_next(TASK, status=404, body={"detail": "Not Found"})
    slow.state.delay = 0.3
    Run(slow, n_iter=5, timeout=1).done()
    named = {one.path: one.headers.get("X-Task-Id") for one in slow.received}
    (task_id,) = {one.json["force_task_id"] for one in slow.received if one.path == PATH}
    assert {path for path, name in named.items() if name} == {PATH, TASK, SERVER, INTERRUPT}
    assert set(named.values()) == {task_id, None}


def test_a_strangers_running_task_survives_our_deadline(slow: StandIn) -> None:
    stranger = Run(slow, n_iter=2)
    until(lambda: slow.state.queue.running)
    assert "still in the queue" in Run(slow, seed=6, timeout=0.4).failure(errors.WebUITimeoutError)
    assert INTERRUPT not in paths(slow)
    assert len(stranger.done()[1]) == 2


def test_a_server_that_cannot_tell_is_left_alone(slow: StandIn) -> None:
    silence(slow, TASK)
    said = Run(slow, n_iter=2, timeout=0.4).failure(errors.WebUITimeoutError)
    assert "cannot tell whose job" in said
    assert INTERRUPT not in paths(slow)


def test_difys_limit_is_answered_before_it_strikes_and_names_the_way_out(
    slow: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow.state.delay = 3.0
    monkeypatch.setenv("PLUGIN_MAX_EXECUTION_TIMEOUT", "1")
    began = time.monotonic()
    with refused(DifyTimeLimitError) as caught:
        draw(slow, timeout=1800)
    assert time.monotonic() - began < 1
    assert "ends every call after 1 s" in str(caught.value)
    assert "retry on failure" in str(caught.value)
    assert "PLUGIN_MAX_EXECUTION_TIMEOUT=1860 in docker/.env" in str(caught.value)


def test_the_same_call_takes_over_while_it_runs(slow: StandIn) -> None:
    slow.state.delay = 0.3
    leave(slow, n_iter=2)
    assert len(Run(slow, n_iter=2).done()[1]) == 2
    assert submitted(slow) == 1


def test_the_same_call_collects_what_is_done_from_where_no_one_else_can_read_it(
    slow: StandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    slow.state.delay = 0.3
    leave(slow, n_iter=2)
    until(lambda: not slow.state.queue.running)
    assert list(tmp_path.iterdir()) == []
    summary, images = Run(slow, n_iter=2).done()
    assert len(images) == 2
    assert summary.seeds == [5, 6]
    assert summary.elapsed >= 0.6
    assert submitted(slow) == 1


@pytest.mark.parametrize("before", [leave, lambda _: None], ids=["left", "at once"])
def test_a_result_is_delivered_once_and_equal_calls_share_nothing(
    slow: StandIn, before: Callable[[StandIn], None]
) -> None:
    before(slow)
    slow.state.delay = 0.1
    both = [Run(slow), Run(slow)]
    assert [len(one.done()[1]) for one in both] == [1, 1]
    assert submitted(slow) == 2


@pytest.mark.parametrize("other", [{"seed": 7}, {"resume": False}, None], ids=str)
def test_another_request_or_process_takes_nothing_over(
    slow: StandIn, other: dict[str, Any] | None
) -> None:
    leave(slow)
    slow.state.delay = 0.0
    if other is None:
        lasting.forget()
    Run(slow, **(other or {})).done()
    assert submitted(slow) == 2


def test_without_resume_the_job_is_stopped_when_its_caller_leaves(slow: StandIn) -> None:
    said = Run(slow, patience=0.3, n_iter=5, resume=False).failure(errors.TimeUpError)
    assert said.endswith("It was told to stop.")
    assert INTERRUPT in paths(slow)


def test_an_error_that_came_meanwhile_is_told_to_the_one_who_asks_again(slow: StandIn) -> None:
    leave(slow, n_iter=3)
    slow.stop()
    Run(slow, n_iter=3).failure(errors.WebUIError)
    slow.start()


def test_one_picture_too_large_for_its_caller_fails_but_the_others_arrive(
    standin: StandIn,
) -> None:
    small, large = (Run(standin, width=w).done()[1][0].picture for w in (64, 1024))
    body = {"images": [one.base64() for one in (small, large, small)], "info": ""}
    standin.fail_next(PATH, status=200, body=body)
    found = Run(standin, largest=len(large.data) - 1)
    assert [image.picture for image in found.events(Image)] == [small, small]
    assert f"Image 2 has {len(large.data)} bytes" in found.failure(errors.PictureTooLargeError)


def test_a_connection_dropped_in_mid_reply_hands_on_what_had_come(standin: StandIn) -> None:
    picture = base64.b64encode(Run(standin).done()[1][0].picture.data).decode()
    body = json.dumps({"images": [picture] * 3, "info": ""})
    with RawServer(reply(body[: -len(picture)], length=len(body))) as broken:
        found = Run(broken.base_url)
        assert len(found.events(Image)) == 2
    assert "2 images had arrived" in found.failure(errors.WebUIConnectionError)


def test_a_mistake_of_ours_is_reported_and_not_swallowed(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*_: object, **__: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(WebUIClient, "generate", wrong)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    assert Run(standin).failure(ZeroDivisionError) == "ours"


def test_a_job_that_somebody_else_broke_off_is_warned_of(slow: StandIn) -> None:
    ours = Run(slow, steps=20)
    until(lambda: TASK in paths(slow))
    with WebUIClient(Settings(parse_address(slow.base_url))) as somebody:
        somebody.interrupt()
    assert any("Somebody interrupted the server" in one for one in ours.done()[0].warnings)
    assert Run(slow).done()[0].warnings == []


def test_what_newer_versions_of_stable_diffusion_cpp_tell_in_their_reply_counts() -> None:
    with StandIn(family="sdcpp") as standin:
        pictures = [one.picture.base64() for one in Run(standin, batch_size=2).done()[1]]
        told = {"all_seeds": [5, 6], "sd_model_name": "dream", "sampler_name": "dpm++2m"}
        body = {"images": pictures, "info": json.dumps(told), "parameters": {}}
        standin.fail_next(PATH, status=200, body=body)
        summary, _ = Run(standin, batch_size=2, sampler_name="DPM++ 2M").done()
    assert (summary.seeds, summary.model, summary.sampler) == ([5, 6], "dream", "dpm++2m")
    assert summary.warnings == []


def hold_back(standin: StandIn, times: int) -> None:
    """Answer as SD.Next does from the 61st job of a minute on."""
    for _ in range(times):
        detail = "127.0.0.1:/sdapi/v1/txt2img: rate limit exceeded"
        standin.fail_next(PATH, status=429, body={"error": "HTTPException", "detail": detail})


def test_a_server_that_takes_no_more_is_asked_again_and_the_wait_is_told(standin: StandIn) -> None:
    hold_back(standin, 2)
    held = Run(standin)
    summary, images = held.done()
    assert (submitted(standin), len(images), summary.seeds) == (3, 1, [5])
    assert "… (429)" in {one.queue for one in held.events(Progress)}
    (warning,) = summary.warnings
    assert warning.startswith("The job was taken after 1 s.")
    assert "server_rate_limit" in warning


def test_it_is_asked_within_the_timeout_only(standin: StandIn) -> None:
    hold_back(standin, 9)
    said = Run(standin, timeout=0.8).failure(errors.WebUIBusyError)
    assert "takes no more for now (429)" in said
    assert "server_rate_limit" in said
    assert submitted(standin) == 2


def test_it_is_not_asked_for_a_caller_who_is_gone(standin: StandIn) -> None:
    hold_back(standin, 9)
    said = Run(standin, patience=0.2, resume=False).failure(errors.TimeUpError)
    assert "Nothing was drawn." in said
    time.sleep(0.5)
    assert submitted(standin) == 1
    assert INTERRUPT not in paths(standin)


def test_a_job_that_is_kept_goes_on_asking(standin: StandIn) -> None:
    hold_back(standin, 1)
    leave(standin)
    until(lambda: submitted(standin) == 2)
    Run(standin).done()
    assert submitted(standin) == 2


def test_the_server_says_how_long_to_wait() -> None:
    with RawServer(reply("", "Retry-After: 3600", status="429 Too Many")) as server:
        Run(server.base_url, timeout=5).failure(errors.WebUIBusyError)
        assert sum(one.startswith(b"POST /sdapi/v1/txt2img") for one in server.requests) == 1


def as_user(user_id: str, app_id: str, standin: StandIn) -> Drawn:
    """Draw as the plugin daemon has a user of an app draw."""
    session = Session.empty_session()
    session.app_id = app_id
    credentials = {"base_url": standin.base_url}
    runtime = ToolRuntime(credentials=credentials, user_id=user_id, session_id=None)
    tool = Txt2ImgTool(runtime, session)
    return Drawn(tool.invoke({"prompt": "a cat", "width": 64, "height": 64, "seed": 5}))


def test_a_kept_picture_waits_for_its_user_alone(
    slow: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setenv("PLUGIN_MAX_EXECUTION_TIMEOUT", "0.4")
        with refused(DifyTimeLimitError):
            as_user("alice", "app A", slow)
    slow.state.delay = 0.0
    for user, app in (("bob", "app B"), ("alice", "app B"), ("bob", "app A")):
        as_user(user, app, slow)
    assert submitted(slow) == 4
    assert len(as_user("alice", "app A", slow).files) == 1
    assert submitted(slow) == 4


def test_pictures_that_found_no_room_are_told(
    slow: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow.state.delay = 0.0
    size = len(Run(slow).done()[1][0].picture.data)
    slow.state.delay = 0.3
    monkeypatch.setattr(kept, "MOST_BYTES", 1.5 * size)
    leave(slow, n_iter=2)
    until(lambda: all(one.ended for one in lasting.RUNNING))
    summary, images = Run(slow, n_iter=2).done()
    assert len(images) == 1
    full = "could not be kept until now: the room for waiting pictures is full"
    assert f"1 of 2 pictures {full}." in summary.warnings
    monkeypatch.setattr(kept, "MOST_BYTES", 0)
    leave(slow)
    until(lambda: all(one.ended for one in lasting.RUNNING))
    assert full in Run(slow).failure(errors.NotKeptError)


@pytest.mark.parametrize(("timeout", "seconds"), [(5, 1.5), (100, 10), (3600, 30)])
def test_a_tenth_of_the_timeout_is_left_to_hand_over_what_is_ready(
    timeout: float, seconds: float
) -> None:
    assert grace(timeout) == seconds
