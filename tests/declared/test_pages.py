"""GUIDE.md and README.md, against the declarations, the plugin's own words and each other."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.declared import CATALOGUE, PROVIDER, ROOT, TOOLS, text_of

GUIDE = text_of("GUIDE.md")
README = text_of("README.md")
DIFYS_WORDS = {"bad signature"}
"""Messages in the guide that are Dify's, not this plugin's."""


def section(title: str) -> str:
    """Return what stands under a heading of the second level."""
    found = re.search(rf"(?ms)^## {re.escape(title)}\n(.*?)(?=^## |\Z)", GUIDE)
    assert found is not None, title
    return found[1]


def json_blocks(title: str) -> list[Any]:
    return [json.loads(block) for block in re.findall(r"(?s)```json\n(.*?)```", section(title))]


def anchors(text: str) -> set[str]:
    """Return the headings as GitHub links to them."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"(?m)^#+ (.+)$", text)
    }


def strings(path: Path) -> Iterator[str]:
    """Yield every text in a module, with … where a value is put in."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values
            )


@pytest.mark.parametrize("tool", TOOLS)
def test_the_guide_explains_every_field_of_a_tool_once(tool: str) -> None:
    tables = re.findall(rf"(?s)<!-- fields: {tool}\b[^>]* -->\n(.*?)<!-- /fields -->", GUIDE)
    listed = [name for table in tables for name in re.findall(r"(?m)^\| [^`]+`(\w+)` \|", table)]
    form = CATALOGUE.forms[tool]
    # For the rest it refers to that tool's tables.
    beside = CATALOGUE.forms.get(CATALOGUE.tools[tool].get("beside", ""), {})
    assert listed == [name for name in form if form[name] != beside.get(name)]


def test_the_guide_explains_every_output_once() -> None:
    # draw and img2img give what txt2img does.
    tools = [tool for tool, said in CATALOGUE.tools.items() if f"<!-- outputs: {tool} -->" in GUIDE]
    told = [CATALOGUE.tools[tool]["outputs"] for tool in tools]
    assert all(said["outputs"] in told for said in CATALOGUE.tools.values())


def test_the_guide_names_every_choice_of_a_list() -> None:
    (choice,) = CATALOGUE.forms["server_info"].values()
    assert [one for one in choice["options"] if f"`{one}`" not in choice["guide"]] == ["none"]


def test_the_readme_has_the_matrix_and_every_tool_and_output() -> None:
    assert "<!-- matrix -->" in README
    assert [tool for tool in TOOLS if f"(`{tool}`)" not in README] == []
    outputs = CATALOGUE.tools["txt2img"]["outputs"]
    assert [name for name in outputs if f"`{name}`" not in README] == []


@pytest.mark.parametrize(
    "page", sorted([*ROOT.glob("*.md"), *ROOT.glob("readme/*.md")]), ids=lambda path: path.name
)
def test_every_link_within_the_pages_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?://)([^)]+)\)", text):
        file, _, anchor = target.partition("#")
        linked = page.parent / file if file else page
        assert linked.is_file(), target
        assert not anchor or anchor in anchors(linked.read_text(encoding="utf-8")), target


@pytest.mark.parametrize("language", ["ja_JP", "zh_Hans", "pt_BR"])
def test_a_translated_readme_uses_the_forms_words(language: str) -> None:
    text = text_of(f"readme/README_{language}.md")
    credentials = PROVIDER["credentials_for_provider"].values()
    labels = [TOOLS["txt2img"]["identity"]["label"], *(one["label"] for one in credentials)]
    assert [label[language] for label in labels if label[language] not in text] == []
    outputs = CATALOGUE.tools["txt2img"]["outputs"]
    assert [name for name in outputs if f"`{name}`" not in text] == []


def test_the_contents_list_every_section() -> None:
    listed = re.findall(r"(?m)^- \[([^\]]+)\]\(#", GUIDE)
    assert listed == re.findall(r"(?m)^## (.+)$", GUIDE)


def test_every_message_to_look_up_is_one_the_plugin_gives() -> None:
    quoted = re.findall(r'(?m)^\| "([^"]+)" \|', section("Troubleshooting"))
    rooms = [ROOT / name for name in ("webui", "dify", "provider", "tools")]
    said = [text for room in rooms for path in room.rglob("*.py") for text in strings(path)]
    unknown = {words for words in quoted if not any(words in text for text in said)}
    assert unknown == DIFYS_WORDS


def test_the_examples_of_extensions_are_json_in_the_api_s_form() -> None:
    for example in json_blocks("Styles, scripts and extensions"):
        assert all("args" in unit for unit in example.values())
    (example,) = json_blocks("Reference images")
    assert example["ControlNet"]["args"][0]["image"] == "{{image_1}}"


def test_the_examples_of_extra_parameters_are_json_objects() -> None:
    assert {type(example) for example in json_blocks("Extra parameters")} == {dict}


def test_the_lines_for_half_an_hour_are_the_table_s() -> None:
    text = section("Timeouts")
    table = re.findall(r"(?m)^\| `(\w+)` \|.*\| (\d+) \|$", text.partition("Inside an")[0])
    assert re.findall(r"(?m)^([A-Z_]+)=(\d+)$", text) == table
