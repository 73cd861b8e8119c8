"""No call on any family of servers is answered with a wrong picture in silence."""

import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from drawing import Drawn, draw
from matrix import FAMILIES, LABELS, Row
from matrix_features import FEATURES
from matrix_mistakes import MISTAKES, SINGLE
from matrix_table import markdown
from PIL import Image

from devtools.standin import StandIn, infotext, pictures
from webui.errors import InvalidParameterError, StableDiffusionError

ROOT = Path(__file__).parent.parent
PATH = "/sdapi/v1/txt2img"
CELLS = [
    pytest.param(row, family, id=f"{row.label}-{family}")
    for row in [*FEATURES, *MISTAKES, *SINGLE]
    for family in row.outcomes
]
A1111_FAMILY = ["a1111", "forge", "reforge", "classic", "neo"]


def call(standin: StandIn, row: Row, family: str) -> tuple[Drawn, Mapping[str, Any]]:
    """What the row's call gives, and what was asked for by it."""
    given, asked = row.elsewhere.get(family, ({}, row.asked))
    if row.leftover:
        standin.run_out_of_memory(row.leftover)
    login = {"username": "ann", "password": "wrong"} if row.login else {}
    return draw(standin, login, seed=7, steps=2, **{**row.given, **given}), asked


def is_as_asked(standin: StandIn, asked: Mapping[str, Any], count: int) -> bool:
    """By the stand-in's own record of each picture, which no reply can embellish."""
    return len(standin.state.drawn) == count and all(
        getattr(one, name, None) == value
        for one in standin.state.drawn
        for name, value in asked.items()
    )


@pytest.mark.parametrize(("row", "family"), CELLS)
def test_a_call_has_the_declared_outcome(row: Row, family: str) -> None:
    outcome = row.outcomes[family]
    with StandIn(family=family, api_auth="ann:secret" if row.login else None, docs=row.docs) as one:
        if outcome.kind == "refused":
            with pytest.raises(StableDiffusionError, match=re.escape(outcome.phrase)):
                call(one, row, family)
            return
        drawn, asked = call(one, row, family)
        right = is_as_asked(one, asked, row.images)
    warnings = drawn.variables["warnings"]
    assert drawn.files
    if outcome.kind == "warned":
        assert outcome.phrase in "\n".join(warnings)
        return
    assert right
    assert warnings == []
    assert len(drawn.files) == row.images
    for place, (file, _) in enumerate(drawn.files):
        picture = Image.open(io.BytesIO(file))
        assert picture.size == row.size
        inside = infotext.read(pictures.texts_inside(picture)["parameters"])
        assert inside["Seed"] == str(7 + place)
        assert Path(inside["Model"]).stem == Path(drawn.variables["model"]).stem
    assert drawn.json["info"]["all_seeds"] == [7 + place for place in range(row.images)]


@pytest.mark.parametrize(("row", "family"), CELLS)
def test_a_picture_that_is_not_as_asked_never_comes_in_silence(row: Row, family: str) -> None:
    with StandIn(family=family, api_auth="ann:secret" if row.login else None, docs=row.docs) as one:
        try:
            drawn, asked = call(one, row, family)
        except StableDiffusionError:
            return
        assert is_as_asked(one, asked, row.images) or drawn.variables["warnings"]


UNKNOWN_NAMES = [
    pytest.param(row, family, id=f"{row.label}-{family}")
    for row in MISTAKES
    for family in FAMILIES
    if row.label.startswith("Unknown") and row.outcomes[family].kind == "refused"
]


@pytest.mark.parametrize(("row", "family"), UNKNOWN_NAMES)
def test_an_unknown_name_costs_no_picture(row: Row, family: str) -> None:
    with StandIn(family=family) as standin:
        with pytest.raises(InvalidParameterError):
            call(standin, row, family)
        assert not [request for request in standin.received if request.path == PATH]


@pytest.mark.parametrize("family", [one for one in FAMILIES if one != "sdcpp"])
def test_naming_the_loaded_model_in_any_spelling_loads_nothing(family: str) -> None:
    with StandIn(family=family) as standin:
        loaded = standin.state.loaded
        name = loaded.name_for_extra
        hashes = [loaded.shorthash, loaded.sha256, f"{name} [{loaded.shorthash}]"]
        for spelling in [loaded.title, loaded.name, name, f" {name.upper()} ", *hashes]:
            draw(standin, model=spelling)
        assert standin.state.loads == []
        assert len(standin.state.drawn) == 7


@pytest.mark.parametrize("family", FAMILIES)
def test_a_call_whose_names_are_known_asks_next_to_nothing(family: str) -> None:
    given: dict[str, Any] = {"sampler_name": "Euler a", "lora": "pixel_art", "clip_skip": 2}
    if family != "sdcpp":
        given["model"] = "v1-5-pruned-emaonly"
    with StandIn(family=family) as standin:
        draw(standin, **given)
        standin.received.clear()
        draw(standin, **given)
        asked = [request.path for request in standin.received]
    assert len(asked) <= (1 if family in A1111_FAMILY else 2), asked


@pytest.mark.parametrize("family", FAMILIES)
def test_the_server_s_own_settings_are_never_written(family: str) -> None:
    with StandIn(family=family) as standin:
        before = dict(standin.state.options)
        given: dict[str, Any] = {"clip_skip": 2, "styles": "Watercolour"}
        if family != "sdcpp":
            given["model"] = "dreamshaper_8"
        draw(standin, **given)
        assert standin.state.options == before
        written = [r for r in standin.received if r.method == "POST" and r.path.endswith("options")]
        assert written == []


def test_every_family_has_a_column_and_every_row_a_cell() -> None:
    for row in [*FEATURES, *MISTAKES]:
        assert list(row.outcomes) == FAMILIES, row.label
    header, line, *rows = markdown().splitlines()
    assert header.count("|") == line.count("|") == len(LABELS) + 2
    assert len(rows) == len(FEATURES) + len(MISTAKES)


def test_readme_shows_the_matrix_as_it_is() -> None:
    text = (ROOT / "README.md").read_text()
    shown = re.search(r"<!-- matrix -->\n(.*?)<!-- /matrix -->", text, re.DOTALL)
    assert shown is not None
    assert shown[1].strip() == markdown().strip()
