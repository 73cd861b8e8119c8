"""txt2img and img2img on SD.Next, which keeps its failures to itself."""

import json
from typing import Any

from PIL import Image, ImageFilter

from devtools.catalogue import Script
from devtools.standin_checks import is_too_large
from devtools.standin_drawing import Generation
from devtools.standin_errors import CrashError, RefusalError
from devtools.standin_hires import SecondPass, target
from devtools.standin_images import decode_input, encode_all
from devtools.standin_queue import Task
from devtools.standin_report_sdnext import describe, write_infotext
from devtools.standin_schema import Fields
from devtools.standin_state_sdnext import SdNextState

_CONTEXT_AWARE = 5


class SdNextGeneration(Generation):
    """`bare` says that the reply goes out with an empty `info`."""

    bare = False

    def prepare(self) -> SecondPass | None:
        values = self.values
        values["width"] = values["width"] // 8 * 8
        values["height"] = values["height"] // 8 * 8
        if self.loras:
            self.remarks["LoRA networks"] = ", ".join(str(one) for one in self.loras)
            self.remarks["LoRA hashes"] = ", ".join(one.hash for one in self.loras)
        if self.inputs:
            self.remarks["Denoising strength"] = values["denoising_strength"]
        second = _plan(values) if values.get("enable_hr") and not self.inputs else None
        self.note(second)
        if is_too_large(values["width"], values["height"]):
            self.state.memory_failures.append("nothing")
        return second

    @property
    def resize_mode(self) -> int:
        """Counted from 1 here; 0 leaves the input as it is, which shows as filled up."""
        mode: int = self.values["resize_mode"]
        return mode - 1 if mode else 2

    def infotext(self, place: int) -> str:
        return write_infotext(self, place)

    def after_first_pass(self) -> None:
        values = self.values
        if values["hr_upscaler"] is None and values["hr_resize_mode"] > 0:
            raise CrashError("AttributeError", "'NoneType' object has no attribute 'lower'")

    def fail_for_memory(self, leftover: str) -> None:
        """Give what there is: nothing, or the preview of a picture that was never finished."""
        self.task.interrupted = True
        if leftover == "nothing":
            return
        picture = self.draw(0, self.values["width"], self.values["height"], "unfinished")
        picture = picture.filter(ImageFilter.GaussianBlur(8))
        if leftover == "bare preview":
            self.bare = True
            self.images = [picture.resize((picture.width // 8 or 1, picture.height // 8 or 1))]
            return
        # A preview keeps the text of the picture it was to become, which thus comes twice.
        self.images = [picture]
        self.infotexts = [self.infotext(0)] * 2


def generate(state: SdNextState, kind: str, request: Fields) -> dict[str, Any]:
    """The reply to a txt2img or img2img request."""
    values = dict(request.values)
    parameters = dict(request.values)
    inputs: list[Image.Image] = []
    if kind == "img2img":
        inputs = [decode_input(text) for text in values["init_images"]]
        values["mask"] = decode_input(values["mask"]) if values["mask"] else None
        parameters |= {} if values["include_init_images"] else {"init_images": None, "mask": None}
    script = _selectable(state, values["script_name"])
    values["sampler_name"] = _sampler(state, values["sampler_name"] or values["sampler_index"])
    task = Task(job=f"API-{kind[:3].upper()}")
    nothing = {"images": [], "parameters": parameters, "info": ""}
    with state.queue.work_on(task):
        model = values["sd_model_checkpoint"]
        if model and not state.choose_model(model):
            return nothing
        if values["extra"] is None:
            raise CrashError("AttributeError", "'NoneType' object has no attribute 'items'")
        values |= values["extra"]
        _check_scripts(state, values["alwayson_scripts"])
        restore = values["override_settings_restore_afterwards"]
        with state.overriding(values["override_settings"] or {}, restore=restore):
            if not state.has_model:
                return nothing
            generation = SdNextGeneration(state, task, values, inputs, script)
            generation.run()
    texts = generation.infotexts[: len(generation.images)]
    images = encode_all(state, generation.images, texts) if values["send_images"] else []
    info = "" if generation.bare else json.dumps(describe(generation))
    return {"images": images, "parameters": parameters, "info": info}


def _sampler(state: SdNextState, name: object) -> str:
    if isinstance(name, str):
        for one in ("Default", *(sampler.name for sampler in state.catalogue.samplers)):
            if one.lower() == name.lower():
                return one
    raise RefusalError(404, "Sampler not found")


def _selectable(state: SdNextState, name: str | None) -> Script | None:
    """An unknown script is not run, without a word."""
    scripts = {one.name: one for one in state.catalogue.scripts if not one.is_alwayson}
    return scripts.get((name or "").lower())


def _check_scripts(state: SdNextState, names: dict[str, Any]) -> None:
    scripts = {one.name: one for one in state.catalogue.scripts}
    for name in names:
        script = scripts.get(name.lower())
        if script is None:
            raise RefusalError(422, f"Always on script not found: {name}")
        if not script.is_alwayson:
            detail = f"Selectable script cannot be in always on params: {name}"
            raise RefusalError(422, detail)


def _plan(values: dict[str, Any]) -> SecondPass:
    """What a second pass does here: it enlarges, draws again, both, or nothing at all.

    `hr_resize_mode` alone enlarges, and only a latent upscaler or `hr_force` draws again. An
    unknown upscaler means plain resampling, without a word.
    """
    mode, upscaler = values["hr_resize_mode"], values["hr_upscaler"]
    enlarges = mode > 0 and (upscaler != "None" or mode == _CONTEXT_AWARE)
    latent = (upscaler or "").lower().startswith("latent")
    strength = values["hr_denoising_strength"] or values["denoising_strength"]
    draws = (latent or values["hr_force"]) and strength > 0
    size = values["width"], values["height"]
    wanted = target(values)
    if enlarges and latent:
        # One factor for both sides: latents are not cropped.
        factor = max(wanted[0] / size[0], wanted[1] / size[1])
        size = int(size[0] * factor), int(size[1] * factor)
    elif enlarges and not _keeps_size(values):
        size = wanted
    remarks: dict[str, Any] = {}
    if enlarges:
        remarks["HiRes mode"] = mode
        remarks["Hires upscaler"] = upscaler
        remarks["Hires scale"] = values["hr_scale"]
        remarks["Hires size"] = f"{wanted[0]}x{wanted[1]}"
    if draws:
        remarks["Hires force"] = True
        remarks["Hires steps"] = values["hr_second_pass_steps"]
        remarks["Hires strength"] = strength
    sampler = values["hr_sampler_name"]
    sampler = values["sampler_name"] if sampler == "Same as primary" else sampler
    steps = (values["hr_second_pass_steps"] or values["steps"]) if draws else 0
    return SecondPass(*size, steps, remarks, upscaler or "", sampler, "", exact=not draws)


def _keeps_size(values: dict[str, Any]) -> bool:
    """Context-aware enlarging needs to be told a context, and there is no mode beyond it."""
    mode, context = values["hr_resize_mode"], values["hr_resize_context"].lower()
    if mode == _CONTEXT_AWARE:
        told = "add" in context or "remove" in context
        return not (told and ("forward" in context or "backward" in context))
    return bool(mode > _CONTEXT_AWARE)
