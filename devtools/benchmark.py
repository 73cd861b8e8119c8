"""Measure the plugin's process against a client that holds whole replies in memory.

    uv run python -m devtools.benchmark [--soak 300 | --pool]

Both draw with the same stand-in WebUI, in turns; a soak is minutes of mixed calls, a third of which
fail; a pool is one to eight servers behind HAProxy. The exit code is 1 when a target is missed.
"""

import argparse
import base64
import contextlib
import itertools
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import astuple, dataclass, replace
from pathlib import Path

import requests

from devtools import pool
from devtools.host import ROOT, FileServer, PluginError, PluginProcess

# The plugin's share of the buffered client's memory at most; how much "the same memory" may differ
# from one process to the next; the number of pictures below which one is most of it.
MEMORY_SHARE, SAME, MANY = 0.2, 1.25, 16
LONGEST_GAP, BYTES_PER_WAITING_CALL = 15.0, 1_000_000
HOLD = 3.0  # Seconds that the server takes for each of many calls at once.
# Seconds between heartbeats: the SDK's, and here, so that no standstill stays unseen.
SDK_INTERVAL, INTERVAL = 10.0, 0.2
# Of a soak: callers at once, what may be left of it, and the SDK's workers, else growing to 1000.
CALLERS, LEFT, WORKERS = 200, 1.1, {"MAX_WORKER": "200"}
LOGIN = {"username": "me", "password": "secret"}


@dataclass(frozen=True)
class Size:
    """What is drawn in one call."""

    count: int
    width: int
    height: int

    def request(self) -> dict[str, object]:
        """Return the same each time, so that the stand-in has drawn the pictures before."""
        size = {"width": self.width, "height": self.height, "batch_size": self.count}
        return {"prompt": "a lighthouse", "seed": 1, "steps": 20, **size}

    def __str__(self) -> str:
        return f"{self.count} × {self.width}×{self.height}"


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

    def cells(self) -> dict[str, str]:
        return {
            "seconds": f"{self.seconds:.2f}",
            "first image, s": f"{self.first_seconds:.2f}",
            "memory growth, MB": f"{self.growth / 1e6:.1f}",
            "HTTP requests": f"{self.requests:.0f}",
        }


# The same call by the buffered client and by the plugin.
type Pairs = dict[Size, tuple[Drawing, Drawing]]


def verdict_on(size: Size, pairs: Pairs) -> str:
    """Tell which targets a size misses."""
    buffered, plugin = pairs[size]
    found = {"slower": size in TIMED and plugin.seconds > buffered.seconds}
    if size.count >= MANY:
        share = f"over {MEMORY_SHARE:.0%} of the buffered client's memory"
        found[share] = plugin.growth > buffered.growth * MEMORY_SHARE
    for other, (_, smaller) in pairs.items():
        if MANY <= other.count < size.count:
            found[f"more memory than for {other}"] = plugin.growth > smaller.growth * SAME
    return verdict(found)


def verdict(missed: Mapping[str, bool]) -> str:
    names = [name for name, is_missed in missed.items() if is_missed]
    return f"missed: {', '.join(names)}" if names else "met"


def memory(pid: int, field: str = "VmRSS") -> int:
    """Return the bytes that a process holds now or, as VmHWM, held at most (on Linux)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition(f"{field}:")[2].split()[0]) * 1024


def open_files(pid: int) -> int:
    """Return how many files and connections a process has open (on Linux)."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def measure(pid: int, draw: Callable[[], Iterator[object]], count: int) -> Drawing:
    """Time a call that yields pictures, and see how far the process's memory rises meanwhile."""
    # A new peak begins, see proc_pid_clear_refs(5); where that is forbidden, it shows too much.
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    before, began = memory(pid), time.monotonic()
    arrivals = [time.monotonic() - began for _ in draw()]
    seconds = time.monotonic() - began
    if len(arrivals) != count:
        raise RuntimeError(f"{len(arrivals)} pictures instead of {count}")
    return Drawing(seconds, arrivals[0], max(0, memory(pid, "VmHWM") - before), requests=1)


