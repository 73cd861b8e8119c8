"""The stand-in's SD.Next: its replies, its failures that look like success, its progress."""

import base64
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from standin_calls import ask, base64_picture, draw, get, post

from devtools import infotext, pictures
from devtools.standin import StandIn


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn(family="sdnext") as running:
        yield running


def opened(reply: dict[str, Any]) -> list[Image.Image]:
    return [Image.open(io.BytesIO(base64.b64decode(one))) for one in reply["images"]]


def test_pictures_are_jpeg_unless_the_server_is_set_otherwise(standin: StandIn) -> None:
    [picture] = draw(standin, prompt="a cat", seed=7)["images"]
    assert picture.format == "JPEG"
    inside = infotext.read(pictures.texts_inside(picture)["parameters"])
    assert (inside["App"], inside["Seed"], inside["Size"]) == ("SD.Next", "7", "64x64")
    assert "Sampler" not in inside


def test_the_infotext_has_a_line_for_an_empty_negative_prompt(standin: StandIn) -> None:
    [text] = draw(standin, prompt="a cat")["info"]["infotexts"]
    assert text.split("\n")[:2] == ["a cat", "Negative prompt: "]


def test_the_info_does_not_name_the_model(standin: StandIn) -> None:
    info = draw(standin)["info"]
    assert info.keys().isdisjoint({"sd_model_name", "sd_vae_name", "version", "restore_faces"})
    assert info["sd_model_hash"] == get(standin, "/sdapi/v1/sd-models").json()[0]["hash"]
    assert f"Model hash: {info['sd_model_hash']}" in info["infotexts"][0]


def test_the_size_is_floored_and_reported_so(standin: StandIn) -> None:
    reply = draw(standin, width=71, height=65)
    assert reply["images"][0].size == (64, 64)
    assert (reply["info"]["width"], reply["info"]["height"]) == (64, 64)


def test_running_out_of_memory_is_a_success_without_images(standin: StandIn) -> None:
    standin.run_out_of_memory()
    response = ask(standin, "txt2img")
    assert (response.status_code, response.json()["images"]) == (200, [])
    assert json.loads(response.json()["info"])["all_seeds"]
    assert get(standin, "/sdapi/v1/progress").json()["state"]["interrupted"] is True
    assert get(standin, "/sdapi/v1/status").json()["status"] == "interrupted"
    assert standin.state.drawn == []
    draw(standin)
    assert get(standin, "/sdapi/v1/progress").json()["state"]["interrupted"] is False


def test_a_preview_can_take_the_picture_s_place_with_all_its_text(standin: StandIn) -> None:
    standin.run_out_of_memory("preview")
    reply = ask(standin, "txt2img", seed=7).json()
    [picture] = opened(reply)
    assert picture.size == (64, 64)
    assert "Seed: 7" in pictures.texts_inside(picture)["parameters"]
    assert len(json.loads(reply["info"])["infotexts"]) == 2
    assert standin.state.drawn == []


def test_a_preview_can_come_without_any_text(standin: StandIn) -> None:
    standin.run_out_of_memory("bare preview")
    reply = ask(standin, "txt2img").json()
    [picture] = opened(reply)
    assert (picture.size, reply["info"]) == ((8, 8), "")
    assert "parameters" not in pictures.texts_inside(picture)


def test_too_large_a_picture_runs_out_of_memory_by_itself(standin: StandIn) -> None:
    assert ask(standin, "txt2img", width=16384, height=16384).json()["images"] == []


def test_extra_may_be_left_out_but_not_null(standin: StandIn) -> None:
    assert draw(standin, extra={"steps": 3})["info"]["steps"] == 3
    response = ask(standin, "txt2img", extra=None)
    assert response.status_code == 500
    assert response.json()["errors"] == "'NoneType' object has no attribute 'items'"


def test_an_unknown_script_is_not_run_in_silence(standin: StandIn) -> None:
    assert "Script" not in draw(standin, script_name="Nowhere")["info"]["extra_generation_params"]
    info = draw(standin, script_name="Prompt Matrix")["info"]
    assert info["extra_generation_params"]["Script"] == "Prompt Matrix"


def test_unknown_options_for_one_picture_go_nowhere_in_silence(standin: StandIn) -> None:
    draw(standin, override_settings={"nowhere": 1})
    assert "nowhere" not in get(standin, "/sdapi/v1/options").json()


def test_clip_skip_is_a_field(standin: StandIn) -> None:
    info = draw(standin, clip_skip=2)["info"]
    assert info["clip_skip"] == standin.state.drawn[0].clip_skip == 2
    assert "CLiP-skip: 2" in info["infotexts"][0]


@pytest.mark.parametrize("name", ["interrupt", "skip", "refresh-checkpoints", "unload-checkpoint"])
def test_what_has_nothing_to_say_answers_204(standin: StandIn, name: str) -> None:
    response = ask(standin, name)
    assert (response.status_code, response.content) == (204, b"")


def test_a_task_is_never_found_by_its_name(standin: StandIn) -> None:
    draw(standin, force_task_id="mine")
    reply = post(standin, "/internal/progress", {"id_task": "mine"}).json()
    assert (reply["active"], reply["queued"], reply["completed"]) == (False, False, False)


def test_img2img_words_a_missing_picture_otherwise(standin: StandIn) -> None:
    response = ask(standin, "img2img")
    assert (response.status_code, response.json()) == (400, {"error": "Init image is none"})
    reply = draw(standin, "img2img", init_images=[base64_picture(8, 8)])
    assert reply["images"][0].size == (64, 64)
    assert reply["info"]["denoising_strength"] == 0.5


def test_an_unknown_upscaler_gives_the_picture_back_as_it_was(standin: StandIn) -> None:
    fields = {"image": base64_picture(8, 8), "upscaler_1": "Nowhere"}
    reply = ask(standin, "extra-single-image", **fields).json()
    picture = pictures.decode(reply["image"])
    assert picture is not None
    assert picture.size == (8, 8)


def test_a_grid_comes_first_when_images_are_saved(standin: StandIn) -> None:
    reply = draw(standin, batch_size=2, save_images=True)
    assert reply["info"]["index_of_first_image"] == 1
    assert len(reply["images"]) == 3
