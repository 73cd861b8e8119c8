"""SD.Next, which guards every route, forgives spellings and keeps its failures to itself."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from flask import Response
from PIL import Image, ImageFilter

from devtools.standin import infotext
from devtools.standin.a1111 import A1111App, always_on
from devtools.standin.app import View, json_reply
from devtools.standin.drawing import (
    MOST_PIXELS,
    Generation,
    SecondPass,
    target_size,
)
from devtools.standin.failures import CrashError, RefusalError
from devtools.standin.family import API, Checkpoint, Family, without_hash
from devtools.standin.pictures import Sketch
from devtools.standin.queue import Task
from devtools.standin.schema import Fields
from devtools.standin.state import MODEL, State

_CONTEXT_AWARE = 5


class SdNextState(State):
    """Every change of the model loads it at once, and back again when a generation is over."""

    def vae(self, options: Mapping[str, Any]) -> str | None:
        names = (str(options["sd_vae"]), f"{options['sd_vae']}.safetensors")
        return next((one for one in names if one in self.family.names("sd-vae")), None)

    def find_checkpoint(self, spelling: object) -> Checkpoint | None:
        """Case is forgiven, a folder or a hash left out; a file's ending is not."""
        if not isinstance(spelling, str) or len(spelling) < 3:
            return None
        bare = without_hash(spelling).lower()
        for one in self.checkpoints:
            paths = (one.listing["filename"], one.shorthash)
            titles = (one.title, PurePosixPath(one.title).name, without_hash(one.title))
            if spelling in paths or spelling.lower() in [title.lower() for title in titles]:
                return one
        bares = [one for one in self.checkpoints if without_hash(one.title).lower() == bare]
        return bares[0] if len(bares) == 1 else None

    def settings(self, overrides: Mapping[str, Any], *, restore: bool) -> dict[str, Any]:
        """Unknown options go nowhere, without a word; `put_back` is to follow."""
        wanted = {name: value for name, value in overrides.items() if name in self.options}
        options = super().settings(wanted, restore=restore)
        if MODEL not in wanted or not restore:
            self.options[MODEL] = options[MODEL]
        return options

    def put_back(self) -> None:
        """Load the model of the options again, if it is not the one in memory."""
        wanted = self.find_checkpoint(self.options[MODEL])
        if wanted and wanted is not self.loaded:
            self.bring(wanted)


