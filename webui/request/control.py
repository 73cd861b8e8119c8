"""ControlNet's fields as one unit among the always-on scripts; more units may stand there already.

A unit is {enabled, module, model, image, …} by the extension's own names, which Forge, Forge Neo,
reForge and Forge Classic took over. Each leaves out in silence what it does not understand.
Source: internal_controlnet/args.py of Mikubill/sd-webui-controlnet 56cec5b; external_code.py of
sd_forge_controlnet in Forge dfdcbab, Forge Neo 7010d94, reForge 3b56b26 and Forge Classic 1f95d71.
"""

from dataclasses import dataclass
from typing import Self

from webui.errors import InvalidParameterError, StableDiffusionError, WebUILateError
from webui.fields import FIELDS
from webui.request.request import Request
from webui.server.control import ControlType, find_type, is_none, read_types
from webui.server.families import Control
from webui.server.names import match_hashed, match_name
from webui.server.server import Server
from webui.values import Fields

_NAME = "ControlNet"
_FEW = 5
# What each number of the form is in a unit.
_NUMBERS = {
    "control_weight": "weight",
    "control_start": "guidance_start",
    "control_end": "guidance_end",
}
_MODES = {
    "balanced": "Balanced",
    "prompt": "My prompt is more important",
    "controlnet": "ControlNet is more important",
}
_RESIZE_MODES = {
    "just_resize": "Just Resize",
    "crop_and_resize": "Crop and Resize",
    "resize_and_fill": "Resize and Fill",
}
# What decides which map is made; the rest only says how it is used.
_CHOICES = ("control_type", "control_model", "control_preprocessor")
_FIELDS = ("control_image", *_CHOICES, *_NUMBERS, "control_mode", "control_resize_mode")
# Beginnings of preprocessors that change the drawing themselves and need no model.
_WITHOUT_MODEL = ("reference", "revision", "clip-g (revision")
# Of a model that does for several types, what the extension wants to know of the picture.
_UNION_TYPES = {
    "openpose": "OpenPose",
    "depth": "Depth",
    "softedge": "Soft Edge",
    "scribble": "Soft Edge",
    "canny": "Hard Edge",
    "lineart": "Hard Edge",
    "mlsd": "Hard Edge",
    "normalmap": "Normal Map",
    "segmentation": "Segmentation",
    "tile": "Tile",
    "blur": "Tile",
    "inpaint": "Inpaint",
}
# Words in a file's name that tell the kind of checkpoint, of which ControlNet models must be, too.
_KINDS = {
    "SD 1.x": ("sd14", "sd15", "sd16", "sd1.5", "v1-5"),
    "SD 2.x": ("sd21", "v2-1"),
    "SD 3": ("sd3",),
    "Flux": ("flux",),
    "SDXL": ("xl", "pony", "illustrious", "noob"),
}


def add_control_unit(request: Request, asked: Fields, server: Server) -> list[str]:
    """Put the form's unit before those that are there already; sentences on what has no effect.

    Without a picture of its own, img2img's unit takes the one that is redrawn, as the servers do.
    InvalidParameterError where nothing could be drawn by it, or the server would leave it out.
    """
    given = [n for n in _FIELDS if n in asked and not FIELDS[n].is_neutral(asked[n])]
    if not given:
        return []
    is_redrawn = request.redraws and any(name in asked for name in _CHOICES)
    if "control_image" not in asked and not is_redrawn:
        verb = "has" if len(given) == 1 else "have"
        return [f"{', '.join(given)} {verb} no effect without control_image."]
    control = control_of(server, given[0])
    if not control.takes_units:
        raise _not_offered(server, given[0])
    unit, warnings = _unit(Wish.read(asked, server, control), request)
    scripts = dict(request.fields.get("alwayson_scripts") or {})
    title = next((one for one in scripts if one.strip().casefold() == _NAME.casefold()), _NAME)
    others = scripts.get(title, {"args": []})
    if not isinstance(others, dict) or not isinstance(others.get("args", []), list):
        raise InvalidParameterError(
            f'alwayson_scripts: {title} must be {{"args": [unit, …]}} beside {given[0]}.'
        )
    scripts[title] = {**others, "args": [unit, *others.get("args", [])]}
    request.fields["alwayson_scripts"] = scripts
    return warnings


def control_of(server: Server, parameter: str) -> Control:
    """Return how the server does it. InvalidParameterError, with what to install, if it does not.

    parameter: the field that needs it.
    """
    control = server.family.control
    if control is None:
        raise _not_offered(server, parameter)
    offered = server.scripts(always_on=True)
    for afresh in (False, True) if control.takes_units else ():
        names = offered(afresh)
        if names is None or match_name(_NAME, names):
            return control
    if not control.takes_units:
        return control
    remedy = "It is built in: turn sd_forge_controlnet on under Extensions"
    if control.is_extension:
        remedy = "Install the extension sd-webui-controlnet by Mikubill"
    raise InvalidParameterError(
        f"{parameter}: this {server.family.label} has no ControlNet. {remedy}, and restart it."
    )


