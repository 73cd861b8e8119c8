"""The soak of the benchmark, for a moment; minutes of it are `devtools.benchmark --soak 300`."""

import subprocess
import sys

import pytest

from devtools.host import ROOT

pytestmark = pytest.mark.slow


def test_a_crowd_of_mixed_calls_loses_nothing_and_leaves_nothing() -> None:
    words = ["-m", "devtools.benchmark", "--soak", "5"]
    soak = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True)  # noqa: S603
    assert "| met" in soak.stdout, soak.stdout + soak.stderr
    assert soak.returncode == 0
