"""draw: a function that small language models can call, and settings that they cannot touch."""

import copy
from pathlib import Path
from typing import Any

import function_schema
import pytest
import yaml

TOOLS = Path(__file__).parent.parent / "tools"
TOOL: dict[str, Any] = yaml.safe_load((TOOLS / "draw.yaml").read_bytes())
TXT2IMG: dict[str, Any] = yaml.safe_load((TOOLS / "txt2img.yaml").read_bytes())
DECLARED: dict[str, dict[str, Any]] = {p["name"]: p for p in TOOL["parameters"]}
ELSEWHERE: dict[str, dict[str, Any]] = {p["name"]: p for p in TXT2IMG["parameters"]}
MOST_PROPERTIES = 8
LONGEST_DESCRIPTION = 1024
"""Characters that model providers take as a function's description."""


def test_the_function_is_small_and_valid() -> None:
    schema = function_schema.of(TOOL)
    assert function_schema.problems(schema) == []
    assert len(schema["properties"]) <= MOST_PROPERTIES


def test_the_model_fills_in_these_and_the_person_the_rest() -> None:
    schema = function_schema.of(TOOL)
    assert {name: part["type"] for name, part in schema["properties"].items()} == {
        "prompt": "string",
        "negative_prompt": "string",
        "width": "number",
        "height": "number",
        "count": "number",
    }
    assert schema["required"] == ["prompt"]
    settings = [name for name, d in DECLARED.items() if d["form"] == "form"]
    assert settings == [
        "model", "steps", "cfg_scale", "sampler_name", "scheduler", "lora", "style",
        "prompt_prefix", "prompt_suffix", "max_size", "max_count", "timeout",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"type": "array"}, "width: an array without items"),
        ({"type": "dynamic-select"}, "width: dynamic-select is no type of JSON Schema"),
        ({"type": "select", "options": []}, "width: an enum that is empty or says a thing twice"),
        ({"name": "image width"}, "image width: not a name"),
        ({"llm_description": None}, "width: the description is not text"),
        ({"name": "prompt", "required": True}, "required: not a set of the properties"),
    ],
)
def test_a_slip_in_a_function_is_noticed(change: dict[str, Any], problem: str) -> None:
    tool = copy.deepcopy(TOOL)
    tool["parameters"][2] |= change
    assert problem in function_schema.problems(function_schema.of(tool))


@pytest.mark.parametrize("name", sorted(path.stem for path in TOOLS.glob("*.yaml")))
def test_every_other_tools_function_is_valid_too(name: str) -> None:
    tool = yaml.safe_load((TOOLS / f"{name}.yaml").read_bytes())
    assert function_schema.problems(function_schema.of(tool)) == []


def test_the_function_says_what_it_does_in_few_words() -> None:
    told = TOOL["description"]["llm"]
    assert len(told) <= LONGEST_DESCRIPTION
    for word in ("English", "commas", "1024x1024", "832x1216", "1216x832", "negative_prompt"):
        assert word in told


def test_every_property_says_what_to_put_there() -> None:
    properties = function_schema.of(TOOL)["properties"]
    assert [name for name, part in properties.items() if not part["description"]] == []


def test_a_setting_has_no_words_for_the_model() -> None:
    told = [n for n, d in DECLARED.items() if d["form"] == "form" and "llm_description" in d]
    assert told == []


def test_the_caps_let_the_defaults_pass() -> None:
    defaults = {name: d["default"] for name, d in DECLARED.items() if "default" in d}
    assert max(defaults["width"], defaults["height"]) <= defaults["max_size"]
    assert defaults["count"] <= defaults["max_count"]


def test_what_txt2img_has_too_means_the_same() -> None:
    shared = DECLARED.keys() & ELSEWHERE.keys()
    assert shared >= {"prompt", "width", "height", "steps", "cfg_scale"}
    for name in shared:
        for key in ("label", "type", "default", "min", "max", "precision", "required"):
            assert DECLARED[name].get(key) == ELSEWHERE[name].get(key), (name, key)


def test_the_outputs_are_txt2imgs() -> None:
    assert TOOL["output_schema"] == TXT2IMG["output_schema"]
