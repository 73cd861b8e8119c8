"""No call of the smaller tools on any family of servers has another outcome than it says."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import pytest
from dify_files import picture, served
from drawing import Drawn
from drawing import draw as draw_in_full
from matrix import FAMILIES, LABELS, MODULES, Row
from matrix_standins import StandIns
from matrix_tools import DRAW, INFOTEXT, LISTINGS, PNG_INFO, UPSCALE, Listing
from PIL import Image

from devtools.standin import StandIn
from tools.draw import DrawTool
from tools.png_info import PngInfoTool
from tools.server_info import ServerInfoTool
from tools.upscale import UpscaleTool
from webui.errors import StableDiffusionError

EXTRAS = "/sdapi/v1/extra-single-image"
SOURCE = picture(32, 16)
type AnyTool = type[DrawTool | PngInfoTool | ServerInfoTool | UpscaleTool]


@pytest.fixture(scope="module")
def standins() -> Iterator[StandIns]:
    with StandIns() as running:
        yield running


def cells(rows: Sequence[Row]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("row", "family"),
        [
            pytest.param(row, family, id=f"{row.label}-{family}")
            for row in rows
            for family in row.outcomes
        ],
    )


def ask(tool: AnyTool, standin: StandIn, *, wrong: bool = False, **given: object) -> Drawn:
    """What a tool says; bytes are given to it as files, in a list for `images`."""
    credentials = {"base_url": standin.base_url}
    if wrong:
        credentials |= {"username": "ann", "password": "wrong"}
    with ExitStack() as files:
        for name, value in given.items():
            if isinstance(value, bytes):
                file = files.enter_context(served(value))
                given[name] = [file] if name == "images" else file
        return Drawn(tool.from_credentials(credentials).invoke(given))


def refusal(tool: AnyTool, standin: StandIn, row: Row, **given: object) -> str:
    with pytest.raises(StableDiffusionError) as caught:
        ask(tool, standin, wrong=row.login, **given)
    return str(caught.value)


def sent(standin: StandIn, path: str) -> list[Mapping[str, Any]]:
    return [r.json for r in standin.received if r.path == path]


def sizes(drawn: Drawn) -> list[tuple[int, int]]:
    return [Image.open(io.BytesIO(file)).size for file, _ in drawn.files]


@cells(UPSCALE)
def test_enlarging_has_the_declared_outcome(standins: StandIns, row: Row, family: str) -> None:
    outcome = row.outcomes[family]
    standin = standins.of(family, login=row.login, docs=row.docs)
    more, asked = row.elsewhere.get(family, ({}, row.asked))
    by = "Resize Lanczos" if family == "sdnext" else "Lanczos"
    given: dict[str, Any] = {"images": SOURCE, "upscaler_1": by, **row.given, **more}
    if outcome.kind == "refused":
        assert outcome.phrase in refusal(UpscaleTool, standin, row, **given)
        if row.label.startswith("Unknown") or family == "sdcpp":
            assert sent(standin, EXTRAS) == []
        return
    drawn = ask(UpscaleTool, standin, wrong=row.login, **given)
    assert len(drawn.files) == 1
    warnings = drawn.variables["warnings"]
    if outcome.kind == "warned":
        assert outcome.phrase in "\n".join(warnings)
        return
    assert warnings == []
    assert sizes(drawn) == [row.size]
    (request,) = sent(standin, EXTRAS)
    assert {name: request.get(name) for name in asked} == asked
    # Nothing else tells which one did it; a server that does not know it leaves the size alone.
    assert request["upscaler_1"] in standin.family.names("upscalers")


@cells(DRAW)
def test_drawing_for_an_agent_has_the_declared_outcome(
    standins: StandIns, row: Row, family: str
) -> None:
    outcome = row.outcomes[family]
    standin = standins.of(family, login=row.login, docs=row.docs)
    more, asked = row.elsewhere.get(family, ({}, row.asked))
    if row.leftover:
        standin.run_out_of_memory(row.leftover)
    small = {"prompt": "a cat", "width": 64, "height": 64, "steps": 2}
    given: dict[str, Any] = {**small, **row.given, **more}
    if outcome.kind == "refused":
        assert outcome.phrase in refusal(DrawTool, standin, row, **given)
        assert standin.state.drawn == []
        return
    drawn = ask(DrawTool, standin, wrong=row.login, **given)
    assert drawn.files
    warnings = drawn.variables["warnings"]
    # The text is all that an agent reads.
    assert all(f"Warning: {warning}" in drawn.text for warning in warnings)
    if outcome.kind == "warned":
        assert outcome.phrase in "\n".join(warnings)
        return
    assert warnings == []
    assert sizes(drawn) == [row.size] * row.images
    assert len(set(drawn.variables["seeds"])) == len(standin.state.drawn) == row.images
    for one in standin.state.drawn:
        assert {name: getattr(one, name) for name in asked} == asked


@cells(PNG_INFO)
def test_reading_a_picture_has_the_declared_outcome(
    standins: StandIns, row: Row, family: str
) -> None:
    outcome = row.outcomes[family]
    standin = standins.of(family, login=row.login)
    if outcome.kind == "refused":
        assert outcome.phrase in refusal(PngInfoTool, standin, row, **row.given)
        return
    found = ask(PngInfoTool, standin, wrong=row.login, **row.given)
    if outcome.kind == "warned":
        assert outcome.phrase in found.text
        assert found.variables == {"infotext": "", "parameters": {}, "extra_parameters": "{}"}
        return
    assert found.text == found.variables["infotext"] == INFOTEXT
    assert {name: found.json["fields"][name] for name in row.asked} == row.asked


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("listing", LISTINGS, ids=lambda listing: listing.name)
def test_a_list_holds_what_the_server_has_or_is_said_to_be_missing(
    standins: StandIns, listing: Listing, family: str
) -> None:
    found = ask(ServerInfoTool, standins.of(family), list=listing.name)
    names = listing.names(family)
    assert found.variables["family"] == LABELS[family]
    assert found.json["offered"] is (names is not None)
    assert found.variables["names"] == (names or [])
    assert ("does not offer a list of" in found.text) is (names is None)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_listed_fields_are_read_and_the_others_warned_of(
    standins: StandIns, family: str
) -> None:
    standin = standins.of(family)
    listed = ask(ServerInfoTool, standin, list="fields").variables["names"]
    values = {"n_iter": 2, "hr_force": True, "distilled_cfg_scale": 2.0, "s_churn": 0.5}
    for field, value in values.items():
        drawn = draw_in_full(standin, extra_parameters=f'{{"{field}": {str(value).lower()}}}')
        told = f"{field} has no effect: " in "\n".join(drawn.variables["warnings"])
        assert told is (field not in listed), field


# The parameter that takes a name of each list, and where the stand-in keeps a record of it.
TAKERS = {
    "models": ("model", "model"),
    "samplers": ("sampler_name", "sampler"),
    "schedulers": ("scheduler", "scheduler"),
    "vaes": ("vae", "vae"),
    "loras": ("lora", "loras"),
    "styles": ("styles", "styles"),
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    "listing", [one for one in LISTINGS if one.name in TAKERS], ids=lambda listing: listing.name
)
def test_a_listed_name_is_what_a_picture_is_then_drawn_with(
    standins: StandIns, listing: Listing, family: str
) -> None:
    standin = standins.of(family)
    for name in ask(ServerInfoTool, standin, list=listing.name).variables["names"][-2:]:
        parameter, record = TAKERS[listing.name]
        if listing.name == "vaes" and family in MODULES:
            record = "modules"
        drawn = draw_in_full(standin, **{parameter: name})
        assert drawn.variables["warnings"] == []
        applied = getattr(standin.state.drawn[-1], record)
        bare = name.rpartition("/")[2].removesuffix(".safetensors") if record == "model" else name
        assert applied in (bare, (bare,)), name


def test_every_family_has_a_cell_in_every_row_that_is_not_one_family_s() -> None:
    for row in [*UPSCALE, *DRAW, *PNG_INFO]:
        assert list(row.outcomes) in (FAMILIES, ["sdnext"]), row.label
