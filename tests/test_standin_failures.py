"""The stand-in's second pass, and its falls: what AUTOMATIC1111 does not catch or refuses."""

from collections.abc import Iterator
from typing import Any

import pytest
from standin_calls import ask, draw

from devtools import infotext
from devtools.standin import StandIn

BAD_SAMPLER = "bad sampler name: Use same sampler"
NO_UPSCALER = "could not find upscaler named Nowhere"
NO_CHECKPOINT = "Could not find checkpoint with name nowhere"
NONE_IS_NOT_MORE = "'>' not supported between instances of 'NoneType' and 'int'"
HIRES = {"enable_hr": True, "denoising_strength": 0.5}


@pytest.fixture(scope="module")
def standin() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


def pairs(reply: dict[str, Any]) -> dict[str, str]:
    return infotext.read(reply["info"]["infotexts"][0])


def test_a_size_under_8_crashes(standin: StandIn) -> None:
    response = ask(standin, "txt2img", width=7)
    assert (response.status_code, response.json()["error"]) == (500, "RuntimeError")


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ({}, (128, 128)),
        ({"hr_scale": 1.5}, (96, 96)),
        ({"hr_resize_x": 96}, (96, 96)),
        ({"hr_resize_y": 80}, (80, 80)),
        ({"hr_resize_x": 96, "hr_resize_y": 80}, (96, 80)),
        ({"hr_upscaler": "R-ESRGAN 4x+", "hr_checkpoint_name": "dreamshaper"}, (128, 128)),
    ],
)
def test_hires_draws_the_larger_size(
    standin: StandIn, fields: dict[str, Any], size: tuple[int, int]
) -> None:
    reply = draw(standin, **HIRES, **fields)
    assert reply["images"][0].size == size
    assert pairs(reply)["Hires upscaler"] == fields.get("hr_upscaler", "Latent")


@pytest.mark.parametrize(
    ("fields", "error", "text"),
    [
        ({"enable_hr": True}, "TypeError", NONE_IS_NOT_MORE),
        ({**HIRES, "hr_sampler_name": "Use same sampler"}, "AssertionError", BAD_SAMPLER),
        ({**HIRES, "hr_upscaler": "Nowhere"}, "Exception", NO_UPSCALER),
        ({**HIRES, "hr_checkpoint_name": "nowhere"}, "Exception", NO_CHECKPOINT),
        ({"refiner_checkpoint": "nowhere"}, "Exception", NO_CHECKPOINT),
        ({"override_settings": {"foo": 1}}, "KeyError", "'foo'"),
    ],
)
def test_what_the_server_does_not_catch_comes_out_as_500(
    standin: StandIn, fields: dict[str, Any], error: str, text: str
) -> None:
    response = ask(standin, "txt2img", **fields)
    assert response.status_code == 500
    assert response.json() == {"error": error, "detail": "", "body": "", "errors": text}


@pytest.mark.parametrize(
    ("fields", "passes"), [({"enable_hr": True}, 1), ({**HIRES, "hr_upscaler": "Nowhere"}, 0)]
)
def test_some_mistakes_cost_the_first_pass(fields: dict[str, Any], passes: int) -> None:
    with StandIn() as fresh:
        assert ask(fresh, "txt2img", **fields).status_code == 500
        assert fresh.state.queue.task.sampling_step == 2 * passes


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"script_name": "Nowhere"}, "Script 'Nowhere' not found"),
        ({"script_name": "ControlNet"}, "Script 'ControlNet' not found"),
        ({"alwayson_scripts": {"Nowhere": {"args": []}}}, "Script 'Nowhere' not found"),
        (
            {"alwayson_scripts": {"X/Y/Z plot": {}}},
            "Cannot have a selectable script in the always on scripts params",
        ),
    ],
)
def test_unknown_scripts_are_refused(standin: StandIn, fields: dict[str, Any], detail: str) -> None:
    response = ask(standin, "txt2img", **fields)
    assert response.status_code == 422
    assert response.json() == {
        "error": "HTTPException",
        "detail": detail,
        "body": "",
        "errors": "",
    }


def test_scripts_are_found_in_any_case(standin: StandIn) -> None:
    reply = draw(standin, script_name="Prompt Matrix", alwayson_scripts={"ADetailer": {}})
    assert pairs(reply)["Script"] == "Prompt Matrix"
