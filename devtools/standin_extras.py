"""The endpoints that work on a finished picture: enlarging it, reading its text, describing it."""

from typing import Any

from PIL import Image

from devtools import infotext, pictures
from devtools.standin_errors import CrashError, RefusalError
from devtools.standin_images import decode_input, encode_all
from devtools.standin_queue import Task
from devtools.standin_state import State


def enlarge(state: State, values: dict[str, Any]) -> dict[str, Any]:
    """The reply to extra-single-image."""
    [picture] = _enlarge_all(state, [values["image"]], values)
    return {"html_info": "", "image": encode_all(state, [picture])[0]}


def enlarge_several(state: State, values: dict[str, Any]) -> dict[str, Any]:
    """The reply to extra-batch-images."""
    sources = [one.get("data") for one in values["imageList"]]
    return {"html_info": "", "images": encode_all(state, _enlarge_all(state, sources, values))}


def _enlarge_all(state: State, sources: list[Any], values: dict[str, Any]) -> list[Image.Image]:
    images = [decode_input(source) for source in sources]
    task = Task(job="extras")
    with state.queue.work_on(task):
        task.job_count = 1
        known = {one.name for one in state.catalogue.upscalers}
        wanted = [values["upscaler_1"], values["upscaler_2"]]
        unknown = [name for name in wanted if name not in known]
        if state.family.name == "sdnext":
            # It notes an unknown one in its log and gives the picture back as it came.
            enlarges = wanted[0] not in (*unknown, "None")
        elif unknown:
            raise CrashError("AssertionError", f"could not find upscaler named {unknown[0]}")
        else:
            enlarges = wanted[0] != "None"
        state.queue.sample(task, 1, state.delay * len(images))
        return [_resize(one.convert("RGB"), values) if enlarges else one for one in images]


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


def read_png_info(_state: State, values: dict[str, Any]) -> dict[str, Any]:
    """The reply to png-info; a picture without text gives empty values."""
    texts = pictures.texts_inside(decode_input(values["image"].strip()))
    text = texts.pop("parameters", "")
    return {"info": text, "items": texts, "parameters": infotext.read(text)}


def interrogate(_state: State, values: dict[str, Any]) -> dict[str, str]:
    """The reply to interrogate: a caption for a picture."""
    if not values["image"]:
        raise RefusalError(404, "Image not found")
    picture = decode_input(values["image"])
    if values["model"] not in ("clip", "deepdanbooru"):
        raise RefusalError(404, "Model not found")
    return {"caption": f"a picture of {picture.width} by {picture.height} pixels"}
