"""What a node's form sends, read as the tool's YAML declares it."""

import time
from typing import Any

import pytest
from dify_plugin.entities.tool import ToolRuntime
from dify_plugin.file.file import File

from dify.parameters import Parameters
from support.dify_files import described, picture, served
from support.raw_server import RawServer, reply
from webui.call import Call
from webui.errors import InvalidParameterError, StableDiffusionError
from webui.pictures.picture import Source, identify_picture

FORM = Parameters(
    [
        {"name": "prompt", "type": "string", "required": True},
        {"name": "steps", "type": "number", "precision": 0, "min": 1, "max": 150, "default": 20},
        {"name": "seed", "type": "number", "precision": 0, "min": -1},
        {"name": "eta", "type": "number"},
        {"name": "cfg_scale", "type": "number", "max": 30},
        {"name": "tiling", "type": "boolean", "default": False},
        {"name": "mode", "type": "select", "options": [{"value": "Fast"}, {"value": "fine"}]},
        # What the API calls an option, and what its text holds, the catalogue knows by the name.
        {
            "name": "inpainting_fill",
            "type": "select",
            "options": [{"value": "fill"}, {"value": "original"}, {"value": "latent_noise"}],
        },
        {"name": "vae", "type": "string"},
        {"name": "override_settings", "type": "string"},
        {"name": "script_args", "type": "string"},
        {"name": "styles", "type": "string"},
        {"name": "image", "type": "file"},
        {"name": "images", "type": "files"},
    ]
)


def read(**given: object) -> dict[str, Any]:
    return FORM.read_values({"prompt": "a cat"} | given)


def refusal(**given: object) -> str:
    with pytest.raises(InvalidParameterError) as caught:
        read(**given)
    return str(caught.value)


def test_a_prompt_alone_gives_the_declared_defaults_and_nothing_else() -> None:
    assert read() == {"prompt": "a cat", "steps": 20, "tiling": False}


@pytest.mark.parametrize("unset", [None, "", "  ", [], [None]], ids=repr)
def test_what_dify_sends_for_nothing_counts_as_absent(unset: object) -> None:
    others = ("steps", "cfg_scale", "tiling", "mode", "styles", "image", "images", "gone")
    assert read(**dict.fromkeys(others, unset)) == read()
    assert refusal(prompt=unset) == "prompt is empty, but required."


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("steps", " 8.0 ", 8), ("steps", 1, 1), ("steps", 150, 150),
        ("cfg_scale", "7", 7.0),
        ("tiling", "on", True),
        ("mode", " fast ", "Fast"), ("mode", "“ＦＡＳＴ”", "Fast"),
        *(("inpainting_fill", said, 2) for said in ("latent_noise", "2", "２", 2, 2.0)),
        ("inpainting_fill", 0, 0),
        ("vae", '\ufeff"ae Ａ"\u00a0', "ae Ａ"),
        *(("prompt", said, said) for said in (" (夜明け:1.2)\n<lora:x:1> ", '"ＯＫ\u00a0"')),
        ("prompt", 42.0, "42"),
        ("override_settings", '{"a": [1, null]}', {"a": [1, None]}),
        ("script_args", '[1, "a"]', [1, "a"]),
        ("styles", "Film, Anime", ["Film", "Anime"]),
    ],
)  # fmt: skip
def test_a_value_arrives_in_its_declared_type(name: str, value: object, found: object) -> None:
    arrived = read(**{name: value})[name]
    assert (arrived, type(arrived)) == (found, type(found))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("steps", 8.5, "is not a whole number. Allowed: a whole number from 1 to 150."),
        ("steps", 0, "is too small. Allowed: a whole number from 1 to 150."),
        ("steps", 151, "is too large. Allowed: a whole number from 1 to 150."),
        ("seed", True, "is not a whole number. Allowed: a whole number from -1."),
        ("cfg_scale", "7,5", "is not a number. Allowed: a number up to 30."),
        ("eta", {}, "is not a number. Allowed: a number."),
        ("tiling", 2, "is neither true nor false. Allowed: true or false."),
        ("prompt", ["a"], "is not text. Allowed: text."),
        ("mode", "slow", "is not one of the choices. Allowed: Fast, fine."),
        ("mode", ["Fast"], "is not text. Allowed: Fast, fine."),
        ("inpainting_fill", 3,
         "is not one of the choices. Allowed: fill, original, latent_noise."),
        ("override_settings", "[1]",
         "is not a JSON object; it must look like {…}. Allowed: a JSON object."),
        ("script_args", "{}",
         "is not a JSON array; it must look like […]. Allowed: a JSON array."),
        ("styles", [{}], "holds something that is not text. Allowed: names separated by commas, or "
         "a JSON array of names."),
    ],
)  # fmt: skip
def test_another_value_is_refused_with_its_name_and_what_is_allowed(
    name: str, value: object, said: str
) -> None:
    assert refusal(**{name: value}) == f"{name}: {value!r} {said}"


def test_an_unknown_parameter_is_refused_with_the_one_meant() -> None:
    assert refusal(stesp=5) == "stesp is not a parameter of this tool. Did you mean steps?"
    assert refusal(unlike=5) == "unlike is not a parameter of this tool."


def test_a_long_value_is_cut_in_the_message() -> None:
    assert len(refusal(steps="9" * 5000)) < 200


def call(given: dict[str, object], base_url: str = "http://gpu:7860") -> Call:
    runtime = ToolRuntime(credentials={"base_url": base_url}, user_id=None, session_id=None)
    return FORM.read_call({"prompt": "a cat"} | given, runtime)


def test_a_call_holds_values_pictures_the_server_and_difys_limits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PLUGIN_MAX_EXECUTION_TIMEOUT", "900")
    began = time.monotonic()
    with served(picture()) as file:
        one = File.model_validate(file)
        found = call({"image": one, "images": [one, one], "steps": "8"})
    source = Source("photo.png", identify_picture(picture()))
    expected = {"steps": 8, "tiling": False, "image": source, "images": [source, source]}
    assert found.asked == {"prompt": "a cat"} | expected
    assert str(found.settings.address) == "http://gpu:7860"
    assert began + 895 <= found.limits.answer_by <= time.monotonic() + 895


@pytest.mark.parametrize(
    ("steps", "base_url", "error", "fetched"),
    [
        ("many", "gpu", r"^steps: 'many' is not a whole number", 0),
        ("8", "gpu", r"^base_url: 'gpu' is not a URL", 0),
        ("8", "http://gpu", r"^image: the file is empty", 1),
    ],
    ids=["value", "credentials", "file"],
)
def test_values_are_read_before_the_credentials_and_files_last(
    steps: str, base_url: str, error: str, fetched: int
) -> None:
    with RawServer(reply("")) as server:
        file = File.model_validate(described(server.base_url))
        with pytest.raises(StableDiffusionError, match=error):
            call({"image": file, "steps": steps}, base_url)
    assert len(server.requests) == fetched
