"""One generation: seeds, prompts, passes and pictures, as AUTOMATIC1111 and its kin have them."""

import dataclasses
import hashlib
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from PIL import Image, ImageOps

from devtools.standin import pictures
from devtools.standin.failures import CrashError, RefusalError
from devtools.standin.family import API
from devtools.standin.pictures import Sketch
from devtools.standin.queue import Task
from devtools.standin.state import Applied, State

# Larger pictures end as they would on most cards.
MOST_PIXELS = 100_000_000
_LORA = re.compile(r"<lora:([^:>]+)(?::([^:>]*))?[^>]*>")


@dataclass(frozen=True)
class SecondPass:
    """`remarks` are the infotext's; the rest is what the pass will do."""

    width: int
    height: int
    steps: int
    upscaler: str
    sampler: str
    scheduler: str = ""
    remarks: Mapping[str, Any] = field(default_factory=dict)
    # A size between the eighths is possible where the picture is enlarged, not drawn again.
    exact: bool = False


@dataclass(frozen=True)
class Lora:
    """A LoRA that is really applied."""

    name: str
    weight: str

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.name.encode()).hexdigest()[:12]


class Generation:
    """`images` and `infotexts` belong together; a grid, if any, is the first of both.

    options: those that hold for this generation. inputs: img2img's pictures. script: the title of
    the selectable script that runs, in lower case.
    """

    def __init__(
        self,
        state: State,
        values: dict[str, Any],
        options: Mapping[str, Any],
        inputs: list[Image.Image],
        script: str = "",
    ) -> None:
        self.state = state
        self.values = values
        self.options = options
        self.inputs = inputs
        self.images: list[Sketch | Image.Image] = []
        self.infotexts: list[str] = []
        self.index_of_first_image = 0
        self.remarks: dict[str, Any] = {"Script": script.title()} if script else {}
        self.seeds, self.subseeds = _seeds(values)
        self.prompt = self._styled("prompt")
        self.negative_prompt = self._styled("negative_prompt")
        self.loras = [] if values.get("disable_extra_networks") else self._loras()
        self.checkpoint, self.vae = state.loaded, state.vae(options)
        styles = state.family.names("prompt-styles")
        self.applied = Applied(
            model=self.checkpoint.name_for_extra,
            sampler=values["sampler_name"],
            scheduler=values.get("scheduler") or "",
            vae=self.vae,
            modules=state.modules(options),
            loras=tuple(one.name for one in self.loras),
            clip_skip=int(values.get("clip_skip") or options.get("CLIP_stop_at_last_layers", 1)),
            styles=tuple(name for name in values["styles"] or () if name in styles),
            script=script,
        )

    def prepare(self) -> SecondPass | None:
        """What the server finds out before it draws."""
        raise NotImplementedError

    def after_first_pass(self) -> None:
        """CrashError for what the server stumbles over only now."""

    def fail_for_memory(self, leftover: str) -> None:
        """End as this server does when the card's memory does not suffice."""
        raise NotImplementedError

    def infotext(self, place: int) -> str:
        """The text of the image at this place of the whole run."""
        raise NotImplementedError

    @property
    def resize_mode(self) -> int:
        """How the input comes to the asked size: 0 stretched, 1 cropped, 2 filled up."""
        mode: int = self.values["resize_mode"]
        return mode

    def run(self, task: Task) -> None:
        """Draw until done or interrupted; a CrashError where the real server falls over."""
        values = self.values
        second = self.prepare()
        if second:
            self.remarks = {**second.remarks, **self.remarks}
            self.applied = dataclasses.replace(
                self.applied,
                upscaler=second.upscaler,
                hires_sampler=second.sampler,
                hires_scheduler=second.scheduler,
            )
        if self.state.memory_failures:
            task.interrupted = True
            self.fail_for_memory(self.state.memory_failures.popleft())
            return
        task.job_count = values["n_iter"] * (2 if second else 1)
        for batch in range(values["n_iter"]):
            if task.interrupted:
                break
            if values["n_iter"] > 1:
                task.job = f"Batch {batch + 1} out of {values['n_iter']}"
            self._draw_batch(task, batch, second)
        if values["save_images"] and len(self.images) > 1:
            drawn = [one.drawn() if isinstance(one, Sketch) else one for one in self.images]
            self.images.insert(0, pictures.grid(drawn))
            self.infotexts.insert(0, self.infotext(0))
            self.index_of_first_image = 1

    def _draw_batch(self, task: Task, batch: int, second: SecondPass | None) -> None:
        size = self.values["batch_size"]
        seconds = self.state.delay * size / (2 if second else 1)
        # Latents have an eighth of the size, so what does not divide is lost.
        width, height = self.values["width"] // 8 * 8, self.values["height"] // 8 * 8
        complete = self.state.queue.sample(task, self.values["steps"], seconds)
        if complete and second:
            self.after_first_pass()
            task.job_no += 1
            cut = 1 if second.exact else 8
            width, height = second.width // cut * cut, second.height // cut * cut
            complete = self.state.queue.sample(task, second.steps, seconds)
        if complete or task.sampling_step:
            remark = "" if complete else f"stopped at {task.sampling_step}/{task.sampling_steps}"
            for place in range(batch * size, (batch + 1) * size):
                self.images.append(self.draw(place, width, height, remark))
                self.infotexts.append(self.infotext(place))
                self.state.drawn.append(self.applied)
        task.job_no += 1

    def draw(self, place: int, width: int, height: int, remark: str) -> Sketch | Image.Image:
        """One picture, which shows what it was drawn with."""
        one = self.applied
        facts = [remark, f"{one.sampler} {one.scheduler}".strip(), one.model, one.upscaler]
        remark = ", ".join(filter(None, (*facts, *one.loras)))
        noise = self.state.noise
        sketch = Sketch(width, height, self.prompt, self.seeds[place], remark, noise)
        if not self.inputs:
            return sketch
        source = self.inputs[place % self.values["batch_size"] % len(self.inputs)]
        return redraw(source, sketch.drawn(), self.values | {"resize_mode": self.resize_mode})

    def info(self) -> dict[str, Any]:
        """What every server of this kind tells in the JSON string `info`."""
        values, count = self.values, len(self.seeds)
        told = (
            "subseed_strength", "width", "height", "sampler_name", "cfg_scale", "steps",
            "batch_size", "seed_resize_from_w", "seed_resize_from_h", "denoising_strength",
        )  # fmt: skip
        return {
            "prompt": self.prompt,
            "all_prompts": [self.prompt] * count,
            "negative_prompt": self.negative_prompt,
            "all_negative_prompts": [self.negative_prompt] * count,
            "seed": self.seeds[0],
            "all_seeds": self.seeds,
            "subseed": self.subseeds[0],
            "all_subseeds": self.subseeds,
            **{name: values[name] for name in told},
            "sd_model_hash": self.checkpoint.shorthash,
            "extra_generation_params": self.remarks,
            "index_of_first_image": self.index_of_first_image,
            "infotexts": self.infotexts,
            "styles": values["styles"] or [],
            "job_timestamp": time.strftime("%Y%m%d%H%M%S"),
            "clip_skip": self.applied.clip_skip,
        }

    def _styled(self, key: str) -> str:
        """A prompt with the styles' texts; an unknown style is dropped without a word."""
        text = str(self.values[key] or "")
        known = self.state.family.replies[f"{API}prompt-styles"]
        texts = {style["name"]: style[key] for style in known}
        for style in filter(None, (texts.get(name) for name in self.values["styles"] or ())):
            if "{prompt}" in style:
                text = style.replace("{prompt}", text)
            else:
                text = ", ".join(filter(None, (text.strip(), style)))
        return text

    def _loras(self) -> list[Lora]:
        """Those of the prompt's tags that the server has; the others do nothing, unsaid."""
        known = self.state.family.names("loras")
        found = _LORA.findall(self.prompt)
        return [Lora(name, weight or "1.0") for name, weight in found if name in known]


