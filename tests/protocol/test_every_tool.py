"""Every tool once through the plugin's own process, over stdin and stdout as under Dify."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from devtools.command_words import tools
from devtools.host import FileServer, PluginProcess
from devtools.standin import StandIn
from support.dify_files import picture
from support.process_call import Called, call

KINDS = {"string": str, "integer": int, "number": int | float, "array": list, "object": dict}
DRAWN = ["txt2img", "img2img", "draw"]


@pytest.fixture(scope="module")
def called(
    plugin: PluginProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Called]]:
    """What each tool replies to a call with little more than it requires."""
    path = tmp_path_factory.mktemp("files") / "photo.png"
    path.write_bytes(picture(96, 64))
    with StandIn(extensions=["rembg", "controlnet"]) as standin, FileServer() as server:
        photo = server.add(path)
        drawn = {"prompt": "a cat", "width": 96, "height": 64}
        words: dict[str, dict[str, Any]] = {
            "txt2img": drawn | {"batch_size": 2},
            "img2img": {"prompt": "a cat", "image": photo},
            "upscale": {"images": [photo, photo], "upscaler_1": "Lanczos"},
            "remove_background": {"images": [photo, photo]},
            "caption": {"images": [photo, photo]},
            "draw": drawn | {"count": 2},
            "server_info": {"list": "samplers"},
            "png_info": {"image": photo},
            "control_preview": {"image": photo, "control_type": "Canny"},
        }
        yield {name: call(plugin, standin.base_url, name, **given) for name, given in words.items()}


def is_of(schema: dict[str, Any], value: object) -> bool:
    """Whether a value has the declared type, its items included; JSON knows no true number."""
    if isinstance(value, bool) or schema["type"] == "boolean":
        return isinstance(value, bool) and schema["type"] == "boolean"
    if isinstance(value, list) and schema["type"] == "array":
        return all(is_of(schema["items"], item) for item in value)
    return isinstance(value, KINDS[schema["type"]])


@pytest.mark.parametrize("tool", tools())
def test_every_declared_variable_comes_in_its_type(called: dict[str, Called], tool: str) -> None:
    declared = tools()[tool]["output_schema"]["properties"]
    found = called[tool].variables

    assert found.keys() == declared.keys() - {"progress"}
    wrong = {name: value for name, value in found.items() if not is_of(declared[name], value)}
    assert wrong == {}


@pytest.mark.parametrize(
    ("tool", "expected"),
    [
        ("txt2img", [(96, 64)] * 2),
        ("img2img", [(96, 64)]),
        ("upscale", [(192, 128)] * 2),
        ("remove_background", [(96, 64)] * 2),
        ("caption", []),
        ("draw", [(96, 64)] * 2),
        ("server_info", []),
        ("png_info", []),
        ("control_preview", [(96, 64)]),
    ],
)
def test_pictures_come_as_files_and_the_rest_as_text_and_data(
    called: dict[str, Called], tool: str, expected: list[tuple[int, int]]
) -> None:
    reply = called[tool]

    assert [Image.open(BytesIO(data)).size for data, _ in reply.files] == expected
    assert {meta["mime_type"] for _, meta in reply.files} <= {"image/png"}
    names = [meta["filename"] for _, meta in reply.files]
    assert len(set(names)) == len(expected)
    assert reply.text.strip()
    # Agents are spared the data.
    assert len(reply.json) == (0 if tool == "draw" else 1)
    if names and reply.json:
        assert [image["filename"] for image in reply.json[0]["images"]] == names


@pytest.mark.parametrize("tool", DRAWN)
def test_what_was_drawn_is_told_in_text_and_variables(called: dict[str, Called], tool: str) -> None:
    reply = called[tool]
    seeds = reply.variables["seeds"]

    assert (len(seeds), seeds[0]) == (len(reply.files), reply.variables["seed"])
    assert all(str(seed) in reply.text for seed in seeds)
    assert f"Seed: {seeds[0]}" in reply.variables["infotext"]
    assert reply.variables["warnings"] == []


@pytest.mark.slow
@pytest.mark.parametrize("tool", DRAWN)
def test_progress_is_streamed_while_the_server_works(
    plugin: PluginProcess, tmp_path: Path, tool: str
) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(picture(64, 64))
    with StandIn(delay=2.5) as standin, FileServer() as server:
        given = {"image": server.add(path)} if tool == "img2img" else {"width": 64, "height": 64}
        reply = call(plugin, standin.base_url, tool, prompt="a cat", **given)

    assert reply.progress
    assert reply.files


def test_no_tool_writes_past_the_protocol(plugin: PluginProcess, called: dict[str, Called]) -> None:
    assert set(called) == set(tools())
    assert plugin.stray_lines == []
    assert plugin.stderr == ""
