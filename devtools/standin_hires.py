"""The second pass that draws a txt2img picture again at a larger size."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devtools.standin_state import CrashError, State

_SAME_CHECKPOINT = "Use same checkpoint"


@dataclass(frozen=True)
class SecondPass:
    width: int
    height: int
    steps: int
    remarks: Mapping[str, Any]

    @classmethod
    def of(cls, state: State, values: Mapping[str, Any]) -> "SecondPass":
        """What is found wrong before the first pass is a CrashError here."""
        remarks: dict[str, Any] = {}
        name = values["hr_checkpoint_name"]
        if name and name != _SAME_CHECKPOINT:
            model = state.closest_checkpoint(name)
            if model is None:
                raise CrashError("Exception", f"Could not find checkpoint with name {name}")
            remarks["Hires checkpoint"] = model.title
        if values["hr_sampler_name"] not in (None, values["sampler_name"]):
            remarks["Hires sampler"] = values["hr_sampler_name"]
        upscaler = values["hr_upscaler"] or state.catalogue.latent_upscale_modes[0]
        modes = state.catalogue.latent_upscale_modes
        if upscaler not in (*modes, *(one.name for one in state.catalogue.upscalers)):
            raise CrashError("Exception", f"could not find upscaler named {upscaler}")
        width, height = _target(values)
        if values["hr_resize_x"] or values["hr_resize_y"]:
            remarks["Hires resize"] = f"{values['hr_resize_x']}x{values['hr_resize_y']}"
        else:
            remarks["Hires upscale"] = values["hr_scale"]
        if values["hr_second_pass_steps"]:
            remarks["Hires steps"] = values["hr_second_pass_steps"]
        remarks["Hires upscaler"] = upscaler
        steps = values["hr_second_pass_steps"] or values["steps"]
        return cls(width, height, steps, remarks)


def check_after_first_pass(state: State, values: Mapping[str, Any]) -> None:
    """What the server stumbles over only when the first pass is already computed."""
    name = values["hr_sampler_name"]
    if name is not None and name not in [one.name for one in state.catalogue.samplers]:
        raise CrashError("AssertionError", f"bad sampler name: {name}")
    if values["denoising_strength"] is None:
        text = "'>' not supported between instances of 'NoneType' and 'int'"
        raise CrashError("TypeError", text)


def _target(values: Mapping[str, Any]) -> tuple[int, int]:
    width, height = values["width"], values["height"]
    wide, high = values["hr_resize_x"], values["hr_resize_y"]
    if not wide and not high:
        return int(width * values["hr_scale"]), int(height * values["hr_scale"])
    if not high:
        return wide, wide * height // width
    if not wide:
        return high * width // height, high
    return wide, high
