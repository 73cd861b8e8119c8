"""The function that a language model is given for a tool, as Dify builds it.

Source: Dify 1.17, api/core/tools/__base/tool.py: only the parameters of form llm, without files; a
select becomes text with an enum; neither defaults nor limits are told.
"""

import re
from typing import Any

import pytest

from support.declared import TOOLS

MOST_PROPERTIES = 8
"""That small language models fill in reliably."""
LONGEST_DESCRIPTION = 1024
"""Characters that model providers take as a function's description."""


def asked_of_a_model(tool: str) -> dict[str, dict[str, Any]]:
    return {
        one["name"]: one
        for one in TOOLS[tool]["parameters"]
        if one["form"] == "llm" and one["type"] not in {"file", "files"}
    }


@pytest.mark.parametrize("tool", TOOLS)
def test_a_function_has_names_types_and_choices_that_a_model_may_be_given(tool: str) -> None:
    names = [one["name"] for one in TOOLS[tool]["parameters"]]
    assert len(names) == len(set(names))
    for name, one in asked_of_a_model(tool).items():
        assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name)
        assert one["type"] in {"string", "number", "boolean", "select"}, name
        choices = [option["value"] for option in one.get("options", [])]
        assert (one["type"] == "select") is bool(choices), name
        assert len(choices) == len(set(choices)), name
    assert len(TOOLS[tool]["description"]["llm"]) <= LONGEST_DESCRIPTION


def test_draw_asks_a_model_for_few_things() -> None:
    asked = asked_of_a_model("draw")
    assert len(asked) <= MOST_PROPERTIES
    assert [name for name, one in asked.items() if one.get("required")] == ["prompt"]
    assert set(asked) >= {"shape", "model"}


def test_draw_tells_a_model_how_to_write_a_prompt_and_what_to_say_of_the_picture() -> None:
    told = TOOLS["draw"]["description"]["llm"]
    for word in ("English", "commas", "shape", "negative_prompt", "returned as files"):
        assert word in told


def test_an_agent_with_txt2img_is_sent_to_draw() -> None:
    assert "should use the tool draw instead" in TOOLS["txt2img"]["description"]["llm"]


@pytest.mark.parametrize("tool", TOOLS)
def test_a_model_is_told_in_short_english_what_each_parameter_is(tool: str) -> None:
    for name, one in asked_of_a_model(tool).items():
        assert re.fullmatch(r"[\x20-\x7e]{4,120}", one["llm_description"]), name


def test_every_parameter_but_draw_s_settings_takes_a_variable() -> None:
    fixed = {tool for tool, said in TOOLS.items() for p in said["parameters"] if p["form"] != "llm"}
    assert fixed == {"draw"}
