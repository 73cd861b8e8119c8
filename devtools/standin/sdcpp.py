"""stable-diffusion.cpp's server: one model, hardly an option, and no conversion of anything."""

import json
import secrets
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, override

from flask import Response, request
from werkzeug.exceptions import HTTPException

from devtools.standin import pictures
from devtools.standin.app import App, View
from devtools.standin.drawing import Generation, SecondPass
from devtools.standin.family import API, CrashError, Family, RefusalError
from devtools.standin.queue import Task

_UNSET = "NONE"
# Sizes are multiples of it, for an SD 1 or SDXL model, in pixels.
_STEP = 64


class SdCppApp(App):
    """A server without logins, without a schema, and without words for what it does not have."""

    def views(self) -> dict[str, View]:
        return {
            f"POST {API}txt2img": lambda: self._generate("txt2img"),
            f"POST {API}img2img": lambda: self._generate("img2img"),
        }

    @override
    def not_found(self, error: HTTPException) -> Response:
        return Response(status=404)

    def _generate(self, kind: str) -> dict[str, Any]:
        body: dict[str, Any] = request.get_json()
        self.check(body)
        _check_kinds(self.family, body)
        values = _values(self.family, body, is_txt2img=kind == "txt2img")
        task = Task(job="img_gen")
        with self.queue.work_on(task):
            drawing = SdCppGeneration(self.state, values, self.state.options)
            drawing.run(task)
        pairs = zip(drawing.images, drawing.infotexts, strict=True)
        images = [pictures.text_of(one, "png", text) for one, text in pairs]
        return {"images": images, "info": "", "parameters": body}


class SdCppGeneration(Generation):
    """A run whose values are already such that they can be drawn."""

    def find_loras(self) -> list[str]:
        return list(self.values["lora"])

    def prepare(self) -> SecondPass | None:
        # All that comes out has this size, whatever was asked.
        (width, height), remarks = self.values["final_size"], self.values["hires"]
        return SecondPass(width, height, 0, remarks.get("Hires upscale", ""), remarks=remarks)


def _check_kinds(family: Family, body: Mapping[str, Any]) -> None:
    """Make a CrashError for a value of another type, by C++'s names; a boolean is a number."""
    kinds = family.tables["kinds"]
    for name, default in family.tables["defaults"].items():
        wanted, kind = (kinds[type(one).__name__] for one in (default, body.get(name, default)))
        if kind != wanted and (wanted, kind) != ("number", "boolean"):
            text = f"[json.exception.type_error.302] type must be {wanted}, but is {kind}"
            raise CrashError("server_error", text)


def _values(family: Family, body: Mapping[str, Any], *, is_txt2img: bool) -> dict[str, Any]:
    """Return what will be drawn, or the RefusalError of the request's first mistake.

    Sampler and scheduler are NONE where the model's own will do. `final_size` is the picture's, and
    `hires` what the infotext says of a second pass.
    """
    tables, strength = family.tables, 0.7 if is_txt2img else 0.75
    values = {**tables["defaults"], "denoising_strength": strength, **body, **tables["fixed"]}
    if not values["prompt"]:
        raise RefusalError(400, "prompt required")
    known, name = family.names("samplers"), values["sampler_name"]
    sampler = name if name in known[1:] else tables["aliases"].get(name.lower(), _UNSET)
    # Exactly as written or the model's own, without a word.
    named = values["scheduler"] in family.names("schedulers")[1:]
    scheduler = values["scheduler"] if named else _UNSET
    values |= {
        "width": int(values["width"]),
        "height": int(values["height"]),
        "steps": min(max(int(values["steps"]), 1), 100),
        "batch_size": min(max(int(values["batch_size"]), 1), 8),
        # A C int; what does not fit is as none.
        "seed": int(values["seed"]) if 0 <= values["seed"] < 2**31 else secrets.randbelow(2**31),
        "clip_skip": max(int(values["clip_skip"]), 1),
        "sampler_name": sampler,
        "scheduler": scheduler,
        "sampler_and_scheduler": f"{sampler} {scheduler}".removesuffix(f" {_UNSET}"),
        "lora": _loras(family, values.get("lora")),
        "cfg_said": f"{values['cfg_scale']:f}",
        "own_json": json.dumps({"loras": values.get("lora", [])}),
        "final_size": (_up(values["width"]), _up(values["height"])),
        "hires": {},
        "inputs": [],
        "mask": pictures.decode(values["mask"]),
    }
    if is_txt2img and values["enable_hr"] and values["hr_upscaler"] != "None":
        _add_second_pass(family, values)
    elif not is_txt2img and (source := pictures.decode(str([*values["init_images"], ""][0]))):
        # It drops what has fewer than three channels, without a word.
        values["inputs"] = [source] * (source.mode not in {"1", "L", "LA", "I;16"})
    return values


def _up(pixels: float) -> int:
    return -(-round(pixels) // _STEP) * _STEP


def _add_second_pass(family: Family, values: dict[str, Any]) -> None:
    """Return the size that comes out, and what the infotext says of it."""
    wide, high, scale = values["hr_resize_x"], values["hr_resize_y"], values["hr_scale"]
    upscaler = values["hr_upscaler"] or "Latent"
    if upscaler not in (*family.names("latent-upscale-modes"), *family.names("upscalers")):
        raise RefusalError(400, "invalid params")
    width, height = values["final_size"]
    # One side alone makes a square of it.
    size = (wide or high, high or wide) if wide or high else (width * scale, height * scale)
    values["final_size"] = (_up(size[0]), _up(size[1]))
    values["hires"] = {
        "Hires upscale": upscaler,
        "Hires scale": f"{scale:f}",
        "Hires resize": f"{wide}x{high}",
        "Hires steps": values["hr_steps"],
        "Denoising strength": f"{values['denoising_strength']:f}",
    }


def _loras(family: Family, listed: object) -> list[str]:
    """Their names; what is no list counts as none."""
    files = [one["path"] for one in family.replies[f"{API}loras"]]
    paths = [one["path"] for one in listed] if isinstance(listed, list) else []
    for path in paths:
        if path not in files:
            raise RefusalError(400, f"invalid lora path: {path}")
    return [PurePosixPath(path).stem for path in paths]