def _seeds(values: Mapping[str, Any]) -> tuple[list[int], list[int]]:
    """Seeds and subseeds, one of each per image; with a variation all share the seed."""
    count = values["batch_size"] * values["n_iter"]
    if count < 1:
        raise CrashError("IndexError", "list index out of range")
    seed, subseed = _fixed(values["seed"]), _fixed(values["subseed"])
    same = values["subseed_strength"] > 0
    return [seed if same else seed + i for i in range(count)], [subseed + i for i in range(count)]


def _fixed(seed: int | None) -> int:
    return secrets.randbelow(4294967294) if seed is None or seed == -1 else seed


def decode_input(text: object) -> Image.Image:
    """The picture in a request's base64 text."""
    picture = pictures.decode(text) if isinstance(text, str) else None
    if picture is None:
        raise RefusalError(500, "Invalid encoded image")
    return picture


def redraw(source: Image.Image, picture: Image.Image, values: Mapping[str, Any]) -> Image.Image:
    """The source under the new picture, the more of it the weaker the denoising."""
    source = source.convert("RGB")
    if values["resize_mode"] == 1:
        source = ImageOps.fit(source, picture.size)
    elif values["resize_mode"] == 2:
        source = ImageOps.pad(source, picture.size)
    else:
        source = source.resize(picture.size)
    strength = min(max(values["denoising_strength"], 0.0), 1.0)
    redrawn = Image.blend(source, picture, strength)
    if not values["mask"]:
        return redrawn
    mask = values["mask"].convert("L").resize(picture.size)
    if values["inpainting_mask_invert"]:
        mask = ImageOps.invert(mask)
    return Image.composite(redrawn, source, mask)


def target_size(values: Mapping[str, Any]) -> tuple[int, int]:
    """The size the second pass is to have, in pixels that may lie between the eighths."""
    width, height = values["width"], values["height"]
    wide, high = values["hr_resize_x"], values["hr_resize_y"]
    if not wide and not high:
        return int(width * values["hr_scale"]), int(height * values["hr_scale"])
    return wide or high * width // height, high or wide * height // width
