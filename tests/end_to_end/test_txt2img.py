"""txt2img through the real SDK class against the stand-in, over HTTP."""

import base64
import json
import re
import threading
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from drawing import draw
from PIL import Image

from devtools.standin import StandIn
from webui.errors import (
    InvalidCredentialsError,
    InvalidParameterError,
    WebUIAuthenticationError,
    WebUIConnectionError,
    WebUINotFoundError,
    WebUIOutOfMemoryError,
    WebUIRequestError,
    WebUIResponseError,
    WebUIServerError,
)

PATH = "/sdapi/v1/txt2img"


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


def sent(standin: StandIn) -> dict[str, Any]:
    (request,) = [r for r in standin.received if r.path == PATH]
    assert isinstance(request.json, dict)
    return request.json


def test_a_plain_call_draws_the_asked_size(standin: StandIn) -> None:
    drawn = draw(standin, width="768", height=512.0)
    ((blob, meta),) = drawn.files
    assert Image.open(BytesIO(blob)).size == (768, 512)
    assert meta["mime_type"] == "image/png"
    assert re.fullmatch(r"txt2img-\d{8}-\d{6}-1\.png", meta["filename"])


def test_a_plain_call_sends_what_is_set_and_the_defaults(standin: StandIn) -> None:
    draw(standin, negative_prompt="dog", seed="5", steps=3)
    request = sent(standin)
    assert re.fullmatch("task-[0-9a-f]{32}", request.pop("force_task_id"))
    assert request == {
        "prompt": "a cat",
        "negative_prompt": "dog",
        "width": 64,
        "height": 64,
        "steps": 3,
        "cfg_scale": 7.0,
        "seed": 5,
        "batch_size": 1,
        "n_iter": 1,
    }


def test_every_image_arrives_with_its_own_seed(standin: StandIn) -> None:
    drawn = draw(standin, batch_size=2, n_iter=2, seed=10)
    assert len(drawn.files) == 4
    assert drawn.variables["seed"] == 10
    assert drawn.variables["seeds"] == [10, 11, 12, 13]
    assert [image["seed"] for image in drawn.json["images"]] == [10, 11, 12, 13]


def test_the_bytes_keep_the_infotext_inside(standin: StandIn) -> None:
    drawn = draw(standin, seed=10)
    inside = Image.open(BytesIO(drawn.files[0][0])).info["parameters"]
    assert inside == drawn.variables["infotext"]
    assert "Seed: 10" in inside


@pytest.mark.parametrize(
    ("image_format", "mime_type", "extension"),
    [("png", "image/png", "png"), ("jpg", "image/jpeg", "jpg"), ("webp", "image/webp", "webp")],
)
def test_the_type_is_known_by_signature(image_format: str, mime_type: str, extension: str) -> None:
    with StandIn(image_format=image_format) as standin:
        drawn = draw(standin, width=72, height=40)
    ((_, meta),) = drawn.files
    assert meta["mime_type"] == mime_type
    assert meta["filename"].endswith(f".{extension}")
    assert (drawn.json["images"][0]["width"], drawn.json["images"][0]["height"]) == (72, 40)


def test_the_account_names_model_sampler_request_and_info(standin: StandIn) -> None:
    drawn = draw(standin, sampler_name="Euler a")
    assert drawn.json["model"] == drawn.json["info"]["sd_model_name"] == drawn.variables["model"]
    assert drawn.json["sampler"] == "Euler a"
    assert drawn.json["request"] == sent(standin)
    assert drawn.json["elapsed_seconds"] == drawn.variables["elapsed_seconds"]
    assert set(drawn.json) == {
        "images", "model", "sampler", "request", "info", "warnings", "elapsed_seconds",
    }  # fmt: skip


def test_the_variables_are_those_of_the_output_schema(standin: StandIn) -> None:
    assert set(draw(standin).variables) == {
        "seed", "seeds", "infotext", "model", "warnings", "elapsed_seconds",
    }  # fmt: skip


