"""The stand-in's pictures, seeds and `info` are those of AUTOMATIC1111 1.10.1."""

from collections.abc import Iterator
from typing import Any

import pytest
from standin_calls import ask, draw

from devtools import infotext, pictures
from devtools.standin import StandIn


@pytest.fixture(scope="module")
def standin() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


def pairs(reply: dict[str, Any]) -> dict[str, str]:
    return infotext.read(reply["info"]["infotexts"][0])


def test_a_plain_reply_has_the_picture_the_request_and_the_info(standin: StandIn) -> None:
    reply = draw(standin, prompt="a lighthouse", negative_prompt="fog", seed=7)
    [picture] = reply["images"]
    assert (picture.format, picture.size) == ("PNG", (64, 64))
    assert len(reply["parameters"]) == 55
    assert reply["parameters"]["cfg_scale"] == 7.0
    [text] = reply["info"]["infotexts"]
    assert text.startswith(
        "a lighthouse\nNegative prompt: fog\nSteps: 2, Sampler: Euler, Schedule type: Automatic, "
        "CFG scale: 7.0, Seed: 7, Size: 64x64, Model hash: "
    )
    assert text.endswith(", Model: v1-5-pruned-emaonly, Version: v1.10.1")
    assert picture.info["parameters"] == text


def test_info_has_all_the_keys_of_the_real_one(standin: StandIn) -> None:
    keys = (
        "prompt all_prompts negative_prompt all_negative_prompts seed all_seeds subseed "
        "all_subseeds subseed_strength width height sampler_name cfg_scale steps batch_size "
        "restore_faces face_restoration_model sd_model_name sd_model_hash sd_vae_name "
        "sd_vae_hash seed_resize_from_w seed_resize_from_h denoising_strength "
        "extra_generation_params index_of_first_image infotexts styles job_timestamp clip_skip "
        "is_using_inpainting_conditioning version"
    )
    assert " ".join(draw(standin)["info"]) == keys


def test_each_image_has_the_next_seed(standin: StandIn) -> None:
    reply = draw(standin, seed=7, subseed=3, batch_size=2, n_iter=2)
    assert len(reply["images"]) == 4
    assert reply["info"]["all_seeds"] == [7, 8, 9, 10]
    assert reply["info"]["all_subseeds"] == [3, 4, 5, 6]
    assert "Seed: 10," in reply["info"]["infotexts"][3]


def test_with_a_variation_all_images_share_the_seed(standin: StandIn) -> None:
    reply = draw(standin, seed=7, subseed=3, subseed_strength=0.2, batch_size=2)
    assert reply["info"]["all_seeds"] == [7, 7]
    assert pairs(reply)["Variation seed"] == "3"


@pytest.mark.parametrize("seed", [-1, None])
def test_no_seed_is_a_random_one_of_32_bits(standin: StandIn, seed: int | None) -> None:
    seeds = {draw(standin, seed=seed)["info"]["seed"] for _ in range(3)}
    assert len(seeds) == 3
    assert all(0 <= one < 2**32 for one in seeds)


def test_a_size_is_floored_to_a_multiple_of_8_but_reported_as_asked(standin: StandIn) -> None:
    reply = draw(standin, width=71, height=65)
    assert reply["images"][0].size == (64, 64)
    assert (reply["info"]["width"], reply["info"]["height"]) == (71, 65)


def test_firstphase_sizes_replace_the_size(standin: StandIn) -> None:
    reply = draw(standin, firstphase_width=32, firstphase_height=40)
    assert reply["images"][0].size == (32, 40)
    assert ask(standin, "txt2img", firstphase_width=32).status_code == 500


def test_saving_several_images_puts_a_grid_first(standin: StandIn) -> None:
    reply = draw(standin, seed=7, batch_size=2, save_images=True)
    assert [one.size for one in reply["images"]] == [(128, 64), (64, 64), (64, 64)]
    assert reply["info"]["index_of_first_image"] == 1
    assert len(reply["info"]["infotexts"]) == 3
    single = draw(standin, save_images=True)
    assert (len(single["images"]), single["info"]["index_of_first_image"]) == (1, 0)


