"""A benchmark's figures, what they have to reach, and how they are shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# The plugin's share of the buffered client's memory, at most.
_MEMORY_SHARE = 0.2
# How much "the same memory" may differ from one process to the next.
_SAME = 1.25
# From this number on, memory counts: below, one picture is most of it.
_MANY = 16
_LONGEST_GAP = 15.0
_BYTES_PER_WAITING_CALL = 1_000_000


@dataclass(frozen=True)
class Size:
    """What is drawn in one call."""

    count: int
    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.count} × {self.width}×{self.height}"


@dataclass(frozen=True)
class Drawing:
    """What one call took: seconds, bytes of memory beyond those before it, HTTP requests."""

    seconds: float
    first_seconds: float
    growth: int
    requests: int


@dataclass(frozen=True)
class Pair:
    """The same call by the buffered client and by the plugin."""

    buffered: Drawing
    plugin: Drawing


@dataclass(frozen=True)
class Crowd:
    """What calls at the same time took.

    bytes_each: memory per call while all of them wait. longest_gap: seconds between two heartbeats
    at worst, if sent in the SDK's own rhythm. strays: lines on stdout that are no message.
    """

    calls: int
    succeeded: int
    seconds: float
    bytes_each: int
    longest_gap: float
    strays: int


def missed(size: Size, pairs: Mapping[Size, Pair], *, timed: bool) -> list[str]:
    """The targets that a size misses, in words. timed: whether seconds count."""
    buffered, plugin = pairs[size].buffered, pairs[size].plugin
    found = []
    if timed and plugin.seconds > buffered.seconds:
        found.append("slower")
    if size.count < _MANY:
        return found
    if plugin.growth > buffered.growth * _MEMORY_SHARE:
        found.append(f"over {_MEMORY_SHARE:.0%} of the buffered client's memory")
    found += [
        f"more memory than for {other}"
        for other, pair in pairs.items()
        if _MANY <= other.count < size.count and plugin.growth > pair.plugin.growth * _SAME
    ]
    return found


def missed_by(crowd: Crowd) -> list[str]:
    """The targets that calls at the same time miss, in words."""
    found = {
        "a call failed": crowd.succeeded < crowd.calls,
        "memory": crowd.bytes_each >= _BYTES_PER_WAITING_CALL,
        "heartbeats": crowd.longest_gap > _LONGEST_GAP,
        "stray lines": crowd.strays > 0,
    }
    return [what for what, is_missed in found.items() if is_missed]


def row_of(size: Size, pair: Pair, targets: Sequence[str]) -> list[str]:
    """Cells for one size, each as "buffered / plugin"."""
    both = (pair.buffered, pair.plugin)
    return [
        str(size),
        " / ".join(f"{one.seconds:.2f}" for one in both),
        " / ".join(f"{one.first_seconds:.2f}" for one in both),
        " / ".join(f"{one.growth / 1e6:.1f}" for one in both),
        " / ".join(str(one.requests) for one in both),
        _verdict(targets),
    ]


def row_of_crowd(crowd: Crowd) -> list[str]:
    """Cells for calls at the same time."""
    return [
        str(crowd.calls),
        str(crowd.succeeded),
        f"{crowd.seconds:.1f}",
        f"{crowd.bytes_each / 1e3:.0f}",
        f"{crowd.longest_gap:.1f}",
        str(crowd.strays),
        _verdict(missed_by(crowd)),
    ]


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose columns also line up for who reads it as text."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |"
        for row in [head, ["-" * width for width in widths], *rows]
    ]
    return "\n".join(lines)


def _verdict(missed_targets: Sequence[str]) -> str:
    return f"missed: {', '.join(missed_targets)}" if missed_targets else "met"
