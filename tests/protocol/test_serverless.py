"""The plugin as Dify Enterprise and serverless platforms run it: a process that answers HTTP."""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from devtools.host import ROOT, PluginError, PluginGoneError
from devtools.standin import StandIn
from support.drawing import paths, until
from support.process_call import Called
from support.serverless import ServerlessPlugin

DRAWING = {"prompt": "a cat", "width": 64, "height": 64}


@pytest.fixture(scope="module")
def function() -> Iterator[ServerlessPlugin]:
    """Ends an answer after a second of silence, as far as the SDK is asked; and has 12 s for it."""
    told = {"MAX_REQUEST_TIMEOUT": "1", "PLUGIN_MAX_EXECUTION_TIMEOUT": "12"}
    with ServerlessPlugin(**told) as running:
        yield running


def draw(function: ServerlessPlugin, server: StandIn, **given: object) -> Called:
    return Called(function.invoke("txt2img", DRAWING | given, {"base_url": server.base_url}, 60))


@pytest.mark.slow
def test_many_calls_at_once_are_answered(function: ServerlessPlugin) -> None:
    with StandIn(api_auth="me:secret") as server:
        login = {"base_url": server.base_url, "username": "me", "password": "secret"}
        function.validate(login, 60)
        with pytest.raises(PluginError, match="refuses the login"):
            function.validate(login | {"password": "wrong"}, 60)

        def look_up(_: int) -> str:
            found = Called(function.invoke("server_info", {}, login, 60)).variables["family"]
            return str(found)

        with ThreadPoolExecutor() as callers:
            assert set(callers.map(look_up, range(8))) == {"AUTOMATIC1111"}
        large = DRAWING | {"width": 2048, "height": 2048, "batch_size": 2}
        assert len(Called(function.invoke("txt2img", large, login, 60)).files) == 2


@pytest.mark.slow
def test_an_answer_that_is_silent_for_long_is_not_cut_off(function: ServerlessPlugin) -> None:
    with StandIn(delay=4.0) as server:
        assert len(draw(function, server).files) == 1


@pytest.mark.slow
def test_what_the_daemons_limit_cuts_off_is_told_and_collected(function: ServerlessPlugin) -> None:
    with StandIn(delay=11.0) as server:
        where = "set PLUGIN_MAX_EXECUTION_TIMEOUT=120 for the plugin daemon and for this plugin"
        with pytest.raises(PluginError, match=where):
            draw(function, server, timeout=60)
        assert len(draw(function, server, timeout=60).files) == 1
        assert paths(server).count("/sdapi/v1/txt2img") == 1


@pytest.mark.slow
def test_a_sigterm_stops_what_is_drawn_and_the_process() -> None:
    with ServerlessPlugin() as function, StandIn(delay=5.0) as server:
        call = function.invoke("txt2img", DRAWING, {"base_url": server.base_url}, 30)
        until(lambda: server.state.queue.running)
        function.process.terminate()
        assert function.process.wait(5) == -signal.SIGTERM
        with contextlib.suppress(PluginGoneError):
            list(call)
        assert "/sdapi/v1/interrupt" in paths(server)


@pytest.mark.slow
def test_a_container_whose_first_process_it_is_ends_too() -> None:
    # A container's kernel ends its process 1 by no signal that this has no handler for.
    run = (
        "import os, signal\nimport gevent\nfrom dify import ending\n"
        "ending.stop_work_on_sigterm()\n"
        "kill, os.kill = os.kill, lambda *_: None\n"
        "kill(os.getpid(), signal.SIGTERM)\ngevent.sleep(30)"
    )
    ended = subprocess.run([sys.executable, "-c", run], cwd=ROOT, timeout=20, check=False)  # noqa: S603
    assert ended.returncode == 128 + signal.SIGTERM
