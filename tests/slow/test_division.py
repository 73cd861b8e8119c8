"""One call cut into several requests: whatever is asked, the pictures have the same numbers."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devtools.standin import FAMILIES
from support.drawing import Drawn, all_sent, draw
from support.standins import StandIns

pytestmark = pytest.mark.slow

SEEDS = st.integers(0, 2**31) | st.sampled_from([0, 2**31 - 1, 2**32 - 3, 2**32 - 1])
ASKED = st.fixed_dictionaries(
    {
        "seed": SEEDS,
        "subseed": SEEDS,
        "subseed_strength": st.sampled_from([0, 0.01, 0.3, 1]),
        "batch_size": st.integers(1, 3),
        "n_iter": st.integers(1, 5),
    }
)
# The same in every run.
HABITS = settings(max_examples=20, deadline=None, derandomize=True, database=None)


def numbers(found: Drawn) -> list[tuple[int, int]]:
    """Seed and variation seed of each picture, by its position."""
    return [(one["seed"], one["subseed"]) for one in found.json["images"]]


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "sdcpp"])
@settings(HABITS)
@given(asked=ASKED, parallel=st.integers(1, 64))
def test_seeds_and_their_order_are_those_of_one_request(
    standins: StandIns, family: str, asked: dict[str, Any], parallel: int
) -> None:
    asked |= {"width": 8, "height": 8, "steps": 1}
    whole = draw(standins.of(family), **asked)
    standin = standins.of(family)
    cut = draw(standin, {"parallel": parallel}, **asked)
    assert len(all_sent(standin)) == min(parallel, asked["n_iter"])
    assert numbers(cut) == numbers(whole)
    assert cut.warnings == whole.warnings


@settings(HABITS)
@given(asked=ASKED, parallel=st.integers(1, 64))
def test_where_the_server_knows_no_batches_they_go_on_as_elsewhere(
    standins: StandIns, asked: dict[str, Any], parallel: int
) -> None:
    standin = standins.of("sdcpp")
    asked["seed"] %= 2**31 - 16  # More it does not take.
    found = draw(standin, {"parallel": parallel}, width=64, height=64, steps=1, **asked)
    assert len(all_sent(standin)) == asked["n_iter"]
    count = asked["n_iter"] * asked["batch_size"]
    assert found.variables["seeds"] == [asked["seed"] + place for place in range(count)]
