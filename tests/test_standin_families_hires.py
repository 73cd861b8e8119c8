"""Each family's second pass wants something of its own, or fails."""

from typing import Any

import pytest
from standin_calls import ask, draw

from devtools.standin import StandIn

HIRES: dict[str, Any] = {"prompt": "a cat", "enable_hr": True, "denoising_strength": 0.5}


@pytest.mark.parametrize("family", ["a1111", "reforge", "classic"])
def test_the_older_forks_want_a_strength(family: str) -> None:
    with StandIn(family=family) as standin:
        assert ask(standin, "txt2img", enable_hr=True).json()["error"] == "TypeError"
        assert draw(standin, **HIRES)["images"][0].size == (128, 128)


@pytest.mark.parametrize("family", ["forge", "neo"])
def test_forge_and_neo_want_modules_and_say_so_after_the_first_pass(family: str) -> None:
    with StandIn(family=family) as standin:
        reply = ask(standin, "txt2img", **HIRES).json()
        assert reply["message"] == "argument of type 'NoneType' is not iterable"
        assert standin.state.queue.task.sampling_step == 2
        same = {**HIRES, "hr_additional_modules": ["Use same choices"]}
        assert draw(standin, **same)["images"][0].size == (128, 128)


@pytest.mark.parametrize(
    ("family", "given", "used"),
    [
        ("forge", None, "1.0"),
        ("neo", 5, "5.0"),
        ("reforge", None, "1.0"),
        ("reforge", 0, None),
        ("a1111", 5, None),
    ],
)
def test_guidance_is_lost_in_the_second_pass_unless_it_is_set(
    family: str, given: float | None, used: str | None
) -> None:
    fields = {**HIRES, "hr_additional_modules": ["Use same choices"]}
    if given is not None:
        fields["hr_cfg"] = given
    with StandIn(family=family) as standin:
        remarks = draw(standin, **fields)["info"]["extra_generation_params"]
    assert remarks.get("Hires CFG Scale") == (float(used) if used else None)


def test_an_unknown_second_scheduler_is_replaced_in_silence() -> None:
    with StandIn() as standin:
        draw(standin, **HIRES, hr_scheduler="Nowhere")
        assert standin.state.drawn[0].hires_scheduler == "Automatic"


@pytest.mark.parametrize(
    ("fields", "size", "steps"),
    [
        ({}, (64, 64), 0),
        ({"hr_force": True}, (64, 64), 2),
        ({"hr_resize_mode": 1, "hr_upscaler": "None"}, (64, 64), 0),
        ({"hr_resize_mode": 1, "hr_upscaler": "Latent Nearest"}, (128, 128), 2),
        ({"hr_resize_mode": 1, "hr_upscaler": "Resize Lanczos", "hr_scale": 1.55}, (99, 99), 0),
        (
            {
                "hr_resize_mode": 1,
                "hr_upscaler": "Resize Lanczos",
                "hr_scale": 1.55,
                "hr_force": True,
            },
            (96, 96),
            2,
        ),
        ({"hr_resize_mode": 1, "hr_upscaler": "Nowhere"}, (128, 128), 0),
        ({"hr_resize_mode": 5, "hr_upscaler": "None"}, (64, 64), 0),
        (
            {"hr_resize_mode": 5, "hr_upscaler": "None", "hr_resize_context": "Add with forward"},
            (128, 128),
            0,
        ),
    ],
)
def test_sdnext_enlarges_and_draws_again_only_when_told_so(
    fields: dict[str, Any], size: tuple[int, int], steps: int
) -> None:
    with StandIn(family="sdnext") as standin:
        reply = draw(standin, **HIRES, **fields)
        assert reply["images"][0].size == size
        assert standin.state.queue.task.sampling_steps == steps


def test_sdnext_falls_over_a_size_without_an_upscaler() -> None:
    with StandIn(family="sdnext") as standin:
        response = ask(standin, "txt2img", **HIRES, hr_resize_mode=5, hr_force=True)
    assert response.status_code == 500
    assert response.json()["errors"] == "'NoneType' object has no attribute 'lower'"


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ({}, (128, 128)),
        ({"hr_scale": 1.6}, (128, 128)),
        ({"hr_resize_x": 192}, (192, 192)),
        ({"hr_resize_x": 192, "hr_resize_y": 130}, (192, 192)),
        ({"hr_upscaler": "None"}, (64, 64)),
    ],
)
def test_sdcpp_rounds_the_second_size_up(fields: dict[str, Any], size: tuple[int, int]) -> None:
    with StandIn(family="sdcpp") as standin:
        assert draw(standin, **HIRES, **fields)["images"][0].size == size


@pytest.mark.parametrize(
    "fields",
    [
        {"hr_upscaler": "Nowhere"},
        {"denoising_strength": 0},
        {"hr_steps": -1},
        {"enable_hr": False, "cfg_scale": -1},
    ],
)
def test_sdcpp_refuses_what_it_cannot_do(fields: dict[str, Any]) -> None:
    with StandIn(family="sdcpp") as standin:
        response = ask(standin, "txt2img", **{**HIRES, **fields})
    assert (response.status_code, response.json()) == (400, {"error": "invalid params"})
