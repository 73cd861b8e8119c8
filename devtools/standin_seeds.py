"""The seeds of a run's images."""

import secrets
from typing import Any

from devtools.standin_errors import CrashError


def seeds_of(values: dict[str, Any]) -> tuple[list[int], list[int]]:
    """Seeds and subseeds, one of each per image; with a variation all share the seed."""
    count = values["batch_size"] * values["n_iter"]
    if count < 1:
        raise CrashError("IndexError", "list index out of range")
    seed, subseed = _fixed(values["seed"]), _fixed(values["subseed"])
    same = values["subseed_strength"] > 0
    seeds = [seed if same else seed + place for place in range(count)]
    return seeds, [subseed + place for place in range(count)]


def _fixed(seed: int | None) -> int:
    return secrets.randbelow(4294967294) if seed is None or seed == -1 else seed
