"""Texts of the forms: English alone or in all four languages, and none says a thing twice."""

import re
from collections.abc import Iterator
from typing import Any

from support.declared import CATALOGUE, MANIFEST, PROVIDER, TOOLS

LANGUAGES = ("en_US", "ja_JP", "zh_Hans", "pt_BR")
TRANSLATED_LABELS = {
    "prompt", "negative_prompt", "width", "height", "image", "mask", "count", "style", "max_size",
    "max_count", "images", "upscaler_1", "upscaling_resize", "list",
}  # fmt: skip
"""The fields that people reach for first."""


def texts(value: Any, where: str) -> Iterator[tuple[str, dict[str, str]]]:  # noqa: ANN401 - YAML
    """Yield every translatable text with its path; a parameter goes by its name."""
    if isinstance(value, dict) and "en_US" in value:
        yield where, value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from texts(one, f"{where}.{key}")
    elif isinstance(value, list):
        for place, one in enumerate(value):
            name = one.get("name", place) if isinstance(one, dict) else place
            yield from texts(one, f"{where}.{name}")


FILES = {"manifest": MANIFEST, "provider": PROVIDER, **TOOLS}
TEXTS = {path: text for name, file in FILES.items() for path, text in texts(file, name)}


def test_a_text_is_in_english_alone_or_in_four_languages() -> None:
    states = {LANGUAGES, LANGUAGES[:1]}
    assert [where for where, text in TEXTS.items() if tuple(text) not in states] == []


def test_plugin_provider_and_tools_introduce_themselves_in_four_languages() -> None:
    english = [where for where, text in TEXTS.items() if len(text) == 1]
    others = [where for where in english if ".parameters." not in where]
    # The plugin's name, and examples of what to enter.
    assert {where for where in others if not where.endswith(".placeholder")} == {
        "manifest.label",
        "provider.identity.label",
    }


def test_the_fields_people_reach_for_have_translated_labels() -> None:
    labels = {name: said["label"] for name, said in CATALOGUE.fields.items()}
    assert [name for name in TRANSLATED_LABELS if isinstance(labels[name], str)] == []


def test_no_translation_is_the_english_text() -> None:
    assert [
        (where, language)
        for where, text in TEXTS.items()
        for language in text.keys() - {"en_US"}
        if text[language] == text["en_US"]
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


def test_no_description_repeats_its_label() -> None:
    for where, text in TEXTS.items():
        owner, _, part = where.rpartition(".")
        label = TEXTS.get(f"{owner}.label", {})
        if part in {"human_description", "help", "placeholder"}:
            for language in text.keys() & label.keys():
                assert folded(text[language]) != folded(label[language]), where


def test_no_two_fields_of_a_form_have_the_same_label() -> None:
    for tool, said in TOOLS.items():
        for language in LANGUAGES:
            labels = [one["label"].get(language) for one in said["parameters"]]
            found = [label for label in labels if label is not None]
            assert len(found) == len(set(found)), (tool, language)


def folded(text: str) -> str:
    return text.casefold().strip(" .。")
