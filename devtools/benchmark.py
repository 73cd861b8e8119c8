"""Measures the plugin's process against a client that holds whole replies in memory.

    uv run python -m devtools.benchmark

Both draw with the same stand-in WebUI, in turns. The exit code is 1 when a target is missed.
"""

import argparse
import statistics
from collections.abc import Sequence

from devtools import benchmark_plain, benchmark_plugin, benchmark_table
from devtools.benchmark_server import PictureServer
from devtools.benchmark_table import Crowd, Drawing, Pair, Size

TIMED = (Size(1, 512, 512), Size(1, 1024, 1024), Size(16, 1024, 1024), Size(4, 2048, 2048))
FOR_MEMORY = (Size(64, 1024, 1024),)
CROWDS = (1, 20, 200)
HOLD = 3.0

_DRAWING_HEAD = (
    "images",
    "seconds",
    "first image, s",
    "memory growth, MB",
    "HTTP requests",
    "targets",
)
_CROWD_HEAD = (
    "calls at once",
    "succeeded",
    "seconds",
    "waiting, kB each",
    "longest heartbeat gap, s",
    "stray lines",
    "targets",
)


def draw_in_turns(server: PictureServer, size: Size, repeat: int) -> Pair:
    """The medians of both clients, each call in a new process."""
    server.prepare(1, 64, 64)
    server.prepare(size.count, size.width, size.height)
    buffered, plugin = [], []
    for _ in range(repeat):
        buffered.append(benchmark_plain.draw(server.base_url, size))
        plugin.append(benchmark_plugin.draw(server, size))
    return Pair(_median(buffered), _median(plugin))


def _median(drawings: Sequence[Drawing]) -> Drawing:
    return Drawing(
        statistics.median(one.seconds for one in drawings),
        statistics.median(one.first_seconds for one in drawings),
        int(statistics.median(one.growth for one in drawings)),
        statistics.median_high([one.requests for one in drawings]),
    )


def crowds(numbers: Sequence[int], hold: float) -> list[Crowd]:
    """So many calls at once, each of which takes `hold` seconds."""
    size = Size(1, 512, 512)
    with PictureServer(hold) as server:
        server.prepare(1, 64, 64)
        server.prepare(size.count, size.width, size.height)
        return [benchmark_plugin.crowd(server, number, size) for number in numbers]


def report(
    timed: Sequence[Size],
    for_memory: Sequence[Size],
    numbers: Sequence[int],
    *,
    repeat: int,
    hold: float,
) -> bool:
    """Print both tables; whether all targets are met."""
    pairs: dict[Size, Pair] = {}
    rows: list[list[str]] = []
    all_met = True
    with PictureServer() as server:
        first = benchmark_plugin.first_requests(server)
        for size in (*timed, *for_memory):
            pairs[size] = draw_in_turns(server, size, 1 if size in for_memory else repeat)
            missed = benchmark_table.missed(size, pairs, timed=size in timed)
            rows.append(benchmark_table.row_of(size, pairs[size], missed))
            all_met &= not missed
    print("Buffered client / this plugin, medians:\n")
    print(benchmark_table.markdown(_DRAWING_HEAD, rows))
    print(f"\nThe first call to a server takes {first} HTTP requests.\n", flush=True)
    found = crowds(numbers, hold)
    crowd_rows = [benchmark_table.row_of_crowd(one) for one in found]
    print(benchmark_table.markdown(_CROWD_HEAD, crowd_rows))
    return all_met and not any(benchmark_table.missed_by(one) for one in found)


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code: 0 all targets met, 1 one missed."""
    parser = argparse.ArgumentParser(
        prog="python -m devtools.benchmark", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--repeat", type=int, default=5, help="calls per row, default 5")
    options = parser.parse_args(argv)
    met = report(TIMED, FOR_MEMORY, CROWDS, repeat=options.repeat, hold=HOLD)
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
