"""txt2img through the real SDK class against the stand-in, over HTTP."""

import re
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest
from PIL import Image

from devtools.standin import StandIn
from support.declared import TOOLS
from support.drawing import draw, paths, refused, sent
from webui import errors
from webui.fields import FIELDS

PATH = "/sdapi/v1/txt2img"
YES_NO = {
    one["name"]: one["default"]
    for one in TOOLS["txt2img"]["parameters"]
    if one["type"] == "boolean" and not FIELDS[one["name"]].own
}
"""They are sent as the form shows them."""


def test_a_plain_call_sends_what_is_set_and_the_defaults(standin: StandIn) -> None:
    drawn = draw(standin, negative_prompt="dog", seed="5", steps=3, width="768", height=512.0)
    request = sent(standin)
    assert drawn.json["request"] == request
    assert re.fullmatch("task-[0-9a-f]{32}", request.pop("force_task_id"))
    assert request == {
        "prompt": "a cat", "negative_prompt": "dog", "width": 768, "height": 512, "steps": 3,
        "cfg_scale": 7.0, "seed": 5, "batch_size": 1, "n_iter": 1,
    } | YES_NO  # fmt: skip


def test_every_image_arrives_as_it_was_drawn_with_its_own_seed(standin: StandIn) -> None:
    drawn = draw(standin, batch_size=2, n_iter=2, seed=10)
    assert drawn.variables["seed"] == 10
    assert drawn.variables["seeds"] == [10, 11, 12, 13]
    assert [image["seed"] for image in drawn.json["images"]] == [10, 11, 12, 13]
    inside = [Image.open(BytesIO(data)).info["parameters"] for data, _ in drawn.files]
    assert inside == [image["infotext"] for image in drawn.json["images"]]
    assert inside[0] == drawn.variables["infotext"]


def test_account_variables_and_text_agree(standin: StandIn) -> None:
    drawn = draw(standin, sampler_name="Euler a", seed=10, width=1001)
    model, warning = drawn.variables["model"], "width 1001 is no multiple of 8 and was rounded to"
    assert model == drawn.json["model"] == drawn.json["info"]["sd_model_name"]
    assert drawn.json["sampler"] == "Euler a"
    assert set(drawn.json) == {
        "images", "model", "sampler", "request", "info", "warnings", "elapsed_seconds",
    }  # fmt: skip
    assert set(drawn.variables) == {
        "seed", "seeds", "infotext", "model", "warnings", "elapsed_seconds",
    }  # fmt: skip
    assert drawn.json["elapsed_seconds"] == drawn.variables["elapsed_seconds"]
    assert drawn.json["warnings"] == drawn.warnings == [f"{warning} 1000."]
    first, *others = drawn.text.splitlines()
    assert re.fullmatch(rf"1 image, 1000x64, {model}, \d+\.\d s\.", first)
    assert others == ["Seed: 10.", f"Warning: {warning} 1000."]


def test_the_names_of_the_form_draw_with_what_they_name(standin: StandIn) -> None:
    loaded, other, *_ = [one.name_for_extra for one in standin.state.checkpoints]
    drawn = draw(
        standin, {"model": loaded}, model=other, vae="None", clip_skip="2", lora="add_detail:0.7"
    )
    assert drawn.variables["model"] == other
    assert drawn.warnings == []
    (applied,) = standin.state.drawn
    assert (applied.model, applied.clip_skip, applied.loras) == (other, 2, ("add_detail",))
    assert draw(standin, {"model": loaded}).variables["model"] == loaded


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (200, {"images": [], "info": "{}"}, errors.WebUIResponseError, "sent no images"),
        (200, {"detail": "busy"}, errors.WebUIResponseError, "without images: busy"),
        (200, '{"images": ["', errors.WebUIResponseError, "ends in the middle"),
        (404, {"detail": "Sampler not found"}, errors.WebUIRequestError, "Sampler not found"),
        (500, {"error": "KeyError", "errors": "'foo'"}, errors.WebUIServerError, "KeyError: 'foo'"),
        (
            500,
            {"error": "OutOfMemoryError"},
            errors.WebUIOutOfMemoryError,
            "Ask for a smaller width",
        ),
        (502, "<html>Bad Gateway</html>", errors.WebUIServerError, "got no answer from the WebUI"),
    ],
)
def test_a_bad_reply_has_its_error_and_is_never_asked_for_again(
    standin: StandIn, status: int, body: object, kind: type[errors.StableDiffusionError], words: str
) -> None:
    standin.fail_next(PATH, status=status, body=body)
    with refused(kind, match=words) as caught:
        draw(standin)
    assert type(caught.value.__context__) is kind
    assert paths(standin).count(PATH) == 1


def test_what_cannot_be_used_never_reaches_the_server(standin: StandIn) -> None:
    for bad in ({"width": 7}, {"steps": "many"}, {"alwayson_scripts": "{"}, {"lora": "a:b:c"}):
        with refused(errors.InvalidParameterError):
            draw(standin, **bad)
    with refused(errors.InvalidCredentialsError, match="base_url is empty"):
        draw("")
    assert standin.received == []


def test_twenty_calls_at_once_all_draw_their_own(standin: StandIn) -> None:
    def seeds(seed: int) -> list[int]:
        found: list[int] = draw(standin, seed=seed).variables["seeds"]
        return found

    with ThreadPoolExecutor(20) as callers:
        assert list(callers.map(seeds, range(20))) == [[seed] for seed in range(20)]
