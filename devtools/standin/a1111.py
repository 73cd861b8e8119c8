"""AUTOMATIC1111 and its forks: how they understand a request, draw it and report on it.

Here are the silences for which these servers are known: an unknown sampler or scheduler is
replaced by another.
"""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, request
from PIL import Image

from devtools.standin import infotext, pictures
from devtools.standin.app import App, View, json_reply
from devtools.standin.drawing import (
    MOST_PIXELS,
    Generation,
    SecondPass,
    decode_input,
    target_size,
)
from devtools.standin.failures import CrashError, RefusalError, out_of_memory
from devtools.standin.family import API, Family
from devtools.standin.queue import Task
from devtools.standin.schema import Fields, read_fields

# The built-in LoRA extension registers its routes itself and forgets the login.
_UNGUARDED = (f"{API}loras", f"{API}refresh-loras")
_REFRESHED = ("checkpoints", "vae", "loras", "embeddings")
# Request field, name in an infotext, type.
_FROM_INFOTEXT: tuple[tuple[str, str, Callable[[str], Any]], ...] = (
    ("prompt", "Prompt", str),
    ("negative_prompt", "Negative prompt", str),
    ("steps", "Steps", int),
    ("sampler_name", "Sampler", str),
    ("scheduler", "Schedule type", str),
    ("cfg_scale", "CFG scale", float),
    ("seed", "Seed", int),
    ("width", "Size-1", int),
    ("height", "Size-2", int),
    ("denoising_strength", "Denoising strength", float),
)


