"""SD.Next, which guards every route, forgives spellings and keeps its failures to itself."""

import dataclasses
import math
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from flask import Response, request
from PIL import ImageFilter

from devtools.standin.a1111 import A1111App
from devtools.standin.app import View, json_reply
from devtools.standin.drawing import Generation, SecondPass, decode_input, target_size
from devtools.standin.family import API, Checkpoint, CrashError, Family, RefusalError, without_hash
from devtools.standin.pictures import Sketch, drawn, text_of
from devtools.standin.queue import Task
from devtools.standin.state import MODEL, Start, State


class SdNextState(State):
    """Every change of the model loads it at once, and back again when a generation is over."""

    def save(self, given: Mapping[str, Any]) -> object:
        """Take whatever is known, even a model that does not exist."""
        known = {name: one for name, one in given.items() if name in self.options}
        updated = [{name: known.get(name) != self.options.get(name)} for name in given]
        self.options.update(known)
        self._look_up(known)
        if MODEL in known:
            self.has_model = self.find_checkpoint(known[MODEL]) is not None
            self._load(self.options)
        return {"updated": updated}

    def find_checkpoint(self, spelling: object) -> Checkpoint | None:
        """Case is forgiven and a folder or a hash left out; a file's ending is too much."""
        wanted = str(spelling).lower()
        for one in self.checkpoints:
            bare = without_hash(one.title)
            names = (one.title, bare, PurePosixPath(bare).name, one.listing["filename"])
            if wanted in [name.lower() for name in names] or spelling == one.listing["hash"]:
                return one
        return None

    def vae(self, options: Mapping[str, Any]) -> str | None:
        return super().vae(options) or super().vae({"sd_vae": f"{options['sd_vae']}.safetensors"})

    def settings(self, overrides: Mapping[str, Any], *, restore: bool) -> dict[str, Any]:
        """Unknown options go nowhere, without a word."""
        known = {name: value for name, value in overrides.items() if name in self.options}
        return super().settings(known, restore=restore)


class SdNextApp(A1111App):
    """SD.Next, which answers 204 where there is nothing to say."""

    def __init__(self, state: State, start: Start) -> None:
        super().__init__(state, start)
        self._rate: tuple[float, float] = start.get("rate_limit", (math.inf, 0.0))
        self._began: dict[str, list[float]] = defaultdict(list)

    def views(self) -> dict[str, View]:
        return {
            **super().views(),
            f"POST {API}preprocess": self._preprocess,
            f"POST {API}openclip": lambda: self._caption("caption", f"{API}openclip"),
            f"POST {API}tagger": lambda: self._caption("tags", f"{API}tagger/models"),
            f"POST {API}vqa": lambda: self._caption("answer", f"{API}vqa/models"),
            f"POST {API}rembg": lambda: self.cut_out(self.body()),
        }

    def _caption(self, key: str, listing: str) -> dict[str, Any]:
        """Say nothing of an unknown vision model, refuse others; the first is taken for none."""
        values, listed = self.body(), self.family.replies[listing]
        known = [one["name"] if isinstance(one, dict) else one for one in listed]
        model = values.get("model", known[0])
        if model not in known and key != "answer":
            raise RefusalError(404, "Model not found")
        words = values.get("question") or model if key == "answer" else model
        text = self.put_into_words(values.get("image"), words)
        return {key: text if model in known else ""}

    def refresh(self) -> None:
        """Wait for nobody."""

    def generate(self, kind: str, fields: dict[str, Any]) -> dict[str, Any]:
        self._keep_to_the_rate(kind)
        state, values = self.state, dict(fields)
        if kind == "img2img":
            self.open_inputs(values)
        values["sampler_name"] = _sampler(self.family, values["sampler_name"])
        values["script"] = self.script(kind, values)
        values["sampler_said"] = values["sampler_name"].removeprefix("Default")
        task, model = Task(job=f"API-{kind[:3].upper()}"), values["sd_model_checkpoint"]
        restore = values["override_settings_restore_afterwards"]
        with self.queue.work_on(task):
            if not state.has_model or (model and not state.find_checkpoint(model)):
                return {"images": [], "parameters": fields, "info": ""}
            # A request's own field: for good, and for everyone.
            state.settings({MODEL: model} if model else {}, restore=False)
            options = state.settings(values["override_settings"] or {}, restore=restore)
            try:
                drawing = SdNextGeneration(state, values | values["extra"], options)
                drawing.run(task)
            finally:
                state.settings({}, restore=True)
        reply = self.reply(fields, drawing)
        return {**reply, "info": ""} if drawing.bare else reply

    def _preprocess(self) -> dict[str, Any] | Response:
        given = request.get_json()
        if given["model"] not in self.family.names("preprocessors"):
            return json_reply({"error": f"Processor model not found: id={given['model']}"}, 400)
        edges = decode_input(given["image"]).convert("L").filter(ImageFilter.FIND_EDGES)
        return {"model": given["model"], "image": text_of(edges, "png")}

    def _keep_to_the_rate(self, kind: str) -> None:
        most, seconds = self._rate
        began = time.monotonic() - seconds
        recent = self._began[kind] = [one for one in self._began[kind] if one > began]
        if len(recent) >= most:
            raise RefusalError(429, f"127.0.0.1:{API}{kind}: rate limit exceeded")
        recent.append(time.monotonic())


