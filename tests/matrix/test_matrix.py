"""Each call of declarations/matrix.yaml has the outcome that is declared for each family.

Whether a picture is as asked is told by the stand-in's own record of what it applied and by the
pixels, which no reply can embellish: one that is not must come with the declared warning.
"""

import io
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops

from devtools.matrix import INFOTEXT, MATRIX, Cell, cells, picture
from devtools.standin import FAMILIES as SERVERS
from devtools.standin import StandIn
from support.by_name import TOOLS
from support.declared import CATALOGUE
from support.dify_files import served
from support.drawing import Drawn, refused
from support.standins import StandIns
from webui.errors import InvalidParameterError, StableDiffusionError

WORDS = {f"/sdapi/v1/{name}" for name in ("interrogate", "openclip", "tagger", "vqa")}
CUTS = {"/rembg", "/sdapi/v1/rembg"}
WORK = {"/sdapi/v1/txt2img", "/sdapi/v1/img2img", "/sdapi/v1/extra-single-image", *WORDS, *CUTS}
"""The endpoints that keep a graphics card busy."""
OF_TXT2IMG = {one["row"] for one in MATRIX["txt2img"]}
REGIONS = {"left": (0, 0, 32, 64), "right": (32, 0, 64, 64), "all": (0, 0, 64, 64)}


def call(cell: Cell, standin: StandIn) -> Drawn:
    given = dict(cell.given)
    login = {"username": "ann", "password": cell.login} if cell.login else {}
    tool = TOOLS[cell.tool].from_credentials({"base_url": standin.base_url, **login})
    with ExitStack() as files:
        for name, value in given.items():
            if isinstance(value, bytes):
                file = files.enter_context(served(value))
                given[name] = [file] if name == "images" else file
        return Drawn(tool.invoke(given))


def tried() -> Iterator[Any]:
    """Yield every cell; in the fast run, of each tool one for each line of servers and outcome.

    Of txt2img's rows among another tool's there is one for each outcome.
    """
    met = set()
    for cell in cells():
        is_borrowed = cell.tool != "txt2img" and cell.row in OF_TXT2IMG
        line = "" if is_borrowed else SERVERS[cell.family].line
        rule = (cell.tool, cell.row, line, cell.outcome)
        yield pytest.param(cell, marks=[pytest.mark.slow] if rule in met else [])
        met.add(rule)


@pytest.mark.parametrize("cell", list(tried()), ids=str)
def test_a_call_has_the_declared_outcome(standins: StandIns, cell: Cell) -> None:
    standin = standins.of(
        cell.family, login=bool(cell.login), docs=cell.schema, extensions=cell.extensions
    )
    options = dict(standin.state.options)
    if cell.leftover:
        standin.run_out_of_memory(cell.leftover)
    if cell.result == "refused":
        with refused(StableDiffusionError, match=re.escape(cell.phrase)) as caught:
            call(cell, standin)
        assert standin.state.drawn == []
        if isinstance(caught.value.__context__, InvalidParameterError):
            assert not work_of(standin)
    else:
        drawn = call(cell, standin)
        outputs = CATALOGUE.tools[cell.tool]["outputs"].keys()
        # A call that is over at once has no progress to tell.
        assert drawn.variables.keys() in (outputs, outputs - {"progress"})
        if cell.result == "warns":
            assert cell.phrase in warnings(cell, drawn)
            assert drawn.files or cell.tool in ("png_info", "caption")
        else:
            assert warnings(cell, drawn) == ""
            CHECKS[cell.tool](cell, standin, drawn)
    # Whatever is asked for holds for this call alone.
    assert standin.state.options == options
    written_to = [one.path for one in standin.received if one.method == "POST"]
    assert not any(path.endswith("/options") for path in written_to)


def warnings(cell: Cell, drawn: Drawn) -> str:
    if cell.tool == "png_info":
        return "" if drawn.variables["infotext"] else drawn.text
    told = drawn.variables["warnings"]
    # The text is all that an agent reads.
    assert all(warning in drawn.text for warning in told)
    return "\n".join(told)


