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


def test_draw_asks_a_model_for_few_things_and_says_what_each_is() -> None:
    asked = asked_of_a_model("draw")
    assert len(asked) <= MOST_PROPERTIES
    assert [name for name, one in asked.items() if not one.get("llm_description")] == []
    assert [name for name, one in asked.items() if one.get("required")] == ["prompt"]


def test_draw_tells_a_model_how_to_write_a_prompt_and_which_sizes_there_are() -> None:
    told = TOOLS["draw"]["description"]["llm"]
    for word in ("English", "commas", "1024x1024", "832x1216", "1216x832", "negative_prompt"):
        assert word in told


def test_every_parameter_but_draw_s_settings_takes_a_variable() -> None:
    fixed = {tool for tool, said in TOOLS.items() for p in said["parameters"] if p["form"] != "llm"}
    assert fixed == {"draw"}
