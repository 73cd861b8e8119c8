"""What a server is asked to do, and which can."""

from collections.abc import Mapping
from typing import Any

from matrix import DRAWN, MODULES, Row, everywhere, lacking

_HIRES = {"enable_hr": True, "hr_scale": 2}
_KARRAS = {"sampler": "DPM++ 2M", "scheduler": "Karras"}
_KARRAS_ELSEWHERE: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "classic": ({}, {"sampler": "DPM++ 2M Karras", "scheduler": ""}),
    "sdcpp": ({}, {"sampler": "dpm++2m", "scheduler": "karras"}),
}
_MODULE = ({"vae": "ae.safetensors"}, {"modules": ("ae.safetensors",)})
_ONLY_MODEL = "v1-5-pruned-emaonly"

FEATURES = [
    Row("A plain picture", {}, everywhere(DRAWN)),
    Row("Several batches", {"n_iter": 2}, everywhere(DRAWN, sdcpp=lacking("n_iter")), images=2),
    Row(
        "Sampler",
        {"sampler_name": "euler A"},
        everywhere(DRAWN),
        {"sampler": "Euler a"},
        elsewhere={"sdcpp": ({}, {"sampler": "euler_a"})},
    ),
    Row(
        "Scheduler",
        {"sampler_name": "DPM++ 2M", "scheduler": "karras"},
        everywhere(DRAWN, sdnext=lacking("schedulers_sigma")),
        _KARRAS,
        elsewhere=_KARRAS_ELSEWHERE,
    ),
    Row(
        "Sampler and scheduler in one name",
        {"sampler_name": "DPM++ 2M Karras"},
        everywhere(DRAWN, sdnext=lacking("DPM++ 2M", "refused")),
        _KARRAS,
        elsewhere=_KARRAS_ELSEWHERE,
    ),
    Row("Hires. fix", _HIRES, everywhere(DRAWN), size=(128, 128)),
    Row(
        "Hires. fix with an upscaler",
        {**_HIRES, "hr_upscaler": "R-ESRGAN 4x+"},
        everywhere(DRAWN),
        {"upscaler": "R-ESRGAN 4x+"},
        elsewhere={
            "sdnext": ({"hr_upscaler": "RealESRGAN 4x+"}, {"upscaler": "RealESRGAN 4x+"}),
            "sdcpp": ({"hr_upscaler": "RealESRGAN_x4plus"}, {"upscaler": "RealESRGAN_x4plus"}),
        },
        size=(128, 128),
    ),
    Row(
        "Another model",
        {"model": "dreamshaper_8"},
        everywhere(DRAWN, sdcpp=lacking(_ONLY_MODEL, "refused")),
        {"model": "dreamshaper_8"},
    ),
    Row(
        "A model in a folder, by its bare name",
        {"model": "sd_xl_base_1.0"},
        everywhere(DRAWN, sdcpp=lacking(_ONLY_MODEL, "refused")),
        {"model": "sd_xl_base_1.0"},
    ),
    Row(
        "VAE or modules",
        {"vae": "sdxl_vae.safetensors"},
        everywhere(DRAWN, sdcpp=lacking("sd-server is started with")),
        {"vae": "sdxl_vae.safetensors"},
        elsewhere=dict.fromkeys(MODULES, _MODULE),
    ),
    Row("LoRA", {"lora": "pixel_art:0.5"}, everywhere(DRAWN), {"loras": ("pixel_art",)}),
    Row("CLIP skip", {"clip_skip": 2}, everywhere(DRAWN), {"clip_skip": 2}),
    Row(
        "Styles",
        {"styles": "watercolour"},
        everywhere(DRAWN, sdcpp=lacking("styles has no effect")),
        {"styles": ("Watercolour",)},
    ),
    Row(
        "Refiner",
        {"refiner_checkpoint": "sd_xl_refiner_1.0", "refiner_switch_at": 0.8},
        everywhere(
            DRAWN,
            sdnext=lacking("sd_model_refiner"),
            sdcpp=lacking("refiner_checkpoint has no effect"),
        ),
        {"refiner": "sd_xl_refiner_1.0"},
    ),
    Row(
        "Script",
        {"script_name": "Prompt matrix"},
        everywhere(DRAWN, sdcpp=lacking("script_name has no effect")),
        {"script": "prompt matrix"},
    ),
    Row(
        "Distilled CFG scale",
        {"distilled_cfg_scale": 2},
        everywhere(lacking("distilled_cfg_scale has no effect"), forge=DRAWN, neo=DRAWN),
    ),
    Row(
        "Sampler in the old field",
        {"sampler_index": "Euler a"},
        everywhere(
            DRAWN,
            sdcpp=lacking("sampler_index has no effect"),
        ),
        {"sampler": "Euler a"},
    ),
]
