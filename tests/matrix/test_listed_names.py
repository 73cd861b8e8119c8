"""What server_info lists is what the other tools can then use, on every family."""

from collections.abc import Iterable
from typing import Any

import pytest

from devtools.matrix import FAMILIES, LABELS, MATRIX
from devtools.standin import StandIn
from support.drawing import Drawn, draw
from support.standins import StandIns
from tools.server_info import ServerInfoTool

LISTINGS = {"vaes": "sd-vae", "styles": "prompt-styles"}
"""What the API calls a list, where that is not the list's own name."""
SORTED_TYPES = {
    "classic": [
        "Canny", "Depth", "IP-Adapter", "Inpaint", "Instant-ID", "Lineart", "MLSD", "NormalMap",
        "OpenPose", "Reference", "Scribble", "Segmentation", "Shuffle", "SoftEdge", "T2I-Adapter",
        "Tile",
    ],
    "sdnext": [
        "Canny", "Depth", "Lineart", "MLSD", "NormalMap", "OpenPose", "Segmentation", "Shuffle",
    ],
}  # fmt: skip
"""ControlNet's types where the server lists preprocessors and models alone."""
TAKERS = {
    "models": ("model", "model"),
    "samplers": ("sampler_name", "sampler"),
    "schedulers": ("scheduler", "scheduler"),
    "vaes": ("vae", "vae"),
    "loras": ("lora", "loras"),
    "styles": ("styles", "styles"),
}
"""The parameter that takes a name of each list, and where the stand-in keeps a record of it."""
CELLS = [(name, family) for name in MATRIX["server_info"] for family in FAMILIES]
LISTED = [cell for cell in CELLS if cell[1] not in MATRIX["server_info"][cell[0]]]
OWN_WAYS = {"a1111", "classic", "sdnext", "sdcpp"}
"""Families that take names in a way of their own; the others stay out of the fast run."""


def in_turn(cells: Iterable[tuple[str, ...]]) -> list[Any]:
    marks = {True: [], False: [pytest.mark.slow]}
    return [pytest.param(*cell, marks=marks[cell[-1] in OWN_WAYS]) for cell in cells]


def listed(standin: StandIn, name: str) -> Drawn:
    tool = ServerInfoTool.from_credentials({"base_url": standin.base_url})
    return Drawn(tool.invoke({"list": name}))


def has_modules(standin: StandIn) -> bool:
    return bool(standin.family.names("sd-modules"))


def stock(standin: StandIn, name: str) -> list[str]:
    """Return the names of what the stand-in has, without what only a file's name says."""
    if name == "models":
        found = [one.name for one in standin.state.checkpoints]
    elif name == "scripts":
        found = list(standin.family.scripts())
    elif name == "schedulers":
        replies = standin.family.replies["/sdapi/v1/schedulers"]
        found = [one.get("label") or one["name"] for one in replies]
    elif name.startswith("control_"):
        found = controls(standin, name)
    elif name == "vaes" and has_modules(standin):
        found = standin.family.names("sd-modules")
    else:
        found = standin.family.names(LISTINGS.get(name, name))
    return [one.removesuffix(".safetensors") for one in found]


def controls(standin: StandIn, name: str) -> list[str]:
    replies = standin.family.replies
    if name == "control_types":
        told = replies.get("/controlnet/control_types", {}).get("control_types")
        return [one for one in told or SORTED_TYPES[standin.family.name] if one != "All"]
    if name == "control_models":
        models = standin.family.control_names("model") or replies["/sdapi/v1/control-models"]
        return [one for one in models if one != "None"]
    names = standin.family.control_names("module") or standin.family.names("preprocessors")
    return [one for one in names if one != "None"]


@pytest.mark.parametrize(("name", "family"), CELLS)
def test_a_list_holds_what_the_server_has_or_is_said_to_be_missing(
    standins: StandIns, name: str, family: str
) -> None:
    standin = standins.of(family)
    found = listed(standin, name)
    is_offered = (name, family) in LISTED
    names = [one.removesuffix(".safetensors") for one in found.variables["names"]]
    assert names == (stock(standin, name) if is_offered else [])
    assert found.json["offered"] is is_offered
    assert ("does not offer a list of" in found.text) is not is_offered
    assert found.variables["family"] == LABELS[family]


@pytest.mark.parametrize(("name", "family"), in_turn(cell for cell in LISTED if cell[0] in TAKERS))
def test_a_listed_name_is_what_a_picture_is_then_drawn_with(
    standins: StandIns, name: str, family: str
) -> None:
    standin = standins.of(family)
    parameter, record = TAKERS[name]
    if name == "vaes" and has_modules(standin):
        record = "modules"
    for one in listed(standin, name).variables["names"][-2:]:
        drawn = draw(standin, **{parameter: one})
        assert drawn.variables["warnings"] == []
        applied = getattr(standin.state.drawn[-1], record)
        wanted = one.rpartition("/")[2].removesuffix(".safetensors") if name == "models" else one
        assert applied in (wanted, (wanted,))


@pytest.mark.parametrize("family", FAMILIES)
def test_the_listed_fields_are_read_and_the_others_warned_of(
    standins: StandIns, family: str
) -> None:
    standin = standins.of(family)
    names = listed(standin, "fields").variables["names"]
    values = {"tiling": True, "hr_force": True, "distilled_cfg_scale": 2.0, "s_churn": 0.5}
    for field, value in values.items():
        drawn = draw(standin, extra_parameters=f'{{"{field}": {str(value).lower()}}}')
        told = f"{field} has no effect: " in "\n".join(drawn.variables["warnings"])
        assert told is (field not in names), field


@pytest.mark.parametrize("family", in_turn((one,) for one in FAMILIES if one != "sdcpp"))
def test_naming_the_loaded_model_in_any_spelling_loads_nothing(
    standins: StandIns, family: str
) -> None:
    standin = standins.of(family)
    loaded, loads = standin.state.loaded, list(standin.state.loads)
    name = loaded.name_for_extra
    hashes = [loaded.shorthash, loaded.sha256, f"{name} [{loaded.shorthash}]"]
    for spelling in [loaded.title, loaded.name, name, f" {name.upper()} ", *hashes]:
        draw(standin, model=spelling)
    assert standin.state.loads == loads
    assert len(standin.state.drawn) == 7