class SdNextGeneration(Generation):
    """`bare` says that the reply goes out with an empty `info`."""

    bare = False

    def prepare(self) -> SecondPass | None:
        values = self.values
        values["width"], values["height"] = values["width"] // 8 * 8, values["height"] // 8 * 8
        self.fails = min(values["width"], values["height"]) < 0
        if "inputs" in values:
            self.fails |= values["denoising_strength"] > 1
            self.remarks["Denoising strength"] = values["denoising_strength"]
            # Counted from 1 here; 0 leaves the input as it is, which shows as filled up.
            values["resize_mode"] = values["resize_mode"] - 1 if values["resize_mode"] else 2
        if values["detailer_enabled"]:
            models = values["detailer_models"] or self.options["detailer_models"]
            if told := self.options["detailer_args"]:
                models = told.split(",")
            prompt, strength = values["detailer_prompt"], values["detailer_strength"]
            self.remarks |= {"Detailer": ", ".join(models), "Detailer strength": strength}
            self.remarks |= {"Detailer prompt": prompt} if prompt else {}
            known = self.state.family.names("detailers")
            found = tuple(name for name in models if name in known)
            self.applied = dataclasses.replace(self.applied, detailers=found)
        return _second_pass(values) if values["enable_hr"] else None

    def after_first_pass(self) -> None:
        if self.values["hr_upscaler"] is None and self.values["hr_resize_mode"] > 0:
            raise CrashError("AttributeError", "'NoneType' object has no attribute 'lower'")

    def fail_for_memory(self, leftover: str) -> None:
        """Give what there is: nothing, or the preview of a picture that was never finished."""
        self.state.queue.task.interrupted = True
        # A preview keeps the text of the picture it was to become, which thus comes twice.
        self.infotexts = [self.infotext(0)] * (2 if leftover == "preview" else 1)
        if leftover == "nothing":
            return
        picture = self.draw(0, self.values["width"], self.values["height"], "unfinished")
        picture = drawn(picture) if isinstance(picture, Sketch) else picture
        picture = picture.filter(ImageFilter.GaussianBlur(8))
        if leftover == "bare preview":
            self.bare, self.infotexts = True, []
            picture = picture.resize((picture.width // 8 or 1, picture.height // 8 or 1))
        self.images = [picture]


def _sampler(family: Family, wanted: str) -> str:
    """In any case; the model's own, "Default", is taken but not listed."""
    for name in ("Default", *family.names("samplers")):
        if name.lower() == wanted.lower():
            return name
    raise RefusalError(404, "Sampler not found")


def _second_pass(values: Mapping[str, Any]) -> SecondPass:
    """Return what a second pass does here: it enlarges, draws again, both, or nothing at all.

    `hr_resize_mode` alone enlarges, and only a latent upscaler or `hr_force` draws again. An
    unknown upscaler means plain resampling, without a word.
    """
    mode, upscaler = values["hr_resize_mode"], values["hr_upscaler"] or ""
    enlarges, latent = mode > 0 and upscaler != "None", upscaler.lower().startswith("latent")
    strength = values["hr_denoising_strength"] or values["denoising_strength"]
    draws = (latent or values["hr_force"]) and strength > 0
    width, height = target_size(values) if enlarges else (values["width"], values["height"])
    remarks: dict[str, Any] = {}
    if enlarges:
        scale = values["hr_scale"]
        remarks = {"HiRes mode": mode, "Hires upscaler": upscaler, "Hires scale": scale}
    if draws:
        told = {"Hires force": True, "Hires steps": values["hr_second_pass_steps"]}
        remarks |= {**told, "Hires strength": values["hr_denoising_strength"]}
    steps = (values["hr_second_pass_steps"] or values["steps"]) if draws else 0
    return SecondPass(width, height, steps, upscaler, remarks)
