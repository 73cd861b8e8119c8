"""The server families that speak `/sdapi/v1`: how to tell them apart and where they differ.

Source: the servers' own code, as of AUTOMATIC1111 1.10.1, Forge f2.0.1v1.10.1, Forge Neo 2.26,
reForge 1.0.0v2, Forge Classic of February 2025, SD.Next and stable-diffusion.cpp of mid 2026.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

_API = "/sdapi/v1/"

# What reads the request where no schema tells: SD.Next with its docs off, and sd.cpp always.
_SDNEXT_IGNORES = frozenset(
    {
        "scheduler", "hr_scheduler", "restore_faces", "s_min_uncond", "s_churn", "s_tmax",
        "s_tmin", "s_noise", "comments", "refiner_checkpoint", "refiner_switch_at",
        "disable_extra_networks", "firstpass_image", "hr_prompt", "hr_negative_prompt",
        "hr_checkpoint_name", "force_task_id", "infotext", "distilled_cfg_scale", "hr_cfg",
        "hr_distilled_cfg", "hr_additional_modules", "mask_blur_x", "mask_blur_y", "mask_round",
        "image_cfg_scale", "gfpgan_visibility", "codeformer_visibility", "codeformer_weight",
        "upscale_first",
    }
)  # fmt: skip
_SDCPP_READS_ALWAYS = frozenset(
    {
        "prompt", "negative_prompt", "width", "height", "steps", "cfg_scale", "seed",
        "batch_size", "clip_skip", "sampler_name", "scheduler", "denoising_strength",
        "lora", "extra_images",
    }
)  # fmt: skip
_SDCPP_READS = {
    "txt2img": _SDCPP_READS_ALWAYS
    | {"enable_hr", "hr_scale", "hr_resize_x", "hr_resize_y", "hr_steps", "hr_upscaler"},
    "img2img": _SDCPP_READS_ALWAYS | {"init_images", "mask", "inpainting_mask_invert"},
}


@dataclass(frozen=True, eq=False)
class Family:
    """One family.

    instead: for a field it does not know, what does that there.
    reads, ignores: request fields, where the server has no schema to ask; reads by endpoint.
    """

    label: str
    instead: Mapping[str, str] = field(default_factory=dict)
    reads: Mapping[str, frozenset[str]] = field(default_factory=dict)
    ignores: frozenset[str] = frozenset()


A1111 = Family("AUTOMATIC1111", {"hr_additional_modules": "vae", "distilled_cfg_scale": ""})
FORGE = Family("Forge")
NEO = Family("Forge Neo")
REFORGE = Family("reForge")
CLASSIC = Family(
    "Forge Classic",
    {
        "scheduler": "sampler_name, which names both there: DPM++ 2M Karras",
        "hr_scheduler": "hr_sampler_name, which names both there",
    },
)
SDNEXT = Family(
    "SD.Next",
    {
        "scheduler": "schedulers_sigma in extra_parameters",
        "hr_scheduler": "schedulers_sigma in extra_parameters",
        "restore_faces": "detailer_enabled in extra_parameters",
        "refiner_checkpoint": "the option sd_model_refiner, with refiner_start in extra_parameters",
        "refiner_switch_at": "refiner_start in extra_parameters",
        "hr_checkpoint_name": "sd_model_refiner",
        "hr_prompt": "refiner_prompt in extra_parameters",
        "hr_negative_prompt": "refiner_negative in extra_parameters",
        "distilled_cfg_scale": "cfg_scale",
        "hr_additional_modules": "vae",
    },
    ignores=_SDNEXT_IGNORES,
)
SDCPP = Family(
    "stable-diffusion.cpp",
    {
        "n_iter": "batch_size, up to 8",
        "tiling": 'circular in <sd_cpp_extra_args>{"circular": true}</sd_cpp_extra_args>',
        "hr_second_pass_steps": "hr_steps",
        "override_settings": "the options that sd-server is started with",
        "vae": "the --vae that sd-server is started with",
    },
    reads=_SDCPP_READS,
)
UNKNOWN = Family("this server")


def recognise(paths: Collection[str], fields: Collection[str]) -> Family:
    """The family, from the paths and the txt2img fields of its `/openapi.json`.

    AUTOMATIC1111 before 1.9 has no schedulers either and counts as Forge Classic, which it
    resembles in all that matters here.
    """
    if _API + "version" in paths or "hr_force" in fields:
        return SDNEXT
    if _API + "sd-modules" in paths:
        return FORGE if _API + "interrogate" in paths else NEO
    if _API + "schedulers" not in paths:
        return CLASSIC
    return REFORGE if "hr_cfg" in fields else A1111
