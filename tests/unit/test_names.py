"""Names as people type them, and the many that a checkpoint has."""

from typing import Any

import pytest

from webui.server.names import find_model, match_name, spellings_of, suggest_names, titles_of

SAMPLERS = ["Euler", "Euler a", "DPM++ 2M", "DPM++ 2M SDE", "DDIM", "LCM"]

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
MODELS = [DREAM, UNHASHED, WINDOWS]


@pytest.mark.parametrize("wanted", ["Euler a", " Euler a ", "euler A", "EULER  A", "Euler\u3000a"])
def test_a_name_matches_whatever_its_case_and_blanks(wanted: str) -> None:
    assert match_name(wanted, SAMPLERS) == "Euler a"


def test_a_blank_may_stand_for_an_underscore() -> None:
    assert match_name("Euler a", ["euler_a", "euler"]) == "euler_a"


@pytest.mark.parametrize(
    "wanted", ["", " ", "Eule", "Euler b", "DPM++", "DPM 2M", "\x00", "\ud800"]
)
def test_a_name_the_server_lacks_matches_nothing(wanted: str) -> None:
    assert match_name(wanted, SAMPLERS) is None


def test_the_exact_name_wins_over_one_that_differs_by_case() -> None:
    assert match_name("Dream", ["dream", "Dream", "DREAM"]) == "Dream"


def test_a_name_that_could_be_two_matches_none() -> None:
    assert match_name("DREAM", ["dream", "Dream"]) is None


def test_a_name_listed_twice_is_one_name() -> None:
    assert match_name("ddim", ["DDIM", "DDIM"]) == "DDIM"


def test_names_are_read_from_an_iterator_too() -> None:
    assert match_name("lcm", iter(SAMPLERS)) == "LCM"


def test_nothing_matches_where_the_server_has_none() -> None:
    assert match_name("Euler", []) is None


def test_a_slip_of_the_finger_is_answered_with_the_closest_first() -> None:
    sentence = suggest_names("Eular a", SAMPLERS)
    assert sentence.startswith("Closest of 6: Euler a, Euler")
    assert sentence.endswith(".")
    assert "DDIM" not in sentence


def test_closeness_does_not_mind_the_case_and_keeps_the_servers_spelling() -> None:
    assert "DPM++ 2M SDE" in suggest_names("dpm++ 2m sdee", SAMPLERS)


def test_where_nothing_is_close_a_short_list_is_told_whole() -> None:
    assert suggest_names("zzzz", ["Euler", "DDIM"]) == "The server has Euler, DDIM."


def test_where_nothing_is_close_a_long_list_is_told_in_part_and_counted() -> None:
    assert suggest_names("zzzz", SAMPLERS) == (
        "Some of 6: Euler, Euler a, DPM++ 2M, DPM++ 2M SDE, DDIM."
    )


def test_an_empty_list_is_said_to_be_empty() -> None:
    assert suggest_names("Euler", []) == "The server has none."


def test_names_listed_twice_count_once() -> None:
    assert suggest_names("zzzz", ["Euler", "Euler"]) == "The server has Euler."


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
    (title,) = [model["title"] for model in MODELS if spelling in spellings_of(model)]
    assert find_model(spelling, MODELS) == title
    assert find_model(f"  {spelling}\n", MODELS) == title


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
    assert find_model(wanted, MODELS) == title


@pytest.mark.parametrize(
    "unknown",
    ["", " ", "dream", "dreamShaper", "dreamShaper_8.ckpt", "[6ce0161689]", "6ce01616", "v1-5",
     "None", "\x00", "\ud800", "/models/Stable-diffusion/sd15/dreamShaper_8.safetensors"],
)  # fmt: skip
def test_what_the_server_would_silently_ignore_is_not_found(unknown: str) -> None:
    assert find_model(unknown, MODELS) is None


def test_a_file_name_that_two_models_share_is_not_guessed() -> None:
    pair = [
        {"title": f"{folder}/dream.safetensors", "filename": f"/m/{folder}/dream.safetensors"}
        for folder in ("a", "b")
    ]
    assert find_model("dream.safetensors", pair) is None
    assert find_model("b/dream.safetensors", pair) == "b/dream.safetensors"


def test_nothing_is_found_where_the_server_has_no_model() -> None:
    assert find_model("dreamShaper_8", []) is None


@pytest.mark.parametrize("empty", [{}, {"title": None}, {"title": "", "filename": None}])
def test_an_entry_without_any_name_is_passed_over(empty: dict[str, Any]) -> None:
    assert spellings_of(empty) == []
    assert find_model("juggernaut", [empty, WINDOWS]) == WINDOWS["title"]
    assert titles_of([empty, WINDOWS]) == [r"xl\juggernaut.safetensors"]


def test_an_entry_with_a_model_name_alone_goes_by_it() -> None:
    assert find_model("flux1", [{"model_name": "flux1"}]) == "flux1"


def test_spellings_begin_with_the_title_and_repeat_none() -> None:
    found = spellings_of(DREAM)
    assert found[0] == DREAM["title"]
    assert len(found) == len(set(found))


def test_titles_are_told_without_their_hash() -> None:
    assert titles_of(MODELS) == [
        "sd15/dreamShaper_8.safetensors",
        "v1-5.pruned.ckpt",
        r"xl\juggernaut.safetensors",
    ]


def test_brackets_that_hold_no_hash_stay_in_the_title() -> None:
    assert titles_of([{"title": "paint [inpainting]"}]) == ["paint [inpainting]"]
