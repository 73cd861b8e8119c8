"""The fields of txt2img and img2img on AUTOMATIC1111 and the four forks that share its code.

A table gives each field's type and default. An inherited field accepts null, whatever its type;
one that the API adds accepts null only where null is its default.
"""

from collections.abc import Mapping
from typing import Any

Table = Mapping[str, tuple[str, Any]]

INHERITED: Table = {
    "prompt": ("str", ""),
    "styles": ("list[str]", None),
    "seed": ("int", -1),
    "subseed": ("int", -1),
    "subseed_strength": ("float", 0),
    "seed_resize_from_h": ("int", -1),
    "seed_resize_from_w": ("int", -1),
    "sampler_name": ("str", None),
    "scheduler": ("str", None),
    "batch_size": ("int", 1),
    "n_iter": ("int", 1),
    "steps": ("int", 50),
    "cfg_scale": ("float", 7.0),
    "width": ("int", 512),
    "height": ("int", 512),
    "restore_faces": ("bool", None),
    "tiling": ("bool", None),
    "do_not_save_samples": ("bool", False),
    "do_not_save_grid": ("bool", False),
    "negative_prompt": ("str", ""),
    "eta": ("float", None),
    "denoising_strength": ("float", None),
    "s_min_uncond": ("float", None),
    "s_churn": ("float", None),
    "s_tmax": ("float", None),
    "s_tmin": ("float", None),
    "s_noise": ("float", None),
    "override_settings": ("dict[str, Any]", None),
    "override_settings_restore_afterwards": ("bool", True),
    "refiner_checkpoint": ("str", None),
    "refiner_switch_at": ("float", None),
    "disable_extra_networks": ("bool", False),
    "firstpass_image": ("str", None),
    "comments": ("dict", None),
}
TXT2IMG: Table = {
    "enable_hr": ("bool", False),
    "firstphase_width": ("int", 0),
    "firstphase_height": ("int", 0),
    "hr_scale": ("float", 2.0),
    "hr_upscaler": ("str", None),
    "hr_second_pass_steps": ("int", 0),
    "hr_resize_x": ("int", 0),
    "hr_resize_y": ("int", 0),
    "hr_checkpoint_name": ("str", None),
    "hr_sampler_name": ("str", None),
    "hr_scheduler": ("str", None),
    "hr_prompt": ("str", ""),
    "hr_negative_prompt": ("str", ""),
}
IMG2IMG: Table = {
    "denoising_strength": ("float", 0.75),
    "init_images": ("list", None),
    "resize_mode": ("int", 0),
    "image_cfg_scale": ("float", None),
    "mask": ("str", None),
    "mask_blur": ("int", None),
    "mask_blur_x": ("int", 4),
    "mask_blur_y": ("int", 4),
    "mask_round": ("bool", True),
    "inpainting_fill": ("int", 0),
    "inpaint_full_res": ("bool", True),
    "inpaint_full_res_padding": ("int", 0),
    "inpainting_mask_invert": ("int", 0),
    "initial_noise_multiplier": ("float", None),
    "latent_mask": ("str", None),
}
ADDED: Table = {
    "sampler_index": ("str", "Euler"),
    "script_name": ("str", None),
    "script_args": ("list", []),
    "send_images": ("bool", True),
    "save_images": ("bool", False),
    "alwayson_scripts": ("dict", {}),
    "force_task_id": ("str", None),
    "infotext": ("str", None),
}

_DISTILLED: Table = {"distilled_cfg_scale": ("float", 3.5)}
_HR_DISTILLED: Table = {"hr_distilled_cfg": ("float", 3.5)}
# Whoever leaves this one out gets a second pass without guidance.
_HR_CFG: Table = {"hr_cfg": ("float", 1.0)}
_HR_MODULES: Table = {"hr_additional_modules": ("list", None)}

# What each fork has besides, per endpoint.
MORE: Mapping[str, tuple[Table, Table]] = {
    "forge": (
        {**_DISTILLED, **_HR_CFG, **_HR_DISTILLED, **_HR_MODULES},
        {**_DISTILLED, **_HR_DISTILLED},
    ),
    "reforge": (_HR_CFG, {}),
    "neo": (
        {**_DISTILLED, **_HR_CFG, **_HR_DISTILLED, **_HR_MODULES},
        {**_DISTILLED, "init_latent": ("Any", None), "mask_blur": ("int", 4)},
    ),
}
# And what it has not.
LESS: Mapping[str, frozenset[str]] = {
    "classic": frozenset({"scheduler", "hr_scheduler"}),
    "neo": frozenset({"mask_blur_x", "mask_blur_y"}),
}


def inherited(family: str, kind: str) -> Table:
    """The fields taken from the processing class; `kind` is txt2img or img2img."""
    own = TXT2IMG if kind == "txt2img" else IMG2IMG
    more = MORE.get(family, ({}, {}))[kind == "img2img"]
    fields = {**INHERITED, **own, **more}
    return {name: field for name, field in fields.items() if name not in LESS.get(family, ())}


def added(kind: str) -> Table:
    """The fields that the API puts on top."""
    return ADDED if kind == "txt2img" else {**ADDED, "include_init_images": ("bool", False)}
