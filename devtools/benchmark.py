"""Measure the plugin's process against a client that holds whole replies in memory.

    uv run python -m devtools.benchmark

Both draw with the same stand-in WebUI, in turns. The exit code is 1 when a target is missed.
"""

import argparse
import base64
import contextlib
import functools
import itertools
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path

import requests

from devtools.host import (
    ROOT,
    Message,
    PluginError,
    PluginGoneError,
    PluginProcess,
    plugin_environment,
)

# The plugin's share of the buffered client's memory at most; how much "the same memory" may differ
# from one process to the next; the number of pictures below which one is most of it.
MEMORY_SHARE, SAME, MANY = 0.2, 1.25, 16
LONGEST_GAP, BYTES_PER_WAITING_CALL = 15.0, 1_000_000
# Seconds that the server takes for each of many calls at once.
HOLD = 3.0
# Seconds between heartbeats: the SDK's, and here, so that no standstill stays unseen.
SDK_INTERVAL, INTERVAL = 10.0, 0.2


@dataclass(frozen=True)
class Size:
    """What is drawn in one call."""

    count: int
    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.count} × {self.width}×{self.height}"

    def request(self) -> dict[str, object]:
        """Return the same each time, so that the stand-in has drawn the pictures before."""
        size = {"width": self.width, "height": self.height, "batch_size": self.count}
        return {"prompt": "a lighthouse", "seed": 1, **size}


SMALL, CROWDED, FOR_MEMORY = Size(1, 64, 64), Size(1, 512, 512), Size(64, 1024, 1024)
TIMED = (CROWDED, Size(1, 1024, 1024), Size(16, 1024, 1024), Size(4, 2048, 2048))
CROWDS = (1, 20, 200)


@dataclass(frozen=True)
class Drawing:
    """What one call took: seconds, bytes of memory beyond those before it, HTTP requests."""

    seconds: float
    first_seconds: float
    growth: float
    requests: float

    def cells(self) -> list[str]:
        times = [f"{self.seconds:.2f}", f"{self.first_seconds:.2f}"]
        return [*times, f"{self.growth / 1e6:.1f}", f"{self.requests:.0f}"]


# The same call by the buffered client and by the plugin.
type Pair = tuple[Drawing, Drawing]


@dataclass(frozen=True)
class Crowd:
    """What calls at the same time took.

    bytes_each: memory per call while all of them wait. longest_gap: seconds between two heartbeats
    at worst, if sent in the SDK's own rhythm. strays: lines on stdout that are no message.
    """

    calls: int
    succeeded: int
    seconds: float
    bytes_each: float
    longest_gap: float
    strays: int

    def cells(self) -> list[str]:
        times = [f"{self.seconds:.1f}", f"{self.bytes_each / 1e3:.0f}", f"{self.longest_gap:.1f}"]
        return [str(self.calls), str(self.succeeded), *times, str(self.strays)]


def missed_by_size(size: Size, pairs: Mapping[Size, Pair]) -> list[str]:
    """Return the targets that a size misses, in words."""
    buffered, plugin = pairs[size]
    found = {"slower": size in TIMED and plugin.seconds > buffered.seconds}
    if size.count >= MANY:
        share = f"over {MEMORY_SHARE:.0%} of the buffered client's memory"
        found[share] = plugin.growth > buffered.growth * MEMORY_SHARE
    for other, (_, smaller) in pairs.items():
        if MANY <= other.count < size.count:
            found[f"more memory than for {other}"] = plugin.growth > smaller.growth * SAME
    return [what for what, is_missed in found.items() if is_missed]


def missed_by_crowd(crowd: Crowd) -> list[str]:
    """Return the targets that calls at the same time miss, in words."""
    found = {
        "a call failed": crowd.succeeded < crowd.calls,
        "memory": crowd.bytes_each >= BYTES_PER_WAITING_CALL,
        "heartbeats": crowd.longest_gap > LONGEST_GAP,
        "stray lines": crowd.strays > 0,
    }
    return [what for what, is_missed in found.items() if is_missed]


