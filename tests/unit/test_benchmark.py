"""The benchmark's arithmetic: which figures miss their targets."""

import pytest

from devtools.benchmark import Drawing, Size, verdict_on

MB = 1_000_000
SIZE, LARGER = Size(16, 1024, 1024), Size(64, 1024, 1024)


def drawing(seconds: float, growth: int) -> Drawing:
    return Drawing(seconds, seconds / 2, growth, 1)


@pytest.mark.parametrize(
    ("plugin", "more", "verdicts"),
    [
        (drawing(1.0, 20 * MB), 24 * MB, ["met", "met"]),
        (
            drawing(1.1, 20 * MB),
            26 * MB,
            ["missed: slower", f"missed: more memory than for {SIZE}"],
        ),
        (
            drawing(1.0, 21 * MB),
            26 * MB,
            ["missed: over 20% of the buffered client's memory", "met"],
        ),
    ],
)
def test_the_plugin_may_take_as_long_and_a_fifth_of_the_memory_but_no_more_for_more(
    plugin: Drawing, more: int, verdicts: list[str]
) -> None:
    pairs = {SIZE: (drawing(1, 100 * MB), plugin), LARGER: (drawing(1, 600 * MB), drawing(1, more))}

    assert [verdict_on(size, pairs) for size in pairs] == verdicts
