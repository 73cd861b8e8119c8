"""What a call costs in requests, on each family."""

from typing import Any

import pytest

from devtools.standin import FAMILIES, StandIn
from support.drawing import draw, paths

GIVEN: dict[str, Any] = {
    "sampler_name": "Euler",
    "model": "v1-5-pruned-emaonly",
    "lora": "add_detail:0.5",
    "enable_hr": True,
}


@pytest.mark.parametrize("family", FAMILIES)
def test_names_are_asked_for_once_and_then_known(family: str) -> None:
    with StandIn(family=family) as standin:
        draw(standin, **GIVEN)
        first = paths(standin)
        standin.received.clear()
        draw(standin, **GIVEN)
        second = paths(standin)
    assert len(first) == len(set(first))
    assert len(first) <= 9
    assert second[0] == "/sdapi/v1/txt2img"
    # SD.Next is asked whether it broke off, each time.
    assert len(second) == (2 if family == "sdnext" else 1)
