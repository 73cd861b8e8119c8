"""draw through the real SDK class against the stand-in, and the function a model is given."""

import re

import pytest

from devtools.standin import StandIn
from support.declared import CATALOGUE
from support.drawing import Drawn, all_sent, invoke, refused, sent
from tools.draw import DrawTool
from webui.errors import InvalidParameterError


def draw(standin: StandIn, **given: object) -> Drawn:
    small = {"prompt": "red fox", "width": 64, "height": 64}
    return Drawn(invoke(DrawTool, standin, small | given))


def test_settings_that_are_not_set_are_not_sent(standin: StandIn) -> None:
    drawn = Drawn(invoke(DrawTool, standin, {"prompt": "red fox", "model": None, "lora": " "}))
    request = sent(standin)
    assert request.pop("force_task_id")
    assert request == {
        "prompt": "red fox", "width": 1024, "height": 1024, "steps": 20, "cfg_scale": 7.0,
        "n_iter": 1,
    }  # fmt: skip
    assert drawn.warnings == []
    assert drawn.files[0][1]["filename"].startswith("draw-")


def test_settings_that_are_set_reach_the_picture(standin: StandIn) -> None:
    drawn = draw(
        standin, negative_prompt="text", model="dreamshaper_8", steps=8, cfg_scale=2,
        sampler_name="DPM++ 2M", scheduler="karras", lora="add_detail:0.5",
        style="watercolour, Sharp,", prompt_prefix="oil painting, ", prompt_suffix=", soft light",
    )  # fmt: skip
    request = sent(standin)
    assert (request["steps"], request["cfg_scale"]) == (8, 2.0)
    assert request["negative_prompt"] == "text"
    assert request["prompt"] == "oil painting, red fox, soft light <lora:add_detail:0.5>"
    (applied,) = standin.state.drawn
    assert applied.model == "dreamshaper_8"
    assert (applied.sampler, applied.scheduler) == ("DPM++ 2M", "Karras")
    assert applied.loras == ("add_detail",)
    assert applied.styles == ("Watercolour", "Sharp")
    assert drawn.warnings == []


@pytest.mark.parametrize(
    ("asked", "most", "size"),
    [
        ((128, 64), 128, (128, 64)),
        ((256, 128), 128, (128, 64)),
        ((1216, 832), 100, (96, 64)),
        ((101, 64), 101, (96, 64)),
        ((16384, 8), 64, (64, 8)),
    ],
)
def test_a_size_above_the_cap_shrinks_in_proportion(
    standin: StandIn, asked: tuple[int, int], most: int, size: tuple[int, int]
) -> None:
    drawn = draw(standin, width=asked[0], height=asked[1], max_size=most)
    assert (drawn.json, sent(standin)["width"], sent(standin)["height"]) == (None, *size)
    shrunk = (
        f"{asked[0]}x{asked[1]} was asked for, but max_size is {most}: now {size[0]}x{size[1]}."
    )
    assert drawn.warnings == ([] if asked == size else [shrunk])


def test_a_shape_goes_before_width_and_height_and_keeps_to_the_cap(standin: StandIn) -> None:
    shape = CATALOGUE.fields["shape"]
    sizes = dict(re.findall(r"`(\w+)`(?: is)? (\d+×\d+)", shape["guide"])) | {"auto": "64×32"}
    assert sizes.keys() == shape["options"].keys()
    for name in sizes:
        draw(standin, shape=name, height=32)
    assert [f"{one['width']}×{one['height']}" for one in all_sent(standin)] == [*sizes.values()]
    draw(standin, shape="Wide", max_size=128)
    assert (all_sent(standin)[-1]["width"], all_sent(standin)[-1]["height"]) == (128, 72)


def test_the_reply_says_what_was_drawn_and_no_more(standin: StandIn) -> None:
    drawn = draw(standin, count=9, max_count=2, prompt_prefix="oil painting")
    first, second = drawn.variables["seeds"]
    head, *lines = drawn.text.splitlines()
    assert head.startswith("2 images, 64x64, v1-5-pruned-emaonly, ")
    cut = "9 pictures were asked for, but max_count is 2."
    assert lines == [
        f"Seeds: {first}, {second}.", f"Warning: {cut}", "Prompt: oil painting, red fox",
    ]  # fmt: skip
    assert (len(drawn.files), drawn.warnings) == (2, [cut])
    assert drawn.json is None


def test_a_prompt_without_a_word_is_refused(standin: StandIn) -> None:
    with refused(InvalidParameterError, "^prompt holds no word. Say what to draw."):
        draw(standin, prompt=" , ")
    assert standin.received == []