@contextlib.contextmanager
def webui(delay: float = 0.0, login: str = "") -> Iterator[tuple[str, list[str]]]:
    """Run a stand-in in a process of its own; yield its address and a line for each reply.

    Its pictures are as large as photographs, and no call waits for another.
    """
    words = f"--port 0 --noise --cards 0 --verbose --delay {delay} {login}"
    command = [sys.executable, "-m", "devtools.standin", *words.split()]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdout=pipe, text=True) as process:  # noqa: S603
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


def told_of(replies: Sequence[str]) -> int:
    """Return how many replies there were; the stand-in tells of each after sending it."""
    time.sleep(0.2)
    return len(replies)


def buffered_pictures(base_url: str, size: Size) -> Iterator[bytes]:
    """Draw in the usual manner: the whole reply in memory, and all pictures."""
    session = requests.Session()
    # A proxy in the environment has no business on the loopback.
    session.trust_env = False
    response = session.post(f"{base_url}/sdapi/v1/txt2img", json=size.request(), timeout=600)
    response.raise_for_status()
    kept = []
    for text in response.json()["images"]:
        kept.append(base64.b64decode(text))
        yield kept[-1]


def draw_buffered(base_url: str, size: Size) -> Drawing:
    """Draw in this process, which shall be new."""
    # What is loaded only once is not the pictures' doing.
    list(buffered_pictures(base_url, SMALL))
    return measure(os.getpid(), lambda: buffered_pictures(base_url, size), size.count)


def plugin_pictures(process: PluginProcess, base_url: str, size: Size) -> Iterator[object]:
    """Send a call at once, and yield its pictures."""
    messages = process.invoke("txt2img", size.request(), {"base_url": base_url})
    return (message for message in messages if message.type == "blob")


def draw_with_plugin(base_url: str, replies: Sequence[str], size: Size) -> Drawing:
    """Draw in a new process, which has drawn a small picture before and so has read the lists."""
    with PluginProcess() as process:
        list(plugin_pictures(process, base_url, SMALL))
        before = told_of(replies)
        drawing = measure(process.pid, lambda: plugin_pictures(process, base_url, size), size.count)
        return replace(drawing, requests=told_of(replies) - before)


def draw_at_once(base_url: str, calls: int) -> dict[str, str]:
    """Call so many times at once a server that takes HOLD seconds for each."""
    with PluginProcess(environment={"HEARTBEAT_INTERVAL": str(INTERVAL)}) as process:
        list(plugin_pictures(process, base_url, SMALL))
        idle, files, beats = memory(process.pid), open_files(process.pid), len(process.heartbeats)
        began = time.monotonic()
        running = [plugin_pictures(process, base_url, CROWDED) for _ in range(calls)]
        waiting = connected = succeeded = 0
        # Until then none can have ended.
        while time.monotonic() < began + HOLD:
            waiting = max(waiting, memory(process.pid))
            connected = max(connected, open_files(process.pid) - files)
            time.sleep(0.02)
        if connected < calls:
            raise RuntimeError(f"only {connected} of {calls} calls reached the server in time")
        for call in running:
            with contextlib.suppress(PluginError):
                succeeded += len(list(call)) == 1
        now = time.monotonic()
        times = itertools.pairwise([*process.heartbeats[beats - 1 :], now])
        # As it would be in the SDK's own rhythm.
        gap = SDK_INTERVAL + max(0.0, max(later - one for one, later in times) - INTERVAL)
        each, strays = max(0, waiting - idle) / calls, len(process.stray_lines)
    figures = {
        "calls at once": (f"{calls}", False),
        "succeeded": (f"{succeeded}", succeeded < calls),
        "seconds": (f"{now - began:.1f}", False),
        "waiting, kB each": (f"{each / 1e3:.0f}", each >= BYTES_PER_WAITING_CALL),
        "longest heartbeat gap, s": (f"{gap:.1f}", gap > LONGEST_GAP),
        "stray lines": (f"{strays}", strays > 0),
    }
    return row_of(figures)


