"""AUTOMATIC1111 and its forks: how they understand a request and what they fall over.

Here are the silences for which these servers are known: an unknown sampler or scheduler is
replaced by another.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, request
from PIL import Image, ImageFilter, ImageOps

from devtools.standin import infotext, pictures
from devtools.standin.app import App, View
from devtools.standin.drawing import Generation, SecondPass, decode_input, target_size
from devtools.standin.family import API, CrashError, Family, RefusalError
from devtools.standin.plot import PLOT, Plot
from devtools.standin.queue import Task
from devtools.standin.schema import read_fields

_REFRESHED = ("checkpoints", "vae", "loras", "embeddings")
# Names in an infotext, beside those of the family's file.
_FIELDS = {"Prompt": "prompt", "Negative prompt": "negative_prompt", "Size-1": "width"}
_FIELDS |= {"Size-2": "height", "Denoising strength": "denoising_strength"}
_OPTIONS = {"sd_model_checkpoint": "Model hash", "CLIP_stop_at_last_layers": "Clip skip"}


class A1111App(App):
    """AUTOMATIC1111 or one of its forks."""

    def views(self) -> dict[str, View]:
        return {
            **{f"POST {API}refresh-{what}": self.refresh for what in _REFRESHED},
            f"POST {API}txt2img": lambda: self.generate("txt2img", self.fields()),
            f"POST {API}img2img": lambda: self.generate("img2img", self.fields()),
            f"POST {API}extra-single-image": lambda: self.enlarge(self.fields()),
            f"POST {API}interrogate": self._interrogate,
            "POST /rembg": lambda: self.cut_out(self.body()),
            f"POST {API}png-info": lambda: _png_info(self.fields()),
            "POST /controlnet/detect": self._detect,
            f"POST {API}interrupt": self.queue.interrupt,
            f"POST {API}skip": lambda: self.queue.interrupt(skip=True),
            f"POST {API}options": lambda: self.state.save(request.get_json()),
            f"GET {API}progress": self._progress,
            f"GET {API}options": self._options,
            "POST /internal/progress": self._task,
            "GET /internal/pending-tasks": self.queue.pending_tasks,
        }

    def body(self) -> dict[str, Any]:
        """Return the request's fields where the family's file has no schema of them."""
        body = request.get_json(silent=True)
        return body if isinstance(body, dict) else {}

    def fields(self) -> dict[str, Any]:
        """Return the request's fields, converted; a RefusalError where they cannot be."""
        body = request.get_json(silent=True)
        if isinstance(body, dict) and body.get("infotext"):
            body = self._with_infotext(body)
        values = read_fields(self.family.replies["/openapi.json"], request.path, body)
        self.check(values)
        return values

    def _with_infotext(self, body: dict[str, Any]) -> dict[str, Any]:
        found, manner = infotext.read(body["infotext"]), self.family.traits.infotext_field
        if manner == "crashes":
            text = "isinstance() argument 2 cannot be a parameterized generic"
            raise CrashError("TypeError", text)
        if manner == "poisons" and "Schedule type" in found:
            self.state.poison = CrashError("KeyError", repr(found["Schedule type"]))
        names = {**self.family.infotext, **_FIELDS}
        told = {field: found[name] for name, field in names.items() if name in found}
        overrides = {option: found[name] for option, name in _OPTIONS.items() if name in found}
        return {**told, "override_settings": overrides, **body}

    def refresh(self) -> None:
        """Look at the folders again, when nobody draws."""
        with self.queue.work_on(Task()):
            pass

    def generate(self, kind: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Return the reply to a txt2img or img2img request."""
        state, values = self.state, dict(fields)
        _choose_sampler(self.family, values)
        values["script"] = self.script(kind, values)
        wanted = self.family.argument_counts(kind).get(values["script"], 0)
        if wanted and len(values["script_args"]) != wanted:
            # What the list lacks, or has too much, moves the arguments of all scripts behind it.
            raise CrashError("ValueError", "Unknown prompt type start")
        if kind == "img2img":
            self.open_inputs(values)
        task = Task(values["force_task_id"] or f"task({id(values)})", job=f"scripts_{kind}")
        restore = values["override_settings_restore_afterwards"]
        with self.queue.work_on(task):
            options = state.settings(values["override_settings"] or {}, restore=restore)

            def single(values: dict[str, Any]) -> Generation:
                _choose_sampler(self.family, values)
                return A1111Generation(state, values, options)

            is_plot = values["script"] == PLOT
            drawing = Plot(state, values, options, single) if is_plot else single(values)
            drawing.run(task)
        return self.reply(fields, drawing)

    def reply(self, given: Mapping[str, Any], drawing: Generation) -> dict[str, Any]:
        """Return what a finished generation sends."""
        parameters = {**given, **dict.fromkeys(given.keys() & {"init_images", "mask"})}
        # Options are back to what they were before the pictures are encoded.
        file_format = self.state.options["samples_format"]
        texts = [*drawing.infotexts, *[None] * len(drawing.images)]
        pairs = zip(drawing.images, texts, strict=False) if given["send_images"] else ()
        images = [pictures.text_of(one, file_format, text) for one, text in pairs]
        return {"images": images, "parameters": parameters, "info": json.dumps(drawing.info())}

    def open_inputs(self, values: dict[str, Any]) -> None:
        """Put img2img's pictures into the values."""
        turned = self.family.traits.turns_by_exif
        values["mask"] = decode_input(values["mask"], turned=turned) if values["mask"] else None
        values["inputs"] = [decode_input(text, turned=turned) for text in values["init_images"]]

    def script(self, kind: str, values: Mapping[str, Any]) -> str:
        """Return the selectable script; RefusalError where it or an always-on one is unknown."""
        offered = [name.lower() for name in self.family.replies[f"{API}scripts"][kind]]
        # Those without controls, which tell nothing of themselves, are always on.
        known = {name: self.family.scripts().get(name, True) for name in offered}
        chosen = str(values["script_name"] or "").lower()
        is_unknown = bool(chosen) and known.get(chosen) is not False
        wrong = [name for name in values["alwayson_scripts"] or () if not known.get(name.lower())]
        if is_unknown and not self.family.traits.forgives_scripts:
            wrong.append(values["script_name"])
        if wrong:
            raise RefusalError(422, f"Script '{wrong[0]}' not found")
        return "" if is_unknown else chosen

    def enlarge(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the reply to a picture to enlarge."""
        turned = self.family.traits.turns_by_exif
        picture, task = decode_input(values["image"], turned=turned), Task(job="extras")
        if self.family.extras_fail:
            raise self.family.failure(*self.family.extras_fail)
        with self.queue.work_on(task):
            task.job_count = 1
            for name in (values["upscaler_1"], values["upscaler_2"]):
                if name not in self.family.names("upscalers"):
                    raise CrashError("AssertionError", f"could not find upscaler named {name}")
            if values["upscaler_1"] != "None":
                picture = _resized(picture.convert("RGB"), values)
            self.queue.sample(task, 1, self.state.delay)
        text = pictures.text_of(picture, self.state.options["samples_format"])
        return {"html_info": "", "image": text}

    def put_into_words(self, text: object, words: str, *, turned: bool = False) -> str:
        """Return words and the size of a picture, after as long as an image takes."""
        picture = decode_input(text or "", turned=turned)
        task = Task(job="interrogate")
        with self.queue.work_on(task):
            self.queue.sample(task, 1, self.state.delay)
        return f"{words}, {picture.width}x{picture.height}"

    def cut_out(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the right half of a picture, or its mask; rembg itself turns what it is sent."""
        model, turned = values.get("model", "u2net"), self.family.traits.turns_by_exif
        picture = decode_input(values.get("input_image", ""), turned=turned or model != "ben2")
        task, mask = Task(job="rembg"), Image.new("L", picture.size)
        with self.queue.work_on(task):
            self.queue.sample(task, 1, self.state.delay)
        mask.paste(255, (picture.width // 2, 0, *picture.size))
        if not values.get("return_mask"):
            picture.putalpha(mask)
        came = mask if values.get("return_mask") else picture
        return {"image": pictures.text_of(came, self.state.options["samples_format"])}

    def _interrogate(self) -> dict[str, Any]:
        """Decode the picture before the model is looked for."""
        values, turned = self.body(), self.family.traits.turns_by_exif
        model = values.get("model", "clip")
        if model not in {"clip", "deepdanbooru"}:
            decode_input(values.get("image", ""))
            raise RefusalError(404, "Model not found")
        return {"caption": self.put_into_words(values.get("image"), model, turned=turned)}

    def _detect(self) -> dict[str, Any]:
        """Return what a preprocessor makes of pictures; some make none, and Forge says so there."""
        given = request.get_json()
        module, size = given["controlnet_module"], given.get("controlnet_processor_res", 512)
        if module not in self.family.control_names("module"):
            raise RefusalError(422, "Module not available")
        maps = [
            pictures.text_of(_map(one, size), "png") for one in given["controlnet_input_images"]
        ]
        if "(IPAdapter)" in module:
            maps = ["Detect result is not image"]
        return {**self.family.replies["POST /controlnet/detect"], "images": maps}

    def _options(self) -> Response:
        if self.state.has_wrong_type(self.state.options):
            raise CrashError("ValidationError", "1 validation error for Options")
        return self.told(f"{API}options")

    def _task(self) -> dict[str, Any]:
        told = self.queue.task_progress(self.fields()["id_task"])
        return {**self.family.replies["POST /internal/progress"], **told}

    def _progress(self) -> dict[str, Any]:
        idle, found = self.family.replies[f"{API}progress"], self.queue.server_progress()
        state = {name: found["state"].get(name, one) for name, one in idle["state"].items()}
        return {**idle, **found, "state": state}


class A1111Generation(Generation):
    """A run with two passes, a refiner and img2img, all of which can fall over."""

    def prepare(self) -> SecondPass | None:
        values = self.values
        name, switch = values["refiner_checkpoint"], values["refiner_switch_at"]
        if name not in (None, "", "None", "none"):
            model = self.state.closest_checkpoint(name)
            if switch or not self.state.family.traits.refiner_waits:
                self.applied = dataclasses.replace(self.applied, refiner=model.name_for_extra)
                self.remarks |= {"Refiner": model.title, "Refiner switch at": switch}
        self._control()
        self._detail()
        second = self._second_pass() if values.get("enable_hr") else None
        if second or values.get("inputs"):
            self.remarks["Denoising strength"] = values["denoising_strength"]
        return second

    def after_first_pass(self) -> None:
        values, family = self.values, self.state.family
        name = values["hr_sampler_name"]
        if name is not None and name not in family.names("samplers"):
            raise CrashError("AssertionError", f"bad sampler name: {name}")
        if family.traits.modules and values["hr_additional_modules"] is None:
            # The server looks in it for "Use same choices".
            raise CrashError("TypeError", "argument of type 'NoneType' is not iterable")
        if values["denoising_strength"] is None:
            raise CrashError("TypeError", "'>' not supported between 'NoneType' and 'int'")

    def _control(self) -> None:
        """Leave out a unit with an unknown name, in silence; the infotext claims it."""
        family = self.state.family
        places = family.argument_counts("txt2img").get("controlnet")
        for place, unit in enumerate(self._arguments("controlnet")[:places]):
            if unit.get("enabled"):
                model, module = (unit.get(key) or "None" for key in ("model", "module"))
                told = f"Module: {module}, Model: {model}, Weight: {unit.get('weight', 1.0)}"
                self.remarks[f"ControlNet {place}"] = told
                known = model in family.control_names("model")
                known &= module in family.control_names("module")
                has_picture = unit.get("image") or self.values.get("inputs")
                needs_model = not module.startswith("reference")
                if known and has_picture and (model != "None" or not needs_model):
                    by = model if needs_model else module
                    self.applied = dataclasses.replace(self.applied, controlnet=by)

    def _detail(self) -> None:
        """Leave out a model that is unknown, and never see what is beyond the tabs, both unsaid."""
        kind = "img2img" if "inputs" in self.values else "txt2img"
        tabs = self.state.family.argument_counts(kind).get("adetailer", 0)
        given = self._arguments("adetailer")[:tabs]
        units = [one for one in given if isinstance(one, dict) and given[0] is not False]
        for unit, number in zip(units, ("", " 2nd", " 3rd", " 4th"), strict=False):
            words = {name[3:].replace("_", " "): one for name, one in unit.items()}
            self.remarks |= {f"ADetailer {name}{number}": one for name, one in words.items()}
        known = self.state.family.replies.get("/adetailer/v1/ad_model", {"ad_model": ()})
        found = [one["ad_model"] for one in units if one["ad_model"] in known["ad_model"]]
        self.applied = dataclasses.replace(self.applied, detailers=tuple(found))

    def _arguments(self, script: str) -> Sequence[Any]:
        scripts = (self.values["alwayson_scripts"] or {}).items()
        named = {name.lower(): one for name, one in scripts}
        arguments: Sequence[Any] = named.get(script, {}).get("args", ())
        return arguments

    def _second_pass(self) -> SecondPass:
        """Return what is found wrong before the first pass is a CrashError here."""
        values, family = self.values, self.state.family
        modes = family.names("latent-upscale-modes")
        upscaler = values["hr_upscaler"] or modes[0]
        if upscaler not in (*modes, *family.names("upscalers")):
            raise CrashError("Exception", f"could not find upscaler named {upscaler}")
        sampler, asked = values["hr_sampler_name"], values.get("hr_scheduler")
        # An unknown one means the model's own sigmas, without a word.
        wide, high = values["hr_resize_x"], values["hr_resize_y"]
        checkpoint = values["hr_checkpoint_name"]
        other = checkpoint not in (None, "", "Use same checkpoint")
        has_cfg = values.get("hr_cfg") or (family.traits.modules and "hr_cfg" in values)
        remarks = {
            "Hires checkpoint": self.state.closest_checkpoint(checkpoint).title if other else None,
            "Hires sampler": sampler if sampler != values["sampler_name"] else None,
            "Hires schedule type": _scheduler(family, asked) if asked else None,
            "Hires CFG Scale": values["hr_cfg"] if has_cfg else None,
            "Hires resize": f"{wide}x{high}" if wide or high else None,
            "Hires upscale": None if wide or high else values["hr_scale"],
            "Hires steps": values["hr_second_pass_steps"] or None,
            "Hires upscaler": upscaler,
        }
        said = {name: value for name, value in remarks.items() if value is not None}
        size = [side // 8 * 8 for side in target_size(values)]
        steps = values["hr_second_pass_steps"] or values["steps"]
        return SecondPass(size[0], size[1], steps, upscaler, said)


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
    """Return the label of the scheduler of exactly this name or label, or of the first of all."""
    known = family.replies[f"{API}schedulers"]
    found = [one["label"] for one in known if spelling in (one["label"], one["name"])]
    return str([*found, known[0]["label"]][0])


def _resized(picture: Image.Image, values: Mapping[str, Any]) -> Image.Image:
    if values["resize_mode"] == 0:
        return ImageOps.scale(picture, values["upscaling_resize"])
    size = (values["upscaling_resize_w"], values["upscaling_resize_h"])
    return (ImageOps.fit if values["upscaling_crop"] else ImageOps.cover)(picture, size)


def _map(text: str, size: int) -> Image.Image:
    """Return a picture's edges, so many pixels on its shorter side."""
    picture = decode_input(text)
    scale = size / min(picture.size)
    return ImageOps.scale(picture.convert("L"), scale).filter(ImageFilter.FIND_EDGES)


def _png_info(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a picture's text says; one without any gives empty values."""
    texts = pictures.texts_inside(decode_input(values["image"].strip()))
    text = texts.pop("parameters", "")
    return {"info": text, "items": texts, "parameters": infotext.read(text)}
