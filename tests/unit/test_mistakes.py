"""Where real servers were seen to err, a stand-in errs in the same way."""

import base64
import io
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from PIL import ExifTags, Image

from devtools.standin import StandIn, pictures
from support.drawing import until
from support.standins import StandIns

SMALL = {"prompt": "a cat", "width": 64, "height": 64, "steps": 2}


def ask(standin: StandIn, name: str, /, **fields: object) -> requests.Response:
    size = SMALL if name.endswith("2img") else {}
    return requests.post(f"{standin.base_url}/sdapi/v1/{name}", json={**size, **fields}, timeout=30)


def info(standin: StandIn, /, **fields: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ask(standin, "txt2img", **fields).json()["info"])
    return found


def red() -> str:
    return base64.b64encode(pictures.encode(Image.new("RGB", (8, 8), "red"), "png")).decode()


@pytest.mark.parametrize(("name", "poisoned"), [("forge", False), ("classic", True)])
def test_the_field_infotext_crashes_or_breaks_every_later_job(name: str, poisoned: bool) -> None:
    text = "a dog\nSteps: 2, Sampler: DPM++ 2M, Schedule type: Karras, Seed: 1"
    with StandIn(family=name) as standin:
        assert ask(standin, "txt2img", infotext=text).status_code == 500
        assert ask(standin, "txt2img").status_code == (500 if poisoned else 200)


def test_a_wrong_type_of_an_option_that_was_never_saved_breaks_every_later_job(
    standin: StandIn,
) -> None:
    saved = {"CLIP_stop_at_last_layers": "two"}
    assert ask(standin, "txt2img", override_settings=saved).json()["error"] == "TypeError"
    assert ask(standin, "txt2img").ok
    ask(standin, "txt2img", override_settings={"token_merging_ratio_hr": "two"})
    assert ask(standin, "txt2img").json()["error"] == "TypeError"
    assert (
        requests.get(f"{standin.base_url}/sdapi/v1/options", timeout=30).json()["error"]
        == "ValidationError"
    )


@pytest.mark.parametrize(("name", "applied"), [("forge", ("add_detail",)), ("sdnext", ())])
def test_sdnext_alone_does_not_know_a_lora_by_its_alias(
    standins: StandIns, name: str, applied: tuple[str, ...]
) -> None:
    standin = standins.of(name)
    ask(standin, "txt2img", prompt="a cat <lora:detail_tweaker:1>")
    assert standin.state.drawn[0].loras == applied


def test_sdnext_writes_a_template_and_the_last_part_of_a_model_that_is_a_folder(
    standins: StandIns,
) -> None:
    options = {"sd_model_checkpoint": "Diffusers/lab/sketches"}
    hires = {"enable_hr": True, "hr_resize_mode": 1, "hr_upscaler": "Latent Nearest"}
    given = {"denoising_strength": 0.5, "override_settings": options, **hires}
    [text] = info(standins.of("sdnext"), **given)["infotexts"]
    assert text.startswith("a cat\nNegative prompt: \nTemplate: a cat\nSteps: ")
    assert "Model: sketches," in text
    assert "Hires strength: 0.0" in text


def test_sdnext_takes_so_many_jobs_in_a_while_and_never_enlarges() -> None:
    with StandIn(family="sdnext", rate_limit=(2, 0.5)) as standin:
        assert [ask(standin, "txt2img").status_code for _ in range(3)] == [200, 200, 429]
        assert ask(standin, "img2img", init_images=[red()]).ok
        until(lambda: ask(standin, "txt2img").ok)
        enlarged = ask(standin, "extra-single-image", image=red(), upscaler_1="None")
        assert (enlarged.status_code, "html_info" in enlarged.json()["errors"]) == (500, True)


@pytest.mark.parametrize(("name", "turned"), [("forge", True), ("classic", False)])
def test_forge_classic_does_not_turn_a_photograph(
    standins: StandIns, name: str, turned: bool
) -> None:
    picture, file, exif = Image.new("RGB", (64, 64), "red"), io.BytesIO(), Image.Exif()
    picture.paste("blue", (0, 0, 64, 32))
    exif[ExifTags.Base.Orientation] = 3
    picture.save(file, "PNG", exif=exif)
    given = {"init_images": [base64.b64encode(file.getvalue()).decode()], "denoising_strength": 0}
    [text] = ask(standins.of(name), "img2img", width=64, height=64, **given).json()["images"]
    drawn = pictures.decode(text)
    assert drawn is not None
    assert (drawn.convert("RGB").getpixel((5, 5)) == (255, 0, 0)) is turned


@pytest.mark.parametrize(("seed", "kept"), [(2**31 - 1, True), (2**31, False)])
def test_sdcpp_replaces_a_seed_that_is_no_c_int(standins: StandIns, seed: int, kept: bool) -> None:
    reply = ask(standins.of("sdcpp"), "txt2img", seed=seed).json()
    drawn = pictures.decode(reply["images"][0])
    assert drawn is not None
    assert (f"Seed: {seed}," in drawn.info["parameters"]) is kept
    assert reply["info"] == ""


