import json
from typing import Any

import pytest

from webui import result
from webui.errors import WebUIResponseError
from webui.images import Picture
from webui.result import Result

INFOTEXT = (
    "a cat, Seed: 99, wide\nNegative prompt: dog\n"
    "Steps: 20, Sampler: Euler a, Seed: 7, Size: 512x512, Model: dream, Version: v1.10.1"
)


def picture(extension: str = "png", infotext: str | None = None) -> Picture:
    return Picture(b"", f"image/{extension}", extension, 512, 256, infotext)


def summary(
    info: dict[str, Any],
    *pictures: Picture,
    body: dict[str, Any] | None = None,
) -> dict[str, Any]:
    outcome = Result("txt2img", body or {"prompt": "a cat"})
    for one in pictures:
        outcome.add(one)
    return outcome.summary(info, 1.26)


INFO = {
    "all_seeds": [7, 8],
    "all_subseeds": [1, 2],
    "infotexts": ["first", "second"],
    "index_of_first_image": 0,
    "sd_model_name": "dream",
    "sampler_name": "Euler",
}


def test_each_image_has_its_seed_size_and_infotext() -> None:
    found = summary(INFO, picture(), picture("jpg"))
    first, second = found["images"]
    assert first | {"filename": ""} == {
        "filename": "",
        "seed": 7,
        "subseed": 1,
        "width": 512,
        "height": 256,
        "infotext": "first",
        "grid": False,
        "extra": False,
    }
    assert (second["seed"], second["subseed"], second["infotext"]) == (8, 2, "second")


def test_file_names_differ_and_end_as_their_type() -> None:
    outcome = Result("txt2img", {})
    names = [outcome.add(picture()), outcome.add(picture("jpg")), outcome.add(picture("webp"))]
    assert [name.rpartition(".")[2] for name in names] == ["png", "jpg", "webp"]
    assert len(set(names)) == 3
    assert all(name.startswith("txt2img-") for name in names)


def test_a_grid_comes_first_and_has_no_seed() -> None:
    info = INFO | {"index_of_first_image": 1, "infotexts": ["grid", "first", "second"]}
    found = summary(info, picture(), picture(), picture())
    assert [image["grid"] for image in found["images"]] == [True, False, False]
    assert [image["seed"] for image in found["images"]] == [None, 7, 8]
    assert [image["infotext"] for image in found["images"]] == ["grid", "first", "second"]
    assert result.variables(found)["seeds"] == [7, 8]


def test_what_follows_the_drawn_images_is_extra_and_has_no_seed() -> None:
    found = summary(INFO, picture(), picture(), picture())
    assert [image["extra"] for image in found["images"]] == [False, False, True]
    assert found["images"][2]["seed"] is None


def test_fewer_images_than_seeds_are_no_surprise() -> None:
    found = summary(INFO, picture())
    assert [image["seed"] for image in found["images"]] == [7]


def test_without_info_seed_model_and_sampler_come_from_the_picture() -> None:
    found = summary({}, picture(infotext=INFOTEXT))
    assert found["images"][0]["seed"] == 7
    assert (found["model"], found["sampler"]) == ("dream", "Euler a")
    assert result.variables(found)["infotext"] == INFOTEXT


def test_without_any_account_the_images_still_arrive() -> None:
    found = summary({}, picture())
    assert found["images"][0]["seed"] is None
    assert result.variables(found) | {"warnings": [], "elapsed_seconds": 0} == {
        "seed": -1,
        "seeds": [],
        "infotext": "",
        "model": "",
        "warnings": [],
        "elapsed_seconds": 0,
    }


@pytest.mark.parametrize(
    "info",
    [
        {"all_seeds": None, "infotexts": None},
        {"all_seeds": [], "infotexts": [], "index_of_first_image": None},
        {"all_seeds": "7", "infotexts": "text", "index_of_first_image": "1"},
        {"all_seeds": {}, "all_subseeds": 5, "sd_model_name": None},
    ],
    ids=str,
)
def test_an_info_of_other_shapes_is_tolerated(info: dict[str, Any]) -> None:
    assert summary(info, picture())["images"][0]["grid"] is False


def test_no_images_is_an_error_that_says_where_to_look() -> None:
    with pytest.raises(WebUIResponseError, match=r"sent no images\. Its own log says why"):
        summary(INFO)


def test_no_images_is_right_when_none_were_to_be_sent() -> None:
    found = summary(INFO, body={"send_images": False, "save_images": True})
    assert found["images"] == []
    assert "send_images is off" in result.text(found)


def test_the_text_says_how_many_size_model_time_seeds_and_warnings() -> None:
    found = summary(INFO, picture(), picture()) | {"warnings": ["width was rounded."]}
    assert result.text(found) == (
        "2 images, 512x256, dream, 1.3 s.\nSeeds: 7, 8.\nWarning: width was rounded."
    )


def test_a_single_image_is_told_in_the_singular() -> None:
    info = INFO | {"all_seeds": [7]}
    assert result.text(summary(info, picture())) == "1 image, 512x256, dream, 1.3 s.\nSeed: 7."


def test_the_account_never_carries_a_picture() -> None:
    body = {"alwayson_scripts": {"ControlNet": {"args": [{"image": "A" * 6_000_000}]}}}
    info = INFO | {"extra_generation_params": {"x": "B" * 6_000_000}}
    found = summary(info, picture(), body=body)
    assert len(json.dumps(found)) < 100_000
    assert "6000000 characters" in json.dumps(found["request"])


def test_the_request_is_told_as_it_was_sent() -> None:
    body = {"prompt": "a cat " * 1000, "override_settings": {"CLIP_stop_at_last_layers": 2}}
    assert summary(INFO, picture(), body=body)["request"] == body
