"""upscale, server_info and png_info, and the outputs of every tool."""

from pathlib import Path
from typing import Any

import pytest
import yaml

TOOLS = Path(__file__).parent.parent / "tools"


def load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((TOOLS / f"{name}.yaml").read_bytes())
    return loaded


def declared(name: str) -> dict[str, dict[str, Any]]:
    return {parameter["name"]: parameter for parameter in load(name)["parameters"]}


EXTRAS = {
    "upscaling_resize", "upscaling_resize_w", "upscaling_resize_h", "upscaling_crop", "upscaler_1",
    "upscaler_2", "extras_upscaler_2_visibility", "gfpgan_visibility", "codeformer_visibility",
    "codeformer_weight", "upscale_first", "image", "resize_mode", "show_extras_results",
}  # fmt: skip
"""The fields of extra-single-image on AUTOMATIC1111 1.10.1."""

NOT_OFFERED = {
    "image": "it is made from the files",
    "resize_mode": "it follows from whether a target size is given",
    "show_extras_results": "it concerns the WebUI's own page",
}

GENERATION = {
    "seed": "integer",
    "seeds": "array of integer",
    "infotext": "string",
    "model": "string",
    "warnings": "array of string",
    "elapsed_seconds": "number",
    "progress": "string",
}
OUTPUTS = {
    "txt2img": GENERATION,
    "img2img": GENERATION,
    "draw": GENERATION,
    "upscale": {
        "warnings": "array of string",
        "elapsed_seconds": "number",
        "progress": "string",
    },
    "server_info": {
        "names": "array of string",
        "family": "string",
        "version": "string",
        "model": "string",
        "login": "boolean",
        "queue": "integer",
    },
    "png_info": {"infotext": "string", "parameters": "object", "extra_parameters": "string"},
}


def test_every_tool_has_its_outputs_listed_here() -> None:
    assert set(OUTPUTS) == {path.stem for path in TOOLS.glob("*.yaml")}


@pytest.mark.parametrize("tool", OUTPUTS)
def test_the_outputs_have_these_types(tool: str) -> None:
    schema = load(tool)["output_schema"]
    assert schema["type"] == "object"
    found = {name: of_type(value) for name, value in schema["properties"].items()}
    assert found == OUTPUTS[tool]
    # Dify fills these three itself.
    assert found.keys().isdisjoint({"text", "files", "json"})


def test_upscale_offers_the_fields_of_the_api() -> None:
    assert set(declared("upscale")) == EXTRAS - set(NOT_OFFERED) | {"images", "timeout"}


def test_upscale_wants_files_and_an_upscaler() -> None:
    parameters = declared("upscale")
    assert parameters["images"]["type"] == "files"
    required = [name for name, d in parameters.items() if d.get("required")]
    assert required == ["images", "upscaler_1"]


def test_upscale_has_no_default_that_would_contradict_a_target_size() -> None:
    assert [name for name, d in declared("upscale").items() if "default" in d] == []


def test_upscale_waits_like_txt2img() -> None:
    assert declared("upscale")["timeout"] == declared("txt2img")["timeout"]


def test_server_info_lists_nothing_unless_asked() -> None:
    choice = load("server_info")["parameters"]
    assert [parameter["name"] for parameter in choice] == ["list"]
    assert choice[0]["default"] == "none"
    assert [option["value"] for option in choice[0]["options"]] == [
        "none", "models", "samplers", "schedulers", "upscalers", "vaes", "loras", "embeddings",
        "styles", "scripts", "fields",
    ]  # fmt: skip


def test_png_info_wants_a_file() -> None:
    found = {name: (d["type"], d["required"]) for name, d in declared("png_info").items()}
    assert found == {"image": ("file", True)}


def of_type(schema: dict[str, Any]) -> str:
    kind = str(schema["type"])
    return f"array of {schema['items']['type']}" if kind == "array" else kind
