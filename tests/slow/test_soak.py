"""Minutes of mixed calls through the plugin's process. On demand: `uv run pytest -m soak`."""

import faulthandler
import itertools
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from devtools.benchmark import memory, open_files
from devtools.host import ROOT, PluginError, PluginProcess
from support.raw_server import free_port

pytestmark = pytest.mark.soak

SECONDS, CALLERS = 240.0, 6
LOGIN = {"username": "me", "password": "secret"}
# The daemon's heartbeats come every 10 s, and one may be 5 s late.
INTERVAL, LATE = 1.0, 5.0

# Parameters and credentials, and the errors and numbers of pictures that may come of them.
type Call = tuple[dict[str, Any], dict[str, Any], set[str | int]]


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
    surprises: list[str] = []
    seen: set[str | int] = set()

    def call_until(end: float, seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - a repeatable choice, no secret
        while time.monotonic() < end:
            call = some_call(chance, base_url)
            outcome = outcome_of(process, call)
            seen.add(outcome)
            if outcome not in call[2]:
                surprises.append(f"{call[0]}: {outcome}")

    with PluginProcess(environment={"HEARTBEAT_INTERVAL": str(INTERVAL)}) as process:
        assert (
            outcome_of(process, ({"prompt": "a cat"}, {"base_url": base_url} | LOGIN, set())) == 1
        )
        files, begin = open_files(process.pid), len(process.heartbeats) - 1
        end = time.monotonic() + SECONDS
        callers = [threading.Thread(target=call_until, args=(end, seed)) for seed in range(CALLERS)]
        for caller in callers:
            caller.start()
        resident = []
        while time.monotonic() < end:
            time.sleep(1)
            resident.append(memory(process.pid))
        for caller in callers:
            caller.join()
        # Of jobs left alone in the server's queue, the last are still being drawn.
        until = time.monotonic() + 60
        while open_files(process.pid) > files:
            assert time.monotonic() < until
            time.sleep(0.1)
        beats = process.heartbeats[begin:]

    assert surprises == []
    assert {1, 2, 6, "InvokeServerUnavailableError", "InvokeConnectionError"} <= seen
    assert process.stray_lines == []
    gaps = (later - earlier for earlier, later in itertools.pairwise(beats))
    assert max(gaps) < INTERVAL + LATE
    # The least of each quarter: pictures on their way come and go, what is lost stays.
    quarter = len(resident) // 4
    assert min(resident[-quarter:]) < 1.1 * min(resident[quarter : 2 * quarter])


def some_call(chance: random.Random, base_url: str) -> Call:
    good = {"base_url": base_url} | LOGIN
    batch, batches = chance.choice([(1, 1), (2, 1), (3, 2)])
    size = chance.choice([64, 256, 512, 1024])
    drawing = {"prompt": "a lighthouse", "width": size, "height": size}
    drawing |= {"batch_size": batch, "n_iter": batches}
    nowhere = {"base_url": f"http://127.0.0.1:{free_port()}"}
    # It takes 2 s to draw, so it is still running when it is told to stop, or waiting.
    slow = drawing | {"width": 64, "height": 64, "batch_size": 1, "n_iter": 40, "timeout": 1}
    often: Call = (drawing, good, {batch * batches})
    seldom: list[Call] = [
        (drawing | {"sampler_name": "Eulr"}, good, {"InvokeBadRequestError"}),
        (drawing, good | {"password": "wrong"}, {"InvokeAuthorizationError"}),
        (drawing, nowhere, {"InvokeConnectionError"}),
        (drawing | {"width": 16384, "height": 16384}, good, {"InvokeServerUnavailableError"}),
        # What was done before the interruption comes back.
        (slow, good, {"InvokeServerUnavailableError", *range(1, 40)}),
    ]
    return chance.choice([*seldom, *[often] * 6])


def outcome_of(process: PluginProcess, call: Call) -> str | int:
    """The number of pictures, or the name of the error."""
    try:
        messages = process.invoke("txt2img", call[0], call[1], timeout=120)
        return sum(message.type == "blob" for message in messages)
    except PluginError as error:
        return error.error_type
    except Exception as error:  # noqa: BLE001 - whatever it is, the test shall report it
        return repr(error)
