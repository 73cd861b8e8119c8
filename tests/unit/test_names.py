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
}
UNHASHED: dict[str, Any] = {
    "title": "v1-5.pruned.ckpt",
    "model_name": "v1-5.pruned",
    "hash": None,
    "filename": "/models/Stable-diffusion/v1-5.pruned.ckpt",
}
WINDOWS: dict[str, Any] = {
    "title": r"xl\juggernaut.safetensors [33e58e8668]",
    "hash": "33e58e8668",
    "filename": r"D:\webui\models\Stable-diffusion\xl\juggernaut.safetensors",
}
MODELS = [DREAM, UNHASHED, WINDOWS]


@pytest.mark.parametrize(
    ("wanted", "names", "found"),
    [
        ("Euler a", SAMPLERS, "Euler a"),
        ("EULER  A", SAMPLERS, "Euler a"),
        ("Euler\u3000a", SAMPLERS, "Euler a"),
        ("Ｅｕｌｅｒ ａ", SAMPLERS, "Euler a"),
        ("Euler a", ["euler_a", "euler"], "euler_a"),
        ("ddim", ["DDIM", "DDIM"], "DDIM"),
        # The exact name wins; one that could be two is none.
        ("Dream", ["dream", "Dream", "DREAM"], "Dream"),
        ("DREAM", ["dream", "Dream"], None),
        ("", SAMPLERS, None),
        ("Euler b", SAMPLERS, None),
        ("DPM 2M", SAMPLERS, None),
        ("\ud800", SAMPLERS, None),
        ("Euler", [], None),
    ],
)
def test_a_name_matches_whatever_its_case_and_blanks(
    wanted: str, names: list[str], found: str | None
) -> None:
    assert match_name(wanted, iter(names)) == found


@pytest.mark.parametrize(
    ("wanted", "names", "sentence"),
    [
        ("Eular a", SAMPLERS, "Closest of 6: Euler a, Euler."),
        ("DPM++ 2m sdee", SAMPLERS, "Closest of 6: DPM++ 2M SDE, DPM++ 2M."),
        ("zzzz", SAMPLERS, "Some of 6: Euler, Euler a, DPM++ 2M, DPM++ 2M SDE, DDIM."),
        ("zzzz", ["Euler", "DDIM", "Euler"], "The server has Euler, DDIM."),
        ("Euler", [], "The server has none."),
    ],
)
def test_an_unknown_name_is_answered_with_the_closest(
    wanted: str, names: list[str], sentence: str
) -> None:
    assert suggest_names(wanted, names) == sentence


@pytest.mark.parametrize(
    ("wanted", "model"),
    [
        # Every spelling that the server accepts.
        ("sd15/dreamShaper_8.safetensors [6ce0161689]", DREAM),
        ("sd15/dreamShaper_8.safetensors", DREAM),
        ("sd15_dreamShaper_8", DREAM),
        (" dreamShaper_8\n", DREAM),
        ("6ce0161689", DREAM),
        (SHA, DREAM),
        ("dreamShaper_8 [6ce0161689]", DREAM),
        ("v1-5.pruned", UNHASHED),
        ("juggernaut [33e58e8668]", WINDOWS),
        # Those that only people use.
        ("DREAMSHAPER_8", DREAM),
        ("6CE0161689", DREAM),
    ],
)
def test_every_spelling_of_a_model_becomes_its_title(wanted: str, model: dict[str, Any]) -> None:
    assert find_model(wanted, MODELS) == model["title"] == spellings_of(model)[0]


@pytest.mark.parametrize(
    "unknown",
    ["", " ", "dream", "dreamShaper", "dreamShaper_8.ckpt", "[6ce0161689]", "6ce01616", "v1-5",
     "None", "\x00", "\ud800", "/models/Stable-diffusion/sd15/dreamShaper_8.safetensors"],
)  # fmt: skip
def test_what_the_server_would_silently_ignore_is_not_found(unknown: str) -> None:
    assert find_model(unknown, MODELS) is None


def test_a_folder_is_named_by_its_path_or_its_last_part() -> None:
    """As SD.Next lists a model of the diffusers kind, whose file is a snapshot's folder."""
    folder = {
        "title": "Diffusers/lab/othersd [0123456789]",
        "model_name": "Diffusers/lab/othersd",
        "filename": "/models/Diffusers/models--lab--othersd/snapshots/0123456789abcdef",
        "hash": "0123456789",
    }
    for wanted in ("othersd", "Diffusers/lab/othersd", "OtherSD"):
        assert find_model(wanted, [folder, *MODELS]) == folder["title"]
    assert find_model("sd15/dreamShaper_8", [folder, *MODELS]) == DREAM["title"]


def test_a_file_name_that_two_models_share_is_not_guessed() -> None:
    pair = [
        {"title": f"{folder}/dream.safetensors", "filename": f"/m/{folder}/dream.safetensors"}
        for folder in ("a", "b")
    ]
    assert find_model("dream.safetensors", pair) is None
    assert find_model("b/dream.safetensors", pair) == "b/dream.safetensors"


@pytest.mark.parametrize("empty", [{}, {"title": None}, {"title": "", "filename": None}])
def test_an_entry_without_any_name_is_passed_over(empty: dict[str, Any]) -> None:
    bare = {"model_name": "flux1 [inpainting]"}
    assert spellings_of(empty) == []
    assert find_model("juggernaut", [empty, WINDOWS]) == WINDOWS["title"]
    assert titles_of([empty, WINDOWS, bare]) == [r"xl\juggernaut.safetensors", bare["model_name"]]
