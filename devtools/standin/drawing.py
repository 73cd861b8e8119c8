"""One generation: seeds, prompts, passes and pictures, as all of these servers have them."""

import dataclasses
import hashlib
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from PIL import Image, ImageOps

from devtools.standin import infotext, pictures
from devtools.standin.family import API, RefusalError, filled
from devtools.standin.pictures import Sketch
from devtools.standin.queue import Task
from devtools.standin.state import Applied, State

# Larger pictures end as they would on most cards.
_MOST_PIXELS = 100_000_000
_LORA = re.compile(r"<lora:([^:>]+)[^>]*>")


@dataclass(frozen=True)
class SecondPass:
    """`remarks` are the infotext's; the rest is what the pass will do."""

    width: int
    height: int
    steps: int
    upscaler: str
    remarks: Mapping[str, Any] = field(default_factory=dict)


class Generation:
    """A run from its request's values to `images` and `infotexts`, which belong together.

    `values` also has img2img's `inputs` and `mask` as pictures, and the `script` that runs.
    `options` are those that hold for this run. With `fails` its texts come without pictures.
    """

    fails = False

    def __init__(self, state: State, values: dict[str, Any], options: Mapping[str, Any]) -> None:
        self.state, self.values, self.options = state, values, options
        self.images: list[Sketch | Image.Image] = []
        self.infotexts: list[str] = []
        count = values["batch_size"] * values["n_iter"]
        # With a variation all share the seed.
        step = 0 if values["subseed_strength"] > 0 else 1
        seed, subseed = _fixed(values["seed"]), _fixed(values["subseed"])
        self.seeds = [seed + step * place for place in range(count)]
        self.subseeds = [subseed + place for place in range(count)]
        self.prompt, self.negative_prompt = self._styled("prompt"), self._styled("negative_prompt")
        self.loras = self.find_loras()
        self.checkpoint, script = state.loaded, values.get("script", "")
        self.remarks: dict[str, Any] = {"Script": script.title()} if script else {}
        known = state.family.names("prompt-styles")
        self.applied = Applied(
            model=self.checkpoint.name_for_extra,
            sampler=values["sampler_name"],
            scheduler=values.get("scheduler") or "",
            vae=state.vae(options),
            modules=state.modules(options),
            loras=tuple(self.loras),
            clip_skip=int(values.get("clip_skip") or options.get("CLIP_stop_at_last_layers", 1)),
            styles=tuple(name for name in values["styles"] or () if name in known),
            script=script,
        )

    def prepare(self) -> SecondPass | None:
        """Return what the server finds out before it draws."""
        raise NotImplementedError

    def after_first_pass(self) -> None:
        """CrashError for what the server stumbles over only now."""

    def fail_for_memory(self, _leftover: str) -> None:
        """End as this server does when the card's memory does not suffice."""
        raise self.state.family.failure(*self.state.family.out_of_memory)

    def find_loras(self) -> list[str]:
        """Return those of the prompt's tags that the server has; the others do nothing, unsaid."""
        if self.values.get("disable_extra_networks"):
            return []
        entries = self.state.family.replies[f"{API}loras"]
        known = {one["name"]: one["name"] for one in entries}
        if self.state.family.traits.lora_aliases:
            known |= {one["alias"]: one["name"] for one in entries}
        return [known[name] for name in _LORA.findall(self.prompt) if name in known]

    def run(self, task: Task) -> None:
        """Draw until done or interrupted; a CrashError where the real server falls over."""
        second = self.prepare()
        if second:
            self.remarks = {**second.remarks, **self.remarks}
            self.applied = dataclasses.replace(self.applied, upscaler=second.upscaler)
        width, height = self.values["width"], self.values["height"]
        pixels = second.width * second.height if second else width * height
        if self.state.memory_failures or pixels > _MOST_PIXELS:
            failures = self.state.memory_failures
            self.fail_for_memory(failures.popleft() if failures else "nothing")
            return
        batches, size = self.values["n_iter"], self.values["batch_size"]
        task.job_count = batches * (2 if second and second.steps else 1)
        for batch in range(batches):
            if task.interrupted or task.skipped:
                break
            if batches > 1:
                task.job = f"Batch {batch + 1} out of {batches}"
            self._draw_batch(task, range(batch * size, (batch + 1) * size), second)
            task.skipped = task.skipped and self.fails
            task.job_no += 1

    def _draw_batch(self, task: Task, places: range, second: SecondPass | None) -> None:
        seconds = self.state.delay * len(places) / (2 if second and second.steps else 1)
        # Latents have an eighth of the size, so what does not divide is lost.
        width, height = self.values["width"] // 8 * 8, self.values["height"] // 8 * 8
        complete = self.state.queue.sample(task, self.values["steps"], seconds)
        if complete and second:
            self.after_first_pass()
            width, height = second.width, second.height
        if complete and second and second.steps:
            task.job_no += 1
            complete = self.state.queue.sample(task, second.steps, seconds)
        # One that was stopped comes too, half drawn, and nothing in the reply says so.
        self.fails |= task.skipped and self.state.family.traits.drops_skipped
        for place in places:
            self.infotexts.append(self.infotext(place))
            if not self.fails:
                self.images.append(self.draw(place, width, height))
                self.state.drawn.append(self.applied)

    def draw(self, place: int, width: int, height: int, remark: str = "") -> Sketch | Image.Image:
        """Return one picture, which shows what it was drawn with; img2img's under its denoising."""
        one, values = self.applied, self.values
        facts = [remark, f"{one.sampler} {one.scheduler}".strip(), one.model, one.upscaler]
        remark = ", ".join(filter(None, (*facts, *one.loras)))
        noise, seed = self.state.noise, self.seeds[place]
        sketch = Sketch(width, height, self.prompt, seed, remark, noise=noise)
        if not (inputs := values.get("inputs")):
            return sketch
        source = inputs[place % values["batch_size"] % len(inputs)].convert("RGB")
        # Stretched, cropped or filled up.
        fits = (Image.Image.resize, ImageOps.fit, ImageOps.pad)
        source = fits[min(values["resize_mode"], 2)](source, (width, height))
        strength = min(max(values["denoising_strength"], 0.0), 1.0)
        redrawn = Image.blend(source, pictures.drawn(sketch), strength)
        if not values["mask"]:
            return redrawn
        mask = values["mask"].convert("L").resize((width, height))
        mask = ImageOps.invert(mask) if values["inpainting_mask_invert"] else mask
        return Image.composite(redrawn, source, mask)

    def infotext(self, place: int) -> str:
        """Write the text of the image at this place of the run, as the family's file has it."""
        parameters = dict[str, object]()
        for name, value in filled(self.state.family.infotext, self.facts(place)).items():
            parameters |= value if isinstance(value, dict) else {name: value}
        said = {name: value for name, value in parameters.items() if value not in (None, "")}
        negative: str | None = self.negative_prompt or None
        if self.state.family.traits.writes_template:
            negative = f"{self.negative_prompt}\nTemplate: {self.values['prompt']}"
        return infotext.write(self.prompt, negative, said)

    def info(self) -> dict[str, Any]:
        """Return the object that travels as a JSON string."""
        return filled(self.state.family.info, self.facts(0))

    def facts(self, place: int) -> dict[str, Any]:
        """Return all that can be said of one picture, by the names that the families' files use."""
        values, one, count = self.values, self.applied, len(self.seeds)
        varied = values["subseed_strength"] > 0
        return {
            **values,
            "prompt": self.prompt,
            "all_prompts": [self.prompt] * count,
            "negative_prompt": self.negative_prompt,
            "all_negative_prompts": [self.negative_prompt] * count,
            "seed": self.seeds[place],
            "all_seeds": self.seeds,
            "subseed": self.subseeds[place],
            "all_subseeds": self.subseeds,
            "size": f"{values['width']}x{values['height']}",
            "model": one.model,
            "model_file": self.checkpoint.name,
            "model_hash": self.checkpoint.shorthash,
            "vae": one.vae,
            "vae_stem": one.vae and one.vae.rpartition(".")[0],
            "vae_hash": one.vae and hashlib.sha256(one.vae.encode()).hexdigest()[:10],
            "modules": {f"Module {i}": name for i, name in enumerate(one.modules, 1)},
            "clip_skip": one.clip_skip,
            "clip_skipped": one.clip_skip if one.clip_skip > 1 else None,
            "variation": self.subseeds[place] if varied else None,
            "variation_strength": values["subseed_strength"] if varied else None,
            "tiled": True if values.get("tiling") else None,
            "styles": values["styles"] or [],
            "styles_text": "; ".join(values["styles"] or []),
            "remarks": self.remarks,
            "infotexts": self.infotexts,
            "first": 0,  # none is a grid
            "time": time.strftime("%Y%m%d%H%M%S"),
            "version": self.state.family.version,
        }

    def _styled(self, key: str) -> str:
        """Return a prompt with the styles' texts; an unknown style is dropped without a word."""
        text = str(self.values[key] or "")
        known = self.state.family.replies.get(f"{API}prompt-styles", ())
        texts = {style["name"]: style[key] for style in known}
        for style in filter(None, map(texts.get, self.values["styles"] or ())):
            joined = ", ".join(filter(None, (text.strip(), style)))
            text = style.replace("{prompt}", text) if "{prompt}" in style else joined
        return text


def _fixed(seed: int | None) -> int:
    return secrets.randbelow(4294967294) if seed is None or seed == -1 else seed


def decode_input(text: object, *, turned: bool = False) -> Image.Image:
    """Return the picture in a request's base64 text, if so wanted upright as its EXIF data says."""
    picture = pictures.decode(text) if isinstance(text, str) else None
    if picture is None:
        raise RefusalError(500, "Invalid encoded image")
    return ImageOps.exif_transpose(picture) if turned else picture


def target_size(values: Mapping[str, Any]) -> tuple[int, int]:
    """Return the size the second pass is to have, in pixels that may lie between the eighths."""
    width, height = values["width"], values["height"]
    wide, high = values["hr_resize_x"], values["hr_resize_y"]
    if not wide and not high:
        return int(width * values["hr_scale"]), int(height * values["hr_scale"])
    return wide or high * width // height, high or wide * height // width
