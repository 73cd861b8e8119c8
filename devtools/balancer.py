"""HAProxy with examples/pool/haproxy.cfg as it stands, before any servers."""

import contextlib
import os
import socket
import subprocess
import uuid
from collections.abc import Iterator, Sequence

from yarl import URL

from devtools.host import ROOT


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
    command = ["haproxy", "-f", str(ROOT / "examples" / "pool" / "haproxy.cfg")]
    process = subprocess.Popen(  # noqa: S603 - a fixed program
        command,
        env={"PATH": os.environ["PATH"], "POOL_NAME": uuid.uuid4().hex} | places | cards | variables,
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
