"""Every fault of `support.faults` before each tool that meets it, through the plugin's own process.

Whatever a server, a link or a user does: the call ends in time, in a bounded memory, with an error
that Dify shows or with the picture; nothing that leaves holds a secret or what a chat would act
upon; and the next call works.
"""

import contextlib
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devtools.benchmark import memory, open_files
from devtools.host import PluginError
from support import faults, faulty_input
from support.dify_files import described, picture
from support.faults import BAD, CONNECTION, DOWN, JOB, LOGIN, SCHEMA, SETTING, Fault
from support.hostile import SECRET, TRACES, USERNAME, HostileServer, Watched, dripping
from support.process_call import Called
from support.raw_server import RawServer, reply
from support.standins import StandIns

MOST_SECONDS_BEYOND, LONGEST_MESSAGE = 2.0, 4000
DRAWING = {"prompt": "a cat", "width": 64, "height": 64, "steps": 2}
PHOTO = reply(picture(), content_type="image/png")
ENDS = {"", BAD, CONNECTION, DOWN, LOGIN, SETTING}
UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]|<script|<img|\]\(http|Traceback|\.py\b")
# A picture may have so much.
ENVIRONMENT = {"PLUGIN_MAX_FILE_SIZE": "8000000"}


def rows() -> Iterator[Any]:
    """Yield each row; in the fast run, one stands for all whose names begin alike."""
    begun = set()
    for part in (*faults.PARTS, *faulty_input.PARTS):
        for fault in part():
            for tool in fault.tools:
                kind = (part, fault.name.split()[0])
                marks = [pytest.mark.slow] if fault.slow or kind in begun else []
                begun.add(kind)
                yield pytest.param(fault, tool, id=f"{tool}: {fault.name}", marks=marks)


class Plugin:
    """A process that is started anew after it was lost."""

    def __init__(self) -> None:
        self._running = contextlib.ExitStack()
        self._process: Watched | None = None

    @property
    def process(self) -> Watched:
        if self._process is None:
            self._process = self._running.enter_context(Watched(ENVIRONMENT))
        return self._process

    def lose(self) -> None:
        self._running.close()
        self._process = None


@pytest.fixture(scope="module")
def plugin() -> Iterator[Plugin]:
    running = Plugin()
    yield running
    running.lose()


def given_to(tool: str, fault: Fault, link: str) -> dict[str, Any]:
    drawing = DRAWING if JOB[tool].endswith("txt2img") else {}
    of_tool: dict[str, dict[str, Any]] = {
        "img2img": {"prompt": "a cat", "image": described(link)},
        "upscale": {"images": [described(link)], "upscaler_1": "Lanczos"},
        "png_info": {"image": described(link)},
        "caption": {"images": [described(link)]},
        "remove_background": {"images": [described(link)]},
        "control_preview": {"image": described(link), "control_type": "Canny"},
    }
    given = of_tool.get(tool, drawing) | dict(fault.given)
    if "url" in (one := fault.given.get("image", {})):
        given["image"] = described(one["url"])
    if fault.given.get("reference_images") == []:
        given["reference_images"] = [described(link)]
    return given


@pytest.mark.parametrize(("fault", "tool"), list(rows()))
def test_a_fault_ends_in_time_with_a_remedy_and_no_trace(
    plugin: Plugin, standins: StandIns, fault: Fault, tool: str
) -> None:
    healthy = standins.of("a1111", extensions=["rembg", "controlnet"]).base_url
    process = plugin.process
    at = dict(fault.at) | ({JOB[tool]: fault.job} if fault.job is not None else {})
    try:
        with (
            HostileServer(healthy, at, deaf=fault.deaf) as there,
            RawServer(PHOTO if fault.link is None else fault.link) as files,
        ):
            login: dict[str, Any] = {
                "base_url": there.base_url,
                "username": USERNAME,
                "password": SECRET,
            }
            login |= {"timeout": fault.timeout, **fault.login}
            given = given_to(tool, fault, f"{files.base_url}/files/1?sign={SECRET}")
            descriptors, grown = open_files(process.pid), Peak(process.pid)
            process.written.clear()
            began = time.monotonic()
            error, shown, came = outcome(process, tool, given, login, fault.timeout + 4)
            seconds, megabytes = time.monotonic() - began, grown.megabytes
            again = outcome(process, "txt2img", DRAWING, {"base_url": healthy}, 20)
            spoken = process.written.decode(errors="replace")
    except BaseException:
        plugin.lose()
        raise

    assert error in ({fault.ends} if fault.ends is not None else ENDS), shown[:300]
    assert re.search(fault.says, shown), shown[:300]
    assert seconds < fault.timeout + MOST_SECONDS_BEYOND
    assert megabytes < fault.megabytes
    assert [trace for trace in TRACES if trace in spoken] == []
    assert "mistake of the plugin" not in shown
    if error:
        assert re.search(r"[^.\s][.!?…]$", shown[-300:])
        assert len(shown) < LONGEST_MESSAGE
    else:
        assert came == 1 or tool not in JOB_TOOLS
    assert UNSAFE.findall(shown) == []
    assert again[0] == ""
    until = time.monotonic() + 2
    while open_files(process.pid) > descriptors:
        assert time.monotonic() < until, "a connection stays open"
        time.sleep(0.02)


@pytest.mark.slow
def test_a_slow_server_does_not_hold_another_s_calls(plugin: Plugin, standins: StandIns) -> None:
    healthy = standins.of("a1111").base_url
    with HostileServer(healthy, {SCHEMA: dripping(b"{")}) as slow:
        login = {"base_url": slow.base_url, "timeout": 3}
        waiting = [plugin.process.invoke("txt2img", DRAWING, login, 20) for _ in range(20)]
        began = time.monotonic()
        assert outcome(plugin.process, "txt2img", DRAWING, {"base_url": healthy}, 20)[0] == ""
        assert time.monotonic() - began < 1.5
        for one in waiting:
            # In time for a picture or not: the last of those who shared the look-up may be.
            with contextlib.suppress(PluginError):
                list(one)
        assert time.monotonic() - began < 3 + MOST_SECONDS_BEYOND


JOB_TOOLS = ("txt2img", "img2img", "upscale", "draw", "remove_background", "control_preview")


def outcome(
    process: Watched, tool: str, given: dict[str, Any], login: dict[str, Any], patience: float
) -> tuple[str, str, int]:
    """The error's type or "", all that a person reads, and how many files came."""
    try:
        called = Called(process.invoke(tool, given, login, timeout=patience))
    except PluginError as error:
        return error.error_type, error.message, 0
    return "", called.text, len(called.files)


class Peak:
    """How far a process's memory rises from now on."""

    def __init__(self, pid: int) -> None:
        with contextlib.suppress(OSError):
            Path(f"/proc/{pid}/clear_refs").write_text("5")
        self._pid, self._before = pid, memory(pid)

    @property
    def megabytes(self) -> float:
        return (memory(self._pid, "VmHWM") - self._before) / 1e6