def check_drawing(cell: Cell, standin: StandIn, drawn: Drawn) -> None:
    images = [Image.open(io.BytesIO(file)) for file, _ in drawn.files]
    assert [image.size for image in images] == [tuple(cell.size)] * cell.pictures
    assert len(standin.state.drawn) == cell.pictures
    for applied in standin.state.drawn:
        assert {name: plain(getattr(applied, name)) for name in cell.asked} == cell.asked
    seeds = [int(inside(image, "Seed")) for image in images]
    assert drawn.variables["seeds"] == seeds
    assert seeds == list(range(seeds[0], seeds[0] + cell.pictures))
    if cell.tool != "draw":
        assert seeds[0] == 7
    assert Path(inside(images[0], "Model")).stem == Path(drawn.variables["model"]).stem
    if cell.tool == "img2img":
        assert all(is_kept(image, cell.kept) for image in images)


def check_enlarging(cell: Cell, standin: StandIn, drawn: Drawn) -> None:
    assert [Image.open(io.BytesIO(file)).size for file, _ in drawn.files] == [tuple(cell.size)]
    request = check_request(cell, standin)
    # Nothing else tells which one did it; a server that does not know it leaves the size alone.
    assert request["upscaler_1"] in standin.family.names("upscalers")


def check_request(cell: Cell, standin: StandIn) -> dict[str, Any]:
    request: dict[str, Any]
    (request,) = work_of(standin)
    assert {name: request[name] for name in cell.asked} == cell.asked
    return request


def check_cutting(cell: Cell, standin: StandIn, drawn: Drawn) -> None:
    (image,) = [Image.open(io.BytesIO(file)) for file, _ in drawn.files]
    assert image.size == tuple(cell.size)
    # The stand-in's mask is the right half.
    mask = image.getchannel("A") if image.mode == "RGBA" else image
    assert (mask.getpixel((0, 0)), mask.getpixel((31, 15))) == (0, 255)
    assert (image.mode == "L") is bool(check_request(cell, standin)["return_mask"])


def check_words(cell: Cell, standin: StandIn, drawn: Drawn) -> None:
    request = check_request(cell, standin)
    words = request.get("question") or request["model"]
    assert drawn.text == drawn.variables["caption"] == f"{words}, 32x16"
    assert drawn.variables["captions"] == [drawn.text]


def check_reading(cell: Cell, _standin: StandIn, drawn: Drawn) -> None:
    assert drawn.text == drawn.variables["infotext"] == INFOTEXT
    assert {name: drawn.json["fields"][name] for name in cell.asked} == cell.asked


def check_preview(cell: Cell, standin: StandIn, drawn: Drawn) -> None:
    ((file, meta),) = drawn.files
    image = Image.open(io.BytesIO(file))
    assert (image.size, meta["filename"]) == (tuple(cell.size), drawn.json["images"][0]["filename"])
    # A map, not the picture itself.
    assert ImageChops.difference(image.convert("RGB"), picture(*image.size)).getbbox()
    assert drawn.variables["preprocessor"].casefold() == cell.asked["preprocessor"]
    assert standin.state.drawn == []


CHECKS = {
    "txt2img": check_drawing,
    "img2img": check_drawing,
    "draw": check_drawing,
    "upscale": check_enlarging,
    "remove_background": check_cutting,
    "caption": check_words,
    "png_info": check_reading,
    "control_preview": check_preview,
}


def work_of(standin: StandIn) -> list[Any]:
    """Return what was asked of its graphics card."""
    sent = [one for one in standin.received if one.method == "POST" and one.path in WORK]
    return [one.json for one in sent]


def plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def inside(image: Image.Image, label: str) -> str:
    """Return what a picture's own infotext says."""
    found = re.search(rf"\b{label}: ([^,]+)", image.info["parameters"])
    assert found is not None
    return found[1]


def is_kept(image: Image.Image, region: str) -> bool:
    """Tell whether the source, which is teal, came back untouched in that region, and not as a
    whole unless that was asked for.
    """
    changed = ImageChops.difference(image.convert("RGB"), picture(*image.size))
    whole = changed.getbbox() is None
    if region in ("", "all"):
        return whole == bool(region)
    return not whole and changed.crop(REGIONS[region]).getbbox() is None
