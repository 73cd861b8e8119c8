"""Tools in a row, each given what the one before made or asked."""

from io import BytesIO
from typing import Any

import pytest
from dify_plugin import Tool
from PIL import Image

from devtools.standin import FAMILIES, StandIn
from support.dify_files import served
from support.drawing import Drawn, draw, invoke, paths
from tools.img2img import Img2ImgTool
from tools.png_info import PngInfoTool
from tools.server_info import ServerInfoTool
from tools.upscale import UpscaleTool
from webui.pictures.infotext import parse_infotext

ASKED: dict[str, Any] = {
    "prompt": "a lighthouse at dawn", "negative_prompt": "fog", "width": 128, "height": 64,
    "steps": 7, "sampler_name": "Euler a", "seed": 4711,
}  # fmt: skip


def hand_on(standin: StandIn, before: Drawn, tool: type[Tool], name: str, **given: Any) -> Drawn:  # noqa: ANN401 - a node's values
    """Call a tool with the picture of the one before."""
    ((data, _),) = before.files
    with served(data) as file:
        picture = [file] if name == "images" else file
        return Drawn(invoke(tool, standin, {name: picture} | given))


def size(drawn: Drawn) -> tuple[int, int]:
    ((data, _),) = drawn.files
    return Image.open(BytesIO(data)).size


# Neither stable-diffusion.cpp nor SD.Next of mid 2026 enlarges.
@pytest.mark.parametrize("family", [one for one in FAMILIES if one not in {"sdcpp", "sdnext"}])
def test_a_drawn_picture_is_read_enlarged_and_redrawn(family: str) -> None:
    with StandIn(family=family) as standin:
        drawn = draw(standin, **ASKED)
        read = hand_on(standin, drawn, PngInfoTool, "image")
        offered = Drawn(invoke(ServerInfoTool, standin, {"list": "upscalers"})).variables["names"]
        upscaler = next(name for name in offered if name.endswith("Lanczos"))
        enlarged = hand_on(standin, drawn, UpscaleTool, "images", upscaler_1=upscaler)
        prompt, seed = read.variables["parameters"]["Prompt"], read.json["fields"]["seed"]
        redrawn = hand_on(standin, enlarged, Img2ImgTool, "image", prompt=prompt, seed=seed)
    assert read.variables["infotext"] == drawn.variables["infotext"]
    assert (size(drawn), size(enlarged), size(redrawn)) == ((128, 64), (256, 128), (256, 128))
    said = parse_infotext(redrawn.variables["infotext"])
    assert (said.prompt, said.parameters["Seed"]) == (ASKED["prompt"], "4711")
    assert [one.warnings for one in (drawn, enlarged, redrawn)] == [[], [], []]


def test_the_infotext_inside_a_picture_fills_what_the_form_leaves_empty(standin: StandIn) -> None:
    text = hand_on(standin, draw(standin, **ASKED), PngInfoTool, "image").variables["infotext"]
    said = parse_infotext(draw(standin, infotext=text).variables["infotext"])
    assert (said.prompt, said.negative_prompt) == ("a cat", "fog")
    assert (said.parameters["Sampler"], said.parameters["Size"]) == ("Euler a", "64x64")


@pytest.mark.parametrize("family", FAMILIES)
def test_names_are_asked_for_once_and_then_known(family: str) -> None:
    named: dict[str, Any] = {"sampler_name": "Euler", "model": "v1-5-pruned-emaonly"}
    named |= {"lora": "add_detail:0.5", "enable_hr": True}
    with StandIn(family=family) as standin:
        draw(standin, **named)
        first = paths(standin)
        standin.received.clear()
        draw(standin, **named)
        second = paths(standin)
    assert len(first) == len(set(first))
    assert len(first) <= 9
    assert second[0] == "/sdapi/v1/txt2img"
    # SD.Next is asked whether it broke off, each time.
    assert len(second) == (2 if family == "sdnext" else 1)
