"""png_info through the real SDK class against the stand-in."""

import base64
import json
from io import BytesIO
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from devtools.standin import FAMILIES, StandIn
from support.dify_files import picture, served
from support.drawing import Drawn, draw, invoke, refused, sent
from support.raw_server import RawServer, free_port, reply
from support.standins import StandIns
from tools.png_info import PngInfoTool
from webui import errors

PATH = "/sdapi/v1/png-info"
TEXT = "a cat\nNegative prompt: dog\nSteps: 20, Sampler: Euler, Seed: 5, Size: 512x768"


def read(where: StandIn | str, source: bytes) -> Drawn:
    with served(source) as image:
        return Drawn(invoke(PngInfoTool, where, {"image": image}))


def png(**texts: str) -> bytes:
    file, written = BytesIO(), PngImagePlugin.PngInfo()
    for name, text in texts.items():
        written.add_itxt(name, text)
    Image.new("RGB", (8, 8)).save(file, "PNG", pnginfo=written)
    return file.getvalue()


def test_the_server_reads_the_picture(standin: StandIn) -> None:
    source = png(parameters=TEXT, Software="ours")
    found = read(standin, source)
    assert sent(standin, "png-info") == {"image": base64.b64encode(source).decode()}
    fields = {
        "prompt": "a cat", "negative_prompt": "dog", "steps": 20, "sampler_name": "Euler",
        "seed": 5, "width": 512, "height": 768,
    }  # fmt: skip
    assert found.text == TEXT
    assert found.json == {"infotext": TEXT, "fields": fields, "items": {"Software": "ours"}}
    assert json.loads(found.variables.pop("extra_parameters")) == fields
    assert found.variables == {"infotext": TEXT, "parameters": {
        "Prompt": "a cat", "Negative prompt": "dog", "Steps": "20", "Sampler": "Euler",
        "Seed": "5", "Size": "512x768",
    }}  # fmt: skip


def test_a_server_without_png_info_is_not_needed_for_png() -> None:
    with StandIn(family="sdcpp") as standin:
        assert read(standin, png(parameters=TEXT)).variables["infotext"] == TEXT
        found = read(standin, picture())
        assert found.text == "The image holds no generation parameters."
        assert found.variables == {"infotext": "", "parameters": {}, "extra_parameters": "{}"}
        with refused(errors.InvalidParameterError, match=r"no /sdapi/v1/png-info.*PNG"):
            read(standin, picture(kind="WEBP"))


def test_a_server_that_is_off_is_needed_only_when_the_file_does_not_tell() -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    assert read(nowhere, png(parameters=TEXT)).variables["infotext"] == TEXT
    with refused(errors.WebUIConnectionError, match="refused the connection"):
        read(nowhere, picture())


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (reply('{"error": "disk"}', status="500 X"), errors.WebUIServerError),
        (reply("<html>"), errors.WebUIResponseError),
        (reply('{"info": 5}'), errors.WebUIResponseError),
        (reply("[" * 100_000), errors.WebUIResponseError),
        (reply('{"info": "', length=500), errors.WebUIConnectionError),
        (reply(json.dumps({"info": "x" * 300_000})), errors.InvalidParameterError),
    ],
    ids=["failure", "page", "number", "deep", "cut", "book"],
)
def test_an_answer_of_another_kind_is_an_error(
    answer: bytes, kind: type[errors.StableDiffusionError]
) -> None:
    with RawServer(answer) as server, refused(kind):
        read(server.base_url, picture())


def test_long_items_are_cut_and_half_characters_replaced() -> None:
    answer = {"info": "\ud800", "items": {"workflow": "x" * 500_000, "\ud800": 1}}
    with RawServer(reply(json.dumps(answer))) as server:
        found = read(server.base_url, picture())
    assert found.text == "\ufffd"
    assert len(found.json["items"]["workflow"]) < 30_000
    assert found.json["items"]["\ufffd"] == "1"
    with RawServer(reply('{"info": "", "items": []}')) as server:
        assert read(server.base_url, picture()).json["items"] == {}


PLAIN: dict[str, Any] = {
    "prompt": "a cat,\nasleep", "negative_prompt": "dog", "width": 128, "height": 192, "steps": 7,
    "seed": 99, "cfg_scale": 5.5, "sampler_name": "Euler a", "clip_skip": 2,
}  # fmt: skip
TWICE: dict[str, Any] = {
    "seed": 99, "width": 128, "height": 64, "steps": 6, "enable_hr": True, "hr_scale": 1.5,
    "denoising_strength": 0.5,
}  # fmt: skip


@pytest.mark.parametrize("given", [PLAIN, TWICE], ids=["plain", "second pass"])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_fields_draw_the_same_picture_again(
    standins: StandIns, family: str, given: dict[str, Any]
) -> None:
    standin = standins.of(family)
    first = draw(standin, **given)
    extra = read(standin, first.files[0][0]).variables["extra_parameters"]
    second = draw(standin, prompt="something else", extra_parameters=extra)
    one, other = standin.state.drawn
    assert one == other
    assert first.files[0][0] == second.files[0][0]
    assert second.json["images"][0]["infotext"] == first.json["images"][0]["infotext"]
    assert second.variables["seed"] == 99
    assert second.warnings == first.warnings


@pytest.mark.parametrize("family", [one for one in FAMILIES if one != "sdcpp"])
def test_the_fields_name_model_and_vae(family: str) -> None:
    with StandIn(family=family) as standin:
        other_model, *_, model = [one.title for one in standin.state.checkpoints]
        with_modules = family in {"forge", "neo"}
        vae = "ae.safetensors" if with_modules else "vae-ft-mse-840000-ema-pruned.safetensors"
        first = draw(standin, model=model, vae=vae)
        extra = read(standin, first.files[0][0]).variables["extra_parameters"]
        # Another model is loaded, and another VAE in use, when the fields are to prove themselves.
        draw(standin, model=other_model)
        draw(standin, extra_parameters=extra)
        one, between, other = standin.state.drawn
    assert one == other
    assert one != between


def test_modules_get_their_endings_back() -> None:
    text = f"{TEXT}, Module 1: ae, Hires upscale: 2, Hires Module 1: ae, Hires Module 2: odd"
    with StandIn(family="forge") as standin:
        fields = read(standin, png(parameters=text)).json["fields"]
    assert fields["override_settings"] == {"forge_additional_modules": ["ae.safetensors"]}
    assert fields["hr_additional_modules"] == ["ae.safetensors", "odd"]
