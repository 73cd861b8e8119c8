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
        {"name": "model", "type": "string"},
        {"name": "lora", "type": "string"},
        {"name": "width", "type": "number", "precision": 0, "min": 64, "max": 2048},
        {"name": "mask", "type": "file"},
        {"name": "alwayson_scripts", "type": "string"},
        {"name": "extra_parameters", "type": "string"},
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
        ("model", '\ufeff"ae Ａ"\u00a0', "ae Ａ"), ("vae", " ae，clip ", ["ae", "clip"]),
        *(("prompt", said, said) for said in (" (夜明け:1.2)\n<lora:x:1> ", '"ＯＫ\u00a0"')),
        *(("prompt", said, said) for said in ("[thinking] <lora:think:1>", "a sign: [THINK]")),
        ("prompt", 42.0, "42"),
        ("override_settings", '{"a": [1, null]}', {"a": [1, None]}),
        ("script_args", '[1, "a"]', [1, "a"]), ("script_args", '{"a": 1}', {"a": 1}),
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
        ("script_args", "5", "is neither a JSON array nor an object; it must look like […] or {…}. "
         "Allowed: a JSON array or object."),
        ("styles", [{}], "holds something that is not text. Allowed: names separated by commas, or "
         "a JSON array of names."),
    ],
)  # fmt: skip
def test_another_value_is_refused_with_its_name_and_what_is_allowed(
    name: str, value: object, said: str
) -> None:
    assert refusal(**{name: value}) == f"{name}: {value!r} {said}"


@pytest.mark.parametrize(
    ("written", "tag"),
    [
        ("<think>\nA fox is wanted.\n</think>\n\na red fox", "<think>"),
        # Its beginning stood in the model's template.
        ("A fox is wanted, so short phrases will do.\n</think>\n\na red fox", "</think>"),
        # The tokens were used up.
        ("<Thinking>A fox is wanted. I sho", "<Thinking>"),
        ("[THINK]A fox is wanted.[/THINK]a red fox", "[/THINK]"),
        ("<|channel|>analysis<|message|>A fox.<|end|><|channel|>final<|message|>a red fox",
         "<|channel|>"),
    ],
)  # fmt: skip
def test_what_a_language_model_thought_is_not_drawn_as_a_prompt(written: str, tag: str) -> None:
    told = refusal(prompt=written)
    assert told.startswith(f"prompt holds a language model's thoughts ({tag}), ")
    assert "Enable reasoning tag separation" in told
    assert refusal(extra_parameters={"prompt": written}) == f"extra_parameters: {told}"


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


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("prompt", "a \ud83d", "prompt: 'a \\ud83d' holds half a character, at position 3"),
        ("script_args", r'["\ud83d"]', "holds half a character, at position 1"),
        ("override_settings", {"a": ["\udc80"]}, "holds half a character"),
        ("override_settings", {"\udc80": 1}, "holds half a character"),
        ("vae", "[", "vae: '[' is not valid JSON at line 1, column 2"),
        ("prompt", "x" * 100_001, "is too long: 100001 characters, 100000 at the most"),
        ("model", "x" * 2001, "is too long: 2001 characters, 2000 at the most"),
        ("lora", "x" * 20_001, "is too long: 20001 characters, 20000 at the most"),
        ("steps", "9" * 2001, "is too long: 2001 characters"),
        ("mode", "x" * 2001, "is too long: 2001 characters"),
        ("override_settings", {"a": "x" * 20_000_000}, "is too long: 20000002 characters"),
        ("script_args", "[" * 101 + "]" * 101, "is nested more than 100 levels deep"),
        ("script_args", "[" * 100_000, "is nested more than 100 levels deep"),
        ("script_args", [float("nan")], "holds a number too large to be sent"),
        ("script_args", [{1}], "holds something that is not JSON: set"),
        ("prompt", object(), "prompt: object holds something that is not JSON: object"),
        ("override_settings", {"sd_model_checkpoint": [5]},
         "override_settings: sd_model_checkpoint: [5] is not text. Allowed: text."),
        ("override_settings", {"CLIP_stop_at_last_layers": "two"},
         "override_settings: CLIP_stop_at_last_layers: 'two' is not a whole number."),
        ("override_settings", {"forge_additional_modules": {}}, "modules: {} is not a JSON array"),
        ("extra_parameters", {"width": "x"},
         "extra_parameters: width: 'x' is not a whole number. Allowed: a whole number from 64 to"),
        ("extra_parameters", {"width": 63}, "extra_parameters: width: 63 is too small."),
        ("extra_parameters", {"styles": 5}, "extra_parameters: styles: 5 is not a JSON array"),
        ("extra_parameters", {"alwayson_scripts": []},
         "extra_parameters: alwayson_scripts: [] is not a JSON object"),
        ("extra_parameters", {"mask": {}}, "extra_parameters: mask: {} is not text."),
        ("extra_parameters", '{"override_settings": {"sd_vae": {}}}',
         "extra_parameters: override_settings: sd_vae: {} is not text."),
    ],
    ids=lambda value: repr(value)[:20],
)  # fmt: skip
def test_what_cannot_be_sent_or_is_of_another_type_is_refused_with_its_place(
    name: str, value: object, said: str
) -> None:
    found = refusal(**{name: value})
    assert said in found
    assert len(found) < 300


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"width": "512", "tiling": "on", "styles": "Film, Anime"},
         {"width": 512, "tiling": True, "styles": ["Film", "Anime"]}),
        ({"inpainting_fill": "original", "mask": "{{image_1}}", "vae": 5, "new": [5]},
         {"inpainting_fill": 1, "mask": "{{image_1}}", "vae": 5, "new": [5]}),
        ({"width": None, "override_settings": {"sd_vae": None, "other": 1}},
         {"width": None, "override_settings": {"sd_vae": None, "other": 1}}),
    ],
)  # fmt: skip
def test_a_known_field_of_the_extra_parameters_is_read_like_the_parameter_itself(
    given: dict[str, object], found: dict[str, object]
) -> None:
    assert read(extra_parameters=given)["extra_parameters"] == found


def test_parsed_objects_of_any_depth_are_refused_and_not_descended_into() -> None:
    deep: object = 1
    for _ in range(100_000):
        deep = [deep]
    assert "is nested more than 100 levels deep" in refusal(script_args=deep)


def test_a_number_that_python_itself_cannot_write_is_refused() -> None:
    too_large = "the value holds a number too large to be sent."
    assert refusal(seed=10**5000).startswith(f"seed: {too_large}")
    assert refusal(script_args=[10**5000]).startswith(f"script_args: {too_large}")
