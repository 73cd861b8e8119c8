"""What a call costs in requests, on each family, once its names are known."""

from typing import Any

import pytest
from drawing import draw

from devtools.standin import StandIn

FAMILIES = ["a1111", "forge", "reforge", "classic", "neo", "sdnext", "sdcpp"]
GIVEN: dict[str, Any] = {
    "sampler_name": "Euler",
    "model": "v1-5-pruned-emaonly",
    "lora": "add_detail:0.5",
    "enable_hr": True,
}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_call_whose_names_are_known_costs_one_request_or_two(family: str) -> None:
    with StandIn(family=family) as standin:
        draw(standin, **GIVEN)
        standin.received.clear()
        draw(standin, **GIVEN)
        paths = [r.path for r in standin.received]
    assert paths[0] == "/sdapi/v1/txt2img"
    assert len(paths) == (2 if family == "sdnext" else 1)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_first_call_asks_for_each_list_once(family: str) -> None:
    with StandIn(family=family) as standin:
        draw(standin, **GIVEN)
        paths = [r.path for r in standin.received]
    assert len(paths) == len(set(paths))
    assert len(paths) <= 9