def test_the_text_can_be_read_by_a_person(standin: StandIn) -> None:
    drawn = draw(standin, seed=10, width=1001)
    first, second, third = drawn.text.splitlines()
    assert re.fullmatch(rf"1 image, 1000x64, {drawn.variables['model']}, \d+\.\d s\.", first)
    assert second == "Seed: 10."
    assert third == "Warning: width 1001 is no multiple of 8 and was rounded to 1000."
    assert drawn.variables["warnings"] == [third.removeprefix("Warning: ")]


def test_a_hires_call_carries_what_some_server_needs(standin: StandIn) -> None:
    drawn = draw(standin, enable_hr="true", hr_scale=2, cfg_scale=5, steps=4)
    request = sent(standin)
    assert request["enable_hr"] is True
    assert request["denoising_strength"] == 0.7
    assert request["hr_cfg"] == 5.0
    assert request["hr_additional_modules"] == ["Use same choices"]
    assert request["hr_steps"] == 4
    assert request["hr_resize_mode"] == 5
    assert request["hr_force"] is True
    assert Image.open(BytesIO(drawn.files[0][0])).size == (128, 128)


def test_a_hires_call_keeps_what_is_given(standin: StandIn) -> None:
    draw(
        standin,
        enable_hr=True,
        denoising_strength=0.3,
        hr_cfg=2,
        hr_additional_modules="a, b",
        hr_second_pass_steps=9,
        hr_upscaler="Latent",
        extra_parameters='{"hr_force": false}',
    )
    request = sent(standin)
    assert request["denoising_strength"] == 0.3
    assert request["hr_cfg"] == 2.0
    assert request["hr_additional_modules"] == ["a", "b"]
    assert request["hr_steps"] == 9
    assert request["hr_resize_mode"] == 1
    assert request["hr_force"] is False


def test_without_hires_nothing_of_it_is_sent(standin: StandIn) -> None:
    draw(standin, enable_hr=False)
    assert "denoising_strength" not in sent(standin)
    assert not [field for field in sent(standin) if field.startswith("hr_")]


def other_model(standin: StandIn) -> str:
    loaded = draw(standin).variables["model"]
    names = [c.name_for_extra for c in standin.state.catalogue.checkpoints]
    standin.received.clear()
    return next(name for name in names if name != loaded)


def titled(standin: StandIn, model: str) -> str:
    (found,) = [c for c in standin.state.catalogue.checkpoints if c.name_for_extra == model]
    return found.title


def test_model_vae_clip_skip_and_lora_go_where_they_belong(standin: StandIn) -> None:
    model = other_model(standin)
    drawn = draw(
        standin,
        model=model,
        vae="Automatic",
        clip_skip="2",
        lora="add_detail:0.7, pixel_art",
        override_settings='{"eta_noise_seed_delta": 31337}',
    )
    request = sent(standin)
    assert request["prompt"] == "a cat <lora:add_detail:0.7> <lora:pixel_art:1>"
    assert request["override_settings"] == {
        "eta_noise_seed_delta": 31337,
        "sd_model_checkpoint": titled(standin, model),
        "sd_vae": "Automatic",
        "CLIP_stop_at_last_layers": 2,
    }
    assert drawn.variables["model"] == model
    assert not {"model", "vae", "clip_skip", "lora"} & set(request)


def test_the_credentials_model_is_for_nodes_that_name_none(standin: StandIn) -> None:
    model = other_model(standin)
    assert draw(standin, {"model": model}).variables["model"] == model
    standin.received.clear()
    first = standin.state.catalogue.checkpoints[0].name_for_extra
    assert draw(standin, {"model": model}, model=first).variables["model"] == first


def test_an_unknown_model_is_refused_before_anything_is_drawn(standin: StandIn) -> None:
    model = other_model(standin)
    with pytest.raises(InvalidParameterError, match=rf"model: .* has no model .*{model}"):
        draw(standin, model=model[:-1] + "q")
    assert not [r for r in standin.received if r.path == PATH]


def test_server_wide_options_are_never_written(standin: StandIn) -> None:
    draw(standin, model=other_model(standin), vae="None", clip_skip=2)
    assert {r.method for r in standin.received if r.path.endswith("/options")} <= {"GET"}


