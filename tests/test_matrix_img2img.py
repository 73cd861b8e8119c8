"""No redrawing on any family of servers is answered with a wrong picture in silence."""

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pytest
from dify_files import served
from drawing import Drawn
from matrix import FAMILIES, Row
from matrix_redrawing import ALONE, REDRAWING, SHARED, SOURCE, Redrawing
from matrix_standins import StandIns
from PIL import Image, ImageChops

from devtools.standin import StandIn, infotext, pictures
from tools.img2img import Img2ImgTool
from webui.errors import InvalidParameterError, StableDiffusionError

PATH = "/sdapi/v1/img2img"
ROWS = [*SHARED, *REDRAWING, *ALONE]
CELLS = [
    pytest.param(row, family, id=f"{row.label}-{family}") for row in ROWS for family in row.outcomes
]
# Left, top, right, bottom; a blurred border has no place here.
REGIONS = {"left": (0, 0, 32, 64), "right": (32, 0, 64, 64), "all": (0, 0, 64, 64)}


@pytest.fixture(scope="module")
def standins() -> Iterator[StandIns]:
    with StandIns() as running:
        yield running


def call(standin: StandIn, row: Row, family: str) -> tuple[Drawn, Mapping[str, Any]]:
    """What the row's call gives, and what was asked for by it."""
    more, asked = row.elsewhere.get(family, ({}, row.asked))
    if row.leftover:
        standin.run_out_of_memory(row.leftover)
    credentials = {"base_url": standin.base_url}
    if row.login:
        credentials |= {"username": "ann", "password": "wrong"}
    given = {"prompt": "a cat", "image": SOURCE, "seed": 7, "steps": 2, **row.given, **more}
    tool = Img2ImgTool.from_credentials(credentials)
    with ExitStack() as files:
        for name, value in given.items():
            if isinstance(value, bytes):
                given[name] = files.enter_context(served(value))
        return Drawn(tool.invoke(given)), asked


def is_as_asked(standin: StandIn, drawn: Drawn, row: Row, asked: Mapping[str, Any]) -> bool:
    """By the stand-in's own record of each picture and by the pixels, not by what a reply says."""
    applied = standin.state.drawn
    images = [Image.open(io.BytesIO(file)) for file, _ in drawn.files]
    return (
        len(applied) == len(images) == row.images
        and all(image.size == row.size for image in images)
        and all(getattr(one, name, None) == asked[name] for one in applied for name in asked)
        and all(shows(image, getattr(row, "kept", "")) for image in images)
    )


def shows(image: Image.Image, kept: str) -> bool:
    """Whether the source, which is teal, came back untouched in that region, but not as a whole
    unless that was asked for.
    """
    changed = ImageChops.difference(image.convert("RGB"), Image.new("RGB", image.size, "teal"))
    whole = changed.getbbox() is None
    if not kept or kept == "all":
        return whole == bool(kept)
    return not whole and changed.crop(REGIONS[kept]).getbbox() is None


@pytest.mark.parametrize(("row", "family"), CELLS)
def test_a_redrawing_has_the_declared_outcome(standins: StandIns, row: Row, family: str) -> None:
    outcome = row.outcomes[family]
    standin = standins.of(family, login=row.login, docs=row.docs)
    if outcome.kind == "refused":
        with pytest.raises(StableDiffusionError, match=re.escape(outcome.phrase)) as caught:
            call(standin, row, family)
        assert standin.state.drawn == []
        if isinstance(caught.value, InvalidParameterError):
            assert PATH not in [request.path for request in standin.received]
        return
    drawn, asked = call(standin, row, family)
    warnings = drawn.variables["warnings"]
    assert drawn.files
    if outcome.kind == "warned":
        assert outcome.phrase in "\n".join(warnings)
        return
    assert warnings == []
    assert is_as_asked(standin, drawn, row, asked)
    for place, (file, _) in enumerate(drawn.files):
        texts = pictures.texts_inside(Image.open(io.BytesIO(file)))
        assert infotext.read(texts["parameters"])["Seed"] == str(7 + place)
    assert drawn.variables["seeds"] == [7 + place for place in range(row.images)]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_redrawing_writes_no_settings(standins: StandIns, family: str) -> None:
    standin = standins.of(family)
    before = dict(standin.state.options)
    call(standin, Redrawing("", {"clip_skip": 2}, {}), family)
    assert standin.state.options == before
    assert not [r for r in standin.received if r.method == "POST" and r.path.endswith("options")]


def test_every_family_has_a_cell_in_every_row_that_is_not_one_family_s() -> None:
    for row in REDRAWING:
        assert list(row.outcomes) == FAMILIES, row.label
    assert len(SHARED) > 20
