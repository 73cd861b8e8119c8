"""Texts of the forms: in all four languages or in English alone, and none says a thing twice."""

import re
from pathlib import Path
from typing import Any

import daemon_rules
import pytest
import yaml

ROOT = Path(__file__).parent.parent
TOOL_FILES = [f"tools/{path.name}" for path in sorted((ROOT / "tools").glob("*.yaml"))]
FILES = ["manifest.yaml", "provider/stable_diffusion.yaml", *TOOL_FILES]
FOREIGN = daemon_rules.LANGUAGES[1:]

REACHED_FOR = {
    "txt2img": {"prompt", "negative_prompt", "width", "height"},
    "img2img": {"prompt", "image", "mask", "negative_prompt", "width", "height"},
    "draw": {
        "prompt", "negative_prompt", "width", "height", "count", "style", "max_size", "max_count",
    },
    "upscale": {"images", "upscaler_1", "upscaling_resize"},
    "server_info": {"list"},
    "png_info": {"image"},
}  # fmt: skip
"""The parameters whose labels are translated: a database's column has no room for more."""

SAME_EVERYWHERE = {
    "manifest.yaml label": "the plugin's name",
    "provider/stable_diffusion.yaml identity.label": "the plugin's name",
    "provider/stable_diffusion.yaml credentials_for_provider.base_url.placeholder": "an address",
    "provider/stable_diffusion.yaml credentials_for_provider.model.placeholder": "a file name",
    "provider/stable_diffusion.yaml credentials_for_provider.username.placeholder": "an example",
    "provider/stable_diffusion.yaml credentials_for_provider.password.placeholder": "an example",
    "provider/stable_diffusion.yaml credentials_for_provider.timeout.placeholder": "a number",
}
"""Texts that stay in English where their surroundings are translated, and why."""


def load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / name).read_bytes())
    return loaded


TEXTS = {
    f"{name} {path}": text
    for name in FILES
    for path, text in daemon_rules.texts(load(name)).items()
}
"""Each text by language, under "file path.within.it"."""


def test_every_text_is_in_four_languages_or_in_english_alone() -> None:
    states = {daemon_rules.LANGUAGES, daemon_rules.LANGUAGES[:1]}
    assert [where for where, text in TEXTS.items() if tuple(text) not in states] == []


def test_no_translation_is_the_english_text() -> None:
    assert [
        (where, language)
        for where, text in TEXTS.items()
        for language in FOREIGN
        if text.get(language) == text["en_US"]
    ] == []


def test_chinese_holds_no_kana_and_portuguese_no_ideographs() -> None:
    for where, text in TEXTS.items():
        assert re.findall(r"[ぁ-ヺ]", text.get("zh_Hans", "")) == [], where
        assert re.findall(r"[぀-鿿]", text.get("pt_BR", "") + text["en_US"]) == [], where


def test_no_text_has_a_line_break_or_needless_blanks() -> None:
    assert [
        (where, language)
        for where, text in TEXTS.items()
        for language, words in text.items()
        if " ".join(words.split()) != words
    ] == []


def test_manifest_and_provider_are_translated() -> None:
    english = {
        where for where, text in TEXTS.items() if len(text) == 1 and not where.startswith("tools/")
    }
    assert english == set(SAME_EVERYWHERE)


@pytest.mark.parametrize("tool", REACHED_FOR)
def test_the_parameters_people_reach_for_have_translated_labels(tool: str) -> None:
    start = f"tools/{tool}.yaml parameters."
    translated = {
        where for where, text in TEXTS.items() if where.startswith(start) and len(text) > 1
    }
    assert translated == {f"{start}{name}.label" for name in REACHED_FOR[tool]}


def test_a_label_is_translated_the_same_way_wherever_it_stands() -> None:
    seen: dict[str, dict[str, str]] = {}
    for where, text in TEXTS.items():
        if " parameters." in where and where.endswith(".label"):
            assert seen.setdefault(text["en_US"], text) == text, where


@pytest.mark.parametrize("name", TOOL_FILES)
def test_a_tool_introduces_itself_in_four_languages(name: str) -> None:
    for path in ("identity.label", "description.human"):
        assert tuple(TEXTS[f"{name} {path}"]) == daemon_rules.LANGUAGES


def test_no_description_repeats_its_label() -> None:
    repeated = []
    for where, text in TEXTS.items():
        owner, _, part = where.rpartition(".")
        if part != "label":
            continue
        for other in ("human_description", "help", "placeholder"):
            description = TEXTS.get(f"{owner}.{other}", {})
            repeated += [
                (where, language)
                for language in text.keys() & description.keys()
                if fold(text[language]) == fold(description[language])
            ]
    assert repeated == []


@pytest.mark.parametrize("name", TOOL_FILES)
def test_no_two_parameters_have_the_same_label(name: str) -> None:
    for language in daemon_rules.LANGUAGES:
        labels = [
            parameter["label"][language]
            for parameter in load(name)["parameters"]
            if language in parameter["label"]
        ]
        assert len(labels) == len(set(labels)), language


def fold(text: str) -> str:
    return text.casefold().strip(" .。")