def test_a_model_given_twice_and_differently_is_refused(standin: StandIn) -> None:
    model = other_model(standin)
    with pytest.raises(InvalidParameterError, match=r"model: .* contradicts override_settings"):
        draw(standin, model=model, override_settings='{"sd_model_checkpoint": "another"}')


def test_several_vaes_are_refused_where_the_server_takes_one(standin: StandIn) -> None:
    with pytest.raises(InvalidParameterError, match="names 2 files, but this server takes one"):
        draw(standin, vae="ae, clip_l")


def test_loras_reach_the_second_prompt_too(standin: StandIn) -> None:
    draw(standin, enable_hr=True, hr_prompt="sharp", lora="add_detail")
    assert sent(standin)["hr_prompt"] == "sharp <lora:add_detail:1>"


def test_loras_that_cannot_work_are_warned_of(standin: StandIn) -> None:
    drawn = draw(standin, lora="add_detail", disable_extra_networks=True)
    assert "No LoRA is applied, as disable_extra_networks is on." in drawn.variables["warnings"]


def test_extra_parameters_are_merged_last_as_a_merge_patch(standin: StandIn) -> None:
    draw(
        standin,
        seed=1,
        clip_skip=2,
        eta=0.5,
        override_settings='{"eta_noise_seed_delta": 1}',
        extra_parameters=json.dumps(
            {
                "seed": 2,
                "eta": None,
                "teacache_enabled": True,
                "override_settings": {"eta_noise_seed_delta": None, "samples_format": "png"},
            }
        ),
    )
    request = sent(standin)
    assert request["seed"] == 2
    assert request["teacache_enabled"] is True
    assert "eta" not in request
    assert request["override_settings"] == {
        "CLIP_stop_at_last_layers": 2,
        "samples_format": "png",
    }


@pytest.mark.parametrize("size", [(1004, 1008), (1003, 1000), (8, 8), (16384, 16384)])
def test_sizes_are_rounded_to_the_nearest_multiple_of_8(
    standin: StandIn, size: tuple[int, int]
) -> None:
    given, used = size
    standin.fail_next(PATH, status=500, body={"error": "enough"})
    with pytest.raises(WebUIServerError):
        draw(standin, width=given, hr_resize_y=given)
    assert sent(standin)["width"] == used
    assert sent(standin)["hr_resize_y"] == used


def test_a_grid_is_told_apart(standin: StandIn) -> None:
    drawn = draw(standin, batch_size=2, save_images=True)
    assert [image["grid"] for image in drawn.json["images"]] == [True, False, False]
    assert len(drawn.files) == 3
    assert len(drawn.variables["seeds"]) == 2


def test_images_that_stay_on_the_server_are_no_failure(standin: StandIn) -> None:
    drawn = draw(standin, send_images=False, save_images=True)
    assert drawn.files == []
    assert "send_images is off" in drawn.text


def test_the_login_of_the_credentials_is_used() -> None:
    with StandIn(api_auth="me:secret") as standin:
        credentials = {"username": "me", "password": "secret"}
        assert draw(standin, credentials).files
        with pytest.raises(WebUIAuthenticationError) as caught:
            draw(standin, credentials | {"password": "hunter2"})
        assert "hunter2" not in repr(caught.value)


