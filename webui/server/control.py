"""What a server has for ControlNet: types of maps, each with its preprocessors and models.

Preprocessors have other names on each server; a type such as Depth is what a person knows.
Source: `GET /controlnet/control_types` of the extension (Mikubill/sd-webui-controlnet 56cec5b,
scripts/api.py) and of what Forge has built in (sd_forge_controlnet, dfdcbab). Forge Classic
(1f95d71) has the plain lists alone, and SD.Next (058a7f0c) others; they are sorted here the way in
which the extension does it, by words in the names.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from webui import said
from webui.server.names import match_name
from webui.server.server import Server
from webui.values import Json

# A type, and words in the names of its preprocessors, the usual one's first, and of its models.
_SORTED_BY: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Canny": (("canny",), ("canny",)),
    "Depth": (("depth_midas", "midas depth", "depth"), ("depth",)),
    "IP-Adapter": (("clip-vit-h (ipadapter)", "(ipadapter)"), ("ip-adapter", "ip_adapter")),
    "Inpaint": (("inpaint_only+lama", "inpaint"), ("inpaint",)),
    "Instant-ID": (("insightface (instantid)", "instant_id"), ("instant_id", "instantid")),
    "InstructP2P": ((), ("ip2p",)),
    "Lineart": (("lineart_standard", "lineart"), ("lineart",)),
    "MLSD": (("mlsd",), ("mlsd",)),
    "NormalMap": (("normalbae", "normal"), ("normal",)),
    "OpenPose": (("openpose_full", "openpose", "densepose"), ("openpose", "densepose")),
    "Reference": (("reference_only", "reference"), ()),
    "Scribble": (("scribble_pidinet", "scribble"), ("scribble", "sketch")),
    "Segmentation": (("seg_ofade20k", "seg"), ("seg",)),
    "Shuffle": (("shuffle",), ("shuffle",)),
    "SoftEdge": (("softedge_pidinet", "softedge"), ("softedge",)),
    "T2I-Adapter": (("t2ia",), ("t2ia", "t2i_adapter", "t2iadapter")),
    "Tile": (("tile_resample", "tile"), ("tile", "blur")),
}


@dataclass(frozen=True)
class ControlType:
    """One type of map, without the "None" that the lists begin with.

    name: as the server writes it. preprocessor, model: what the server takes unless it is told;
    "" for none.
    """

    name: str
    preprocessors: tuple[str, ...]
    models: tuple[str, ...]
    preprocessor: str
    model: str


def read_types(server: Server, *, afresh: bool = False) -> list[ControlType] | None:
    """Return the types that a server has; None where it tells neither them nor its lists."""
    told = server.control_types(afresh=afresh)
    if told is not None:
        # "All" is the page's word for no choice.
        names = [name for name in told if name.casefold() != "all"]
        return [_told_type(name, said.an_object(told[name])) for name in names]
    control = server.family.control
    preprocessors = server.controlnet(control.preprocessors)(afresh) if control else None
    if control is None or preprocessors is None:
        return None
    models = server.controlnet(control.models)(afresh) or []
    types = [_sorted_type(name, preprocessors, models) for name in _SORTED_BY]
    return [one for one in types if one.preprocessors or one.models]


def find_type(wanted: str, server: Server) -> ControlType | None:
    """Return a type by its name; None where the server does not tell its types.

    InvalidParameterError with the closest names if it has none of that name.
    """

    def offered(afresh: bool) -> list[str] | None:
        types = read_types(server, afresh=afresh)
        return None if types is None else [one.name for one in types]

    name = server.find(wanted, "control_type", "ControlNet type", offered, _match_type)
    return next((one for one in read_types(server) or [] if one.name == name), None)


def is_none(name: str) -> bool:
    """Tell whether a model's or preprocessor's name stands for none, as each server writes it."""
    return name.strip().casefold() in {"", "none"}


def _told_type(name: str, one: dict[str, Json]) -> ControlType:
    default, model = said.text(one.get("default_option")), said.text(one.get("default_model"))
    return ControlType(
        name,
        _without_none(said.texts(one.get("module_list"))),
        _without_none(said.texts(one.get("model_list"))),
        "" if is_none(default) else default,
        "" if is_none(model) else model,
    )


def _sorted_type(name: str, preprocessors: list[str], models: list[str]) -> ControlType:
    of_preprocessors, of_models = _SORTED_BY[name]
    mine = _with_words(of_preprocessors, preprocessors)
    fitting = _with_words(of_models, models)
    return ControlType(name, mine, fitting, next(iter(mine), ""), next(iter(fitting), ""))


def _with_words(words: Iterable[str], names: list[str]) -> tuple[str, ...]:
    """Return the names that hold one of the words, those with the first word first."""
    found = [name for word in words for name in names if word in name.casefold()]
    return tuple(dict.fromkeys(found))


def _without_none(names: list[str]) -> tuple[str, ...]:
    return tuple(name for name in names if not is_none(name))


def _match_type(wanted: str, names: list[str]) -> str | None:
    """Forgive hyphens as well: "ip adapter" is IP-Adapter."""
    found = match_name(wanted, names)
    alike = [name for name in names if _letters(name) == _letters(wanted)]
    return found or (alike[0] if len(alike) == 1 else None)


def _letters(name: str) -> str:
    return re.sub(r"[\W_]", "", name).casefold()
