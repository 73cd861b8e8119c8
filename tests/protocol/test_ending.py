"""What servers hear when the plugin's process is told to end."""

import os
import signal
import time
from collections.abc import Callable

import pytest

from devtools.host import PluginGoneError, PluginProcess
from devtools.standin import StandIn
from devtools.standin.queue import Queue
from support.drawing import paths, until
from support.running import Run

INTERRUPT = "/sdapi/v1/interrupt"


def end_amid_calls(*servers: StandIn, is_reached: Callable[[Queue], object]) -> None:
    """Begin a call to each, and end the plugin as `docker stop` does."""
    given = {"prompt": "a cat", "width": 64, "height": 64}
    with PluginProcess() as process:
        calls = []
        for one in servers:
            calls.append(process.invoke("txt2img", given, {"base_url": one.base_url}, 30))
        until(lambda: all(is_reached(one.state.queue) for one in servers))
        began = time.monotonic()
        os.kill(process.pid, signal.SIGTERM)
        for call in calls:
            with pytest.raises(PluginGoneError, match=f"exit code -{signal.SIGTERM:d}"):
                list(call)
        assert time.monotonic() - began < 2.5


@pytest.mark.slow
def test_our_own_running_jobs_are_stopped_all_at_once() -> None:
    with StandIn(delay=3.0) as one, StandIn(delay=3.0) as another:
        end_amid_calls(one, another, is_reached=lambda queue: queue.running)
        assert INTERRUPT in paths(one)
        assert INTERRUPT in paths(another)


@pytest.mark.slow
def test_a_job_that_waits_behind_somebody_elses_is_left_alone() -> None:
    with StandIn(delay=1.0) as server:
        stranger = Run(server, n_iter=6)
        until(lambda: server.state.queue.running)
        end_amid_calls(server, is_reached=lambda queue: queue.waiting)
        assert INTERRUPT not in paths(server)
        assert len(stranger.done()[1]) == 6
