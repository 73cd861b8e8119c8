"""devtools.declare: what it writes is what is committed, and a new field is one entry."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from devtools.declare import Catalogue, DeclareError, released, stale, written
from support.declared import ROOT

ENTRY = """
warp:
  type: number
  range: [0, 9]
  neutral: [1]
  elsewhere: {sdcpp: ""}
  label: {en_US: Warp, ja_JP: ワープ, zh_Hans: 扭曲, pt_BR: Dobra}
  help: 1 is none.
  llm: {en_US: Mostly 1., ja_JP: ほぼ 1。}
  guide: {en_US: How far to bend., ja_JP: 曲げの強さ。}
  tools:
    txt2img: {after: width}
    draw: {label: Bend, range: [0, null]}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of what is read and written, while the forms may change."""
    for name in ("declarations", "tools", "provider"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("*.py*"))
    (tmp_path / "webui").mkdir()
    for name in ("manifest.yaml", "GUIDE.md", "README.md", "webui/fields.json"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n\n- Something.\n")
    return tmp_path


def add(root: Path, entry: str) -> None:
    with (root / "declarations/fields.yaml").open("a", encoding="utf-8") as file:
        file.write(entry)


def test_every_written_file_is_as_declared() -> None:
    assert stale(ROOT) == {}


def test_a_new_field_is_one_entry(root: Path) -> None:
    add(root, ENTRY)
    assert list(stale(root)) == [
        "tools/txt2img.yaml", "tools/draw.yaml", "webui/fields.json", "GUIDE.md",
    ]  # fmt: skip
    found = written(root)
    parameters = yaml.safe_load(found["tools/txt2img.yaml"])["parameters"]
    place = [one["name"] for one in parameters].index("width") + 1
    assert parameters[place] == {
        "name": "warp",
        "type": "number",
        "min": 0,
        "max": 9,
        "form": "llm",
        "label": {"en_US": "Warp", "ja_JP": "ワープ", "zh_Hans": "扭曲", "pt_BR": "Dobra"},
        "human_description": {"en_US": "1 is none."},
        "llm_description": "Mostly 1.",
    }
    # A setting that a language model never sees.
    assert yaml.safe_load(found["tools/draw.yaml"])["parameters"][-1] == {
        "name": "warp",
        "type": "number",
        "min": 0,
        "form": "form",
        "label": {"en_US": "Bend"},
        "human_description": {"en_US": "1 is none."},
    }
    assert "| Warp `warp` | number |  | 0 to 9 | How far to bend. |\n" in found["GUIDE.md"]
    assert "| Bend `warp` | number |  | 0 or more | How far to bend. |\n" in found["GUIDE.md"]
    assert json.loads(found["webui/fields.json"])["warp"] == {
        "tools": ["txt2img", "draw"],
        "own": False,
        "extra": False,
        "json": "",
        "neutral": [1],
        "elsewhere": {"sdcpp": ""},
        "api": {},
        "verbatim": False,
        "longest": None,
    }


def test_a_change_by_hand_is_shown(root: Path) -> None:
    tool = root / "tools/draw.yaml"
    right = tool.read_text(encoding="utf-8")
    tool.write_text(right.replace("name: draw", "name: paint"), encoding="utf-8")
    found = stale(root)
    assert list(found) == ["tools/draw.yaml"]
    assert "-  name: paint\n+  name: draw" in found["tools/draw.yaml"]


def test_a_file_that_is_missing_is_stale(root: Path) -> None:
    (root / "webui/fields.json").unlink()
    assert list(stale(root)) == ["webui/fields.json"]


def test_a_field_cannot_follow_one_that_the_form_does_not_have(root: Path) -> None:
    add(root, ENTRY.replace("after: width", "after: images"))
    with pytest.raises(DeclareError, match="warp: txt2img has no images"):
        written(root)


def test_a_page_cannot_ask_for_a_section_that_no_tool_has(root: Path) -> None:
    page = root / "GUIDE.md"
    page.write_text(page.read_text(encoding="utf-8").replace("img, Noise", "img, Nose"))
    with pytest.raises(DeclareError, match="txt2img has no section Nose"):
        written(root)


def test_forms_stay_as_they_were_released_until_the_changelog_tells_of_a_change(root: Path) -> None:
    changelog, record = root / "CHANGELOG.md", root / "declarations/released.json"
    version = yaml.safe_load((root / "manifest.yaml").read_bytes())["version"]
    record.unlink()

    def tell(text: str) -> str:
        """Return the record that is written when the changelog begins with `text`."""
        changelog.write_text(f"# Changelog\n\n## {text}\n\n## [0.0.1]\n\n- Draws.\n")
        return released(root, Catalogue.read(root))

    with pytest.raises(DeclareError, match=f"the newest is 9.9.9, in manifest.yaml {version}"):
        tell("[9.9.9]")
    record.write_text(tell(f"[{version}]"), encoding="utf-8")
    assert tell("[Unreleased]") == record.read_text(encoding="utf-8")

    add(root, ENTRY)
    with pytest.raises(DeclareError, match=f"The forms are no longer those of {version}: say how"):
        tell(f"[{version}] - 2026-11-21")
    with pytest.raises(DeclareError, match="does not say how the forms changed"):
        tell("[Unreleased]")
    assert tell("[Unreleased]\n\n- A field, Warp.") == record.read_text(encoding="utf-8")

    manifest = (root / "manifest.yaml").read_text(encoding="utf-8")
    (root / "manifest.yaml").write_text(manifest.replace(version, "9.9.9", 1), encoding="utf-8")
    assert json.loads(tell("[9.9.9]\n\n- A field, Warp."))["version"] == "9.9.9"
