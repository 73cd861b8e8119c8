"""Tools in a row, each given what the one before made, through the plugin's own process."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from matrix import FAMILIES
from PIL import Image
from process_call import Called, call

from devtools import infotext
from devtools.file_server import FileServer
from devtools.host import PluginProcess
from devtools.standin import StandIn

ASKED = {
    "prompt": "a lighthouse at dawn",
    "negative_prompt": "fog",
    "width": 128,
    "height": 64,
    "steps": 7,
    "sampler_name": "Euler a",
    "seed": 4711,
}
# stable-diffusion.cpp has no endpoint that enlarges.
ENLARGING = [family for family in FAMILIES if family != "sdcpp"]


@pytest.fixture(scope="module")
def process() -> Iterator[PluginProcess]:
    with PluginProcess() as process:
        yield process


@dataclass
class Flow:
    """A workflow's run: pictures go from tool to tool as files with links."""

    process: PluginProcess
    standin: StandIn
    server: FileServer
    directory: Path

    def call(self, tool: str, **given: object) -> Called:
        return call(self.process, self.standin.base_url, tool, **given)

    def file(self, reply: Called) -> dict[str, Any]:
        """The only picture of a reply, as Dify hands it to the next tool."""
        [(data, meta)] = reply.files
        path = self.directory / meta["filename"]
        path.write_bytes(data)
        return self.server.add(path)


@pytest.fixture
def flow(process: PluginProcess, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flow]:
    with StandIn(family=request.param) as standin, FileServer() as server:
        yield Flow(process, standin, server, tmp_path)


def size(reply: Called) -> tuple[int, int]:
    [(data, _)] = reply.files
    return Image.open(BytesIO(data)).size


@pytest.mark.parametrize("flow", ENLARGING, indirect=True)
def test_a_drawn_picture_is_read_enlarged_and_redrawn(flow: Flow) -> None:
    drawn = flow.call("txt2img", **ASKED)
    picture = flow.file(drawn)
    read = flow.call("png_info", image=picture)
    offered = flow.call("server_info", list="upscalers").variables["names"]
    upscaler = next(name for name in offered if name.endswith("Lanczos"))
    enlarged = flow.call("upscale", images=[picture], upscaler_1=upscaler, upscaling_resize=2)
    redrawn = flow.call(
        "img2img",
        image=flow.file(enlarged),
        prompt=read.variables["parameters"]["Prompt"],
        seed=read.json[0]["fields"]["seed"],
        denoising_strength=0.6,
    )

    assert read.variables["infotext"] == drawn.variables["infotext"]
    assert (size(drawn), size(enlarged), size(redrawn)) == ((128, 64), (256, 128), (256, 128))
    said = infotext.read(redrawn.variables["infotext"])
    assert (said["Prompt"], said["Seed"]) == (ASKED["prompt"], "4711")
    told = [reply.variables["warnings"] for reply in (drawn, enlarged, redrawn)]
    assert told == [[], [], []]


@pytest.mark.parametrize("flow", FAMILIES, indirect=True)
def test_the_fields_inside_a_picture_draw_it_again(flow: Flow) -> None:
    first = flow.call("txt2img", **ASKED)
    read = flow.call("png_info", image=flow.file(first))
    extra = read.variables["extra_parameters"]
    again = flow.call("txt2img", prompt=ASKED["prompt"], extra_parameters=extra)

    fields = json.loads(extra)
    assert (fields["seed"], fields["width"], fields["height"]) == (4711, 128, 64)
    one, other = flow.standin.state.drawn
    assert one == other
    assert first.files[0][0] == again.files[0][0]
    assert first.variables["seed"] == again.variables["seed"] == 4711
    assert first.json[0]["sampler"] == again.json[0]["sampler"]
    assert size(again) == (128, 64)


@pytest.mark.parametrize("flow", ["a1111"], indirect=True)
def test_the_infotext_inside_a_picture_fills_what_the_form_leaves_empty(flow: Flow) -> None:
    read = flow.call("png_info", image=flow.file(flow.call("txt2img", **ASKED)))
    text = read.variables["infotext"]
    again = flow.call("txt2img", prompt="a cat", width=64, height=64, infotext=text)

    said = infotext.read(again.variables["infotext"])
    assert (said["Sampler"], said["Negative prompt"]) == ("Euler a", "fog")
    assert (said["Prompt"], said["Size"]) == ("a cat", "64x64")
