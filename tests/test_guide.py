"""GUIDE.md, against the declaration, the plugin's own error texts and the pages that link to it."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from webui.parameters import Parameters

ROOT = Path(__file__).parent.parent
GUIDE = (ROOT / "GUIDE.md").read_text(encoding="utf-8")
SECTIONS = {
    "txt2img": "Every parameter",
    "draw": "Draw",
    "img2img": "Image to image",
    "upscale": "Upscale",
    "server_info": "Server info",
    "png_info": "PNG info",
}
"""Under which heading a tool's parameters stand."""
TOOLS: dict[str, dict[str, Any]] = {
    name: yaml.safe_load((ROOT / "tools" / f"{name}.yaml").read_bytes()) for name in SECTIONS
}
TOOL = TOOLS["txt2img"]
PROVIDER: dict[str, Any] = yaml.safe_load(
    (ROOT / "provider" / "stable_diffusion.yaml").read_bytes()
)["credentials_for_provider"]
TXT2IMG = Parameters(TOOL["parameters"])

DIFYS_WORDS = {"killed by timeout", "bad signature"}
"""Messages in the guide that are Dify's, not this plugin's."""


def section(title: str) -> str:
    """What stands under a heading of the second level."""
    found = re.search(rf"(?ms)^## {re.escape(title)}\n(.*?)(?=^## |\Z)", GUIDE)
    assert found is not None, title
    return found[1]


def rows(text: str, first: str) -> list[list[str]]:
    """The cells of every row of the tables whose first column has this head, without the heads."""
    tables = re.findall(rf"(?m)^\| {first} \|.*\n\|(?:-+\|)+\n((?:\|.*\n)*)", text)
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for table in tables
        for line in table.splitlines()
    ]


def described(parameter: dict[str, Any]) -> list[str]:
    """The cells that the declaration of a parameter calls for."""
    low, high = parameter.get("min"), parameter.get("max")
    limits = "" if low is None else f"{low} or more" if high is None else f"{low} to {high}"
    kind = "integer" if parameter.get("precision") == 0 else parameter["type"]
    default = "required" if parameter.get("required") else _written(parameter.get("default", ""))
    return [f"{parameter['label']['en_US']} `{parameter['name']}`", kind, default, limits]


def test_every_tool_has_its_section() -> None:
    assert set(SECTIONS) == {path.stem for path in (ROOT / "tools").glob("*.yaml")}


@pytest.mark.parametrize("tool", SECTIONS)
def test_the_tables_list_every_parameter_as_declared_in_the_forms_order(tool: str) -> None:
    parameters = TOOLS[tool]["parameters"]
    if tool == "img2img":
        # For the others it refers to txt2img's tables.
        parameters = [p for p in parameters if p not in TOOL["parameters"]]
        assert "[Every parameter](#every-parameter)" in section(SECTIONS[tool])
    listed = rows(section(SECTIONS[tool]), "name")
    assert [row[:4] for row in listed] == [described(p) for p in parameters]
    assert [row[0] for row in listed if not row[4]] == []


def test_the_outputs_are_the_declared_ones_and_difys_three() -> None:
    listed = [row[0].strip("`") for row in rows(section("Outputs"), "output")]
    assert listed == ["files", "text", "json", *TOOL["output_schema"]["properties"]]


@pytest.mark.parametrize("tool", ["upscale", "server_info", "png_info"])
def test_a_tool_with_outputs_of_its_own_lists_them(tool: str) -> None:
    listed = [row[0].strip("`") for row in rows(section(SECTIONS[tool]), "output")]
    assert listed == list(TOOLS[tool]["output_schema"]["properties"])


def test_every_choice_of_a_list_is_named() -> None:
    options = [o["value"] for o in TOOLS["server_info"]["parameters"][0]["options"]]
    assert [o for o in options[1:] if f"`{o}`" not in section(SECTIONS["server_info"])] == []


@pytest.mark.parametrize(
    "page",
    sorted([*ROOT.glob("*.md"), *ROOT.glob("readme/*.md")]),
    ids=lambda path: path.name,
)
def test_every_link_within_the_pages_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?://)([^)]+)\)", text):
        file, _, anchor = target.partition("#")
        linked = page.parent / file if file else page
        assert linked.is_file(), target
        if anchor:
            assert anchor in anchors(linked.read_text(encoding="utf-8")), target


@pytest.mark.parametrize("language", ["ja_JP", "zh_Hans", "pt_BR"])
def test_a_translated_readme_uses_the_forms_words(language: str) -> None:
    text = (ROOT / "readme" / f"README_{language}.md").read_text(encoding="utf-8")
    labels = [TOOL["identity"]["label"], *(c["label"] for c in PROVIDER.values())]
    assert [label[language] for label in labels if label[language] not in text] == []
    assert [name for name in TOOL["output_schema"]["properties"] if f"`{name}`" not in text] == []


def test_the_contents_list_every_section() -> None:
    listed = re.findall(r"(?m)^- \[([^\]]+)\]\(#", GUIDE)
    assert listed == re.findall(r"(?m)^## (.+)$", GUIDE)


def test_every_message_to_look_up_is_one_the_plugin_gives() -> None:
    quoted = re.findall(r'(?m)^\| "([^"]+)" \|', section("Troubleshooting"))
    assert len(quoted) > 15
    modules = [*(ROOT / "webui").glob("*.py"), *(ROOT / "provider").glob("*.py")]
    texts = [text for path in modules for text in strings(path)]
    assert [
        words
        for words in quoted
        if words not in DIFYS_WORDS and not any(words in text for text in texts)
    ] == []


def test_every_extension_example_is_understood() -> None:
    examples = json_blocks("Styles, scripts and extensions")
    assert len(examples) == 2
    for example in examples:
        found = TXT2IMG.read({"prompt": "a cat", "alwayson_scripts": example})
        assert all("args" in unit for unit in found["alwayson_scripts"].values())


def test_the_example_with_a_reference_image_is_understood() -> None:
    (example,) = json_blocks("Reference images")
    found = TXT2IMG.read({"prompt": "a cat", "alwayson_scripts": example})
    assert found["alwayson_scripts"]["ControlNet"]["args"][0]["image"] == "{{image_1}}"


def test_every_extra_parameters_example_is_understood() -> None:
    examples = json_blocks("Extra parameters")
    assert len(examples) == 3
    for example in examples:
        found = TXT2IMG.read({"prompt": "a cat", "extra_parameters": example})
        assert found["extra_parameters"] == json.loads(example)


def test_the_lines_for_half_an_hour_are_the_tables() -> None:
    text = section("Timeouts")
    first_table = text.partition("Inside an")[0]
    table = {row[0].strip("`"): row[3] for row in rows(first_table, "variable") if row[3]}
    assert dict(re.findall(r"(?m)^([A-Z_]+)=(\d+)$", text)) == table


def _written(default: object) -> str:
    return default if isinstance(default, str) else json.dumps(default)


def json_blocks(title: str) -> list[str]:
    return re.findall(r"(?s)```json\n(.*?)```", section(title))


def anchors(text: str) -> set[str]:
    """Headings as GitHub links to them."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"(?m)^#+ (.+)$", text)
    }


def strings(path: Path) -> Iterator[str]:
    """Every text in a module, with … where a value is put in."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(
                part.value
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
                else "…"
                for part in node.values
            )