class SdNextApp(A1111App):
    """SD.Next, which answers 204 where there is nothing to say."""

    state: SdNextState

    def is_guarded(self, path: str) -> bool:
        return path.startswith((API, "/internal/"))

    def views(self) -> Mapping[str, View]:
        return {**super().views(), f"POST {API}refresh-loras": dict}

    def refused(self, error: RefusalError) -> Response:
        if isinstance(error.detail, dict | list):
            told = error.detail if isinstance(error.detail, dict) else {"detail": error.detail}
            return json_reply(told, error.status)
        told = {"error": "HTTPException", "code": error.status, "detail": error.detail, "body": ""}
        return json_reply({**told, "errors": f"{error.status}: {error.detail}"}, error.status)

    def crashed(self, error: CrashError) -> Response:
        told = {"error": error.name, "code": 500, "detail": "", "body": "", "errors": str(error)}
        return json_reply(told, 500)

    def interrupt(self) -> object:
        self.state.queue.interrupt()
        return Response(status=204)

    def refresh(self) -> object:
        return Response(status=204)

    def task_progress(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """No request over the API has a task's name, so none is ever found by one."""
        task = self.state.queue.task
        step = {"job": task.job, "step": task.sampling_step, "steps": max(task.sampling_steps, 1)}
        return {**self.family.replies["POST /internal/progress"], **step}

    def inputs(self, values: dict[str, Any]) -> list[Image.Image]:
        if values["init_images"] is None:
            raise RefusalError(400, {"error": "Init image is none"})
        return super().inputs(values)

    def enlarges(self, wanted: list[str]) -> bool:
        """It notes an unknown one in its log and gives the picture back as it came."""
        return wanted[0] != "None" and wanted[0] in self.family.names("upscalers")

    def generate(self, kind: str, fields: Fields) -> dict[str, Any]:
        state, values = self.state, dict(fields.values)
        inputs = self.inputs(values) if kind == "img2img" else []
        values["sampler_name"] = _sampler(self.family, values["sampler_name"])
        task = Task(job=f"API-{kind[:3].upper()}")
        with state.queue.work_on(task):
            model = values["sd_model_checkpoint"]
            if model and not state.find_checkpoint(model):
                return {"images": [], "parameters": fields.values, "info": ""}
            if model:
                # A request's own field: for good, and for everyone.
                state.settings({MODEL: model}, restore=False)
            if values["extra"] is None:
                raise CrashError("AttributeError", "'NoneType' object has no attribute 'items'")
            values |= values["extra"]
            script = _script(self.family, values)
            restore = values["override_settings_restore_afterwards"]
            options = state.settings(values["override_settings"] or {}, restore=restore)
            try:
                drawing = SdNextGeneration(state, values, options, inputs, script)
                drawing.run(task)
            finally:
                state.put_back()
        reply = self.reply(kind, fields, drawing)
        return {**reply, "info": ""} if drawing.bare else reply


class SdNextGeneration(Generation):
    """`bare` says that the reply goes out with an empty `info`."""

    bare = False

    def prepare(self) -> SecondPass | None:
        values = self.values
        values["width"], values["height"] = values["width"] // 8 * 8, values["height"] // 8 * 8
        if self.loras:
            networks = ", ".join(f"{one.name}:{one.weight}" for one in self.loras)
            self.remarks["LoRA networks"] = networks
            self.remarks["LoRA hashes"] = ", ".join(one.hash for one in self.loras)
        if self.inputs:
            self.remarks["Denoising strength"] = values["denoising_strength"]
        if values["width"] * values["height"] > MOST_PIXELS:
            self.state.memory_failures.append("nothing")
        return _plan(values) if values.get("enable_hr") and not self.inputs else None

    @property
    def resize_mode(self) -> int:
        """Counted from 1 here; 0 leaves the input as it is, which shows as filled up."""
        mode: int = self.values["resize_mode"]
        return mode - 1 if mode else 2

    def after_first_pass(self) -> None:
        if self.values["hr_upscaler"] is None and self.values["hr_resize_mode"] > 0:
            raise CrashError("AttributeError", "'NoneType' object has no attribute 'lower'")

    def fail_for_memory(self, leftover: str) -> None:
        """Give what there is: nothing, or the preview of a picture that was never finished."""
        if leftover == "nothing":
            return
        picture = self.draw(0, self.values["width"], self.values["height"], "unfinished")
        picture = picture.drawn() if isinstance(picture, Sketch) else picture
        picture = picture.filter(ImageFilter.GaussianBlur(8))
        if leftover == "bare preview":
            self.bare = True
            self.images = [picture.resize((picture.width // 8 or 1, picture.height // 8 or 1))]
            return
        # A preview keeps the text of the picture it was to become, which thus comes twice.
        self.images = [picture]
        self.infotexts = [self.infotext(0)] * 2

    def infotext(self, place: int) -> str:
        values = self.values
        several = values["n_iter"] > 1 or values["batch_size"] > 1
        varied = values["subseed_strength"] > 0
        iteration, index = divmod(place, values["batch_size"])
        parameters = {
            "Steps": values["steps"],
            "Size": f"{values['width']}x{values['height']}",
            "Sampler": None if values["sampler_name"] == "Default" else values["sampler_name"],
            "Scheduler": "EulerDiscreteScheduler",
            "Seed": self.seeds[place],
            "CFG scale": values["cfg_scale"],
            "CLiP-skip": values["clip_skip"] if values["clip_skip"] > 1 else None,
            "Batch": f"{values['n_iter']}x{values['batch_size']}" if several else None,
            "Styles": "; ".join(values["styles"] or []) or None,
            "App": "SD.Next",
            "Version": self.state.family.version,
            "Pipeline": "StableDiffusionPipeline",
            "Model": self.checkpoint.name_for_extra,
            "Model hash": self.checkpoint.shorthash,
            "VAE": PurePosixPath(self.vae).stem if self.vae else None,
            "Index": f"{iteration + 1}x{index + 1}" if several else None,
            "Variation seed": self.subseeds[place] if varied else None,
            "Variation strength": values["subseed_strength"] if varied else None,
            **self.remarks,
        }
        return infotext.write(self.prompt, self.negative_prompt, parameters, blank_line=True)

    def info(self) -> dict[str, Any]:
        told = {**super().info(), "cfg_end": None, "detailer": self.values["detailer_enabled"]}
        return {**told, "infotexts": self.infotexts or [self.infotext(0)]}


def _sampler(family: Family, wanted: str) -> str:
    """ "Default", the model's own, is taken but not listed."""
    for name in ("Default", *family.names("samplers")):
        if name.lower() == wanted.lower():
            return name
    raise RefusalError(404, "Sampler not found")


def _script(family: Family, values: Mapping[str, Any]) -> str:
    """The selectable script; an unknown one is not run, without a word."""
    known = always_on(family)
    for name in values["alwayson_scripts"]:
        if name.lower() not in known:
            raise RefusalError(422, f"Always on script not found: {name}")
        if not known[name.lower()]:
            detail = f"Selectable script cannot be in always on params: {name}"
            raise RefusalError(422, detail)
    wanted = (values["script_name"] or "").lower()
    return wanted if wanted in known and not known[wanted] else ""


def _plan(values: Mapping[str, Any]) -> SecondPass:
    """What a second pass does here: it enlarges, draws again, both, or nothing at all.

    `hr_resize_mode` alone enlarges, and only a latent upscaler or `hr_force` draws again. An
    unknown upscaler means plain resampling, without a word.
    """
    mode, upscaler = values["hr_resize_mode"], values["hr_upscaler"]
    enlarges = mode > 0 and (upscaler != "None" or mode == _CONTEXT_AWARE)
    latent = (upscaler or "").lower().startswith("latent")
    strength = values["hr_denoising_strength"] or values["denoising_strength"]
    draws = (latent or values["hr_force"]) and strength > 0
    size, wanted = (values["width"], values["height"]), target_size(values)
    if enlarges and latent:
        # One factor for both sides: latents are not cropped.
        factor = max(wanted[0] / size[0], wanted[1] / size[1])
        size = int(size[0] * factor), int(size[1] * factor)
    elif enlarges and mode < _CONTEXT_AWARE:
        # Context-aware enlarging needs to be told a context, and there is no mode beyond it.
        size = wanted
    remarks: dict[str, Any] = {}
    if enlarges:
        told = {"HiRes mode": mode, "Hires upscaler": upscaler, "Hires scale": values["hr_scale"]}
        remarks |= {**told, "Hires size": f"{wanted[0]}x{wanted[1]}"}
    if draws:
        told = {"Hires force": True, "Hires steps": values["hr_second_pass_steps"]}
        remarks |= {**told, "Hires strength": strength}
    sampler = values["hr_sampler_name"]
    sampler = values["sampler_name"] if sampler == "Same as primary" else sampler
    steps = (values["hr_second_pass_steps"] or values["steps"]) if draws else 0
    return SecondPass(*size, steps, upscaler or "", sampler, "", remarks, exact=not draws)
