"""One generation's turn at the card: models, seeds, batches and pictures."""

import dataclasses
import time
from typing import Any

from PIL import Image

from devtools import pictures
from devtools.catalogue import Script
from devtools.standin_checks import check_inputs, check_nulls, check_size, out_of_memory
from devtools.standin_errors import CrashError
from devtools.standin_hires import SecondPass, check_after_first_pass, plan
from devtools.standin_prompt import apply_styles, loras_in
from devtools.standin_queue import Task
from devtools.standin_redrawing import redraw
from devtools.standin_report import write_infotext
from devtools.standin_seeds import seeds_of
from devtools.standin_state import Applied, State


class Generation:
    """`images` and `infotexts` belong together; a grid, if any, is the first of both."""

    def __init__(
        self,
        state: State,
        task: Task,
        values: dict[str, Any],
        inputs: list[Image.Image],
        script: Script | None,
    ) -> None:
        check_nulls(values)
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
        self.seeds, self.subseeds = seeds_of(values)
        catalogue, styles = state.catalogue, values["styles"]
        self.prompt = apply_styles(catalogue, values["prompt"], styles, "prompt")
        self.negative_prompt = apply_styles(
            catalogue, values["negative_prompt"], styles, "negative_prompt"
        )
        known = [style["name"] for style in catalogue.styles]
        skipped = values.get("disable_extra_networks")
        self.loras = [] if skipped else loras_in(catalogue, self.prompt)
        # Options go back to what they were before the reply is written.
        self.checkpoint, self.vae, self.modules = state.loaded, state.vae, state.modules
        self.options = dict(state.options)
        self.applied = Applied(
            model=self.checkpoint.name_for_extra,
            sampler=values["sampler_name"],
            scheduler=values.get("scheduler", ""),
            vae=self.vae,
            modules=self.modules,
            loras=tuple(one.name for one in self.loras),
            clip_skip=values.get("clip_skip") or self.options.get("CLIP_stop_at_last_layers", 1),
            styles=tuple(name for name in styles or () if name in known),
            script=script.name if script else "",
        )
        if script:
            self.remarks["Script"] = script.name.title()

    def run(self) -> None:
        """Draw until done or interrupted; a CrashError where the real server falls over."""
        values, task = self.values, self.task
        second = self.prepare()
        if self.state.memory_failures:
            self.fail_for_memory(self.state.memory_failures.popleft())
            return
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
            self.infotexts.insert(0, self.infotext(0))
            self.index_of_first_image = 1

    def prepare(self) -> SecondPass | None:
        """What the server finds out before it draws."""
        values = self.values
        if "init_images" in values:
            check_inputs(values, self.inputs)
        self._find_refiner()
        check_size(values["width"], values["height"])
        second = plan(self.state, values) if values.get("enable_hr") else None
        if second:
            check_size(second.width, second.height)
            if values["firstpass_image"] is not None:
                raise CrashError("ValueError", "could not convert string to float")
        if second or self.inputs:
            self.remarks["Denoising strength"] = values["denoising_strength"]
        if self.loras:
            hashes = ", ".join(f"{one.name}: {one.hash}" for one in self.loras)
            self.remarks["Lora hashes"] = hashes
        self.note(second)
        return second

    def note(self, second: SecondPass | None) -> None:
        """Keep in mind what the second pass does."""
        if second:
            self.remarks = {**second.remarks, **self.remarks}
            self.applied = dataclasses.replace(
                self.applied,
                upscaler=second.upscaler,
                hires_sampler=second.sampler,
                hires_scheduler=second.scheduler,
            )

    def infotext(self, place: int) -> str:
        """The text of the image at this place of the whole run."""
        return write_infotext(self, place)

    def after_first_pass(self) -> None:
        """CrashError for what the server stumbles over only now."""
        check_after_first_pass(self.state, self.values)

    def fail_for_memory(self, _leftover: str) -> None:
        """End as this server does when the card's memory does not suffice."""
        raise out_of_memory()

    def _draw_batch(self, batch: int, second: SecondPass | None) -> None:
        task, size = self.task, self.values["batch_size"]
        seconds = self.state.delay * size / (2 if second else 1)
        # Latents have an eighth of the size, so what does not divide is lost.
        width, height = self.values["width"] // 8 * 8, self.values["height"] // 8 * 8
        complete = self.state.queue.sample(task, self.values["steps"], seconds)
        if complete and second:
            self.after_first_pass()
            task.job_no += 1
            width, height = second.width, second.height
            if not second.exact:
                width, height = width // 8 * 8, height // 8 * 8
            complete = self.state.queue.sample(task, second.steps, seconds)
        if complete or task.sampling_step:
            remark = "" if complete else f"stopped at {task.sampling_step}/{task.sampling_steps}"
            for place in range(batch * size, (batch + 1) * size):
                self.images.append(self.draw(place, width, height, remark))
                self.infotexts.append(self.infotext(place))
                self.state.drawn.append(self.applied)
        task.job_no += 1

    def draw(self, place: int, width: int, height: int, remark: str) -> Image.Image:
        """One picture, which shows what it was drawn with."""
        picture = pictures.draw(
            width,
            height,
            self.prompt,
            self.seeds[place],
            remark=", ".join(filter(None, (remark, *self._facts()))),
            noise=self.state.noise,
        )
        if not self.inputs:
            return picture
        source = self.inputs[place % self.values["batch_size"] % len(self.inputs)]
        return redraw(source, picture, self.values | {"resize_mode": self.resize_mode})

    @property
    def resize_mode(self) -> int:
        """How the input comes to the asked size: 0 stretched, 1 cropped, 2 filled up."""
        mode: int = self.values["resize_mode"]
        return mode

    def _facts(self) -> list[str]:
        one = self.applied
        return [f"{one.sampler} {one.scheduler}".strip(), one.model, one.upscaler, *one.loras]

    def _find_refiner(self) -> None:
        name = self.values["refiner_checkpoint"]
        if name in (None, "", "None", "none"):
            return
        model = self.state.closest_checkpoint(name)
        if model is None:
            raise CrashError("Exception", f"Could not find checkpoint with name {name}")
        if self.values["refiner_switch_at"] or not self.state.family.refiner_waits:
            self.applied = dataclasses.replace(self.applied, refiner=model.name_for_extra)
            self.remarks["Refiner"] = model.title
            self.remarks["Refiner switch at"] = self.values["refiner_switch_at"]
