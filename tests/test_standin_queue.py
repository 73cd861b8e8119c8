"""The stand-in draws one picture at a time, tells how far it is, and can be stopped."""

import concurrent.futures
import functools
import json
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from standin_calls import ask, draw, get, post

from devtools.standin import StandIn

SLOW = 600.0


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


@pytest.fixture
def callers() -> Iterator[concurrent.futures.ThreadPoolExecutor]:
    with concurrent.futures.ThreadPoolExecutor() as pool:
        yield pool


def interrupt(standin: StandIn) -> None:
    assert ask(standin, "interrupt").json() == {}


def progress(standin: StandIn) -> dict[str, Any]:
    reply: dict[str, Any] = get(standin, "/sdapi/v1/progress").json()
    return reply


def task_progress(standin: StandIn, task: str) -> dict[str, Any]:
    reply: dict[str, Any] = post(standin, "/internal/progress", {"id_task": task}).json()
    return reply


def pending(standin: StandIn) -> dict[str, Any]:
    reply: dict[str, Any] = get(standin, "/internal/pending-tasks").json()
    return reply


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "the stand-in did not get there"
        time.sleep(0.01)


def test_idle_means_no_progress_and_no_job(standin: StandIn) -> None:
    reply = progress(standin)
    assert (reply["progress"], reply["eta_relative"], reply["current_image"]) == (0, 0, None)
    assert reply["state"]["job_count"] == 0
    assert pending(standin) == {"size": 0, "tasks": []}
    assert task_progress(standin, "mine")["textinfo"] == "Waiting..."


def test_requests_wait_in_the_order_they_came(
    standin: StandIn, callers: concurrent.futures.ThreadPoolExecutor
) -> None:
    def is_now(state: str, name: str) -> bool:
        return bool(task_progress(standin, name)[state])

    def waits(name: str) -> bool:
        return is_now("active", name) or is_now("queued", name)

    standin.state.delay = SLOW
    jobs = []
    for name in ("first", "second", "third"):
        jobs.append(callers.submit(draw, standin, force_task_id=name))
        wait_until(functools.partial(waits, name))
    assert standin.state.running is not None
    assert standin.state.running.id == "first"
    assert pending(standin) == {"size": 2, "tasks": ["second", "third"]}
    assert task_progress(standin, "first")["active"] is True
    third = task_progress(standin, "third")
    assert (third["active"], third["queued"], third["completed"]) == (False, True, False)
    assert third["textinfo"] == "In queue: 2/2"
    for name in ("first", "second", "third"):
        wait_until(functools.partial(is_now, "active", name))
        interrupt(standin)
        wait_until(functools.partial(is_now, "completed", name))
    concurrent.futures.wait(jobs)


def test_progress_moves_and_never_names_the_task(
    standin: StandIn, callers: concurrent.futures.ThreadPoolExecutor
) -> None:
    standin.state.delay = SLOW
    job = callers.submit(draw, standin, force_task_id="mine", steps=100_000, n_iter=2)
    wait_until(lambda: progress(standin)["progress"] > 0.01)
    ask(standin, "skip")
    wait_until(lambda: progress(standin)["state"]["job"] == "Batch 2 out of 2")
    wait_until(lambda: progress(standin)["current_image"])
    seen = progress(standin)
    assert 0.5 < seen["progress"] <= 1
    assert seen["eta_relative"] > 0
    assert (seen["state"]["job_count"], seen["state"]["sampling_steps"]) == (2, 100_000)
    mine = task_progress(standin, "mine")
    assert mine["active"] is True
    assert mine["progress"] > 0.5
    assert mine["live_preview"].startswith("data:image/png;base64,")
    assert mine["eta"] > 0
    assert "mine" not in json.dumps(seen)
    interrupt(standin)
    job.result()
    finished = task_progress(standin, "mine")
    assert (finished["active"], finished["completed"]) == (False, True)


def test_a_preview_can_be_left_out(
    standin: StandIn, callers: concurrent.futures.ThreadPoolExecutor
) -> None:
    standin.state.delay = SLOW
    job = callers.submit(draw, standin, steps=100_000)
    wait_until(lambda: progress(standin)["current_image"])
    reply = get(standin, "/sdapi/v1/progress?skip_current_image=true").json()
    assert reply["current_image"] is None
    interrupt(standin)
    job.result()


def test_an_interrupt_returns_what_is_drawn_so_far(
    standin: StandIn, callers: concurrent.futures.ThreadPoolExecutor
) -> None:
    standin.state.delay = 0.1
    job = callers.submit(draw, standin, n_iter=1000, seed=7)
    wait_until(lambda: progress(standin)["state"]["job_no"] >= 2)
    interrupt(standin)
    reply = job.result()
    assert 2 <= len(reply["images"]) < 1000
    assert len(reply["info"]["infotexts"]) == len(reply["images"])
    assert len(reply["info"]["all_seeds"]) == 1000


def test_an_interrupt_before_the_first_step_returns_no_image(
    standin: StandIn, callers: concurrent.futures.ThreadPoolExecutor
) -> None:
    standin.state.delay = SLOW
    job = callers.submit(draw, standin)
    wait_until(lambda: standin.state.running and standin.state.running.sampling_steps)
    interrupt(standin)
    assert job.result()["images"] == []


def test_an_interrupt_of_nothing_does_not_touch_the_next(standin: StandIn) -> None:
    interrupt(standin)
    assert len(draw(standin)["images"]) == 1


def test_skipping_goes_on_with_the_next_picture(
    standin: StandIn, callers: concurrent.futures.ThreadPoolExecutor
) -> None:
    standin.state.delay = SLOW
    job = callers.submit(draw, standin, n_iter=2)
    wait_until(lambda: standin.state.running and standin.state.running.sampling_steps)
    assert ask(standin, "skip").json() is None
    wait_until(lambda: progress(standin)["state"]["job_no"] == 1)
    interrupt(standin)
    job.result()


def test_a_client_that_leaves_does_not_stop_its_job(standin: StandIn) -> None:
    standin.state.delay = 0.5
    body = json.dumps({"width": 64, "height": 64, "force_task_id": "left"}).encode()
    head = f"POST /sdapi/v1/txt2img HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    address = ("127.0.0.1", int(standin.base_url.rpartition(":")[2]))
    with socket.create_connection(address) as connection:
        connection.sendall(head.encode() + body)
        wait_until(lambda: standin.state.queue.task.id == "left")
    wait_until(lambda: task_progress(standin, "left")["completed"])
    assert standin.state.queue.task.sampling_step == 50


def test_a_task_that_failed_looks_active_until_the_next(standin: StandIn) -> None:
    standin.run_out_of_memory()
    assert ask(standin, "txt2img", force_task_id="failed").status_code == 500
    assert task_progress(standin, "failed")["active"] is True
    assert progress(standin)["state"]["job_count"] == 0
    draw(standin)
    failed = task_progress(standin, "failed")
    assert (failed["active"], failed["completed"]) == (False, False)


def test_changing_the_options_waits_for_the_picture(
    standin: StandIn, callers: concurrent.futures.ThreadPoolExecutor
) -> None:
    standin.state.delay = SLOW
    job = callers.submit(draw, standin)
    wait_until(lambda: standin.state.running)
    options = {"sd_model_checkpoint": "dreamshaper_8"}
    change = callers.submit(post, standin, "/sdapi/v1/options", options)
    wait_until(lambda: len(standin.received) == 2)
    assert standin.state.loads == []
    interrupt(standin)
    assert job.result()["images"] == []
    assert change.result().status_code == 200
    assert len(standin.state.loads) == 1
