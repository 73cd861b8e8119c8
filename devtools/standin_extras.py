"""The endpoints that work on a finished picture: enlarging it and reading its text."""

from typing import Any

from PIL import Image

from devtools import infotext, pictures
from devtools.standin_generation import decode_input, encode_all
from devtools.standin_queue import Task
from devtools.standin_state import CrashError, State


def enlarge(state: State, values: dict[str, Any]) -> dict[str, Any]:
    """The reply to extra-single-image."""
    picture = decode_input(values["image"])
    task = Task(job="extras")
    with state.queue.work_on(task):
        task.job_count = 1
        names = [one.name for one in state.catalogue.upscalers]
        for name in (values["upscaler_1"], values["upscaler_2"]):
            if name not in names:
                raise CrashError("AssertionError", f"could not find upscaler named {name}")
        state.queue.sample(task, 1, state.delay)
        if values["upscaler_1"] != "None":
            picture = _resize(picture.convert("RGB"), values)
    return {"html_info": "", "image": encode_all(state, [picture])[0]}


def _resize(picture: Image.Image, values: dict[str, Any]) -> Image.Image:
    width, height = values["upscaling_resize_w"], values["upscaling_resize_h"]
    if values["resize_mode"] == 0:
        factor = values["upscaling_resize"]
    else:
        factor = max(width / picture.width, height / picture.height)
    picture = picture.resize((round(picture.width * factor), round(picture.height * factor)))
    if values["resize_mode"] == 0 or not values["upscaling_crop"]:
        return picture
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))


def read_png_info(image: str) -> dict[str, Any]:
    """The reply to png-info; a picture without text gives empty values."""
    texts = pictures.texts_inside(decode_input(image.strip()))
    text = texts.pop("parameters", "")
    return {"info": text, "items": texts, "parameters": infotext.read(text)}
