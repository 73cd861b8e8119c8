"""stable-diffusion.cpp's server: one model, hardly an option, and no conversion of anything."""

import contextlib
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from flask import Response, request
from PIL import Image
from werkzeug.exceptions import HTTPException

from devtools.standin import infotext, pictures
from devtools.standin.app import App, View, json_reply
from devtools.standin.drawing import MOST_PIXELS, redraw
from devtools.standin.failures import CrashError, RefusalError
from devtools.standin.family import API, Family
from devtools.standin.pictures import Sketch
from devtools.standin.queue import Task
from devtools.standin.state import Applied

_UNSET = "NONE"
_MOST_STEPS = 100
_MOST_IMAGES = 8
# Sizes are multiples of it, for an SD 1 or SDXL model, in pixels.
_STEP = 64
# How A1111's names and aliases, in lower case, are understood beside the server's own.
_ALIASES = {
    "euler a": "euler_a", "k_euler_a": "euler_a", "k_euler": "euler", "k_heun": "heun",
    "k_dpm_2": "dpm2", "ddim": "ddim_trailing", "dpm++ 2m": "dpm++2m", "k_dpmpp_2m": "dpm++2m",
    "dpm++ 2m sde": "dpm++2m_sde", "k_dpmpp_2m_sde": "dpm++2m_sde",
    "res multistep": "res_multistep", "res 2s": "res_2s",
}  # fmt: skip
# These are found in any case, the others only as they are written.
_IN_ANY_CASE = ("euler", "heun", "dpm2", "lcm")
# What it reads, where a type counts, and what it takes for what is missing.
_DEFAULTS: Mapping[str, Any] = {
    "prompt": "", "negative_prompt": "", "width": 512, "height": 512, "steps": 20,
    "cfg_scale": 7.0, "seed": -1, "batch_size": 1, "clip_skip": -1, "sampler_name": "",
    "scheduler": "", "enable_hr": False, "hr_scale": 2.0, "hr_resize_x": 0, "hr_resize_y": 0,
    "hr_steps": 0, "hr_upscaler": "Latent", "mask": "", "inpainting_mask_invert": 0,
}  # fmt: skip
# The names of types in C++; a boolean passes for a number there.
_KINDS: Mapping[type, str] = {
    bool: "boolean",
    int: "number",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


class SdCppApp(App):
    """A server without logins, without a schema, and without words for what it does not have."""

    def views(self) -> Mapping[str, View]:
        return {
            f"POST {API}txt2img": lambda: self._generate("txt2img"),
            f"POST {API}img2img": lambda: self._generate("img2img"),
        }

    def is_guarded(self, path: str) -> bool:
        return False

    def refused(self, error: RefusalError) -> Response:
        return json_reply({"error": error.detail}, error.status)

    def crashed(self, error: CrashError) -> Response:
        return json_reply({"error": error.name, "message": str(error)}, 500)

    def not_found(self, error: HTTPException) -> Response:
        return Response(status=404)

    def _generate(self, kind: str) -> dict[str, Any]:
        body = _body(request.get_data())
        values = _values(body, 0.75 if kind == "img2img" else 0.7)
        run = _read(self.family, values, hires=kind == "txt2img")
        state, task = self.state, Task()
        width, height = run.size
        with state.queue.work_on(task):
            task.job_count = 1
            failed = bool(state.memory_failures) or width * height > MOST_PIXELS
            if failed:
                with contextlib.suppress(IndexError):
                    state.memory_failures.popleft()
                raise RefusalError(500, "generate_image returned no results")
            state.queue.sample(task, run.steps, state.delay * run.count)
            drawn = list(self._drawn(run, values if kind == "img2img" else {}))
        model = state.loaded
        texts = [run.infotext(model.name, place) for place in range(run.count)]
        files = [state.files.text(one, "png", text) for one, text in zip(drawn, texts, strict=True)]
        return {
            "images": files,
            "info": json.dumps(run.info(model.name, texts)),
            "parameters": body,
        }

    def _drawn(self, run: "_Run", redrawing: Mapping[str, Any]) -> Iterator[Sketch | Image.Image]:
        applied = Applied(
            model=self.state.loaded.name_for_extra,
            sampler=run.sampler,
            scheduler=run.scheduler,
            loras=run.loras,
            clip_skip=max(run.clip_skip, 1),
            upscaler=run.upscaler,
        )
        remark = ", ".join([f"{run.sampler} {run.scheduler}", applied.model, *run.loras])
        given = redrawing.get("init_images")
        source = pictures.decode(str(given[0])) if isinstance(given, list) and given else None
        mask = pictures.decode(redrawing["mask"]) if redrawing.get("mask") else None
        noise = self.state.noise
        for place in range(run.count):
            sketch = Sketch(*run.size, run.prompt, run.seed + place, remark, noise)
            self.state.drawn.append(applied)
            how = {**redrawing, "resize_mode": 0, "mask": mask}
            yield redraw(source, sketch.drawn(), how) if source else sketch


@dataclass(frozen=True)
class _Run:
    """What is to be drawn; sampler and scheduler are NONE where the model's own will do.

    size: of the finished picture, where `width` and `height` are as asked. upscaler: of the second
    pass, "" without one; `hires` is what the infotext says of it.
    """

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
    size: tuple[int, int]
    upscaler: str
    hires: Mapping[str, object]

    def infotext(self, model: str, place: int) -> str:
        scheduled = "" if self.scheduler == _UNSET else f" {self.scheduler}"
        parameters = {
            "Steps": self.steps,
            "CFG scale": f"{self.cfg_scale:f}",
            "Guidance": "3.500000",
            "Eta": "inf",
            "Seed": self.seed + place,
            "Size": f"{self.width}x{self.height}",
            "Model": model,
            "RNG": "cuda",
            "Sampler": f"{self.sampler}{scheduled}",
            "Clip skip": self.clip_skip if self.clip_skip > 0 else None,
            **self.hires,
            "Version": "stable-diffusion.cpp",
            "SDCPP": json.dumps({"loras": self.loras}),
        }
        return infotext.write(self.prompt, self.negative_prompt, parameters)

    def info(self, model: str, texts: list[str]) -> dict[str, Any]:
        """The object that travels as a JSON string."""
        told = ("prompt", "seed", "cfg_scale", "width", "height", "steps")
        scheduled = {"extra_generation_params": {"Schedule type": self.scheduler}}
        return {
            **{name: getattr(self, name) for name in told},
            **({"negative_prompt": self.negative_prompt} if self.negative_prompt else {}),
            "sampler_name": self.sampler,
            **({"clip_skip": self.clip_skip} if self.clip_skip > 0 else {}),
            **({} if self.scheduler == _UNSET else scheduled),
            "sd_model_name": model,
            "version": "stable-diffusion.cpp",
            "infotexts": texts,
            "all_prompts": [self.prompt] * self.count,
            "all_negative_prompts": [self.negative_prompt] * self.count,
            "all_seeds": [self.seed + place for place in range(self.count)],
        }


def _body(data: bytes) -> dict[str, Any]:
    if not data:
        raise RefusalError(400, "empty body")
    try:
        body = json.loads(data)
    except ValueError as error:
        text = f"[json.exception.parse_error.101] parse error: syntax error: {error}"
        raise CrashError("server_error", text) from error
    if not isinstance(body, dict):
        text = f"cannot use value() with {_KINDS.get(type(body), 'null')}"
        raise CrashError("server_error", f"[json.exception.type_error.306] {text}")
    return body


def _values(body: Mapping[str, Any], strength: float) -> dict[str, Any]:
    """The body with its defaults; a value of the wrong type is a CrashError."""
    defaults = {**_DEFAULTS, "denoising_strength": strength}
    for name, default in defaults.items():
        wanted, kind = _KINDS[type(default)], _KINDS.get(type(body.get(name, default)), "null")
        if kind != wanted and (wanted, kind) != ("number", "boolean"):
            text = f"type must be {wanted}, but is {kind}"
            raise CrashError("server_error", f"[json.exception.type_error.302] {text}")
    return {**defaults, **body}


def _read(family: Family, values: Mapping[str, Any], *, hires: bool) -> _Run:
    """A request, or the RefusalError of its first mistake; `hires` allows a second pass."""
    width, height = int(values["width"]), int(values["height"])
    if width <= 0 or height <= 0:
        raise RefusalError(400, "width and height must be positive")
    if not values["prompt"]:
        raise RefusalError(400, "prompt required")
    if values["cfg_scale"] < 0:
        raise RefusalError(400, "invalid params")
    size, upscaler, remarks = (_up(width), _up(height)), "", {}
    if hires and values["enable_hr"] and values["hr_upscaler"] != "None":
        upscaler = values["hr_upscaler"] or "Latent"
        size, remarks = _second_pass(family, values, upscaler, size)
    seed = int(values["seed"])
    return _Run(
        prompt=values["prompt"],
        negative_prompt=values["negative_prompt"],
        width=width,
        height=height,
        steps=min(max(int(values["steps"]), 1), _MOST_STEPS),
        cfg_scale=values["cfg_scale"],
        seed=seed if seed >= 0 else secrets.randbelow(2**31),
        count=min(max(int(values["batch_size"]), 1), _MOST_IMAGES),
        clip_skip=int(values["clip_skip"]),
        sampler=_sampler(family, values["sampler_name"]),
        scheduler=_scheduler(family, values["scheduler"]),
        loras=_loras(family, values.get("lora")),
        size=size,
        upscaler=upscaler,
        hires=remarks,
    )


def _up(pixels: float) -> int:
    return -(-round(pixels) // _STEP) * _STEP


def _second_pass(
    family: Family, values: Mapping[str, Any], upscaler: str, size: tuple[int, int]
) -> tuple[tuple[int, int], dict[str, object]]:
    """The size it comes to, and what the infotext says of it."""
    wide, high = int(values["hr_resize_x"]), int(values["hr_resize_y"])
    scale, steps = values["hr_scale"], int(values["hr_steps"])
    if (
        upscaler not in (*family.names("latent-upscale-modes"), *family.names("upscalers"))
        or not 0 < values["denoising_strength"] <= 1
        or min(wide, high, steps) < 0
        or (scale <= 0 and not wide and not high)
    ):
        raise RefusalError(400, "invalid params")
    remarks: dict[str, object] = {
        "Hires upscale": upscaler,
        "Hires scale": f"{scale:f}",
        "Hires resize": f"{wide}x{high}",
        "Hires steps": steps,
        "Denoising strength": f"{values['denoising_strength']:f}",
    }
    if wide or high:
        # One side alone makes a square of it.
        return (_up(wide or high), _up(high or wide)), remarks
    return (_up(size[0] * scale), _up(size[1] * scale)), remarks


def _sampler(family: Family, name: str) -> str:
    """An unknown one is the model's own, without a word."""
    known, lower = family.names("samplers"), name.lower()
    if name in known:
        return _UNSET if name == "default" else name
    return _ALIASES.get(lower, lower if lower in _IN_ANY_CASE else _UNSET)


def _scheduler(family: Family, name: str) -> str:
    """Exactly as written or the model's own, without a word."""
    known = name in family.names("schedulers") and name != "default"
    return {"normal": "discrete"}.get(name, name) if known else _UNSET


def _loras(family: Family, listed: object) -> tuple[str, ...]:
    """What is no list counts as none."""
    files = [one["path"] for one in family.replies[f"{API}loras"]]
    entries = listed if isinstance(listed, list) else []
    paths = [str(one.get("path", "")) for one in entries if isinstance(one, dict)]
    for path in paths:
        if path not in files:
            told = f"invalid lora path: {path}" if path else "lora.path required"
            raise RefusalError(400, told)
    return tuple(PurePosixPath(path).stem for path in paths)
