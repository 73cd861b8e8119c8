"""stable-diffusion.cpp's server: one model, hardly an option, and no conversion of anything."""

import json
import secrets
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, override

from flask import Response, request
from werkzeug.exceptions import HTTPException

from devtools.standin import pictures
from devtools.standin.app import App, View, json_reply
from devtools.standin.drawing import Generation, SecondPass
from devtools.standin.failures import CrashError, RefusalError
from devtools.standin.family import API, Family
from devtools.standin.queue import Task

_UNSET = "NONE"
# Sizes are multiples of it, for an SD 1 or SDXL model, in pixels.
_STEP = 64
# How A1111's names and aliases, in lower case, are understood beside the server's own.
_ALIASES = {
    "euler a": "euler_a", "k_euler_a": "euler_a", "k_euler": "euler", "k_heun": "heun",
    "k_dpm_2": "dpm2", "ddim": "ddim_trailing", "dpm++ 2m": "dpm++2m", "k_dpmpp_2m": "dpm++2m",
    "res multistep": "res_multistep", "res 2s": "res_2s",
    **{name: name for name in ("euler", "heun", "dpm2", "lcm")},
}  # fmt: skip
# What it reads, where a type counts, and what it takes for what is missing.
_DEFAULTS: Mapping[str, Any] = {
    "prompt": "", "negative_prompt": "", "width": 512, "height": 512, "steps": 20,
    "cfg_scale": 7.0, "seed": -1, "batch_size": 1, "clip_skip": -1, "sampler_name": "",
    "scheduler": "", "enable_hr": False, "hr_scale": 2.0, "hr_resize_x": 0, "hr_resize_y": 0,
    "hr_steps": 0, "hr_upscaler": "Latent", "mask": "", "inpainting_mask_invert": 0,
}  # fmt: skip
# What other servers of its kind can be asked besides.
_FIXED: Mapping[str, Any] = {
    "n_iter": 1, "styles": [], "subseed": 0, "subseed_strength": 0, "resize_mode": 0,
    "seed_resize_from_w": 0, "seed_resize_from_h": 0,
}  # fmt: skip
# The names of types in C++; a boolean passes for a number there.
_KINDS: Mapping[type, str] = {
    bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object",
}  # fmt: skip


class SdCppApp(App):
    """A server without logins, without a schema, and without words for what it does not have."""

    def views(self) -> dict[str, View]:
        return {
            f"POST {API}txt2img": lambda: self._generate("txt2img"),
            f"POST {API}img2img": lambda: self._generate("img2img"),
        }

    @override
    def is_guarded(self, path: str) -> bool:
        return False

    def refused(self, error: RefusalError) -> Response:
        return json_reply({"error": error.detail}, error.status)

    def crashed(self, error: CrashError) -> Response:
        return json_reply({"error": error.name, "message": str(error)}, 500)

    @override
    def not_found(self, error: HTTPException) -> Response:
        return Response(status=404)

    def _generate(self, kind: str) -> dict[str, Any]:
        body = _body(request.get_data())
        values = _values(self.family, body, is_txt2img=kind == "txt2img")
        task = Task(job="img_gen")
        with self.queue.work_on(task):
            drawing = SdCppGeneration(self.state, values, self.state.options)
            drawing.run(task)
        pairs = zip(drawing.images, drawing.infotexts, strict=True)
        images = [self.state.files.text(one, "png", text) for one, text in pairs]
        return {"images": images, "info": json.dumps(drawing.info()), "parameters": body}


class SdCppGeneration(Generation):
    """A run whose values are already such that they can be drawn."""

    def find_loras(self) -> list[str]:
        return list(self.values["lora"])

    def prepare(self) -> SecondPass | None:
        # All that comes out has this size, whatever was asked.
        (width, height), remarks = self.values["final_size"], self.values["hires"]
        return SecondPass(width, height, 0, remarks.get("Hires upscale", ""), remarks=remarks)

    @override
    def fail_for_memory(self, leftover: str) -> None:
        raise RefusalError(500, "generate_image returned no results")


def _body(data: bytes) -> dict[str, Any]:
    if not data:
        raise RefusalError(400, "empty body")
    try:
        body = json.loads(data)
    except ValueError as error:
        text = f"[json.exception.parse_error.101] parse error: syntax error: {error}"
        raise CrashError("server_error", text) from error
    for name, default in _DEFAULTS.items():
        wanted, kind = _KINDS[type(default)], _KINDS.get(type(body.get(name, default)), "null")
        if kind != wanted and (wanted, kind) != ("number", "boolean"):
            text = f"[json.exception.type_error.302] type must be {wanted}, but is {kind}"
            raise CrashError("server_error", text)
    return dict(body)


def _values(family: Family, body: Mapping[str, Any], *, is_txt2img: bool) -> dict[str, Any]:
    """What will be drawn, or the RefusalError of the request's first mistake.

    Sampler and scheduler are NONE where the model's own will do. `final_size` is the picture's, and
    `hires` what the infotext says of a second pass.
    """
    values = {**_DEFAULTS, "denoising_strength": 0.7 if is_txt2img else 0.75, **body, **_FIXED}
    if values["width"] <= 0 or values["height"] <= 0:
        raise RefusalError(400, "width and height must be positive")
    if not values["prompt"]:
        raise RefusalError(400, "prompt required")
    if values["cfg_scale"] < 0 or not 0 <= values["denoising_strength"] <= 1:
        raise RefusalError(400, "invalid params")
    known, name = family.names("samplers"), values["sampler_name"]
    sampler = name if name in known[1:] else _ALIASES.get(name.lower(), _UNSET)
    # Exactly as written or the model's own, without a word.
    named = values["scheduler"] in family.names("schedulers")[1:]
    scheduler = values["scheduler"] if named else _UNSET
    values |= {
        "width": int(values["width"]),
        "height": int(values["height"]),
        "steps": min(max(int(values["steps"]), 1), 100),
        "batch_size": min(max(int(values["batch_size"]), 1), 8),
        "seed": int(values["seed"]) if values["seed"] >= 0 else secrets.randbelow(2**31),
        "clip_skip": max(int(values["clip_skip"]), 1),
        "sampler_name": sampler,
        "scheduler": scheduler,
        "sampler_and_scheduler": f"{sampler} {scheduler}".removesuffix(f" {_UNSET}"),
        "schedule": {} if scheduler == _UNSET else {"Schedule type": scheduler},
        "lora": _loras(family, values.get("lora")),
        "own_json": json.dumps({"loras": values.get("lora", [])}),
        "final_size": (_up(values["width"]), _up(values["height"])),
        "hires": {},
        "inputs": [],
        "mask": pictures.decode(values["mask"]),
    }
    if is_txt2img and values["enable_hr"] and values["hr_upscaler"] != "None":
        _add_second_pass(family, values)
    elif not is_txt2img and (source := pictures.decode(str([*values["init_images"], ""][0]))):
        values["inputs"] = [source]
    return values


def _up(pixels: float) -> int:
    return -(-round(pixels) // _STEP) * _STEP


def _add_second_pass(family: Family, values: dict[str, Any]) -> None:
    """The size that comes out, and what the infotext says of it."""
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
