"""The benchmark's arithmetic: which figures miss their targets, and how memory is counted."""

import os

import pytest

from devtools.benchmark import Crowd, Drawing, Size, measure, missed_by_crowd, missed_by_size

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


def test_a_call_with_too_few_pictures_is_no_measurement() -> None:
    with pytest.raises(RuntimeError, match="1 pictures instead of 2"):
        measure(os.getpid(), lambda: iter([b""]), 2)


def test_a_plugin_that_is_slower_misses_the_target() -> None:
    assert missed_by_size(SIZE, {SIZE: (drawing(1.0, 100 * MB), drawing(1.1))}) == ["slower"]
    assert missed_by_size(SIZE, {SIZE: (drawing(1.0, 100 * MB), drawing(1.0))}) == []


@pytest.mark.parametrize(("growth", "missed"), [(20 * MB, 0), (21 * MB, 1)])
def test_many_pictures_may_take_a_fifth_of_the_memory(growth: int, missed: int) -> None:
    pairs = {SIZE: (drawing(growth=100 * MB), drawing(growth=growth))}

    assert len(missed_by_size(SIZE, pairs)) == missed


@pytest.mark.parametrize(("growth", "missed"), [(24 * MB, []), (26 * MB, ["more memory than"])])
def test_more_pictures_may_not_take_more_memory(growth: int, missed: list[str]) -> None:
    pairs = {
        SIZE: (drawing(growth=150 * MB), drawing(growth=20 * MB)),
        LARGER: (drawing(growth=600 * MB), drawing(growth=growth)),
    }

    assert [text[: len("more memory than")] for text in missed_by_size(LARGER, pairs)] == missed


def test_a_crowd_meets_its_targets_or_names_those_it_misses() -> None:
    good = Crowd(200, 200, 4.0, bytes_each=100_000, longest_gap=11.0, strays=0)
    bad = Crowd(200, 199, 4.0, bytes_each=1_000_000, longest_gap=15.1, strays=1)

    assert missed_by_crowd(good) == []
    assert missed_by_crowd(bad) == ["a call failed", "memory", "heartbeats", "stray lines"]