@dataclass(frozen=True)
class Wish:
    """What is asked of a server's ControlNet.

    type: None if none is named, or if the server does not tell its types.
    """

    asked: Fields
    server: Server
    control: Control
    type: ControlType | None

    @classmethod
    def read(cls, asked: Fields, server: Server, control: Control) -> Self:
        """Look the type up. An error that says which there are, where a preprocessor lacks one."""
        named = asked.get("control_type", "")
        found = find_type(named, server) if named else None
        if found is None and "control_preprocessor" not in asked:
            raise _undecided(named, server)
        return cls(asked, server, control, found)

    def preprocessor(self) -> str:
        """Return what makes the map, in the server's spelling: as asked for, or the type's own."""
        own = self.type.preprocessor if self.type else ""
        wanted = self.asked.get("control_preprocessor") or own
        listed = self.server.controlnet(self.control.preprocessors)
        of_type = self.type.preprocessors if self.type else ()

        def offered(afresh: bool) -> list[str] | None:
            names = listed(afresh)
            return None if names is None else [*names, *of_type]

        if is_none(wanted):
            return match_name("none", offered(False) or []) or "None"
        noun = "ControlNet preprocessor"
        return self.server.find(wanted, "control_preprocessor", noun, offered)

    def model(self, preprocessor: str, request: Request) -> str:
        """Return what draws by the map: as asked for, or the type's own for the checkpoint."""
        wanted = self.asked.get("control_model", "")
        if not is_none(wanted):
            offered = self.server.controlnet(self.control.models)
            noun = "ControlNet model"
            return self.server.find(wanted, "control_model", noun, offered, match_hashed)
        if preprocessor.casefold().startswith(_WITHOUT_MODEL):
            return "None"
        if self.type is None:
            raise InvalidParameterError(
                "control_model is empty. Name one, or give control_type, which has one of its own."
            )
        if not self.type.models and "model_list" in self.server.late:
            raise WebUILateError(
                "control_type: the server did not say in time which ControlNet models it has. It "
                "is busy: try again, or give control_model."
            )
        if not self.type.models:
            raise InvalidParameterError(
                f"control_type: the server has no ControlNet model for {self.type.name}. Put one "
                "into its folder models/ControlNet, or name another in control_model."
            )
        return _fitting(self.type, request.model or self.server.saved_model())


def _undecided(named: str, server: Server) -> StableDiffusionError:
    if server.late & {"control_types", "module_list", "preprocessors"}:
        return WebUILateError(
            "control_type: the server did not say in time which types it has. It is busy: try "
            "again, or give control_preprocessor and control_model."
        )
    if named:
        return InvalidParameterError(
            f"control_type: {server.family.label} does not tell its types. Give "
            "control_preprocessor and control_model instead."
        )
    names = [one.name for one in read_types(server) or []]
    known = f" The server has {', '.join(names)}." if names else ""
    return InvalidParameterError(
        "control_type is empty. Say what is to be kept of the picture, such as Canny, Depth or "
        f"OpenPose.{known}"
    )


def _not_offered(server: Server, parameter: str) -> InvalidParameterError:
    return InvalidParameterError(
        f"{parameter}: {server.family.label} has no ControlNet in this API. Use AUTOMATIC1111 or a "
        "Forge."
    )


def _unit(wish: Wish, request: Request) -> tuple[Fields, list[str]]:
    asked, control = wish.asked, wish.control
    preprocessor = wish.preprocessor()
    model = wish.model(preprocessor, request)
    # With pixel_perfect the map has the size of the drawing; otherwise 512, whatever that is.
    unit: Fields = {
        "enabled": True,
        "module": preprocessor,
        "model": model,
        "pixel_perfect": True,
        **{key: asked[name] for name, key in _NUMBERS.items() if name in asked},
    }
    if "control_image" in asked:
        unit["image"] = asked["control_image"]
    if "control_resize_mode" in asked:
        unit["resize_mode"] = _RESIZE_MODES[asked["control_resize_mode"]]
    start, end = unit.get("guidance_start", 0), unit.get("guidance_end", 1)
    if start >= end:
        raise InvalidParameterError(
            f"control_start: {start:g} is not before control_end, which is {end:g}."
        )
    if control.is_extension and "union" in model.casefold():
        name = wish.type.name.casefold() if wish.type else ""
        unit["union_control_type"] = _UNION_TYPES.get(name, "Unknown")
    mode = asked.get("control_mode", "balanced")
    if control.reads_mode:
        unit["control_mode"] = _MODES[mode]
    elif mode != "balanced":
        return unit, [f"control_mode has no effect: {wish.server.family.label} always balances."]
    return unit, []


def _fitting(kind: ControlType, checkpoint: str) -> str:
    """Return the type's own model, or one of the checkpoint's kind where the names tell kinds."""
    models = [kind.model, *kind.models] if kind.model else kind.models
    needed = _kind_of(checkpoint)
    of_kind = [name for name in models if needed and _kind_of(name) == needed]
    untold = [name for name in models if not needed or not _kind_of(name)]
    found = [*of_kind, *untold]
    if not found:
        raise InvalidParameterError(
            f"control_type: {checkpoint} is for {needed} by its name, and none of the server's "
            f"ControlNet models for {kind.name}: {', '.join(kind.models[:_FEW])}. Choose another "
            "model, or name one of these in control_model all the same."
        )
    return found[0]


def _kind_of(name: str) -> str:
    """Return the kind of checkpoint that a file's name tells, "" if it tells none."""
    written = name.casefold()
    return next((kind for kind, words in _KINDS.items() if any(w in written for w in words)), "")
