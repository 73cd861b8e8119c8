"""The second pass that draws a txt2img picture again at a larger size."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devtools.standin_errors import CrashError
from devtools.standin_request import find_scheduler
from devtools.standin_state import State

_SAME_CHECKPOINT = "Use same checkpoint"


@dataclass(frozen=True)
class SecondPass:
    """`remarks` are the infotext's; the rest is what the pass will do."""

    width: int
    height: int
    steps: int
    remarks: Mapping[str, Any]
    upscaler: str
    sampler: str
    scheduler: str
    # A size between the eighths is possible where the picture is enlarged, not drawn again.
    exact: bool = False


def plan(state: State, values: Mapping[str, Any]) -> SecondPass:
    """What is found wrong before the first pass is a CrashError here."""
    remarks: dict[str, Any] = {}
    name = values["hr_checkpoint_name"]
    if name and name != _SAME_CHECKPOINT:
        model = state.closest_checkpoint(name)
        if model is None:
            raise CrashError("Exception", f"Could not find checkpoint with name {name}")
        remarks["Hires checkpoint"] = model.title
    sampler = values["hr_sampler_name"] or values["sampler_name"]
    if sampler != values["sampler_name"]:
        remarks["Hires sampler"] = sampler
    scheduler = values.get("scheduler", "")
    if values.get("hr_scheduler"):
        # An unknown one means the model's own sigmas, without a word.
        found = find_scheduler(state.catalogue, values["hr_scheduler"])
        scheduler = found.label if found else state.catalogue.schedulers[0].label
        remarks["Hires schedule type"] = scheduler
    if "hr_cfg" in values and (values["hr_cfg"] or state.family.modules):
        remarks["Hires CFG Scale"] = values["hr_cfg"]
    modes = state.catalogue.latent_upscale_modes
    upscaler = values["hr_upscaler"] or modes[0]
    if upscaler not in (*modes, *(one.name for one in state.catalogue.upscalers)):
        raise CrashError("Exception", f"could not find upscaler named {upscaler}")
    if values["hr_resize_x"] or values["hr_resize_y"]:
        remarks["Hires resize"] = f"{values['hr_resize_x']}x{values['hr_resize_y']}"
    else:
        remarks["Hires upscale"] = values["hr_scale"]
    if values["hr_second_pass_steps"]:
        remarks["Hires steps"] = values["hr_second_pass_steps"]
    remarks["Hires upscaler"] = upscaler
    steps = values["hr_second_pass_steps"] or values["steps"]
    return SecondPass(*target(values), steps, remarks, upscaler, sampler, scheduler)


def check_after_first_pass(state: State, values: Mapping[str, Any]) -> None:
    """What the server stumbles over only when the first pass is already computed."""
    name = values["hr_sampler_name"]
    if name is not None and name not in [one.name for one in state.catalogue.samplers]:
        raise CrashError("AssertionError", f"bad sampler name: {name}")
    if state.family.modules and values["hr_additional_modules"] is None:
        # The server looks in it for "Use same choices".
        raise CrashError("TypeError", "argument of type 'NoneType' is not iterable")
    if values["denoising_strength"] is None:
        text = "'>' not supported between instances of 'NoneType' and 'int'"
        raise CrashError("TypeError", text)


def target(values: Mapping[str, Any]) -> tuple[int, int]:
    """The size the second pass is to have, in pixels that may lie between the eighths."""
    width, height = values["width"], values["height"]
    wide, high = values["hr_resize_x"], values["hr_resize_y"]
    if not wide and not high:
        return int(width * values["hr_scale"]), int(height * values["hr_scale"])
    if not high:
        return wide, wide * height // width
    if not wide:
        return high * width // height, high
    return wide, high
