"""One generation's turn at the card: models, seeds, batches and pictures."""

import secrets
import time
from typing import Any

from PIL import Image, ImageOps

from devtools import pictures
from devtools.standin_hires import SecondPass, check_after_first_pass
from devtools.standin_queue import Task
from devtools.standin_report import write_infotext
from devtools.standin_request import apply_styles, lora_hashes
from devtools.standin_state import CrashError, State

_OUT_OF_MEMORY = (
    "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 8.00 GiB "
    "of which 0 bytes is free."
)
# Larger pictures end as they would on most cards.
_MOST_PIXELS = 100_000_000
_NUMBERS = (
    "width",
    "height",
    "steps",
    "batch_size",
    "n_iter",
    "cfg_scale",
    "subseed_strength",
    "hr_scale",
    "hr_resize_x",
    "hr_resize_y",
)


class Generation:
    """`images` and `infotexts` belong together; a grid, if any, is the first of both."""

    def __init__(
        self, state: State, task: Task, values: dict[str, Any], inputs: list[Image.Image]
    ) -> None:
        _check_nulls(values)
        if "init_images" in values:
            _check_inputs(values, inputs)
        if values.get("firstphase_width") or values.get("firstphase_height"):
            # The fields of a forgotten API: whoever sets them loses the size.
            values["width"] = values["firstphase_width"]
            values["height"] = values["firstphase_height"]
        self.state = state
        self.task = task
        self.values = values
        self.inputs = inputs
        self.images: list[Image.Image] = []
        self.infotexts: list[str] = []
        self.index_of_first_image = 0
        self.started = time.localtime()
        self.remarks: dict[str, Any] = {}
        self.seeds, self.subseeds = _seeds(values)
        catalogue, styles = state.catalogue, values["styles"]
        self.prompt = apply_styles(catalogue, values["prompt"], styles, "prompt")
        self.negative_prompt = apply_styles(
            catalogue, values["negative_prompt"], styles, "negative_prompt"
        )
        # Options go back to what they were before the reply is written.
        self.checkpoint, self.vae = state.loaded, state.vae
        self.options = dict(state.options)

    def run(self) -> None:
        """Draw until done or interrupted; a CrashError where the real server falls over."""
        values, task = self.values, self.task
        self._find_refiner()
        second = self._prepare_second_pass()
        self._note_loras()
        if self.state.memory_failures:
            self.state.memory_failures -= 1
            raise CrashError("OutOfMemoryError", _OUT_OF_MEMORY)
        task.job_count = values["n_iter"] * (2 if second else 1)
        for batch in range(values["n_iter"]):
            task.skipped = False
            if task.interrupted:
                break
            if values["n_iter"] > 1:
                task.job = f"Batch {batch + 1} out of {values['n_iter']}"
            self._draw_batch(batch, second)
        if values["save_images"] and len(self.images) > 1:
            self.images.insert(0, pictures.grid(self.images))
            self.infotexts.insert(0, write_infotext(self, 0))
            self.index_of_first_image = 1

    def _draw_batch(self, batch: int, second: SecondPass | None) -> None:
        task, size = self.task, self.values["batch_size"]
        seconds = self.state.delay * size / (2 if second else 1)
        width, height = self.values["width"], self.values["height"]
        complete = self.state.queue.sample(task, self.values["steps"], seconds)
        if complete and second:
            check_after_first_pass(self.state, self.values)
            task.job_no += 1
            width, height = second.width, second.height
            complete = self.state.queue.sample(task, second.steps, seconds)
        if complete or task.sampling_step:
            remark = "" if complete else f"stopped at {task.sampling_step}/{task.sampling_steps}"
            for place in range(batch * size, (batch + 1) * size):
                self.images.append(self._draw(place, width, height, remark))
                self.infotexts.append(write_infotext(self, place))
        task.job_no += 1

    def _draw(self, place: int, width: int, height: int, remark: str) -> Image.Image:
        # Latents have an eighth of the size, so what does not divide is lost.
        width, height = width // 8 * 8, height // 8 * 8
        picture = pictures.draw(
            width, height, self.prompt, self.seeds[place], remark=remark, noise=self.state.noise
        )
        if not self.inputs:
            return picture
        source = self.inputs[place % self.values["batch_size"] % len(self.inputs)]
        return _redraw(source, picture, self.values)

    def _prepare_second_pass(self) -> SecondPass | None:
        values = self.values
        _check_size(values["width"], values["height"])
        second = SecondPass.of(self.state, values) if values.get("enable_hr") else None
        if second:
            _check_size(second.width, second.height)
            if values["firstpass_image"] is not None:
                raise CrashError("ValueError", "could not convert string to float")
            self.remarks |= second.remarks
        if second or self.inputs:
            self.remarks["Denoising strength"] = values["denoising_strength"]
        return second

    def _find_refiner(self) -> None:
        name = self.values["refiner_checkpoint"]
        if name in (None, "", "None", "none"):
            return
        model = self.state.closest_checkpoint(name)
        if model is None:
            raise CrashError("Exception", f"Could not find checkpoint with name {name}")
        self.remarks["Refiner"] = model.title
        self.remarks["Refiner switch at"] = self.values["refiner_switch_at"]

    def _note_loras(self) -> None:
        hashes = lora_hashes(self.state.catalogue, self.prompt)
        if hashes and not self.values["disable_extra_networks"]:
            self.remarks["Lora hashes"] = hashes


def _seeds(values: dict[str, Any]) -> tuple[list[int], list[int]]:
    count = values["batch_size"] * values["n_iter"]
    if count < 1:
        raise CrashError("IndexError", "list index out of range")
    seed, subseed = _fixed(values["seed"]), _fixed(values["subseed"])
    same = values["subseed_strength"] > 0
    seeds = [seed if same else seed + place for place in range(count)]
    return seeds, [subseed + place for place in range(count)]


def _fixed(seed: int | None) -> int:
    return secrets.randbelow(4294967294) if seed is None or seed == -1 else seed


def _check_nulls(values: dict[str, Any]) -> None:
    for name in _NUMBERS:
        if values.get(name, 0) is None:
            text = "unsupported operand type(s) for *: 'NoneType' and 'int'"
            raise CrashError("TypeError", text)
    if values["prompt"] is None or values["negative_prompt"] is None:
        raise CrashError("AttributeError", "'NoneType' object has no attribute 'strip'")


def _check_inputs(values: dict[str, Any], inputs: list[Image.Image]) -> None:
    if not inputs or len(inputs) > values["batch_size"]:
        text = f"bad number of images passed: {len(inputs)}; expecting {values['batch_size']}"
        raise CrashError("RuntimeError", f"{text} or less")
    if values["denoising_strength"] is None:
        text = "'<' not supported between instances of 'NoneType' and 'float'"
        raise CrashError("TypeError", text)


def _check_size(width: int, height: int) -> None:
    if width < 8 or height < 8:
        text = f"Trying to create tensor with an empty dimension: [1, 4, {height // 8}, "
        raise CrashError("RuntimeError", f"{text}{width // 8}]")
    if width * height > _MOST_PIXELS:
        raise CrashError("OutOfMemoryError", _OUT_OF_MEMORY)


def _redraw(source: Image.Image, picture: Image.Image, values: dict[str, Any]) -> Image.Image:
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
