"""stable-diffusion.cpp's server: one model, no queue to look into, and hardly an option."""

import base64
import contextlib
import json
from collections.abc import Iterator
from typing import Any

from PIL import Image

from devtools import infotext, pictures
from devtools.standin_checks import is_too_large
from devtools.standin_errors import RefusalError
from devtools.standin_queue import Task
from devtools.standin_redrawing import redraw
from devtools.standin_sdcpp_request import Body, Wanted, read
from devtools.standin_state import Applied, State

_VERSION = "stable-diffusion.cpp"
# Of an SD 1 or SDXL model, in pixels.
_STEP = 64


def generate(state: State, kind: str, request: bytes) -> dict[str, Any]:
    """The reply to a txt2img or img2img request; nothing of it is logged or saved."""
    body = Body(request)
    wanted = read(body, state.catalogue, hires=kind == "txt2img")
    size = _up(wanted.width), _up(wanted.height)
    if wanted.hires:
        size = _target(wanted)
    task = Task()
    with state.queue.work_on(task):
        task.job_count = 1
        failed = bool(state.memory_failures) or is_too_large(*size)
        if failed:
            with contextlib.suppress(IndexError):
                state.memory_failures.popleft()
            raise RefusalError(500, "generate_image returned no results")
        state.queue.sample(task, wanted.steps, state.delay * wanted.count)
        drawn = list(_drawn(state, body, wanted, size, repaint=kind == "img2img"))
    texts = [_infotext(state, wanted, place) for place in range(wanted.count)]
    files = [pictures.encode(one, "png", text) for one, text in zip(drawn, texts, strict=True)]
    info = _info(state, wanted, texts)
    return {
        "images": [base64.b64encode(file).decode() for file in files],
        "info": json.dumps(info),
        "parameters": body.json,
    }


def _drawn(
    state: State, body: Body, wanted: Wanted, size: tuple[int, int], *, repaint: bool
) -> Iterator[Image.Image]:
    applied = Applied(
        model=state.loaded.name_for_extra,
        sampler=wanted.sampler,
        scheduler=wanted.scheduler,
        loras=wanted.loras,
        clip_skip=max(wanted.clip_skip, 1),
        upscaler=wanted.hires.upscaler if wanted.hires else "",
    )
    remark = ", ".join([f"{wanted.sampler} {wanted.scheduler}", applied.model, *wanted.loras])
    source = pictures.decode(str(next(iter(body.list("init_images")), ""))) if repaint else None
    for place in range(wanted.count):
        picture = pictures.draw(*size, wanted.prompt, wanted.seed + place, remark=remark)
        state.drawn.append(applied)
        if source:
            mask = body.text("mask")
            values = {
                "resize_mode": 0,
                "denoising_strength": body.number("denoising_strength", 0.75),
                "mask": pictures.decode(mask) if mask else None,
                "inpainting_mask_invert": body.integer("inpainting_mask_invert", 0),
            }
            picture = redraw(source, picture, values)
        yield picture


def _up(pixels: int) -> int:
    return -(-pixels // _STEP) * _STEP


def _target(wanted: Wanted) -> tuple[int, int]:
    """One side alone makes a square of it."""
    hires = wanted.hires
    assert hires is not None  # noqa: S101 - for the type checker; the caller has looked
    if hires.width or hires.height:
        return _up(hires.width or hires.height), _up(hires.height or hires.width)
    return _up(round(_up(wanted.width) * hires.scale)), _up(round(_up(wanted.height) * hires.scale))


def _infotext(state: State, wanted: Wanted, place: int) -> str:
    hires = wanted.hires
    scheduled = "" if wanted.scheduler == "NONE" else f" {wanted.scheduler}"
    parameters = {
        "Steps": wanted.steps,
        "CFG scale": f"{wanted.cfg_scale:f}",
        "Guidance": "3.500000",
        "Eta": "inf",
        "Seed": wanted.seed + place,
        "Size": f"{wanted.width}x{wanted.height}",
        "Model": state.loaded.name,
        "RNG": "cuda",
        "Sampler": f"{wanted.sampler}{scheduled}",
        "Clip skip": wanted.clip_skip if wanted.clip_skip > 0 else None,
        "Hires upscale": hires.upscaler if hires else None,
        "Hires scale": f"{hires.scale:f}" if hires else None,
        "Hires resize": f"{hires.width}x{hires.height}" if hires else None,
        "Hires steps": hires.steps if hires else None,
        "Denoising strength": f"{hires.strength:f}" if hires else None,
        "Version": _VERSION,
        "SDCPP": json.dumps({"loras": wanted.loras}),
    }
    return infotext.write(wanted.prompt, wanted.negative_prompt, parameters)


def _info(state: State, wanted: Wanted, texts: list[str]) -> dict[str, Any]:
    scheduled = {"extra_generation_params": {"Schedule type": wanted.scheduler}}
    negative = {"negative_prompt": wanted.negative_prompt} if wanted.negative_prompt else {}
    return {
        "prompt": wanted.prompt,
        **negative,
        "seed": wanted.seed,
        "cfg_scale": wanted.cfg_scale,
        "width": wanted.width,
        "height": wanted.height,
        "steps": wanted.steps,
        "sampler_name": wanted.sampler,
        **({"clip_skip": wanted.clip_skip} if wanted.clip_skip > 0 else {}),
        **({} if wanted.scheduler == "NONE" else scheduled),
        "sd_model_name": state.loaded.name,
        "version": _VERSION,
        "infotexts": texts,
        "all_prompts": [wanted.prompt] * wanted.count,
        "all_negative_prompts": [wanted.negative_prompt] * wanted.count,
        "all_seeds": [wanted.seed + place for place in range(wanted.count)],
    }