def test_an_interrupted_job_looks_finished_with_more_seeds_than_pictures() -> None:
    with StandIn(delay=0.4) as standin, ThreadPoolExecutor() as pool:
        job = pool.submit(ask, standin, "txt2img", seed=7, n_iter=3)
        until(lambda: standin.state.queue.running)
        ask(standin, "interrupt")
        reply = job.result().json()
    assert len(reply["images"]) == 1
    assert json.loads(reply["info"])["all_seeds"] == [7, 8, 9]


@pytest.mark.parametrize(("name", "left"), [("a1111", 2), ("sdnext", 0)])
def test_a_skipped_picture_comes_half_drawn_but_from_sdnext_not_even_the_others(
    name: str, left: int
) -> None:
    with StandIn(family=name, delay=0.4) as standin, ThreadPoolExecutor() as pool:
        job = pool.submit(ask, standin, "txt2img", seed=7, n_iter=2)
        until(lambda: standin.state.queue.running)
        ask(standin, "skip")
        reply = job.result().json()
        state = requests.get(f"{standin.base_url}/sdapi/v1/progress", timeout=30).json()["state"]
    assert len(reply["images"]) == len(standin.state.drawn) == left
    assert json.loads(reply["info"])["all_seeds"] == [7, 8]
    assert (state["skipped"], state["interrupted"]) == (left == 0, False)


def test_an_interrupt_while_nobody_draws_is_told_until_the_next_job(standin: StandIn) -> None:
    def progress() -> dict[str, Any]:
        told = requests.get(f"{standin.base_url}/sdapi/v1/progress", timeout=30).json()
        assert (told["progress"], told["current_image"]) == (0, None)
        return dict(told["state"])

    ask(standin, "txt2img")
    assert ask(standin, "interrupt").json() == {}
    state = progress()
    assert (state["interrupted"], state["job"], state["sampling_step"]) == (True, "", 0)
    assert len(ask(standin, "txt2img").json()["images"]) == 1
    assert not progress()["interrupted"]


@pytest.mark.parametrize(
    ("unit", "applied"),
    [
        ({"model": "control_v11p_sd15_canny [d14c016b]", "module": "canny"}, True),
        ({"model": "nope", "module": "canny"}, False),
        ({"model": "control_v11p_sd15_canny [d14c016b]", "module": "nope"}, False),
    ],
)
def test_a_controlnet_unit_with_an_unknown_name_is_left_out_and_the_infotext_claims_it(
    standins: StandIns, unit: dict[str, str], applied: bool
) -> None:
    standin = standins.of("forge")
    units = [{**unit, "enabled": True, "image": red()}, {"model": "nope"}]
    [text] = info(standin, alwayson_scripts={"ControlNet": {"args": units}})["infotexts"]
    said = f'ControlNet 0: "Module: {unit["module"]}, Model: {unit["model"]}, Weight: 1.0"'
    assert said in text
    assert "ControlNet 1" not in text
    assert bool(standin.state.drawn[0].controlnet) is applied


def test_controlnet_is_an_extension_of_automatic1111_and_part_of_its_forks() -> None:
    for family, extensions, status in (("a1111", [], 404), ("a1111", ["controlnet"], 200)):
        with StandIn(family=family, extensions=extensions) as standin:
            found = requests.get(f"{standin.base_url}/controlnet/model_list", timeout=30)
            units: dict[str, object] = {"ControlNet": {"args": []}}
            drawn = ask(standin, "txt2img", alwayson_scripts=units)
        assert (found.status_code, drawn.ok) == (status, status == 200)


def test_an_option_that_was_posted_is_put_back_after_a_job(standin: StandIn) -> None:
    option = "token_merging_ratio_hr"
    ask(standin, "options", **{option: 0.1})
    ask(standin, "txt2img", override_settings={option: 0.5})
    assert standin.state.options[option] == 0.1
    ask(standin, "options", sd_model_checkpoint="meinamix_v12")
    assert standin.state.loaded.name_for_extra == "meinamix_v12"


def test_sdnext_draws_nothing_once_somebody_saved_a_model_that_it_does_not_have() -> None:
    with StandIn(family="sdnext") as standin:
        for model, count in (("nope", 0), ("dreamshaper_8", 1)):
            ask(standin, "options", sd_model_checkpoint=model)
            told = requests.get(f"{standin.base_url}/sdapi/v1/options", timeout=30).json()
            assert told["sd_model_checkpoint"] == model
            reply = ask(standin, "txt2img").json()
            assert (len(reply["images"]), bool(reply["info"])) == (count, bool(count))


def test_sdnext_tells_of_what_it_cannot_draw_and_sends_no_picture(standins: StandIns) -> None:
    standin = standins.of("sdnext")
    for kind, given in (
        ("txt2img", {"width": -64}),
        ("img2img", {"init_images": [red()], "denoising_strength": 2}),
    ):
        reply = ask(standin, kind, **given).json()
        assert reply["images"] == standin.state.drawn == []
        assert len(json.loads(reply["info"])["infotexts"]) == 1
