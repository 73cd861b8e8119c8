"""What the plugin's own process takes, for one call and for many at once."""

import itertools
import time
from collections.abc import Iterator

from devtools.benchmark_memory import Growth, resident
from devtools.benchmark_server import PictureServer
from devtools.benchmark_table import Crowd, Drawing, Size
from devtools.host import Message, PluginError, PluginGoneError, PluginProcess, ProtocolError

_SMALL = Size(1, 64, 64)
# Of the SDK's heartbeats, in seconds.
_SDK_INTERVAL = 10.0
# Often enough that no standstill falls between two of them and stays unseen.
_INTERVAL = 0.2
# Seconds that a heartbeat may be late before the process counts as lost.
_PATIENCE = 60.0


def draw(server: PictureServer, size: Size) -> Drawing:
    """One call in a process that has drawn a small picture before, and so has read the lists."""
    with PluginProcess() as process:
        list(_call(process, server, _SMALL))
        received = server.received()
        growth = Growth(process.pid)
        began = time.monotonic()
        arrivals = [
            time.monotonic() for message in _call(process, server, size) if message.type == "blob"
        ]
        seconds = time.monotonic() - began
        if len(arrivals) != size.count:
            raise RuntimeError(f"{len(arrivals)} pictures instead of {size.count}")
        return Drawing(seconds, arrivals[0] - began, growth.so_far(), server.received() - received)


def first_requests(server: PictureServer) -> int:
    """HTTP requests of a process's first call, which also asks what the server offers."""
    with PluginProcess() as process:
        before = server.received()
        list(_call(process, server, _SMALL))
        return server.received() - before


def crowd(server: PictureServer, calls: int, size: Size) -> Crowd:
    """Calls at the same time, at a server that holds each for a while."""
    with PluginProcess(environment={"HEARTBEAT_INTERVAL": str(_INTERVAL)}) as process:
        list(_call(process, server, _SMALL))
        before = resident(process.pid)
        beats = len(process.heartbeats)
        began = time.monotonic()
        running = [_call(process, server, size) for _ in range(calls)]
        waiting_bytes = _resident_while_waiting(process, server, calls) - before
        succeeded = sum(_succeeds(call) for call in running)
        seconds = time.monotonic() - began
        # A standstill shows when the next one comes.
        _await_heartbeat(process)
        times = process.heartbeats[beats - 1 :]
        longest = max(later - earlier for earlier, later in itertools.pairwise(times))
        return Crowd(
            calls=calls,
            succeeded=succeeded,
            seconds=seconds,
            bytes_each=max(0, waiting_bytes) // calls,
            longest_gap=_SDK_INTERVAL + max(0.0, longest - _INTERVAL),
            strays=len(process.stray_lines),
        )


def _call(process: PluginProcess, server: PictureServer, size: Size) -> Iterator[Message]:
    given = {
        "prompt": "a lighthouse",
        "width": size.width,
        "height": size.height,
        "batch_size": size.count,
    }
    return process.invoke("txt2img", given, {"base_url": server.base_url})


def _resident_while_waiting(process: PluginProcess, server: PictureServer, calls: int) -> int:
    """The most bytes while none of the calls has ended and all have reached the server."""
    most = 0
    until = time.monotonic() + _PATIENCE
    while (waiting := server.waiting()) < calls:
        if time.monotonic() > until:
            raise TimeoutError(f"only {waiting} of {calls} calls reached the server")
        time.sleep(0.02)
    while server.waiting() == calls and time.monotonic() < until:
        most = max(most, resident(process.pid))
        time.sleep(0.02)
    return most


def _succeeds(call: Iterator[Message]) -> bool:
    try:
        return sum(message.type == "blob" for message in call) == 1
    except (PluginError, PluginGoneError, ProtocolError):
        return False


def _await_heartbeat(process: PluginProcess) -> None:
    seen = len(process.heartbeats)
    until = time.monotonic() + _PATIENCE
    while len(process.heartbeats) == seen:
        if time.monotonic() > until:
            raise TimeoutError("the heartbeats have stopped")
        time.sleep(0.02)