def memory(pid: int, field: str = "VmRSS") -> int:
    """Return the bytes that a process holds now or, as VmHWM, held at most (on Linux)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition(f"{field}:")[2].split()[0]) * 1024


def open_files(pid: int) -> int:
    """Return how many files and connections a process has open (on Linux)."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def measure(pid: int, call: Callable[[], Iterator[object]], count: int) -> Drawing:
    """Time a call that yields pictures, and see how far the process's memory rises meanwhile."""
    # A new peak begins, see proc_pid_clear_refs(5); where that is forbidden, it shows too much.
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    before, began = memory(pid), time.monotonic()
    arrivals = [time.monotonic() - began for _ in call()]
    seconds = time.monotonic() - began
    if len(arrivals) != count:
        raise RuntimeError(f"{len(arrivals)} pictures instead of {count}")
    return Drawing(seconds, arrivals[0], max(0, memory(pid, "VmHWM") - before), requests=1)


@contextlib.contextmanager
def webui(delay: float = 0.0) -> Iterator[tuple[str, list[str]]]:
    """Run a stand-in in a process of its own; yield its address and a line for each reply.

    Its pictures are as large as photographs, and no call waits for another.
    """
    words = ["--port", "0", "--noise", "--cards", "0", "--verbose", "--delay", str(delay)]
    with subprocess.Popen(  # noqa: S603 - runs our own command
        [sys.executable, "-m", "devtools.standin", *words],
        cwd=ROOT,
        env=plugin_environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None  # noqa: S101 - for the type checker: it is a pipe
        base_url = process.stdout.readline().partition(" at ")[2].partition(",")[0]
        replies: list[str] = []
        reader = threading.Thread(target=deque, args=(map(replies.append, process.stdout),))
        reader.start()
        try:
            yield base_url, replies
        finally:
            process.terminate()
            reader.join()


def buffered_pictures(base_url: str, size: Size) -> Iterator[bytes]:
    """Draw in the usual manner: the whole reply in memory, and all pictures."""
    response = requests.post(f"{base_url}/sdapi/v1/txt2img", json=size.request(), timeout=600)
    response.raise_for_status()
    kept = []
    for text in response.json()["images"]:
        kept.append(base64.b64decode(text))
        yield kept[-1]


def draw_buffered(base_url: str, size: Size) -> Drawing:
    """Draw in a new process, which `main` makes the buffered client."""
    words = [base_url, *map(str, astuple(size))]
    output = subprocess.check_output(  # noqa: S603 - runs this module
        [sys.executable, "-m", "devtools.benchmark", "--buffered", *words],
        cwd=ROOT,
        env=plugin_environment(),
    )
    return Drawing(*json.loads(output))


def plugin_pictures(process: PluginProcess, base_url: str, size: Size) -> Iterator[Message]:
    messages = process.invoke("txt2img", size.request(), {"base_url": base_url})
    return (message for message in messages if message.type == "blob")


def draw_with_plugin(base_url: str, replies: Sequence[str], size: Size) -> Drawing:
    """Draw in a new process, which has drawn a small picture before and so has read the lists."""
    with PluginProcess() as process:
        list(plugin_pictures(process, base_url, SMALL))
        before = _settled(replies)
        call = functools.partial(plugin_pictures, process, base_url, size)
        drawing = measure(process.pid, call, size.count)
        return replace(drawing, requests=_settled(replies) - before)


def _settled(replies: Sequence[str]) -> int:
    # The stand-in tells of a reply after sending it.
    time.sleep(0.2)
    return len(replies)


def draw_at_once(base_url: str, calls: int) -> Crowd:
    """Call so many times at once a server that takes HOLD seconds for each."""
    with PluginProcess(environment={"HEARTBEAT_INTERVAL": str(INTERVAL)}) as process:
        list(plugin_pictures(process, base_url, SMALL))
        idle, files, beats = memory(process.pid), open_files(process.pid), len(process.heartbeats)
        began = time.monotonic()
        running = [plugin_pictures(process, base_url, CROWDED) for _ in range(calls)]
        waiting, connected = 0, 0
        # Until then none can have ended.
        while time.monotonic() < began + HOLD:
            waiting = max(waiting, memory(process.pid))
            connected = max(connected, open_files(process.pid) - files)
            time.sleep(0.02)
        if connected < calls:
            raise RuntimeError(f"only {connected} of {calls} calls reached the server in time")
        succeeded = sum(map(_succeeds, running))
        seconds = time.monotonic() - began
        times = [*process.heartbeats[beats - 1 :], time.monotonic()]
        longest = max(later - earlier for earlier, later in itertools.pairwise(times))
        gap = SDK_INTERVAL + max(0.0, longest - INTERVAL)
        each = max(0, waiting - idle) / calls
        return Crowd(calls, succeeded, seconds, each, gap, len(process.stray_lines))


def _succeeds(call: Iterator[Message]) -> bool:
    try:
        return len(list(call)) == 1
    except (PluginError, PluginGoneError):
        return False


def _median(drawings: Iterable[Drawing]) -> Drawing:
    return Drawing(*map(statistics.median, zip(*map(astuple, drawings), strict=True)))


def print_table(head: str, rows: Sequence[Sequence[str]]) -> None:
    """Print Markdown whose columns also line up for who reads it as text."""
    titles = head.split(" | ")
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    for row in (titles, ["-" * width for width in widths], *rows):
        print("|", " | ".join(map(str.ljust, row, widths)), "|", flush=True)


def compare(repeat: int) -> bool:
    """Print what single calls take, as medians; whether all targets are met."""
    pairs: dict[Size, Pair] = {}
    rows = []
    with webui() as (base_url, replies):
        with PluginProcess() as process:
            list(plugin_pictures(process, base_url, SMALL))
        first = _settled(replies)
        for size in (*TIMED, FOR_MEMORY):
            for _ in buffered_pictures(base_url, size):
                pass
            turns = [
                (draw_buffered(base_url, size), draw_with_plugin(base_url, replies, size))
                for _ in range(repeat if size in TIMED else 1)
            ]
            buffered, plugin = map(_median, zip(*turns, strict=True))
            pairs[size] = buffered, plugin
            both = map(" / ".join, zip(buffered.cells(), plugin.cells(), strict=True))
            rows.append([str(size), *both, _verdict(missed_by_size(size, pairs))])
    print("Buffered client / this plugin, medians:\n")
    head = "images | seconds | first image, s | memory growth, MB | HTTP requests | targets"
    print_table(head, rows)
    print(f"\nThe first call to a server takes {first} HTTP requests.\n", flush=True)
    return not any(missed_by_size(size, pairs) for size in pairs)


def crowd() -> bool:
    """Print what calls at once take; whether all targets are met."""
    with webui(HOLD) as (base_url, _):
        for _ in buffered_pictures(base_url, CROWDED):
            pass
        found = [draw_at_once(base_url, calls) for calls in CROWDS]
    head = (
        "calls at once | succeeded | seconds | waiting, kB each | longest heartbeat gap, s | "
        "stray lines | targets"
    )
    print_table(head, [[*one.cells(), _verdict(missed_by_crowd(one))] for one in found])
    return not any(map(missed_by_crowd, found))


def _verdict(missed: Sequence[str]) -> str:
    return f"missed: {', '.join(missed)}" if missed else "met"


def main() -> int:
    """Return 0 when all targets are met, 1 when one is missed."""
    parser = argparse.ArgumentParser(
        prog="python -m devtools.benchmark", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--repeat", type=int, default=5, help="calls per row, default 5")
    parser.add_argument("--buffered", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.buffered:
        base_url, *numbers = options.buffered
        # What is loaded only once is not the pictures' doing.
        list(buffered_pictures(base_url, SMALL))
        size = Size(*map(int, numbers))
        call = functools.partial(buffered_pictures, base_url, size)
        print(json.dumps(astuple(measure(os.getpid(), call, size.count))))
        return 0
    single = compare(options.repeat)
    return 0 if crowd() and single else 1


if __name__ == "__main__":
    raise SystemExit(main())
