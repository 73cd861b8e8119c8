"""The client to measure against: the whole reply in memory, decoded at once.

    python -m devtools.benchmark_plain URL COUNT WIDTH HEIGHT

A process of its own, which prints its figures as JSON.
"""

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict

import requests

from devtools.benchmark_memory import Growth
from devtools.benchmark_server import GENERATION
from devtools.benchmark_table import Drawing, Size
from devtools.process import ROOT, plugin_environment

_TIMEOUT = 600.0


def draw(base_url: str, size: Size) -> Drawing:
    """One call in a new process."""
    numbers = [str(number) for number in (size.count, size.width, size.height)]
    output = subprocess.check_output(  # noqa: S603 - runs this module
        [sys.executable, "-m", "devtools.benchmark_plain", base_url, *numbers],
        cwd=ROOT,
        env=plugin_environment(),
    )
    return Drawing(**json.loads(output))


def measure(base_url: str, size: Size) -> Drawing:
    """One call in this process."""
    # What is loaded only once is not the pictures' doing.
    _pictures(base_url, Size(1, 64, 64))
    growth = Growth(os.getpid())
    began = time.monotonic()
    pictures, first = _pictures(base_url, size)
    seconds = time.monotonic() - began
    if len(pictures) != size.count:
        raise RuntimeError(f"{len(pictures)} pictures instead of {size.count}")
    return Drawing(seconds, first - began, growth.so_far(), requests=1)


def _pictures(base_url: str, size: Size) -> tuple[list[bytes], float]:
    """All pictures, and the time.monotonic() when the first was there."""
    body = {
        "prompt": "a lighthouse",
        "width": size.width,
        "height": size.height,
        "batch_size": size.count,
    }
    response = requests.post(base_url + GENERATION, json=body, timeout=_TIMEOUT)
    response.raise_for_status()
    found = response.json()["images"]
    pictures = [base64.b64decode(found[0])]
    first = time.monotonic()
    pictures += [base64.b64decode(text) for text in found[1:]]
    return pictures, first


def main(argv: Sequence[str] | None = None) -> int:
    base_url, *numbers = sys.argv[1:] if argv is None else argv
    print(json.dumps(asdict(measure(base_url, Size(*map(int, numbers))))))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
