"""Options that a server does not put back after a call, before a stand-in with such options."""

from typing import Any

import pytest

from devtools.standin import StandIn
from support.drawing import all_sent, draw, paths
from support.standins import StandIns

# Not in the stand-in's settings file, as on a server whose settings nobody has saved.
UNSAVED = "token_merging_ratio_hr"
OPTIONS = "/sdapi/v1/options"


def override(value: object, option: str = UNSAVED) -> dict[str, Any]:
    return {"override_settings": {option: value}}


def test_what_stays_is_told_and_asked_for_as_it_was_by_the_next_calls(standin: StandIn) -> None:
    first = draw(standin, **override(0.5))
    assert standin.state.options[UNSAVED] == 0.5
    assert [UNSAVED in one and "stays at 0.5" in one for one in first.warnings] == [True]
    for _ in range(2):
        plain = draw(standin)
        assert all_sent(standin)[-1]["override_settings"] == {UNSAVED: 0.0}
        assert ["was asked for as 0.0" in one for one in plain.warnings] == [True]
    assert draw(standin, **override(0.3)).warnings == []
    assert not [r for r in standin.received if r.method == "POST" and r.path == OPTIONS]


def test_what_somebody_has_set_since_is_left_alone(standin: StandIn) -> None:
    draw(standin, **override(0.5))
    standin.state.options[UNSAVED] = 0.7
    # An override of something else reads the options afresh.
    draw(standin, **override(False, "enable_batch_seeds"))
    assert draw(standin).warnings == []
    assert "override_settings" not in all_sent(standin)[-1]


def test_what_a_picture_inherits_from_the_server_is_told_once(standin: StandIn) -> None:
    standin.state.options |= {"CLIP_stop_at_last_layers": 2, "sd_vae": "sdxl_vae.safetensors"}
    told = draw(standin).warnings
    for one, option in zip(told, ("CLIP_stop_at_last_layers 2", "sd_vae 'sdxl_vae"), strict=True):
        assert one.startswith(f"The server drew with {option}")
    assert draw(standin).warnings == []
    assert draw(standin, clip_skip=3, vae="Automatic").warnings == []


def test_what_is_put_back_costs_two_looks_once(standin: StandIn) -> None:
    for number in range(3):
        standin.received.clear()
        assert draw(standin, clip_skip=2).warnings == []
        looked = [path for path in paths(standin) if path in {OPTIONS, "/sdapi/v1/progress"}]
        assert len(looked) == (4 if number == 0 else 0)


@pytest.mark.parametrize("family", ["sdnext", "sdcpp"])
def test_where_nothing_stays_nothing_is_looked_at(standins: StandIns, family: str) -> None:
    standin = standins.of(family)
    draw(standin, model="v1-5-pruned-emaonly", clip_skip=2)
    assert paths(standin).count(OPTIONS) <= 1
