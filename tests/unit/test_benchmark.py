"""The benchmark's arithmetic: which figures miss their targets, and how memory is counted."""

import os

import pytest

from devtools.benchmark import Drawing, Size, measure, verdict_on

MB = 1_000_000
SIZE = Size(16, 1024, 1024)
LARGER = Size(64, 1024, 1024)


def drawing(seconds: float = 1.0, growth: int = 10 * MB) -> Drawing:
    return Drawing(seconds, seconds / 2, growth, 1)


def test_only_the_peak_of_the_call_itself_counts() -> None:
    def pictures() -> list[bytes]:
        return [b"x" * (50 * MB)]

    assert len(pictures()) == 1
    assert measure(os.getpid(), lambda: iter([b""]), 1).growth < 45 * MB
    assert measure(os.getpid(), lambda: iter(pictures()), 1).growth > 45 * MB


@pytest.mark.parametrize(
    ("plugin", "verdict"),
    [
        (drawing(1.0, 20 * MB), "met"),
        (drawing(1.1, 20 * MB), "missed: slower"),
        (drawing(1.0, 21 * MB), "missed: over 20% of the buffered client's memory"),
    ],
)
def test_the_plugin_may_take_as_long_and_a_fifth_of_the_memory(
    plugin: Drawing, verdict: str
) -> None:
    assert verdict_on(SIZE, {SIZE: (drawing(1.0, 100 * MB), plugin)}) == verdict


@pytest.mark.parametrize(
    ("growth", "verdict"),
    [(24 * MB, "met"), (26 * MB, "missed: more memory than for 16 × 1024×1024")],
)
def test_more_pictures_may_not_take_more_memory(growth: int, verdict: str) -> None:
    pairs = {
        SIZE: (drawing(growth=150 * MB), drawing(growth=20 * MB)),
        LARGER: (drawing(growth=600 * MB), drawing(growth=growth)),
    }

    assert verdict_on(LARGER, pairs) == verdict