@dataclass(frozen=True)
class Errand:
    """A call, and what may come of it: so many files, or an error. seed: of the pictures."""

    tool: str
    given: Mapping[str, object]
    credentials: Mapping[str, str]
    ends: frozenset[int | str]
    seed: int | None = None

    def run(self, process: PluginProcess) -> str:
        """Return "" if it ended as it may, or what was wrong."""
        try:
            messages = list(process.invoke(self.tool, self.given, self.credentials, timeout=120))
            files = [message.blob or b"" for message in messages if message.type == "blob"]
        except PluginError as error:
            return "" if error.error_type in self.ends else f"lost: {self.tool}: {error.message}"
        except Exception as error:  # noqa: BLE001 - whatever it is, it is to be counted
            return f"lost: {self.tool}: {error!r}"
        if len(files) not in self.ends:
            return f"lost: {self.tool}: {len(files)} files"
        strange = self.seed is not None and any(b"Seed: %d," % self.seed not in f for f in files)
        return f"foreign: {self.tool}" if strange else ""


def some_errand(chance: random.Random, base_url: str, slow_url: str, photo: object) -> Errand:
    """Return a call of any tool; every third fails, or may."""
    good, seed = LOGIN | {"base_url": base_url}, chance.randrange(1 << 31)
    size = chance.choice([64, 128, 256])
    drawing = {"prompt": "a cat", "seed": seed, "width": size, "height": size}
    sketch = {"prompt": "a cat", "width": size, "height": size}
    one, refused = frozenset([1]), frozenset(["InvokeBadRequestError"])
    down = "InvokeServerUnavailableError"
    if chance.random() < 1 / 3:
        nowhere, stranger = good | {"base_url": "http://127.0.0.1:1"}, good | {"password": "wrong"}
        late, hurried = good | {"base_url": slow_url}, drawing | {"timeout": 1}
        failing = [
            Errand("txt2img", drawing | {"sampler_name": "Eulr"}, good, refused),
            Errand("txt2img", drawing, nowhere, frozenset(["InvokeConnectionError"])),
            Errand("server_info", {}, stranger, frozenset(["InvokeAuthorizationError"])),
            Errand("draw", sketch | {"width": "many"}, good, refused),
            Errand("txt2img", drawing | {"width": 16384, "height": 16384}, good, frozenset([down])),
            Errand("txt2img", hurried, late, frozenset([down, 1])),
        ]
        return chance.choice(failing)
    redrawn = {"prompt": "a cat", "seed": seed, "image": photo}
    working = [
        Errand("txt2img", drawing, good, one, seed),
        Errand("txt2img", drawing | {"n_iter": 2}, good, frozenset([2])),
        Errand("draw", sketch, good, one),
        Errand("img2img", redrawn, good, one, seed),
        Errand("upscale", {"images": [photo], "upscaler_1": "Lanczos"}, good, one),
        Errand("png_info", {"image": photo}, good, frozenset([0])),
        Errand("server_info", {"list": "samplers"}, good, frozenset([0])),
    ]
    return chance.choice(working)


