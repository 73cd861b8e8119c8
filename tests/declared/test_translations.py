"""Texts of the forms: in all four languages, long enough to help, and none says a thing twice."""

import re
from collections.abc import Iterator
from typing import Any
from unicodedata import east_asian_width

from support.declared import CATALOGUE, MANIFEST, PROVIDER, TOOLS

LANGUAGES = ("en_US", "ja_JP", "zh_Hans", "pt_BR")
SAME_IN_ALL = {
    "Stable Diffusion WebUI", "LoRA", "VAE", "http://host.docker.internal:7860", "sd_xl_base_1.0",
    "3600", "1", "CF-Access-Client-Id: … | CF-Access-Client-Secret: …",
}  # fmt: skip
"""Names and examples that no language says in another way."""
SAME_IN_PORTUGUESE = {
    "CLIP skip", "Script", "Infotext", "Original", "VAEs", "LoRAs", "Embeddings", "Eta",
    "Sigma churn", "Sigma tmin", "Sigma tmax", "Sigma noise", "GFPGAN", "CodeFormer",
}  # fmt: skip
SAME_IN_CHINESE = {
    "Eta", "Sigma churn", "Sigma tmin", "Sigma tmax", "Sigma noise", "GFPGAN", "CodeFormer",
}  # fmt: skip
LEAST_HELP = 25
"""Columns, of which an ideograph takes two: less is a label over again."""


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


def test_a_text_is_in_four_languages_or_the_same_in_all() -> None:
    alone = {text["en_US"] for text in TEXTS.values() if tuple(text) == LANGUAGES[:1]}
    assert alone == SAME_IN_ALL
    rest = [where for where, text in TEXTS.items() if text["en_US"] not in SAME_IN_ALL]
    assert [where for where in rest if tuple(TEXTS[where]) != LANGUAGES] == []


def test_the_catalogue_has_nothing_in_some_languages_only() -> None:
    whole = texts([CATALOGUE.provider, CATALOGUE.tools, CATALOGUE.fields], "catalogue")
    assert [where for where, text in whole if set(text) != set(LANGUAGES)] == []
    outputs = [one for tool in CATALOGUE.tools.values() for one in tool["outputs"].values()]
    assert all(set(one["description"]) == set(LANGUAGES) for one in outputs)


def test_no_translation_is_the_english_text_but_for_names() -> None:
    same: dict[str, set[str]] = {language: set() for language in LANGUAGES[1:]}
    for text in TEXTS.values():
        for language in text.keys() & same:
            if text[language] == text["en_US"]:
                same[language].add(text["en_US"])
    assert same == {"ja_JP": set(), "zh_Hans": SAME_IN_CHINESE, "pt_BR": SAME_IN_PORTUGUESE}


def test_every_field_has_help_that_is_long_enough_to_be_one() -> None:
    helps = {
        where: text for where, text in TEXTS.items() if where.endswith(("_description", ".help"))
    }
    fields = [one for tool in TOOLS.values() for one in tool["parameters"]]
    assert len(helps) == len(fields) + len(PROVIDER["credentials_for_provider"])
    assert [
        (where, language)
        for where, text in helps.items()
        for language, words in text.items()
        if columns(words) < LEAST_HELP
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
            found = [
                one["label"].get(language, one["label"]["en_US"]) for one in said["parameters"]
            ]
            assert len(found) == len(set(found)), (tool, language)


def columns(text: str) -> int:
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def folded(text: str) -> str:
    return text.casefold().strip(" .。")
