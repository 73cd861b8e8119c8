"""stable-diffusion.cpp's lists, and what it says it can do."""

from collections.abc import Callable, Mapping
from typing import Any

from devtools.catalogue import ROOT
from devtools.standin_state import State


def capabilities(state: State) -> dict[str, Any]:
    """The reply to /sdcpp/v1/capabilities, without the defaults of other tasks."""
    model = state.loaded
    catalogue = state.catalogue
    upscalers = [one.name for one in catalogue.upscalers]
    return {
        "model": {
            "name": model.name,
            "stem": model.name_for_extra,
            "path": str(ROOT / "models" / model.name),
        },
        "current_mode": "img_gen",
        "supported_modes": ["img_gen"],
        "limits": {
            "min_width": 64,
            "max_width": 4096,
            "min_height": 64,
            "max_height": 4096,
            "max_batch_count": 8,
            "max_queue_size": 64,
        },
        "samplers": [one.name for one in catalogue.samplers if one.name != "default"],
        "schedulers": [one.name for one in catalogue.schedulers if one.name != "default"],
        "output_formats": ["png", "jpeg", "webp"],
        "loras": _loras(state),
        "upscalers": [{"name": name} for name in (*upscalers, *catalogue.latent_upscale_modes)],
    }


def _loras(state: State) -> list[dict[str, str]]:
    return [{"name": name, "path": f"{name}.safetensors"} for name in sorted(state.catalogue.loras)]


def _options(state: State) -> dict[str, Any]:
    return {"samples_format": "png", "sd_model_checkpoint": state.loaded.name_for_extra}


LISTS: Mapping[str, Callable[[State], Any]] = {"options": _options, "loras": _loras}
