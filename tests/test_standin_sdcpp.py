"""The stand-in's stable-diffusion.cpp: a small API that ignores much and converts nothing."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from standin_calls import ask, base64_picture, draw, get

from devtools.standin import StandIn


@pytest.fixture(scope="module")
def standin() -> Iterator[StandIn]:
    with StandIn(family="sdcpp") as running:
        yield running


def cat(standin: StandIn, **fields: object) -> dict[str, Any]:
    return draw(standin, prompt="a cat", **fields)


def test_the_reply_has_its_own_info(standin: StandIn) -> None:
    reply = cat(standin, seed=7, negative_prompt="dog", nowhere=[1])
    assert reply["info"] == {
        "prompt": "a cat",
        "negative_prompt": "dog",
        "seed": 7,
        "cfg_scale": 7.0,
        "width": 64,
        "height": 64,
        "steps": 2,
        "sampler_name": "NONE",
        "sd_model_name": "v1-5-pruned-emaonly.safetensors",
        "version": "stable-diffusion.cpp",
        "infotexts": reply["info"]["infotexts"],
        "all_prompts": ["a cat"],
        "all_negative_prompts": ["dog"],
        "all_seeds": [7],
    }
    assert reply["parameters"]["nowhere"] == [1]
    [picture] = reply["images"]
    assert picture.info["parameters"] == reply["info"]["infotexts"][0]


def test_sizes_are_rounded_up_and_reported_as_asked(standin: StandIn) -> None:
    reply = cat(standin, width=130, height=70)
    assert reply["images"][0].size == (192, 128)
    assert (reply["info"]["width"], reply["info"]["height"]) == (130, 70)


def test_steps_and_images_are_cut_and_batches_ignored(standin: StandIn) -> None:
    reply = cat(standin, steps=500, batch_size=50, n_iter=3, seed=1)
    assert (len(reply["images"]), reply["info"]["steps"]) == (8, 100)
    assert reply["info"]["all_seeds"] == list(range(1, 9))


def test_loras_are_named_beside_the_prompt(standin: StandIn) -> None:
    standin.state.drawn.clear()
    lora = {"path": "pixel_art.safetensors", "multiplier": 0.5}
    cat(standin, lora=[lora])
    draw(standin, prompt="a cat <lora:pixel_art:1>")
    assert [one.loras for one in standin.state.drawn] == [("pixel_art",), ()]
    for bad, text in (
        ({"path": "nowhere.safetensors"}, "invalid lora path: nowhere.safetensors"),
        ({"multiplier": 1}, "lora.path required"),
    ):
        response = ask(standin, "txt2img", prompt="a cat", lora=[bad])
        assert (response.status_code, response.json()) == (400, {"error": text})


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "prompt required"),
        ({"prompt": "a cat", "width": 0}, "width and height must be positive"),
    ],
)
def test_few_mistakes_are_refused(standin: StandIn, fields: dict[str, Any], text: str) -> None:
    response = ask(standin, "txt2img", **fields)
    assert (response.status_code, response.json()) == (400, {"error": text})


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"steps": "20"}, "type must be number, but is string"),
        ({"seed": None}, "type must be number, but is null"),
        ({"enable_hr": 1}, "type must be boolean, but is number"),
        ({"scheduler": []}, "type must be string, but is array"),
    ],
)
def test_a_value_of_another_type_is_a_crash(
    standin: StandIn, fields: dict[str, Any], text: str
) -> None:
    response = ask(standin, "txt2img", **{"prompt": "a cat", **fields})
    assert response.status_code == 500
    assert response.json()["error"] == "server_error"
    assert response.json()["message"] == f"[json.exception.type_error.302] {text}"


@pytest.mark.parametrize(
    ("body", "status", "start"),
    [
        (b"", 400, "empty body"),
        (b"{oops", 500, "[json.exception.parse_error.101]"),
        (b"[]", 500, "[json.exception.type_error.306]"),
    ],
)
def test_a_body_that_is_no_object_is_told_so(
    standin: StandIn, body: bytes, status: int, start: str
) -> None:
    url = f"{standin.base_url}/sdapi/v1/txt2img"
    response = requests.post(url, data=body, timeout=10)
    assert response.status_code == status
    words = response.json()
    assert words.get("message", words["error"]).startswith(start)


def test_running_out_of_memory_gives_no_results() -> None:
    with StandIn(family="sdcpp") as fresh:
        fresh.run_out_of_memory()
        response = ask(fresh, "txt2img", prompt="a cat")
        assert response.status_code == 500
        assert response.json() == {"error": "generate_image returned no results"}
        assert len(cat(fresh)["images"]) == 1


def test_there_is_one_model_with_a_hash_of_eights(standin: StandIn) -> None:
    [model] = get(standin, "/sdapi/v1/sd-models").json()
    assert (model["title"], model["hash"]) == ("v1-5-pruned-emaonly", "8888888888")
    assert get(standin, "/sdapi/v1/options").json() == {
        "samples_format": "png",
        "sd_model_checkpoint": model["title"],
    }


def test_settings_for_one_picture_are_ignored(standin: StandIn) -> None:
    info = cat(standin, override_settings={"sd_model_checkpoint": "nowhere"})["info"]
    assert info["sd_model_name"] == "v1-5-pruned-emaonly.safetensors"


def test_img2img_repaints_its_picture(standin: StandIn) -> None:
    fields = {"init_images": [base64_picture(8, 8)], "denoising_strength": 0}
    reply = draw(standin, "img2img", prompt="a cat", **fields)
    assert reply["images"][0].getpixel((1, 1)) == (255, 0, 0)


def test_what_is_not_there_is_an_empty_404(standin: StandIn) -> None:
    for path in ("/nowhere", "/sdapi/v1/options/", "//sdapi/v1/options", "/sdapi/v1/progress"):
        response = get(standin, path)
        assert (response.status_code, response.content) == (404, b"")
    assert get(standin, "/sdapi/v1/txt2img").status_code == 404


def test_nothing_is_compressed(standin: StandIn) -> None:
    url = f"{standin.base_url}/sdcpp/v1/capabilities"
    response = requests.get(url, headers={"Accept-Encoding": "gzip"}, timeout=10)
    assert "Content-Encoding" not in response.headers
    assert json.loads(response.content)["limits"]["max_batch_count"] == 8
