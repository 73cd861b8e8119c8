"""txt2img and img2img from the request to the reply, and how images travel in both."""

import base64
import json
from collections.abc import Sequence
from typing import Any

from PIL import Image
from pydantic.v1 import BaseModel

from devtools import pictures
from devtools.standin_drawing import Generation
from devtools.standin_queue import Task
from devtools.standin_report import describe
from devtools.standin_request import choose_sampler, choose_script, fill_from_infotext
from devtools.standin_state import RefusalError, State


def generate(state: State, kind: str, request: BaseModel) -> dict[str, Any]:
    """The reply to a txt2img or img2img request."""
    values = request.dict()
    fill_from_infotext(values, request.__fields_set__)
    sampler = values["sampler_name"] or values["sampler_index"]
    values["sampler_name"], values["scheduler"] = choose_sampler(
        state.catalogue, sampler, values["scheduler"]
    )
    script = choose_script(state.catalogue, values)
    inputs = _inputs(values) if kind == "img2img" else []
    task = Task.named(values["force_task_id"], kind)
    overrides = values["override_settings"]
    restore = values["override_settings_restore_afterwards"]
    with state.queue.work_on(task), state.overriding(overrides, restore=restore):
        generation = Generation(state, task, values, inputs)
        if script:
            generation.remarks["Script"] = script.name.title()
        generation.run()
    texts = generation.infotexts if state.options["enable_pnginfo"] else []
    images = encode_all(state, generation.images, texts) if values["send_images"] else []
    parameters = request.dict()
    if kind == "img2img" and not values["include_init_images"]:
        parameters |= {"init_images": None, "mask": None}
    return {"images": images, "parameters": parameters, "info": json.dumps(describe(generation))}


def decode_input(text: object) -> Image.Image:
    picture = pictures.decode(text) if isinstance(text, str) else None
    if picture is None:
        raise RefusalError(500, "Invalid encoded image")
    return picture


def encode_all(state: State, images: Sequence[Image.Image], texts: Sequence[str] = ()) -> list[str]:
    """Base64 texts in the server's format, which it only now finds impossible."""
    file_format = state.options["samples_format"]
    if file_format.lower() not in ("png", "jpg", "jpeg", "webp"):
        raise RefusalError(500, "Invalid image format")
    padded = [*texts, *[None] * (len(images) - len(texts))]
    files = (
        pictures.encode(image, file_format, text)
        for image, text in zip(images, padded, strict=True)
    )
    return [base64.b64encode(file).decode() for file in files]


def _inputs(values: dict[str, Any]) -> list[Image.Image]:
    if values["init_images"] is None:
        raise RefusalError(404, "Init image not found")
    if values["mask"]:
        values["mask"] = decode_input(values["mask"])
    return [decode_input(text) for text in values["init_images"]]
