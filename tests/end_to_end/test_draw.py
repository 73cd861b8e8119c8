"""draw through the real SDK class against the stand-in, and the function a model is given."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from drawing import Drawn
from matrix import FAMILIES
from PIL import Image

from devtools.standin import StandIn
from tools.draw import DrawTool
from webui.errors import InvalidParameterError, WebUIAuthenticationError

PATH = "/sdapi/v1/txt2img"
DECLARATION: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parent.parent / "tools" / "draw.yaml").read_bytes()
)
SMALL = {"prompt": "red fox", "width": 64, "height": 64}


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


def draw(standin: StandIn, **given: object) -> Drawn:
    tool = DrawTool.from_credentials({"base_url": standin.base_url})
    return Drawn(tool.invoke(SMALL | given))


def sent(standin: StandIn) -> dict[str, Any]:
    (request,) = [r for r in standin.received if r.path == PATH]
    assert isinstance(request.json, dict)
    return {name: value for name, value in request.json.items() if name != "force_task_id"}


def refusal(standin: StandIn, **given: object) -> str:
    with pytest.raises(InvalidParameterError) as caught:
        draw(standin, **given)
    assert not [r for r in standin.received if r.path == PATH]
    return str(caught.value)


def test_a_prompt_alone_is_enough(standin: StandIn) -> None:
    tool = DrawTool.from_credentials({"base_url": standin.base_url})
    drawn = Drawn(tool.invoke({"prompt": "red fox"}))
    ((blob, meta),) = drawn.files
    assert Image.open(BytesIO(blob)).size == (1024, 1024)
    assert meta["mime_type"] == "image/png"
    assert drawn.variables["warnings"] == []


def test_settings_that_are_not_set_are_not_sent(standin: StandIn) -> None:
    draw(standin, negative_prompt="", model=None, style="", timeout="", lora=" ")
    assert sent(standin) == {
        "prompt": "red fox",
        "width": 64,
        "height": 64,
        "steps": 20,
        "cfg_scale": 7.0,
        "n_iter": 1,
    }


def test_settings_that_are_set_reach_the_picture(standin: StandIn) -> None:
    drawn = draw(
        standin,
        negative_prompt="text",
        model="dreamshaper_8",
        steps=8,
        cfg_scale=2,
        sampler_name="DPM++ 2M",
        scheduler="karras",
        lora="add_detail:0.5",
        style="Watercolour",
    )
    request = sent(standin)
    assert (request["steps"], request["cfg_scale"]) == (8, 2.0)
    assert request["negative_prompt"] == "text"
    (applied,) = standin.state.drawn
    assert applied.model == "dreamshaper_8"
    assert (applied.sampler, applied.scheduler) == ("DPM++ 2M", "Karras")
    assert applied.loras == ("add_detail",)
    assert applied.styles == ("Watercolour",)
    assert drawn.variables["warnings"] == []


def test_several_styles_are_separated_by_commas(standin: StandIn) -> None:
    draw(standin, style="watercolour, Sharp,")
    assert sent(standin)["styles"] == ["Watercolour", "Sharp"]


def test_prefix_and_suffix_stand_around_the_prompt(standin: StandIn) -> None:
    draw(standin, prompt_prefix="oil painting, ", prompt_suffix=", soft light")
    assert sent(standin)["prompt"] == "oil painting, red fox, soft light"


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_draws_as_many_as_asked(family: str) -> None:
    with StandIn(family=family) as standin:
        drawn = draw(standin, count=3)
        request = sent(standin)
    assert len(drawn.files) == 3
    assert len(set(drawn.variables["seeds"])) == 3
    assert drawn.variables["warnings"] == []
    repeated = {"n_iter": 3} if family != "sdcpp" else {"batch_size": 3}
    assert {key: request[key] for key in ("n_iter", "batch_size") if key in request} == repeated


def test_more_pictures_than_allowed_are_cut_and_said(standin: StandIn) -> None:
    drawn = draw(standin, count=9, max_count=2)
    assert len(drawn.files) == 2
    assert drawn.variables["warnings"] == ["9 pictures were asked for, but max_count is 2."]
    assert "Warning: 9 pictures were asked for" in drawn.text


@pytest.mark.parametrize(
    ("asked", "most", "size"),
    [
        ((128, 64), 128, (128, 64)),
        ((256, 128), 128, (128, 64)),
        ((128, 256), 64, (32, 64)),
        ((1216, 832), 100, (96, 64)),
        ((101, 64), 101, (96, 64)),
        ((16384, 8), 64, (64, 8)),
    ],
)
def test_a_size_above_the_cap_shrinks_in_proportion(
    standin: StandIn, asked: tuple[int, int], most: int, size: tuple[int, int]
) -> None:
    drawn = draw(standin, width=asked[0], height=asked[1], max_size=most)
    assert Image.open(BytesIO(drawn.files[0][0])).size == size
    shrunk = (
        f"{asked[0]}x{asked[1]} was asked for, but max_size is {most}: now {size[0]}x{size[1]}."
    )
    assert drawn.variables["warnings"] == ([] if asked == size else [shrunk])


def test_the_reply_says_what_was_drawn_and_no_more(standin: StandIn) -> None:
    drawn = draw(standin, count=2, prompt_prefix="oil painting")
    first, second = drawn.variables["seeds"]
    lines = drawn.text.splitlines()
    assert lines[0].startswith("2 images, 64x64, v1-5-pruned-emaonly, ")
    assert lines[1:] == [f"Seeds: {first}, {second}.", "Prompt: oil painting, red fox"]
    assert drawn.json is None


def test_an_unknown_name_is_refused_with_the_closest(standin: StandIn) -> None:
    assert "Euler a" in refusal(standin, sampler_name="Euler ab")
    assert "Watercolour" in refusal(standin, style="Watercolor")


def test_a_field_of_txt2img_is_refused(standin: StandIn) -> None:
    assert "batch_size is not a parameter of this tool." in refusal(standin, batch_size=4)


def test_an_empty_prompt_is_refused(standin: StandIn) -> None:
    assert refusal(standin, prompt=" ") == "prompt is empty, but required."


def test_a_wrong_login_is_said() -> None:
    with StandIn(api_auth="me:right") as standin:
        tool = DrawTool.from_credentials(
            {"base_url": standin.base_url, "username": "me", "password": "wrong"}
        )
        with pytest.raises(WebUIAuthenticationError, match="refuses the login 'me'"):
            list(tool.invoke(SMALL))


def test_the_settings_are_out_of_the_models_reach() -> None:
    forms = {p["name"]: (p["form"], p["type"]) for p in DECLARATION["parameters"]}
    for_models = {name: kind for name, (form, kind) in forms.items() if form == "llm"}
    assert for_models == {
        "prompt": "string",
        "negative_prompt": "string",
        "width": "number",
        "height": "number",
        "count": "number",
    }
    assert {form for form, _ in forms.values()} == {"llm", "form"}
    assert {kind for _, kind in forms.values()} <= {"string", "number", "boolean", "select"}
