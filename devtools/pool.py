"""Measure a pool: HAProxy with examples/pool/haproxy.cfg as it stands, before stand-ins."""

import contextlib
import os
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack

from yarl import URL

from devtools.host import ROOT, PluginProcess

# How many pictures are drawn, and how many seconds a card takes for one.
PICTURES, SECONDS = 16, 2.0
# Servers, and the share of the ideal that is to be reached with so many.
GOALS = {1: 0.9, 2: 0.9, 4: 0.9, 8: 0.8}


@contextlib.contextmanager
def balancer(servers: Sequence[str], **variables: str) -> Iterator[str]:
    """Run it before servers, given by their addresses, and yield its own address.

    variables: more of those that the file takes. RuntimeError if it ends before its time.
    """
    # Opened here: no other program takes the ports, and who connects too early only waits.
    doors = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    port, numbers = doors[0].getsockname()[1], [door.fileno() for door in doors]
    places = dict(zip(("POOL_BIND", "POOL_STATS"), map("fd@{}".format, numbers), strict=True))
    cards = {f"POOL_{place}": URL(one).authority for place, one in enumerate(servers, 1)}
    own = {"PATH": os.environ["PATH"], "POOL_NAME": uuid.uuid4().hex}
    process = subprocess.Popen(  # noqa: S603 - a fixed command
        ["haproxy", "-f", str(ROOT / "examples" / "pool" / "haproxy.cfg")],  # noqa: S607
        env=own | places | cards | variables,
        pass_fds=numbers,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    for door in doors:
        door.close()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        ended = process.poll()
        process.terminate()
        _, said = process.communicate()
        if ended is not None:
            raise RuntimeError(f"HAProxy ended ({ended}): {said}")


# Of `devtools.benchmark.webui`.
type Start = Callable[[float, str], AbstractContextManager[tuple[str, object]]]


def rows(start: Start) -> Iterator[dict[str, str]]:
    """Yield a table's rows, one for each number of servers.

    start: runs a stand-in that takes so many seconds for a picture, by more of its arguments.
    """
    for servers, goal in GOALS.items():
        with ExitStack() as stack:
            running = [stack.enter_context(start(SECONDS, "--cards 1")) for _ in range(servers)]
            base_url = stack.enter_context(balancer([one[0] for one in running]))
            process = stack.enter_context(PluginProcess())
            credentials = {"base_url": base_url, "parallel": servers}
            seconds(process, [{"steps": 1}], credentials)
            taken = {
                "one call": seconds(process, [{"n_iter": PICTURES}], credentials),
                f"{PICTURES} calls": seconds(process, [{}] * PICTURES, credentials),
            }
        ideal = PICTURES * SECONDS / servers
        told = {name: f"{ideal / one:.2f}" for name, one in taken.items()}
        met = all(ideal / one >= goal for one in taken.values())
        yield {
            "servers": f"{servers}",
            "ideal, s": f"{ideal:.1f}",
            **{f"{name}, s": f"{one:.1f}" for name, one in taken.items()},
            **{f"{name}, of ideal": share for name, share in told.items()},
            "targets": "met" if met else f"missed: {goal} of ideal",
        }


def seconds(
    process: PluginProcess, calls: Sequence[dict[str, object]], credentials: Mapping[str, object]
) -> float:
    """Return how long small pictures take that are asked for in so many calls at once."""
    began = time.monotonic()
    small = {"prompt": "a lighthouse", "width": 64, "height": 64}
    running = [
        process.invoke("txt2img", small | {"seed": 100 * place} | call, credentials)
        for place, call in enumerate(calls)
    ]
    came = sum(message.type == "blob" for messages in running for message in messages)
    if came != sum(int(str(call.get("n_iter", 1))) for call in calls):
        raise RuntimeError(f"only {came} pictures came")
    return time.monotonic() - began
