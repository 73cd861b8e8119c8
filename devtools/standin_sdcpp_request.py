"""How stable-diffusion.cpp reads a request: only what it knows, and without any conversion."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from devtools.catalogue import Catalogue
from devtools.catalogue_sdcpp import SAMPLER_ALIASES
from devtools.standin_errors import CrashError, RefusalError

_UNSET = "NONE"
_MOST_STEPS = 100
_MOST_IMAGES = 8


class Body:
    """A request's JSON; a value of the wrong type is a CrashError when it is looked at."""

    def __init__(self, body: bytes) -> None:
        if not body:
            raise RefusalError(400, "empty body")
        try:
            self.json: Any = json.loads(body)
        except ValueError as error:
            text = f"[json.exception.parse_error.101] parse error: syntax error: {error}"
            raise CrashError("server_error", text) from error

    def number(self, name: str, default: float) -> float:
        value = self._value(name, default)
        # A boolean passes for a number, as it does in C++.
        if isinstance(value, int | float):
            return value
        raise _type_error("number", value)

    def integer(self, name: str, default: int) -> int:
        return int(self.number(name, default))

    def text(self, name: str, default: str = "") -> str:
        value = self._value(name, default)
        if isinstance(value, str):
            return value
        raise _type_error("string", value)

    def flag(self, name: str) -> bool:
        value = self._value(name, False)
        if isinstance(value, bool):
            return value
        raise _type_error("boolean", value)

    def list(self, name: str) -> list[Any]:
        """A value that is no list counts as none."""
        value = self._value(name, [])
        return value if isinstance(value, list) else []

    def _value(self, name: str, default: object) -> object:
        if not isinstance(self.json, Mapping):
            text = f"cannot use value() with {_kind(self.json)}"
            raise CrashError("server_error", f"[json.exception.type_error.306] {text}")
        return self.json.get(name, default)


def _type_error(wanted: str, value: object) -> CrashError:
    text = f"type must be {wanted}, but is {_kind(value)}"
    return CrashError("server_error", f"[json.exception.type_error.302] {text}")


def _kind(value: object) -> str:
    kinds: tuple[tuple[type, str], ...] = (
        (bool, "boolean"),
        (int, "number"),
        (float, "number"),
        (str, "string"),
        (list, "array"),
        (dict, "object"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), "null")


@dataclass(frozen=True)
class Hires:
    scale: float
    width: int
    height: int
    steps: int
    strength: float
    upscaler: str


@dataclass(frozen=True)
class Wanted:
    """What is to be drawn; sampler and scheduler are NONE where the model's own will do."""

    prompt: str
    negative_prompt: str
    width: int
    height: int
    steps: int
    cfg_scale: float
    seed: int
    count: int
    clip_skip: int
    sampler: str
    scheduler: str
    loras: tuple[str, ...]
    hires: Hires | None


def read(body: Body, catalogue: Catalogue, *, hires: bool) -> Wanted:
    """A request, or the RefusalError of its first mistake; `hires` allows a second pass."""
    width, height = body.integer("width", 512), body.integer("height", 512)
    if width <= 0 or height <= 0:
        raise RefusalError(400, "width and height must be positive")
    prompt = body.text("prompt")
    if not prompt:
        raise RefusalError(400, "prompt required")
    seed = body.integer("seed", -1)
    wanted = Wanted(
        prompt=prompt,
        negative_prompt=body.text("negative_prompt"),
        width=width,
        height=height,
        steps=min(max(body.integer("steps", 20), 1), _MOST_STEPS),
        cfg_scale=body.number("cfg_scale", 7.0),
        seed=seed if seed >= 0 else secrets.randbelow(2**31),
        count=min(max(body.integer("batch_size", 1), 1), _MOST_IMAGES),
        clip_skip=body.integer("clip_skip", -1),
        sampler=_sampler(catalogue, body.text("sampler_name")),
        scheduler=_scheduler(catalogue, body.text("scheduler")),
        loras=_loras(catalogue, body.list("lora")),
        hires=_hires(body, catalogue) if hires and body.flag("enable_hr") else None,
    )
    if wanted.cfg_scale < 0:
        raise RefusalError(400, "invalid params")
    return wanted


def _sampler(catalogue: Catalogue, name: str) -> str:
    """An unknown one is the model's own, without a word."""
    known = [one.name for one in catalogue.samplers if one.name != "default"]
    return name if name in known else SAMPLER_ALIASES.get(name.lower(), _lower(name, known))


def _lower(name: str, known: list[str]) -> str:
    # These four are found in any case, the others only as they are written.
    lower = name.lower()
    return lower if lower in known and lower in {"euler", "heun", "dpm2", "lcm"} else _UNSET


def _scheduler(catalogue: Catalogue, name: str) -> str:
    """Exactly as written or the model's own, without a word."""
    known = [one.name for one in catalogue.schedulers if one.name != "default"]
    return {"normal": "discrete"}.get(name, name) if name in known else _UNSET


def _loras(catalogue: Catalogue, listed: list[Any]) -> tuple[str, ...]:
    files = {f"{name}.safetensors" for name in catalogue.loras}
    paths = [str(one.get("path", "")) for one in listed if isinstance(one, dict)]
    for path in paths:
        if not path:
            raise RefusalError(400, "lora.path required")
        if path not in files:
            raise RefusalError(400, f"invalid lora path: {path}")
    return tuple(PurePosixPath(path).stem for path in paths)


def _hires(body: Body, catalogue: Catalogue) -> Hires | None:
    found = Hires(
        scale=body.number("hr_scale", 2.0),
        width=body.integer("hr_resize_x", 0),
        height=body.integer("hr_resize_y", 0),
        steps=body.integer("hr_steps", 0),
        strength=body.number("denoising_strength", 0.7),
        upscaler=body.text("hr_upscaler", "Latent") or "Latent",
    )
    if found.upscaler == "None":
        return None
    upscalers = [one.name for one in catalogue.upscalers]
    if (
        found.upscaler not in (*catalogue.latent_upscale_modes, *upscalers)
        or not 0 < found.strength <= 1
        or min(found.width, found.height, found.steps) < 0
        or (found.scale <= 0 and not found.width and not found.height)
    ):
        raise RefusalError(400, "invalid params")
    return found
