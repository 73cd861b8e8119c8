"""txt2img and img2img from the request to the reply, on AUTOMATIC1111 and its forks."""

import json
from typing import Any

from PIL import Image

from devtools.standin_drawing import Generation
from devtools.standin_errors import RefusalError
from devtools.standin_images import decode_input, encode_all
from devtools.standin_queue import Task
from devtools.standin_report import describe
from devtools.standin_request import choose_sampler, choose_script, fill_from_infotext
from devtools.standin_schema import Fields
from devtools.standin_state import State


def generate(state: State, kind: str, request: Fields) -> dict[str, Any]:
    """The reply to a txt2img or img2img request."""
    values = dict(request.values)
    fill_from_infotext(values, request.given)
    choose_sampler(state.family, values)
    script = choose_script(state.catalogue, values)
    inputs = _inputs(values) if kind == "img2img" else []
    task = Task.named(values["force_task_id"], kind)
    overrides = values["override_settings"]
    restore = values["override_settings_restore_afterwards"]
    with state.queue.work_on(task), state.overriding(overrides, restore=restore):
        generation = Generation(state, task, values, inputs, script)
        generation.run()
    texts = generation.infotexts if state.options["enable_pnginfo"] else []
    images = encode_all(state, generation.images, texts) if values["send_images"] else []
    parameters = dict(request.values)
    if kind == "img2img" and not values["include_init_images"]:
        parameters |= {"init_images": None, "mask": None}
    return {"images": images, "parameters": parameters, "info": json.dumps(describe(generation))}


def _inputs(values: dict[str, Any]) -> list[Image.Image]:
    if values["init_images"] is None:
        raise RefusalError(404, "Init image not found")
    if values["mask"]:
        values["mask"] = decode_input(values["mask"])
    return [decode_input(text) for text in values["init_images"]]
