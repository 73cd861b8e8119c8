"""What an SD.Next writes about a finished generation: fewer names, other words."""

import time
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from devtools import infotext

if TYPE_CHECKING:
    from devtools.standin_drawing import Generation


def write_infotext(generation: "Generation", place: int) -> str:
    """The infotext of the image at this place of the whole run."""
    values, checkpoint = generation.values, generation.checkpoint
    several = values["n_iter"] > 1 or values["batch_size"] > 1
    varied = values["subseed_strength"] > 0
    iteration, index = divmod(place, values["batch_size"])
    parameters = {
        "Steps": values["steps"],
        "Size": f"{values['width']}x{values['height']}",
        "Sampler": None if values["sampler_name"] == "Default" else values["sampler_name"],
        "Scheduler": "EulerDiscreteScheduler",
        "Seed": generation.seeds[place],
        "CFG scale": values["cfg_scale"],
        "CLiP-skip": values["clip_skip"] if values["clip_skip"] > 1 else None,
        "Batch": f"{values['n_iter']}x{values['batch_size']}" if several else None,
        "Styles": "; ".join(values["styles"] or []) or None,
        "App": "SD.Next",
        "Version": generation.state.catalogue.version,
        "Pipeline": "StableDiffusionPipeline",
        "Model": checkpoint.name_for_extra,
        "Model hash": checkpoint.shorthash,
        "VAE": PurePosixPath(generation.vae).stem if generation.vae else None,
        "Index": f"{iteration + 1}x{index + 1}" if several else None,
        "Variation seed": generation.subseeds[place] if varied else None,
        "Variation strength": values["subseed_strength"] if varied else None,
        **generation.remarks,
    }
    return infotext.write(
        generation.prompt, generation.negative_prompt, parameters, blank_line=True
    )


def describe(generation: "Generation") -> dict[str, Any]:
    """The object that travels as a JSON string in `info`."""
    values = generation.values
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
        "cfg_end": None if values["cfg_end"] >= 1 else values["cfg_end"],
        "steps": values["steps"],
        "batch_size": values["batch_size"],
        "detailer": values["detailer_enabled"],
        "detailer_model": "Detailer" if values["detailer_enabled"] else None,
        "sd_model_hash": generation.checkpoint.shorthash,
        "seed_resize_from_w": values["seed_resize_from_w"],
        "seed_resize_from_h": values["seed_resize_from_h"],
        "denoising_strength": values["denoising_strength"],
        "extra_generation_params": generation.remarks,
        "index_of_first_image": generation.index_of_first_image,
        "infotexts": generation.infotexts or [write_infotext(generation, 0)],
        "styles": values["styles"] or [],
        "job_timestamp": time.strftime("%Y%m%d%H%M%S", generation.started),
        "clip_skip": values["clip_skip"],
    }