BAD_REPLIES: list[tuple[int, object, type[Exception], str]] = [
    (200, {"images": [], "info": "{}"}, WebUIResponseError, "sent no images"),
    (200, {"images": None, "info": "{}"}, WebUIResponseError, "without images"),
    (200, {"detail": "busy"}, WebUIResponseError, "without images: busy"),
    (200, {"images": ["!!!"], "info": ""}, WebUIResponseError, "Image 1 .* not valid base64"),
    (200, {"images": [5], "info": ""}, WebUIResponseError, "Image 1 .* not base64 text"),
    (200, {"images": ["aGVsbG8="], "info": ""}, WebUIResponseError, "not an image"),
    (200, '{"images": ["', WebUIResponseError, "ends in the middle"),
    (200, "[]", WebUIResponseError, "without images"),
    (200, "", WebUIResponseError, "not as a Stable Diffusion"),
    (200, "<html></html>", WebUIResponseError, "not as a Stable Diffusion"),
    (401, {"detail": "Not authenticated"}, WebUIAuthenticationError, "asks for a login"),
    (404, {"detail": "Not Found"}, WebUINotFoundError, "--api"),
    (404, {"detail": "Sampler not found"}, WebUIRequestError, "Sampler not found"),
    (422, {"detail": "Script 'x' not found"}, WebUIRequestError, "Script 'x' not found"),
    (
        422,
        {"detail": [{"loc": ["body", "steps"], "msg": "value is not a valid integer"}]},
        WebUIRequestError,
        "steps: value is not a valid integer",
    ),
    (500, {"error": "KeyError", "detail": "", "errors": "'foo'"}, WebUIServerError, "KeyError: 'f"),
    (500, {"error": "KeyError", "detail": "", "message": "'foo'"}, WebUIServerError, "'foo'"),
    (500, {"error": "server_error", "message": "type 302"}, WebUIServerError, "type 302"),
    (500, '"float division by zero"', WebUIServerError, "float division by zero"),
    (
        500,
        {"error": "OutOfMemoryError", "errors": "CUDA out of memory. Tried to allocate"},
        WebUIOutOfMemoryError,
        "smaller width",
    ),
    (502, "<html>Bad Gateway</html>", WebUIServerError, r"failed \(502\)"),
]


@pytest.mark.parametrize(("status", "body", "kind", "words"), BAD_REPLIES)
def test_each_bad_reply_has_its_error_and_is_never_asked_for_again(
    standin: StandIn, status: int, body: object, kind: type[Exception], words: str
) -> None:
    standin.fail_next(PATH, status=status, body=body)
    with pytest.raises(kind, match=words) as caught:
        draw(standin)
    assert type(caught.value) is kind
    assert len([r for r in standin.received if r.path == PATH]) == 1


@pytest.mark.parametrize("info", ["", "null", "[]", "{", None, 5], ids=repr)
def test_an_info_that_is_empty_missing_or_odd_loses_no_image(
    standin: StandIn, info: object
) -> None:
    picture = draw(standin, seed=10).files[0][0]
    standin.fail_next(
        PATH, status=200, body={"images": [base64.b64encode(picture).decode()], "info": info}
    )
    drawn = draw(standin)
    assert drawn.files[0][0] == picture
    assert drawn.variables["seed"] == 10


def test_a_data_prefix_is_no_obstacle(standin: StandIn) -> None:
    picture = draw(standin).files[0][0]
    prefixed = "data:image/png;base64," + base64.b64encode(picture).decode()
    standin.fail_next(PATH, status=200, body={"images": [prefixed], "info": ""})
    assert draw(standin).files[0][0] == picture


def test_running_out_of_memory_is_told_as_such(standin: StandIn) -> None:
    standin.run_out_of_memory()
    with pytest.raises(WebUIOutOfMemoryError, match="Ask for a smaller width"):
        draw(standin)


def test_a_server_that_is_gone_is_told_with_the_remedy(standin: StandIn) -> None:
    standin.stop()
    with pytest.raises(WebUIConnectionError, match=r"refused the connection.*host.docker.internal"):
        draw(standin.base_url)
    standin.start()


def test_credentials_that_cannot_be_used_are_refused() -> None:
    with pytest.raises(InvalidCredentialsError, match="base_url is empty"):
        draw("")


def test_bad_input_never_reaches_the_server(standin: StandIn) -> None:
    for bad in ({"width": 7}, {"steps": "many"}, {"alwayson_scripts": "{"}, {"lora": "a:b:c"}):
        with pytest.raises(InvalidParameterError):
            draw(standin, **bad)
    assert standin.received == []


def test_twenty_calls_at_once_all_draw_their_own(standin: StandIn) -> None:
    seeds: dict[int, list[int]] = {}

    def call(seed: int) -> None:
        seeds[seed] = draw(standin, seed=seed).variables["seeds"]

    threads = [threading.Thread(target=call, args=(seed,)) for seed in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seeds == {seed: [seed] for seed in range(20)}