def test_images_that_are_not_to_be_sent_are_not(standin: StandIn) -> None:
    reply = draw(standin, send_images=False, seed=7)
    assert (reply["images"], reply["info"]["all_seeds"]) == ([], [7])


@pytest.mark.parametrize(("image_format", "kind"), [("jpg", "JPEG"), ("webp", "WEBP")])
def test_other_formats_carry_the_infotext_too(image_format: str, kind: str) -> None:
    with StandIn(image_format=image_format) as other:
        reply = draw(other, prompt="a lighthouse")
    [picture] = reply["images"]
    assert picture.format == kind
    assert pictures.texts_inside(picture)["parameters"] == reply["info"]["infotexts"][0]


def test_a_format_it_cannot_write_fails_after_the_drawing() -> None:
    with StandIn(image_format="avif") as odd:
        response = ask(odd, "txt2img")
        assert odd.state.queue.task.sampling_step == 2
    assert (response.status_code, response.json()["detail"]) == (500, "Invalid image format")


@pytest.mark.parametrize(
    ("fields", "sampler", "scheduler"),
    [
        ({}, "Euler", "Automatic"),
        ({"sampler_name": "Euler a"}, "Euler a", "Automatic"),
        ({"sampler_index": "DDIM"}, "DDIM", "Automatic"),
        ({"sampler_name": "euler a"}, "DPM++ 2M", "Automatic"),
        ({"sampler_name": "k_euler_a"}, "DPM++ 2M", "Automatic"),
        ({"sampler_name": "Euler Karras"}, "Euler", "Karras"),
        ({"sampler_name": "DPM++ 2M Karras"}, "DPM++ 2M", "Automatic"),
        ({"sampler_name": "Euler Karras", "scheduler": "Beta"}, "Euler", "Beta"),
        ({"sampler_name": "Euler", "scheduler": "karras"}, "Euler", "Karras"),
        ({"sampler_name": "Euler", "scheduler": "KARRAS"}, "Euler", "Automatic"),
    ],
)
def test_unknown_samplers_and_schedulers_are_replaced_in_silence(
    standin: StandIn, fields: dict[str, Any], sampler: str, scheduler: str
) -> None:
    reply = draw(standin, **fields)
    assert reply["info"]["sampler_name"] == sampler
    assert pairs(reply)["Schedule type"] == scheduler


def test_styles_are_merged_and_unknown_ones_dropped(standin: StandIn) -> None:
    reply = draw(standin, prompt="a lighthouse", styles=["Watercolour", "Sharp", "Nowhere"])
    assert reply["info"]["prompt"] == (
        "watercolour painting of a lighthouse, soft washes, sharp focus, fine detail"
    )
    assert reply["info"]["negative_prompt"] == "photograph, blurry"


def test_a_lora_that_exists_leaves_its_hash(standin: StandIn) -> None:
    known = draw(standin, prompt="a lighthouse <lora:pixel_art:0.8>")
    assert pairs(known)["Lora hashes"].startswith("pixel_art: ")
    unknown = draw(standin, prompt="a lighthouse <lora:nowhere:1>")
    assert "Lora hashes" not in pairs(unknown)


def test_an_infotext_fills_what_the_request_leaves_open(standin: StandIn) -> None:
    text = draw(standin, prompt="a lighthouse, dawn", seed=7, sampler_name="Euler a")
    source = text["info"]["infotexts"][0]
    reply = draw(standin, infotext=source, steps=3)
    assert reply["info"]["prompt"] == "a lighthouse, dawn"
    assert reply["info"]["seed"] == 7
    assert reply["info"]["sampler_name"] == "Euler a"
    assert reply["info"]["steps"] == 3
