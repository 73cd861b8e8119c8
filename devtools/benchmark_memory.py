"""A process's memory as Linux counts it."""

import contextlib
from pathlib import Path

# See proc_pid_clear_refs(5): "reset the peak resident set size".
_RESET_PEAK = "5"


class Growth:
    """How far the peak of a process's resident memory rises above where it stood at the start."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        # Where the system forbids it, an earlier peak counts: the figure is then too high.
        with contextlib.suppress(OSError):
            Path(f"/proc/{pid}/clear_refs").write_text(_RESET_PEAK)
        self._before = resident(pid)

    def so_far(self) -> int:
        """Bytes."""
        return max(0, _field(self._pid, "VmHWM") - self._before)


def resident(pid: int) -> int:
    """Bytes that the process holds in memory now."""
    return _field(pid, "VmRSS")


def _field(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        label, _, value = line.partition(":")
        if label == name:
            return int(value.removesuffix("kB")) * 1024
    raise LookupError(f"/proc/{pid}/status has no {name}")
