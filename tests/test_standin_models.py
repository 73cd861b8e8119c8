"""The stand-in knows, loads and lists models as AUTOMATIC1111 does."""

from collections.abc import Iterator
from typing import Any

import pytest
from standin_calls import ask, draw, get

from devtools.standin import StandIn

SDXL = "sdxl/sd_xl_base_1.0.safetensors"


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


def models(standin: StandIn) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = get(standin, "/sdapi/v1/sd-models").json()
    return listed


def options(standin: StandIn) -> dict[str, Any]:
    found: dict[str, Any] = get(standin, "/sdapi/v1/options").json()
    return found


def drawn_by(standin: StandIn, *, restore: bool = True, **settings: object) -> dict[str, Any]:
    """The info of a picture drawn with these override_settings."""
    kept = {"override_settings_restore_afterwards": restore}
    info: dict[str, Any] = draw(standin, override_settings=settings, **kept)["info"]
    return info


def test_models_are_listed_with_title_names_and_hashes(standin: StandIn) -> None:
    model = models(standin)[2]
    assert model["title"] == f"{SDXL} [{model['hash']}]"
    assert model["model_name"] == "sdxl_sd_xl_base_1.0"
    assert model["sha256"].startswith(model["hash"])
    assert model["filename"].endswith(f"/{SDXL}")
    assert model["config"] is None


def test_a_model_gets_its_hash_when_it_is_first_loaded(standin: StandIn) -> None:
    before = models(standin)[-1]
    assert (before["title"], before["hash"], before["sha256"]) == (
        "meinamix_v12.safetensors",
        None,
        None,
    )
    info = drawn_by(standin, sd_model_checkpoint="meinamix_v12")
    after = models(standin)[-1]
    assert after["hash"] == info["sd_model_hash"]
    assert after["title"] == f"meinamix_v12.safetensors [{after['hash']}]"


@pytest.mark.parametrize(
    "spelling",
    [
        "{title}",
        "{model_name}",
        "{hash}",
        "{sha256}",
        SDXL,
        "sd_xl_base_1.0",
        "sd_xl_base_1.0 [{hash}]",
    ],
)
def test_every_alias_switches_the_model(standin: StandIn, spelling: str) -> None:
    model = models(standin)[2]
    info = drawn_by(standin, sd_model_checkpoint=spelling.format(**model))
    assert (info["sd_model_name"], info["sd_model_hash"]) == ("sd_xl_base_1.0", model["hash"])


@pytest.mark.parametrize("spelling", ["Dreamshaper_8", "dreamshaper", "nowhere", None, 5])
def test_any_other_spelling_is_ignored_in_silence(standin: StandIn, spelling: object) -> None:
    info = drawn_by(standin, sd_model_checkpoint=spelling)
    assert info["sd_model_name"] == "v1-5-pruned-emaonly"
    assert standin.state.loads == []


def test_naming_the_loaded_model_loads_nothing(standin: StandIn) -> None:
    drawn_by(standin, sd_model_checkpoint="v1-5-pruned-emaonly")
    assert standin.state.loads == []


def test_a_restored_model_is_loaded_again_only_by_the_next_picture(standin: StandIn) -> None:
    first, second = (models(standin)[place]["title"] for place in (0, 1))
    drawn_by(standin, sd_model_checkpoint="dreamshaper_8")
    assert standin.state.checkpoint == second
    assert options(standin)["sd_model_checkpoint"] == first
    drawn_by(standin)
    assert standin.state.loads == [second, first]


def test_without_restoring_the_model_stays(standin: StandIn) -> None:
    drawn_by(standin, sd_model_checkpoint="dreamshaper_8", restore=False)
    assert drawn_by(standin)["sd_model_name"] == "dreamshaper_8"
    assert options(standin)["sd_model_checkpoint"] == models(standin)[1]["title"]


def test_options_are_restored_unless_they_were_never_saved(standin: StandIn) -> None:
    info = drawn_by(standin, CLIP_stop_at_last_layers=2, token_merging_ratio_hr=0.5)
    assert info["clip_skip"] == 2
    after = options(standin)
    assert after["CLIP_stop_at_last_layers"] == 1
    assert after["token_merging_ratio_hr"] == 0.5


def test_the_image_format_cannot_be_overridden_for_one_picture(standin: StandIn) -> None:
    [image] = draw(standin, override_settings={"samples_format": "jpg"})["images"]
    assert image.format == "PNG"


def test_restricted_options_stay_as_they_are(standin: StandIn) -> None:
    assert ask(standin, "options", api_useragent="me").json() is None
    assert options(standin)["api_useragent"] == ""


@pytest.mark.parametrize(
    ("name", "used"), [("sdxl_vae.safetensors", "sdxl_vae.safetensors"), ("nowhere", None)]
)
def test_an_unknown_vae_means_none(standin: StandIn, name: str, used: str | None) -> None:
    assert drawn_by(standin, sd_vae=name)["sd_vae_name"] == used


def test_options_change_the_model_for_everyone(standin: StandIn) -> None:
    response = ask(standin, "options", sd_model_checkpoint="dreamshaper_8")
    assert (response.status_code, response.json()) == (200, None)
    assert standin.state.loads == [models(standin)[1]["title"]]
    assert drawn_by(standin)["sd_model_name"] == "dreamshaper_8"


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"sd_model_checkpoint": "nowhere"}, "RuntimeError", "model 'nowhere' not found"),
        ({"nowhere": 1}, "KeyError", "'nowhere'"),
    ],
)
def test_options_that_do_not_exist_crash(
    standin: StandIn, changes: dict[str, Any], error: str, text: str
) -> None:
    response = ask(standin, "options", **changes)
    assert response.status_code == 500
    assert (response.json()["error"], response.json()["errors"]) == (error, text)


def test_a_refiner_is_found_by_a_part_of_its_title(standin: StandIn) -> None:
    reply = draw(standin, refiner_checkpoint="refiner", refiner_switch_at=0.8)
    assert reply["info"]["extra_generation_params"] == {
        "Refiner": models(standin)[3]["title"],
        "Refiner switch at": 0.8,
    }


def test_two_stand_ins_do_not_share_what_they_learn() -> None:
    with StandIn() as first, StandIn() as second:
        drawn_by(first, sd_model_checkpoint="meinamix_v12")
        assert models(second)[-1]["hash"] is None
