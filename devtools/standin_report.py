"""What a WebUI writes about a finished generation: infotexts and the reply's `info`."""

import hashlib
import time
from typing import TYPE_CHECKING, Any

from devtools import infotext

if TYPE_CHECKING:
    from devtools.standin_drawing import Generation


def write_infotext(generation: "Generation", place: int) -> str:
    """The infotext of the image at this place of the whole run."""
    values, options = generation.values, generation.options
    checkpoint, vae = generation.checkpoint, generation.vae
    varied = values["subseed_strength"] != 0
    clip_skip = options["CLIP_stop_at_last_layers"]
    parameters = {
        "Steps": values["steps"],
        "Sampler": values["sampler_name"],
        # None where the sampler's name says it.
        "Schedule type": values.get("scheduler"),
        "CFG scale": values["cfg_scale"],
        "Seed": generation.seeds[place],
        "Size": f"{values['width']}x{values['height']}",
        "Model hash": checkpoint.shorthash,
        "Model": checkpoint.name_for_extra,
        "VAE hash": _hash(vae),
        "VAE": vae,
        **{f"Module {i}": name for i, name in enumerate(generation.modules, 1)},
        "Variation seed": generation.subseeds[place] if varied else None,
        "Variation seed strength": values["subseed_strength"] if varied else None,
        "Seed resize from": _resized_from(values),
        "Clip skip": clip_skip if clip_skip > 1 else None,
        "ENSD": options["eta_noise_seed_delta"] or None,
        "Token merging ratio": options["token_merging_ratio"] or None,
        "Tiling": "True" if values["tiling"] else None,
        **generation.remarks,
        "Version": generation.state.catalogue.version,
    }
    return infotext.write(generation.prompt, generation.negative_prompt, parameters)


def describe(generation: "Generation") -> dict[str, Any]:
    """The object that travels as a JSON string in `info`."""
    values, options = generation.values, generation.options
    count = len(generation.seeds)
    return {
        "prompt": generation.prompt,
        "all_prompts": [generation.prompt] * count,
        "negative_prompt": generation.negative_prompt,
        "all_negative_prompts": [generation.negative_prompt] * count,
        "seed": generation.seeds[0],
        "all_seeds": generation.seeds,
        "subseed": generation.subseeds[0],
        "all_subseeds": generation.subseeds,
        "subseed_strength": values["subseed_strength"],
        "width": values["width"],
        "height": values["height"],
        "sampler_name": values["sampler_name"],
        "cfg_scale": values["cfg_scale"],
        "steps": values["steps"],
        "batch_size": values["batch_size"],
        "restore_faces": bool(values["restore_faces"]),
        "face_restoration_model": None,
        "sd_model_name": generation.checkpoint.name_for_extra,
        "sd_model_hash": generation.checkpoint.shorthash,
        "sd_vae_name": generation.vae,
        "sd_vae_hash": _hash(generation.vae),
        "seed_resize_from_w": values["seed_resize_from_w"],
        "seed_resize_from_h": values["seed_resize_from_h"],
        "denoising_strength": values["denoising_strength"],
        "extra_generation_params": generation.remarks,
        "index_of_first_image": generation.index_of_first_image,
        "infotexts": generation.infotexts,
        "styles": values["styles"] or [],
        "job_timestamp": time.strftime("%Y%m%d%H%M%S", generation.started),
        "clip_skip": options["CLIP_stop_at_last_layers"],
        "is_using_inpainting_conditioning": False,
        "version": generation.state.catalogue.version,
    }


def _hash(vae: str | None) -> str | None:
    return hashlib.sha256(vae.encode()).hexdigest()[:10] if vae else None


def _resized_from(values: dict[str, Any]) -> str | None:
    width, height = values["seed_resize_from_w"], values["seed_resize_from_h"]
    if (width or 0) <= 0 or (height or 0) <= 0:
        return None
    return f"{width}x{height}"
