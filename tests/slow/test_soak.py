"""Minutes of mixed calls through the plugin's process. On demand: `uv run pytest -m soak`."""

import faulthandler
import itertools
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from raw_server import free_port

from devtools.benchmark import memory, open_files
from devtools.host import ROOT, PluginError, PluginProcess

pytestmark = pytest.mark.soak

SECONDS = 240.0
CALLERS = 6
LOGIN = {"username": "me", "password": "secret"}
# The daemon's heartbeats come every 10 s, and one may be 5 s late.
INTERVAL, LATE = 1.0, 5.0


@dataclass(frozen=True)
class Call:
    """Parameters and credentials, and the errors and numbers of pictures that may come of them."""

    parameters: dict[str, Any]
    credentials: dict[str, Any]
    outcomes: frozenset[str | int]


@dataclass
class Log:
    """What the callers and the observer saw."""

    surprises: list[str] = field(default_factory=list)
    seen: set[str | int] = field(default_factory=set)
    memory: list[int] = field(default_factory=list)


@pytest.fixture
def base_url() -> Iterator[str]:
    """A stand-in as a process of its own: the plugin's heartbeats shall not wait for it."""
    words = "--port 0 --api-auth me:secret --delay 0.05 --noise"
    command = [sys.executable, "-m", "devtools.standin", *words.split()]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        yield process.stdout.readline().partition(" at ")[2].partition(",")[0]
        process.terminate()


def test_mixed_calls_for_minutes_leave_no_trace(base_url: str) -> None:
    # The run is longer than pytest's patience with a test.
    faulthandler.cancel_dump_traceback_later()
    log = Log()
    with PluginProcess(environment={"HEARTBEAT_INTERVAL": str(INTERVAL)}) as process:
        assert _outcome(process, _drawing(base_url)) == 1
        files = open_files(process.pid)
        begin = len(process.heartbeats) - 1
        until = time.monotonic() + SECONDS
        callers = [
            threading.Thread(target=_call_until, args=(until, process, base_url, seed, log))
            for seed in range(CALLERS)
        ]
        for caller in callers:
            caller.start()
        while time.monotonic() < until:
            time.sleep(1)
            log.memory.append(memory(process.pid))
        for caller in callers:
            caller.join()
        # Of jobs left alone in the server's queue, the last are still being drawn.
        _await(lambda: open_files(process.pid) <= files)
        beats = process.heartbeats[begin:]

        assert log.surprises == []
        assert {1, 2, 6, "WebUITimeoutError", "WebUIConnectionError"} <= log.seen
        assert process.stray_lines == []
        assert max(later - earlier for earlier, later in itertools.pairwise(beats)) < (
            INTERVAL + LATE
        )
        # The least of each quarter: pictures on their way come and go, what is lost stays.
        quarter = len(log.memory) // 4
        early, late = log.memory[quarter : 2 * quarter], log.memory[-quarter:]
        assert min(late) < 1.1 * min(early)


def _call_until(until: float, process: PluginProcess, base_url: str, seed: int, log: Log) -> None:
    chance = random.Random(seed)  # noqa: S311 - a repeatable choice, no secret
    while time.monotonic() < until:
        call = _some_call(chance, base_url)
        outcome = _outcome(process, call)
        log.seen.add(outcome)
        if outcome not in call.outcomes:
            log.surprises.append(f"{call.parameters}: {outcome}")


def _drawing(base_url: str) -> Call:
    given = {"prompt": "a lighthouse", "width": 64, "height": 64}
    return Call(given, {"base_url": base_url, **LOGIN}, frozenset({1}))


def _some_call(chance: random.Random, base_url: str) -> Call:
    good = {"base_url": base_url, **LOGIN}
    batch, batches = chance.choice([(1, 1), (2, 1), (3, 2)])
    size = chance.choice([64, 256, 512, 1024])
    drawing = {
        "prompt": "a lighthouse",
        "width": size,
        "height": size,
        "batch_size": batch,
        "n_iter": batches,
    }
    nowhere = {"base_url": f"http://127.0.0.1:{free_port()}"}
    # It takes 2 s to draw, so it is still running when it is told to stop, or waiting.
    slow = drawing | {"width": 64, "height": 64, "batch_size": 1, "n_iter": 40, "timeout": 1}
    huge = drawing | {"width": 16384, "height": 16384}
    calls: list[tuple[int, dict[str, Any], dict[str, Any], set[str | int]]] = [
        (6, drawing, good, {batch * batches}),
        (1, drawing | {"sampler_name": "Eulr"}, good, {"InvalidParameterError"}),
        (1, drawing, good | {"password": "wrong"}, {"WebUIAuthenticationError"}),
        (1, drawing, nowhere, {"WebUIConnectionError"}),
        (1, huge, good, {"WebUIOutOfMemoryError"}),
        # What was done before the interruption comes back.
        (1, slow, good, {"WebUITimeoutError", *range(1, 40)}),
    ]
    [(_, parameters, credentials, outcomes)] = chance.choices(calls, [one[0] for one in calls])
    return Call(parameters, credentials, frozenset(outcomes))


def _outcome(process: PluginProcess, call: Call) -> str | int:
    """The number of pictures, or the name of the error."""
    try:
        messages = process.invoke("txt2img", call.parameters, call.credentials, timeout=120)
        return sum(message.type == "blob" for message in messages)
    except PluginError as error:
        return error.error_type
    except Exception as error:  # noqa: BLE001 - whatever it is, the test shall report it
        return repr(error)


def _await(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)
