"""Each family finds, loads and keeps models, VAEs and modules in its own way."""

from typing import Any

import pytest
from standin_calls import ask, draw, get

from devtools.standin import StandIn

FORKS = ["a1111", "forge", "reforge", "classic", "neo"]
MODULES = ["forge", "neo"]


def switch(standin: StandIn, **settings: object) -> dict[str, Any]:
    info: dict[str, Any] = draw(standin, override_settings=settings)["info"]
    return info


@pytest.mark.parametrize("family", FORKS)
def test_a_switch_for_one_picture_costs_a_load_each_way(family: str) -> None:
    with StandIn(family=family) as standin:
        assert switch(standin, sd_model_checkpoint="dreamshaper_8")["sd_model_name"] == (
            "dreamshaper_8"
        )
        assert len(standin.state.loads) == 1
        switch(standin)
        assert len(standin.state.loads) == 2


def test_sdnext_loads_the_old_model_again_before_it_answers() -> None:
    with StandIn(family="sdnext") as standin:
        switch(standin, sd_model_checkpoint="dreamshaper_8")
        assert [one.split()[0] for one in standin.state.loads] == [
            "dreamshaper_8",
            "v1-5-pruned-emaonly",
        ]
        assert standin.state.drawn[0].model == "dreamshaper_8"


@pytest.mark.parametrize("family", [*FORKS, "sdnext"])
def test_naming_the_loaded_model_loads_nothing(family: str) -> None:
    with StandIn(family=family) as standin:
        title = get(standin, "/sdapi/v1/sd-models").json()[0]["title"]
        for spelling in ("v1-5-pruned-emaonly", title):
            switch(standin, sd_model_checkpoint=spelling)
        assert standin.state.loads == []


@pytest.mark.parametrize("family", [*FORKS, "sdnext"])
def test_an_unknown_model_is_passed_over_in_silence(family: str) -> None:
    with StandIn(family=family) as standin:
        switch(standin, sd_model_checkpoint="nowhere")
        assert standin.state.drawn[0].model == "v1-5-pruned-emaonly"


@pytest.mark.parametrize(
    ("spelling", "found"),
    [
        ("sdxl/sd_xl_base_1.0", True),
        ("/stable-diffusion-webui/models/Stable-diffusion/sdxl/sd_xl_base_1.0.safetensors", True),
        ("sd_xl_base_1.0", False),
        ("sdxl/sd_xl_base_1.0.safetensors", False),
        ("SDXL/SD_XL_base_1.0", False),
    ],
)
def test_sdnext_has_fewer_names_for_a_model(spelling: str, found: bool) -> None:
    with StandIn(family="sdnext") as standin:
        switch(standin, sd_model_checkpoint=spelling)
        assert (standin.state.drawn[0].model == "sd_xl_base_1.0") == found


def test_sdnext_s_own_field_changes_the_model_for_good() -> None:
    with StandIn(family="sdnext") as standin:
        draw(standin, sd_model_checkpoint="Dreamshaper_8")
        draw(standin)
        assert [one.model for one in standin.state.drawn] == ["dreamshaper_8"] * 2
        assert len(standin.state.loads) == 1
        reply = ask(standin, "txt2img", sd_model_checkpoint="nowhere").json()
    assert (reply["images"], reply["info"]) == ([], "")


def test_sdnext_takes_an_unknown_model_among_the_options_and_draws_nothing() -> None:
    with StandIn(family="sdnext") as standin:
        reply = ask(standin, "options", sd_model_checkpoint="nowhere", foo=1).json()
        assert reply == {"updated": [{"sd_model_checkpoint": True}, {"foo": False}]}
        assert ask(standin, "txt2img").json()["images"] == []


@pytest.mark.parametrize("family", MODULES)
def test_modules_are_loaded_with_the_model_and_unknown_ones_dropped(family: str) -> None:
    with StandIn(family=family) as standin:
        wanted = ["ae.safetensors", "/models/text_encoder/clip_l.safetensors", "nowhere"]
        info = switch(standin, forge_additional_modules=wanted)
        assert standin.state.drawn[0].modules == ("ae.safetensors", "clip_l.safetensors")
        assert "Module 1: ae.safetensors" in info["infotexts"][0]
        assert len(standin.state.loads) == 1


def test_the_old_setting_for_a_vae_does_nothing_on_forge() -> None:
    with StandIn(family="forge") as standin:
        switch(standin, sd_vae="ae.safetensors")
        assert (standin.state.drawn[0].vae, standin.state.loads) == (None, [])


@pytest.mark.parametrize("family", ["a1111", "reforge", "classic", "sdnext"])
def test_the_setting_for_a_vae_works_elsewhere(family: str) -> None:
    with StandIn(family=family) as standin:
        switch(standin, sd_vae="sdxl_vae.safetensors")
        assert standin.state.drawn[0].vae == "sdxl_vae.safetensors"


def test_without_a_switch_point_neo_does_not_refine() -> None:
    for family, refined in (("forge", True), ("neo", False)):
        with StandIn(family=family) as standin:
            info = draw(standin, refiner_checkpoint="refiner")["info"]
            assert bool(standin.state.drawn[0].refiner) == refined
        assert ("Refiner" in info["extra_generation_params"]) == refined


@pytest.mark.parametrize("family", ["a1111", "forge", "sdnext"])
def test_an_unloaded_model_is_loaded_by_the_next_picture(family: str) -> None:
    with StandIn(family=family) as standin:
        ask(standin, "unload-checkpoint")
        draw(standin)
        assert len(standin.state.loads) == 1