def held(pid: int) -> dict[str, int]:
    """Return what a process holds: descriptors, threads, kilobytes."""
    threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
    return {"descriptors": open_files(pid), "threads": threads, "kB": memory(pid) // 1000}


def soak(seconds: float) -> dict[str, str]:
    """Let CALLERS call without a pause, and see what is lost and what is left."""
    told: Counter[str] = Counter()

    def run(seconds: float, run_number: int) -> None:
        def work(number: int) -> None:
            chance = random.Random(f"{run_number} {number}")  # noqa: S311 - repeatable, no secret
            while time.monotonic() < until:
                told[some_errand(chance, base_url, slow_url, photo).run(process)] += 1

        until = time.monotonic() + seconds
        with ThreadPoolExecutor(CALLERS) as callers:
            list(callers.map(work, range(CALLERS)))

    with (
        webui(0.05, "--api-auth me:secret") as (base_url, _),
        webui(HOLD, "--api-auth me:secret") as (slow_url, _),
        FileServer() as files,
        PluginProcess(environment=WORKERS) as process,
        tempfile.NamedTemporaryFile(suffix=".png") as file,
    ):
        good = LOGIN | {"base_url": base_url}
        drawn = process.invoke("txt2img", SMALL.request(), good)
        Path(file.name).write_bytes(next(one.blob or b"" for one in drawn if one.type == "blob"))
        photo = files.add(Path(file.name))
        run(max(45.0, seconds / 5), 1)
        time.sleep(5)
        before = held(process.pid)
        told.clear()
        run(seconds, 2)
        for _ in range(120):
            after = held(process.pid)
            if all(after[name] <= before[name] * LEFT for name in before):
                break
            time.sleep(0.5)
        strays = len(process.stray_lines)
    figures = {"calls": (str(told.total()), False), "stray lines": (str(strays), strays > 0)}
    for kind in ("lost", "foreign"):
        found = [problem for problem in told if problem.startswith(kind)]
        print("\n".join(found))
        figures[kind] = (str(sum(told[problem] for problem in found)), bool(found))
    figures |= {
        name: (f"{before[name]} → {after[name]}", after[name] > before[name] * LEFT)
        for name in before
    }
    return row_of(figures)


def row_of(figures: Mapping[str, tuple[str, bool]]) -> dict[str, str]:
    """Return a table's row of figures, each with whether it misses its target."""
    missed = {name: is_missed for name, (_, is_missed) in figures.items()}
    return {name: text for name, (text, _) in figures.items()} | {"targets": verdict(missed)}


def print_table(rows: Sequence[Mapping[str, str]]) -> None:
    """Print Markdown whose columns also line up for who reads it as text."""
    cells = [list(rows[0]), *(list(row.values()) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in (cells[0], ["-" * width for width in widths], *cells[1:]):
        print("|", " | ".join(map(str.ljust, line, widths)), "|", flush=True)


def compare(repeat: int) -> list[dict[str, str]]:
    """Print what single calls take, as medians, and return the table."""
    pairs: Pairs = {}
    rows = []
    with webui() as (base_url, replies), ProcessPoolExecutor(1, max_tasks_per_child=1) as new:
        with PluginProcess() as process:
            list(plugin_pictures(process, base_url, SMALL))
        first = told_of(replies)
        for size in (*TIMED, FOR_MEMORY):
            list(buffered_pictures(base_url, size))
            buffered, plugin = [], []
            for _ in range(repeat if size in TIMED else 1):
                buffered.append(new.submit(draw_buffered, base_url, size).result())
                plugin.append(draw_with_plugin(base_url, replies, size))
            pairs[size] = median(buffered), median(plugin)
            one, other = (drawing.cells() for drawing in pairs[size])
            both = {name: f"{one[name]} / {other[name]}" for name in one}
            rows.append({"images": str(size), **both, "targets": verdict_on(size, pairs)})
    print("Buffered client / this plugin, medians:\n")
    print_table(rows)
    print(f"\nThe first call to a server takes {first} HTTP requests.\n", flush=True)
    return rows


def median(drawings: Sequence[Drawing]) -> Drawing:
    return Drawing(*map(statistics.median, zip(*map(astuple, drawings), strict=True)))


def main() -> int:
    """Return 0 when all targets are met, 1 when one is missed."""
    parser = argparse.ArgumentParser(prog="python -m devtools.benchmark", description=__doc__)
    parser.add_argument("--repeat", type=int, default=5, help="calls per row, default 5")
    parser.add_argument("--soak", type=float, metavar="SECONDS", help="mixed calls, for so long")
    parser.add_argument("--pool", action="store_true", help="several servers, by HAProxy")
    options = parser.parse_args()
    if options.soak or options.pool:
        print_table(rows := list(pool.rows(webui)) if options.pool else [soak(options.soak)])
        return int(any(row["targets"] != "met" for row in rows))
    rows = compare(options.repeat)
    with webui(HOLD) as (base_url, _):
        list(buffered_pictures(base_url, CROWDED))
        at_once = [draw_at_once(base_url, calls) for calls in CROWDS]
    print_table(at_once)
    return 0 if {row["targets"] for row in rows + at_once} == {"met"} else 1


if __name__ == "__main__":
    raise SystemExit(main())