class A1111App(App):
    """AUTOMATIC1111 or one of its forks."""

    def views(self) -> Mapping[str, View]:
        queue = self.state.queue
        return {
            **{f"POST {API}refresh-{what}": self.refresh for what in _REFRESHED},
            f"POST {API}txt2img": lambda: self.generate("txt2img", self.fields()),
            f"POST {API}img2img": lambda: self.generate("img2img", self.fields()),
            f"POST {API}extra-single-image": lambda: self._enlarge(self.fields().values),
            f"POST {API}png-info": lambda: _png_info(self.fields().values),
            f"POST {API}interrupt": self.interrupt,
            f"GET {API}progress": self._progress,
            "POST /internal/progress": lambda: self.task_progress(self.fields().values),
            "GET /internal/pending-tasks": queue.pending_tasks,
        }

    def fields(self) -> Fields:
        """The request's fields, converted; a RefusalError where they cannot be."""
        try:
            body = json.loads(request.get_data() or "null")
        except json.JSONDecodeError as error:
            complaint = {"loc": ["body", error.pos], "msg": "JSON decode error"}
            raise RefusalError(422, [{**complaint, "type": "json_invalid"}]) from error
        return read_fields(self.family.replies["/openapi.json"], request.path, body)

    def is_guarded(self, path: str) -> bool:
        return super().is_guarded(path) and path not in _UNGUARDED

    def refused(self, error: RefusalError) -> Response:
        if isinstance(error.detail, list):
            return json_reply({"detail": error.detail}, error.status)
        if not self.family.traits.plain_refusals:
            # The header that asks for a login is lost on the way.
            told = {"error": "HTTPException", "detail": error.detail, "body": "", "errors": ""}
            return json_reply(told, error.status)
        response = json_reply({"detail": error.detail}, error.status)
        if error.status == 401:
            response.headers["WWW-Authenticate"] = "Basic"
        return response

    def crashed(self, error: CrashError) -> Response:
        told = {"error": error.name, "detail": "", "body": ""}
        return json_reply({**told, self.family.traits.crash_key: str(error)}, 500)

    def interrupt(self) -> object:
        """Stop the running task, whosever it is."""
        self.state.queue.interrupt()
        return {}

    def refresh(self) -> object:
        """Look at the folders again, when nobody draws."""
        with self.state.queue.turn():
            return None

    def task_progress(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """How far one task is."""
        idle = self.family.replies["POST /internal/progress"]
        return {**idle, **self.state.queue.task_progress(values["id_task"])}

    def generate(self, kind: str, fields: Fields) -> dict[str, Any]:
        """The reply to a txt2img or img2img request."""
        state, values = self.state, dict(fields.values)
        _fill_from_infotext(values, fields.given)
        _choose_sampler(self.family, values)
        script = choose_script(self.family, kind, values)
        inputs = self.inputs(values) if kind == "img2img" else []
        task = Task.named(values["force_task_id"], kind)
        restore = values["override_settings_restore_afterwards"]
        with state.queue.work_on(task):
            options = state.settings(values["override_settings"] or {}, restore=restore)
            drawing = A1111Generation(state, values, options, inputs, script)
            drawing.run(task)
        return self.reply(kind, fields, drawing)

    def reply(self, kind: str, fields: Fields, drawing: Generation) -> dict[str, Any]:
        """What a finished generation sends."""
        parameters = dict(fields.values)
        if kind == "img2img" and not parameters["include_init_images"]:
            parameters |= {"init_images": None, "mask": None}
        # Options are back to what they were before the pictures are encoded.
        images = self.encoded(drawing) if fields.values["send_images"] else []
        return {"images": images, "parameters": parameters, "info": json.dumps(drawing.info())}

    def inputs(self, values: dict[str, Any]) -> list[Image.Image]:
        """Img2img's pictures; the mask becomes one too."""
        if values["init_images"] is None:
            raise RefusalError(404, "Init image not found")
        values["mask"] = decode_input(values["mask"]) if values["mask"] else None
        return [decode_input(text) for text in values["init_images"]]

    def encoded(self, drawing: Generation) -> list[str]:
        """Its pictures in the server's format, which it only now finds impossible."""
        file_format = self.state.options["samples_format"]
        if file_format.lower() not in pictures.FORMATS:
            raise RefusalError(500, "Invalid image format")
        spare = [None] * len(drawing.images)
        texts = [*drawing.infotexts, *spare][: len(drawing.images)]
        files = self.state.files
        return [
            files.text(one, file_format, text)
            for one, text in zip(drawing.images, texts, strict=True)
        ]

    def enlarges(self, wanted: list[str]) -> bool:
        """Whether these two upscalers change anything; an unknown one is a crash."""
        for name in wanted:
            if name not in self.family.names("upscalers"):
                raise CrashError("AssertionError", f"could not find upscaler named {name}")
        return wanted[0] != "None"

    def _enlarge(self, values: Mapping[str, Any]) -> dict[str, Any]:
        picture = decode_input(values["image"])
        task = Task(job="extras")
        with self.state.queue.work_on(task):
            task.job_count = 1
            enlarges = self.enlarges([values["upscaler_1"], values["upscaler_2"]])
            self.state.queue.sample(task, 1, self.state.delay)
            if enlarges:
                picture = _resized(picture.convert("RGB"), values)
        text = self.state.files.text(picture, self.state.options["samples_format"])
        return {"html_info": "", "image": text}

    def _progress(self) -> dict[str, Any]:
        idle = self.family.replies[f"{API}progress"]
        found = self.state.queue.server_progress()
        state = {name: found["state"].get(name, one) for name, one in idle["state"].items()}
        return {**idle, **found, "state": state}


class A1111Generation(Generation):
    """A run with two passes, a refiner and img2img, all of which can fall over."""

    def prepare(self) -> SecondPass | None:
        values = self.values
        if values.get("firstphase_width") or values.get("firstphase_height"):
            # The fields of a forgotten API: whoever sets them loses the size.
            values["width"] = values["firstphase_width"]
            values["height"] = values["firstphase_height"]
        if "init_images" in values and not 0 < len(self.inputs) <= values["batch_size"]:
            text = f"bad number of images passed: {len(self.inputs)}; expecting "
            raise CrashError("RuntimeError", f"{text}{values['batch_size']} or less")
        self._find_refiner()
        _check_size(values["width"], values["height"])
        second = self._plan() if values.get("enable_hr") else None
        if second:
            _check_size(second.width, second.height)
            if values["firstpass_image"] is not None:
                raise CrashError("ValueError", "could not convert string to float")
        if second or self.inputs:
            self.remarks["Denoising strength"] = values["denoising_strength"]
        if self.loras:
            hashes = ", ".join(f"{one.name}: {one.hash}" for one in self.loras)
            self.remarks["Lora hashes"] = hashes
        return second

    def fail_for_memory(self, leftover: str) -> None:
        raise out_of_memory()

    def after_first_pass(self) -> None:
        values, family = self.values, self.state.family
        name = values["hr_sampler_name"]
        if name is not None and name not in family.names("samplers"):
            raise CrashError("AssertionError", f"bad sampler name: {name}")
        if family.traits.modules and values["hr_additional_modules"] is None:
            # The server looks in it for "Use same choices".
            raise CrashError("TypeError", "argument of type 'NoneType' is not iterable")
        if values["denoising_strength"] is None:
            text = "'>' not supported between instances of 'NoneType' and 'int'"
            raise CrashError("TypeError", text)

    def infotext(self, place: int) -> str:
        values, options = self.values, self.options
        varied = values["subseed_strength"] != 0
        wide, high = values["seed_resize_from_w"] or 0, values["seed_resize_from_h"] or 0
        parameters = {
            "Steps": values["steps"],
            "Sampler": values["sampler_name"],
            # None where the sampler's name says it.
            "Schedule type": values.get("scheduler"),
            "CFG scale": values["cfg_scale"],
            "Seed": self.seeds[place],
            "Size": f"{values['width']}x{values['height']}",
            "Model hash": self.checkpoint.shorthash,
            "Model": self.checkpoint.name_for_extra,
            "VAE hash": _hash(self.vae),
            "VAE": self.vae,
            **{f"Module {i}": name for i, name in enumerate(self.applied.modules, 1)},
            "Variation seed": self.subseeds[place] if varied else None,
            "Variation seed strength": values["subseed_strength"] if varied else None,
            "Seed resize from": f"{wide}x{high}" if wide > 0 and high > 0 else None,
            "Clip skip": self.applied.clip_skip if self.applied.clip_skip > 1 else None,
            "ENSD": int(options["eta_noise_seed_delta"]) or None,
            "Token merging ratio": options["token_merging_ratio"] or None,
            "Tiling": "True" if values["tiling"] else None,
            **self.remarks,
            "Version": self.state.family.version,
        }
        return infotext.write(self.prompt, self.negative_prompt, parameters)

    def info(self) -> dict[str, Any]:
        return {
            **super().info(),
            "restore_faces": bool(self.values["restore_faces"]),
            "face_restoration_model": None,
            "sd_model_name": self.checkpoint.name_for_extra,
            "sd_vae_name": self.vae,
            "sd_vae_hash": _hash(self.vae),
            "is_using_inpainting_conditioning": False,
            "version": self.state.family.version,
        }

    def _find_refiner(self) -> None:
        name, switch = self.values["refiner_checkpoint"], self.values["refiner_switch_at"]
        if name in (None, "", "None", "none"):
            return
        model = self.state.closest_checkpoint(name)
        if switch or not self.state.family.traits.refiner_waits:
            self.applied = dataclasses.replace(self.applied, refiner=model.name_for_extra)
            self.remarks |= {"Refiner": model.title, "Refiner switch at": switch}

    def _plan(self) -> SecondPass:
        """What is found wrong before the first pass is a CrashError here."""
        values, family = self.values, self.state.family
        remarks: dict[str, Any] = {}
        if values["hr_checkpoint_name"] not in (None, "", "Use same checkpoint"):
            model = self.state.closest_checkpoint(values["hr_checkpoint_name"])
            remarks["Hires checkpoint"] = model.title
        sampler = values["hr_sampler_name"] or values["sampler_name"]
        if sampler != values["sampler_name"]:
            remarks["Hires sampler"] = sampler
        scheduler = values.get("scheduler", "")
        if values.get("hr_scheduler"):
            # An unknown one means the model's own sigmas, without a word.
            scheduler = _scheduler(family, values["hr_scheduler"])
            remarks["Hires schedule type"] = scheduler
        if "hr_cfg" in values and (values["hr_cfg"] or family.traits.modules):
            remarks["Hires CFG Scale"] = values["hr_cfg"]
        modes = family.names("latent-upscale-modes")
        upscaler = values["hr_upscaler"] or modes[0]
        if upscaler not in (*modes, *family.names("upscalers")):
            raise CrashError("Exception", f"could not find upscaler named {upscaler}")
        if values["hr_resize_x"] or values["hr_resize_y"]:
            remarks["Hires resize"] = f"{values['hr_resize_x']}x{values['hr_resize_y']}"
        else:
            remarks["Hires upscale"] = values["hr_scale"]
        if values["hr_second_pass_steps"]:
            remarks["Hires steps"] = values["hr_second_pass_steps"]
        remarks["Hires upscaler"] = upscaler
        steps = values["hr_second_pass_steps"] or values["steps"]
        return SecondPass(*target_size(values), steps, upscaler, sampler, scheduler, remarks)


def _hash(vae: str | None) -> str | None:
    return hashlib.sha256(vae.encode()).hexdigest()[:10] if vae else None


def _check_size(width: int, height: int) -> None:
    """CrashError for a picture too small for one latent, or too large for a card."""
    if width < 8 or height < 8:
        shape = f"[1, 4, {height // 8}, {width // 8}]"
        text = f"Trying to create tensor with an empty dimension: {shape}"
        raise CrashError("RuntimeError", text)
    if width * height > MOST_PIXELS:
        raise out_of_memory()


def _fill_from_infotext(values: dict[str, Any], given: frozenset[str]) -> None:
    """Take from the `infotext` field what the request does not say itself."""
    found = infotext.read(values["infotext"] or "")
    try:
        for field, name, convert in _FROM_INFOTEXT:
            if found.get(name) and field in values and field not in given:
                values[field] = convert(found[name])
        overrides: dict[str, Any] = {}
        if "Model hash" in found:
            overrides["sd_model_checkpoint"] = found["Model hash"]
        if "Clip skip" in found:
            overrides["CLIP_stop_at_last_layers"] = int(found["Clip skip"])
    except ValueError as error:
        raise CrashError("ValueError", str(error)) from error
    values["override_settings"] = {**overrides, **(values["override_settings"] or {})}


def _choose_sampler(family: Family, values: dict[str, Any]) -> None:
    """Put the sampler and the scheduler's label that will really be used in their fields."""
    known = family.names("samplers")
    name = values["sampler_name"] or values["sampler_index"] or known[0]
    if family.traits.joined_samplers:
        if name not in known:
            raise RefusalError(404, "Sampler not found")
        values["sampler_name"] = name
        return
    schedulers = family.replies[f"{API}schedulers"]
    suffix: dict[str, Any] = {}
    for one in schedulers:
        for spelling in (one["label"], one["name"], *(one["aliases"] or ())):
            if name.endswith(f" {spelling}"):
                name, suffix = name.removesuffix(f" {spelling}"), one
                break
    name = name if name in known else known[0]
    own = family.replies[f"{API}samplers"][known.index(name)]["options"].get("scheduler")
    label = suffix["label"] if suffix and own != suffix["name"] else schedulers[0]["label"]
    asked = values["scheduler"]
    values["sampler_name"] = name
    values["scheduler"] = _scheduler(family, asked) if asked else label


def _scheduler(family: Family, spelling: str) -> str:
    """The label of the scheduler of exactly this name or label, or of the first of all."""
    known = family.replies[f"{API}schedulers"]
    found = [one["label"] for one in known if spelling in (one["label"], one["name"])]
    return str([*found, known[0]["label"]][0])


def always_on(family: Family) -> dict[str, bool]:
    """Of each script, by its title in lower case, whether it is always on."""
    entries = family.replies[f"{API}script-info"]
    return {one["name"].lower(): one["is_alwayson"] for one in entries}


def choose_script(family: Family, kind: str, values: Mapping[str, Any]) -> str:
    """The selectable script, after looking at the always-on ones; RefusalError if unknown."""
    known = always_on(family)
    offered = [name.lower() for name in family.replies[f"{API}scripts"][kind]]
    for name in (values["script_name"], *(values["alwayson_scripts"] or ())):
        if name and name.lower() not in offered:
            raise RefusalError(422, f"Script '{name}' not found")
    chosen = (values["script_name"] or "").lower()
    if chosen and known[chosen]:
        raise RefusalError(422, f"Script '{values['script_name']}' not found")
    if not all(known[name.lower()] for name in values["alwayson_scripts"] or ()):
        detail = "Cannot have a selectable script in the always on scripts params"
        raise RefusalError(422, detail)
    return chosen


def _resized(picture: Image.Image, values: Mapping[str, Any]) -> Image.Image:
    width, height = values["upscaling_resize_w"], values["upscaling_resize_h"]
    by_factor = values["resize_mode"] == 0
    to_size = max(width / picture.width, height / picture.height)
    factor = values["upscaling_resize"] if by_factor else to_size
    picture = picture.resize((round(picture.width * factor), round(picture.height * factor)))
    if by_factor or not values["upscaling_crop"]:
        return picture
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))


def _png_info(values: Mapping[str, Any]) -> dict[str, Any]:
    """What a picture's text says; one without any gives empty values."""
    texts = pictures.texts_inside(decode_input(values["image"].strip()))
    text = texts.pop("parameters", "")
    return {"info": text, "items": texts, "parameters": infotext.read(text)}
