"""The pages, against the declarations, the plugin's own words, each other and Dify's console.

The console draws README beside the plugin, and there it is the only help: a line break within a
paragraph is kept (remark-breaks), a fence without a language becomes a word in code type, links to
files lead nowhere, and of pictures only those under _assets/ are found.
"""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.declared import CATALOGUE, PROVIDER, ROOT, TOOLS, text_of

GUIDE = text_of("GUIDE.md")
READMES = {
    path.stem.partition("_")[2] or "en_US": path
    for path in [ROOT / "README.md", *sorted(ROOT.glob("readme/*.md"))]
}
PAGES = [*READMES.values(), ROOT / "GUIDE.md", ROOT / "PRIVACY.md"]
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


def told(field: dict[str, Any]) -> list[Any]:
    """Return what the guide's tables show of a field."""
    shown = ("label", "type", "required", "default", "range", "options", "guide")
    return [field.get(key) for key in shown]


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
    assert listed == [name for name in form if told(form[name]) != told(beside.get(name, {}))]


def test_the_guide_explains_every_output_once() -> None:
    # draw and img2img give what txt2img does.
    tools = [tool for tool, said in CATALOGUE.tools.items() if f"<!-- outputs: {tool} -->" in GUIDE]
    told = [CATALOGUE.tools[tool]["outputs"] for tool in tools]
    assert all(said["outputs"] in told for said in CATALOGUE.tools.values())


def test_the_guide_names_every_choice_of_a_list() -> None:
    (choice,) = CATALOGUE.forms["server_info"].values()
    assert [one for one in choice["options"] if f"`{one}`" not in choice["guide"]] == ["none"]


@pytest.mark.parametrize(
    "page", sorted([*ROOT.glob("*.md"), *ROOT.glob("readme/*.md")]), ids=lambda path: path.name
)
def test_every_link_within_the_pages_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?://)([^)]+)\)", text):
        file, _, anchor = target.partition("#")
        # Dify takes pictures from the package's own folder, wherever the page lies.
        folder = ROOT if file.startswith("./_assets/") else page.parent
        linked = folder / file if file else page
        assert linked.is_file(), target
        assert not anchor or anchor in anchors(linked.read_text(encoding="utf-8")), target


@pytest.mark.parametrize("language", READMES)
def test_a_readme_has_the_matrix_every_tool_credential_and_output_in_the_form_s_words(
    language: str,
) -> None:
    text = READMES[language].read_text(encoding="utf-8")
    assert "<!-- matrix -->" in text
    credentials = PROVIDER["credentials_for_provider"].values()
    labels = [*(tool["identity"]["label"] for tool in TOOLS.values())]
    labels += [one["label"] for one in credentials]
    assert [label[language] for label in labels if label[language] not in text] == []
    names = [*TOOLS, *CATALOGUE.tools["txt2img"]["outputs"]]
    assert [name for name in names if f"`{name}`" not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_a_paragraph_and_a_list_item_are_one_line_and_every_fence_names_a_language(
    page: Path,
) -> None:
    text = page.read_text(encoding="utf-8")
    assert [fence for fence in re.findall(r"(?m)^ *```.*", text)[::2] if fence.endswith("`")] == []
    prose = re.sub(r"(?ms)^ *```.*?^ *```$", "```", text)
    block = r"[#|<`]|- |\d+\. |$"
    wrapped = rf"(?m)^(?![#|<`]|$).+\n(?! *(?:{block}))(.+)"
    assert re.findall(wrapped, prose) == []


@pytest.mark.parametrize("page", READMES.values(), ids=lambda path: path.name)
def test_what_the_console_shows_links_to_no_file_before_the_last_part(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    before, _, last = text.rpartition("\n## ")
    linked = re.findall(r"(!?)\[[^\]]*\]\((?!https?://)([^)]+)\)", before)
    assert linked == [("!", "./_assets/node.png"), ("!", "./_assets/result.png")]
    assert "GUIDE.md)" in last


def test_the_english_readme_is_english_as_the_marketplace_wants_it() -> None:
    prose = re.sub(r"(?ms)^```.*?^```$", "", READMES["en_US"].read_text(encoding="utf-8"))
    assert re.findall(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]", prose) == []


def test_every_picture_of_a_page_is_small_and_shown() -> None:
    for picture in (ROOT / "_assets").glob("*.png"):
        assert picture.stat().st_size < 150_000
        assert all(f"(./_assets/{picture.name})" in page.read_text("utf-8") for page in PAGES[:4])


def test_the_contents_list_every_section() -> None:
    listed = re.findall(r"(?m)^- \[([^\]]+)\]\(#", GUIDE)
    assert listed == re.findall(r"(?m)^## (.+)$", GUIDE)


@pytest.mark.parametrize("page", PAGES[:5], ids=lambda path: path.name)
def test_every_message_to_look_up_is_one_the_plugin_gives(page: Path) -> None:
    quoted = re.findall(r'(?m)^(?:\| |- \*\*)"([^"]+)"', page.read_text(encoding="utf-8"))
    rooms = [ROOT / name for name in ("webui", "dify", "provider", "tools")]
    said = [text for room in rooms for path in room.rglob("*.py") for text in strings(path)]
    unknown = {words for words in quoted if not any(words in text for text in said)}
    assert unknown == DIFYS_WORDS


def test_every_readme_explains_the_same_messages_and_limits() -> None:
    def looked_up(page: Path) -> list[str]:
        return re.findall(r'(?m)^- \*\*"([^"]+)"|^([A-Z_]+=.+)$', page.read_text("utf-8"))

    english, *others = READMES.values()
    assert all(looked_up(page) == looked_up(english) for page in others)


def test_the_examples_of_extensions_are_json_in_the_api_s_form() -> None:
    for example in json_blocks("Styles, scripts and extensions"):
        assert all("args" in unit for unit in example.values())
    (example,) = json_blocks("Reference images")
    assert example["ControlNet"]["args"][0]["image"] == "{{image_1}}"


def test_the_examples_of_extra_parameters_are_json_objects() -> None:
    assert {type(example) for example in json_blocks("Extra parameters")} == {dict}


def test_the_lines_for_forty_minutes_are_the_same_on_both_pages_and_each_is_explained() -> None:
    text = section("Timeouts")
    lines = re.findall(r"(?m)^([A-Z_]+)=(\d+)$", text)
    assert re.findall(r"(?m)^\| `([A-Z_]+)` \|", text.partition("may stay")[0]) == [
        name for name, _ in lines
    ]
    readme = READMES["en_US"].read_text(encoding="utf-8")
    assert re.findall(r"(?m)^([A-Z_]+)=(\d{4,})$", readme) == lines
