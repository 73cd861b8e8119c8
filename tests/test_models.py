from typing import Any

import pytest

from webui import models

SHA = "6ce0161689" + "0" * 54
DREAM: dict[str, Any] = {
    "title": "sd15/dreamShaper_8.safetensors [6ce0161689]",
    "model_name": "sd15_dreamShaper_8",
    "hash": "6ce0161689",
    "sha256": SHA,
    "filename": "/models/Stable-diffusion/sd15/dreamShaper_8.safetensors",
    "config": None,
}
UNHASHED: dict[str, Any] = {
    "title": "v1-5.pruned.ckpt",
    "model_name": "v1-5.pruned",
    "hash": None,
    "sha256": None,
    "filename": "/models/Stable-diffusion/v1-5.pruned.ckpt",
}
WINDOWS: dict[str, Any] = {
    "title": r"xl\juggernaut.safetensors [33e58e8668]",
    "model_name": "xl_juggernaut",
    "hash": "33e58e8668",
    "sha256": None,
    "filename": r"D:\webui\models\Stable-diffusion\xl\juggernaut.safetensors",
}
ALL = [DREAM, UNHASHED, WINDOWS]


@pytest.mark.parametrize(
    "spelling",
    [
        "sd15/dreamShaper_8.safetensors [6ce0161689]",
        "sd15/dreamShaper_8.safetensors",
        "sd15_dreamShaper_8",
        "dreamShaper_8",
        "6ce0161689",
        SHA,
        "dreamShaper_8 [6ce0161689]",
        "v1-5.pruned.ckpt",
        "v1-5.pruned",
        r"xl\juggernaut.safetensors",
        "juggernaut",
        "juggernaut [33e58e8668]",
    ],
)
def test_every_spelling_the_server_accepts_becomes_the_title(spelling: str) -> None:
    (title,) = [model["title"] for model in ALL if spelling in models.spellings(model)]
    assert models.find(spelling, ALL) == title
    assert models.find(f"  {spelling}\n", ALL) == title


@pytest.mark.parametrize(
    ("wanted", "title"),
    [
        ("DREAMSHAPER_8", DREAM["title"]),
        ("dreamShaper_8.safetensors", DREAM["title"]),
        ("SD15/DREAMSHAPER_8.SAFETENSORS", DREAM["title"]),
        ("6CE0161689", DREAM["title"]),
        ("V1-5.Pruned.CKPT", UNHASHED["title"]),
        ("juggernaut.safetensors", WINDOWS["title"]),
    ],
)
def test_a_spelling_that_only_people_use_becomes_the_title(wanted: str, title: str) -> None:
    assert models.find(wanted, ALL) == title


@pytest.mark.parametrize(
    "unknown",
    ["", " ", "dream", "dreamShaper", "dreamShaper_8.ckpt", "[6ce0161689]", "6ce01616", "v1-5",
     "None", "\x00", "\ud800", "/models/Stable-diffusion/sd15/dreamShaper_8.safetensors"],
)  # fmt: skip
def test_what_the_server_would_silently_ignore_is_not_found(unknown: str) -> None:
    assert models.find(unknown, ALL) is None


def test_a_file_name_that_two_models_share_is_not_guessed() -> None:
    pair = [
        {"title": f"{folder}/dream.safetensors", "filename": f"/m/{folder}/dream.safetensors"}
        for folder in ("a", "b")
    ]
    assert models.find("dream.safetensors", pair) is None
    assert models.find("b/dream.safetensors", pair) == "b/dream.safetensors"


def test_nothing_is_found_where_the_server_has_no_model() -> None:
    assert models.find("dreamShaper_8", []) is None


@pytest.mark.parametrize("empty", [{}, {"title": None}, {"title": "", "filename": None}])
def test_an_entry_without_any_name_is_passed_over(empty: dict[str, Any]) -> None:
    assert models.spellings(empty) == []
    assert models.find("juggernaut", [empty, WINDOWS]) == WINDOWS["title"]
    assert models.titles([empty, WINDOWS]) == [r"xl\juggernaut.safetensors"]


def test_an_entry_with_a_model_name_alone_goes_by_it() -> None:
    assert models.find("flux1", [{"model_name": "flux1"}]) == "flux1"


def test_spellings_begin_with_the_title_and_repeat_none() -> None:
    found = models.spellings(DREAM)
    assert found[0] == DREAM["title"]
    assert len(found) == len(set(found))


def test_titles_are_told_without_their_hash() -> None:
    assert models.titles(ALL) == [
        "sd15/dreamShaper_8.safetensors",
        "v1-5.pruned.ckpt",
        r"xl\juggernaut.safetensors",
    ]


def test_brackets_that_hold_no_hash_stay_in_the_title() -> None:
    assert models.titles([{"title": "paint [inpainting]"}]) == ["paint [inpainting]"]
