"""Jobs on servers that refuse, drip, stall or never end: what is drawn arrives, and in time."""

import itertools
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import dify_files
from support.by_path import Act, ByPath, sending, silent
from support.drawing import until
from support.raw_server import reply
from support.running import Run
from webui import errors, lasting
from webui.http.client import WebUIClient
from webui.pictures.picture import identify_picture
from webui.run import watch
from webui.run.progress import Progress
from webui.run.summary import Image

PATH, TASK, SERVER = "/sdapi/v1/txt2img", "/internal/progress", "/sdapi/v1/progress"
PICTURE = identify_picture(dify_files.picture(64, 64)).base64()
DRAWN = reply(json.dumps({"images": [PICTURE], "info": ""}))
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"


@pytest.fixture(autouse=True)
def _short_times(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(watch, "FIRST_LOOK", 0.05)
    monkeypatch.setattr(watch, "LOOK_EVERY", 0.05)
    yield
    lasting.forget()


def drips() -> Act:
    """An answer of a byte now and then, without end."""
    return sending(itertools.chain([HEAD], itertools.repeat(b" ")), every=0.1)


def test_a_server_that_takes_no_look_ups_for_a_while_costs_no_picture() -> None:
    with ByPath({PATH: sending([DRAWN], after=0.5)}) as server:
        run = Run(server.base_url)
        until(lambda: PATH in server.asked)
        server.refuse()
        assert len(run.done()[1]) == 1


@pytest.mark.parametrize(
    "look_up",
    [
        pytest.param(silent, id="silent"),
        pytest.param(drips(), id="dripping", marks=[pytest.mark.slow]),
    ],
)
def test_a_ready_picture_waits_for_no_look_up(look_up: Act) -> None:
    acts = {PATH: sending([DRAWN], after=0.3), TASK: look_up, SERVER: look_up}
    with ByPath(acts) as server:
        began = time.monotonic()
        run = Run(server.base_url, timeout=1.2)
        until(lambda: TASK in server.asked)
        assert len(run.events(Image)) == 1
        assert run.arrived_at - began < 1.5


def test_a_mistake_of_ours_in_a_look_up_costs_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*_: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(WebUIClient, "task_progress", wrong)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    with ByPath({PATH: sending([DRAWN], after=0.3)}) as server:
        assert len(Run(server.base_url).done()[1]) == 1


@pytest.mark.slow
def test_pictures_without_end_meet_the_timeout_and_the_callers_patience() -> None:
    more = itertools.repeat(f'"{PICTURE}",'.encode())
    endless = sending(itertools.chain([HEAD + b'{"images": ['], more), every=0.02)
    with ByPath({PATH: endless}) as server:
        began = time.monotonic()
        late, impatient = Run(server.base_url, timeout=1), Run(server.base_url, patience=0.5)
        impatient.failure(errors.TimeUpError)
        assert time.monotonic() - began < 1.5
        assert "did not come to an end" in late.failure(errors.WebUITimeoutError)
        assert 2 < time.monotonic() - began < 3.5
        assert len(late.events(Image)) > 1


@pytest.mark.slow
def test_calls_that_time_out_leave_no_connection_and_no_thread() -> None:
    def left() -> tuple[int, int]:
        return len(list(Path("/dev/fd").iterdir())), threading.active_count()

    with ByPath({PATH: silent}) as server:
        Run(server.base_url, timeout=0.5).failure(errors.WebUITimeoutError)
        until(lambda: threading.active_count() <= 3)
        before = left()
        for one in [Run(server.base_url, timeout=0.5, seed=seed) for seed in range(50)]:
            one.failure(errors.WebUITimeoutError)
        assert server.asked.count(PATH) == 51
        until(lambda: left() <= before)


def test_a_job_whose_tool_is_left_is_ended() -> None:
    running = reply(json.dumps({"active": True, "progress": 0.5}))
    with ByPath({PATH: silent, TASK: sending([running])}) as server:
        before = threading.active_count()
        assert Run(server.base_url, leave_at=Progress).events(Progress)
        until(lambda: threading.active_count() <= before)


@pytest.mark.slow
@pytest.mark.parametrize("slow", ["/openapi.json", "/sdapi/v1/samplers", PATH, TASK])
def test_a_call_ends_within_its_timeout_plus_two_seconds(slow: str) -> None:
    schema = reply(json.dumps({"paths": {PATH: {}, "/sdapi/v1/samplers": {}}}))
    acts = {"/openapi.json": sending([schema]), PATH: silent, slow: drips()}
    with ByPath(acts) as server:
        began = time.monotonic()
        run = Run(server.base_url, timeout=1.5, sampler_name="Euler")
        run.failure(errors.WebUITimeoutError)
        assert time.monotonic() - began < 1.5 + 2.5
