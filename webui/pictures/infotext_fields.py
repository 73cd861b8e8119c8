"""An infotext as fields of the API's txt2img, to draw the same picture again.

Source: what the families' own code writes, AUTOMATIC1111's `create_infotext` and its forks',
SD.Next's and stable-diffusion.cpp's.
"""

import re
from collections.abc import Mapping

from webui import values
from webui.pictures.infotext import Infotext
from webui.values import Converter, Fields

Pairs = Mapping[str, str]

_FIELDS: dict[str, tuple[str, Converter]] = {
    "Steps": ("steps", values.integer),
    "Sampler": ("sampler_name", values.text),
    "Schedule type": ("scheduler", values.text),
    "CFG scale": ("cfg_scale", values.decimal),
    "Distilled CFG Scale": ("distilled_cfg_scale", values.decimal),
    "Seed": ("seed", values.integer),
    "Variation seed": ("subseed", values.integer),
    "Variation seed strength": ("subseed_strength", values.decimal),
    "Variation strength": ("subseed_strength", values.decimal),
    "Hires strength": ("denoising_strength", values.decimal),
    "Denoising strength": ("denoising_strength", values.decimal),
    "Tiling": ("tiling", values.boolean),
    "Eta": ("eta", values.decimal),
    "Sigma churn": ("s_churn", values.decimal),
    "Sigma tmin": ("s_tmin", values.decimal),
    "Sigma tmax": ("s_tmax", values.decimal),
    "Sigma noise": ("s_noise", values.decimal),
    "NGMS": ("s_min_uncond", values.decimal),
    "Refiner": ("refiner_checkpoint", values.text),
    "Refiner switch at": ("refiner_switch_at", values.decimal),
}
_HIRES: dict[str, tuple[str, Converter]] = {
    "Hires scale": ("hr_scale", values.decimal),
    "Hires upscaler": ("hr_upscaler", values.text),
    "Hires steps": ("hr_second_pass_steps", values.integer),
    "Hires sampler": ("hr_sampler_name", values.text),
    "Hires schedule type": ("hr_scheduler", values.text),
    "Hires checkpoint": ("hr_checkpoint_name", values.text),
    "Hires prompt": ("hr_prompt", values.text),
    "Hires negative prompt": ("hr_negative_prompt", values.text),
    "Hires CFG Scale": ("hr_cfg", values.decimal),
    "Hires Distilled CFG Scale": ("hr_distilled_cfg", values.decimal),
    "HiRes mode": ("hr_resize_mode", values.integer),
}
_SECOND_PASS = {"Hires upscale", "Hires upscaler", "Hires resize", "HiRes mode", "Hires force"}
_OPTIONS: dict[str, tuple[str, Converter]] = {
    "VAE": ("sd_vae", values.text),
    "ENSD": ("eta_noise_seed_delta", values.integer),
    "Token merging ratio": ("token_merging_ratio", values.decimal),
    "Token merging ratio hr": ("token_merging_ratio_hr", values.decimal),
    "Emphasis": ("emphasis", values.text),
}
# ADetailer's of each model, the same but for a number: "ADetailer prompt 2nd"; SD.Next's of all.
_DETAILED = re.compile(r"ADetailer model(| \d+(?:st|nd|rd|th))")
_DETAILER: dict[str, tuple[str, Converter]] = {
    "Detailer": ("ad_model", values.names),
    "Detailer prompt": ("ad_prompt", values.text),
    "Detailer strength": ("ad_denoising_strength", values.decimal),
}
_RANDOM_SOURCES = {"CPU", "GPU", "NV"}
_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})", re.ASCII)


def fields_of(found: Infotext) -> Fields:
    """Return the fields that an infotext gives, by the API's names; the unreadable are left out."""
    pairs = found.parameters
    fields: Fields = {}
    if found.prompt:
        fields["prompt"] = found.prompt
    if found.negative_prompt:
        fields["negative_prompt"] = found.negative_prompt
    fields |= _converted(pairs, _FIELDS)
    fields |= _size(pairs.get("Size"), "width", "height")
    fields |= _size(pairs.get("Seed resize from"), "seed_resize_from_w", "seed_resize_from_h")
    fields |= _detailed(pairs)
    if pairs.get("Face restoration"):
        fields["restore_faces"] = True
    if _SECOND_PASS & pairs.keys():
        fields |= _second_pass(pairs)
    if "Hires strength" in pairs and fields.get("denoising_strength") == 0:
        # SD.Next writes 0.0 there, whatever was used.
        del fields["denoising_strength"]
    options = _options(pairs)
    clip_skip = _converted(
        pairs,
        {
            "Clip skip": ("clip_skip", values.integer),
            "CLiP-skip": ("clip_skip", values.integer),
        },
    )
    if "SDCPP" in pairs:
        fields = _one_sampler(fields)
    if "SDCPP" in pairs or "CLiP-skip" in pairs:
        fields |= clip_skip
    elif clip_skip:
        options["CLIP_stop_at_last_layers"] = clip_skip["clip_skip"]
    if options:
        fields["override_settings"] = options
    return fields


def _second_pass(pairs: Pairs) -> Fields:
    fields = {"enable_hr": True, **_converted(pairs, _HIRES)}
    # A factor, or with stable-diffusion.cpp the upscaler.
    upscale = pairs.get("Hires upscale", "")
    try:
        fields["hr_scale"] = values.decimal(upscale)
    except ValueError:
        if upscale:
            fields["hr_upscaler"] = upscale
    fields |= _size(pairs.get("Hires resize"), "hr_resize_x", "hr_resize_y")
    if "hr_resize_x" in fields:
        fields.pop("hr_scale", None)
    if {"HiRes mode", "Hires force"} & pairs.keys():
        # SD.Next: where nothing is said, it did nothing of the kind.
        fields.setdefault("hr_resize_mode", 0)
        fields["hr_force"] = pairs.get("Hires force") == "True"
    modules = _numbered("Hires Module", pairs)
    if modules:
        fields["hr_additional_modules"] = modules
    return fields


def _detailed(pairs: Pairs) -> Fields:
    """Return what was drawn again; numbers that differ from model to model are left out."""
    numbers = [found[1] for label in pairs if (found := _DETAILED.fullmatch(label))]
    if not numbers:
        return _converted(pairs, _DETAILER) if pairs.get("Detailer") else {}
    told = {
        name: [pairs.get(f"ADetailer {name}{number}", "") for number in numbers]
        for name in ("model", "prompt", "confidence", "denoising strength")
    }
    fields: Fields = {"ad_model": told["model"]}
    prompts = [" ".join(prompt.split("\n")) for prompt in told["prompt"]]
    if any(prompts):
        fields["ad_prompt"] = "\n".join(prompts)
    for name in ("confidence", "denoising strength"):
        if len(set(told[name])) == 1:
            field = f"ad_{name.replace(' ', '_')}"
            fields |= _converted({field: told[name][0]}, {field: (field, values.decimal)})
    return fields


def _one_sampler(fields: Fields) -> Fields:
    """stable-diffusion.cpp writes "euler_a karras", and NONE for each that was not chosen."""
    named = zip(("sampler_name", "scheduler"), fields.get("sampler_name", "").split(), strict=False)
    others = {name: value for name, value in fields.items() if name != "sampler_name"}
    return others | {name: value for name, value in named if value != "NONE"}


def _options(pairs: Pairs) -> Fields:
    """override_settings."""
    options: Fields = {}
    model = pairs.get("Model") or pairs.get("Model hash")
    if model:
        options["sd_model_checkpoint"] = model
    options |= _converted(pairs, _OPTIONS)
    modules = _numbered("Module", pairs)
    if modules:
        options["forge_additional_modules"] = modules
        options.pop("sd_vae", None)
    if pairs.get("RNG") in _RANDOM_SOURCES:
        options["randn_source"] = pairs["RNG"]
    if pairs.get("Face restoration"):
        options["face_restoration_model"] = pairs["Face restoration"]
    return options


def _converted(pairs: Pairs, table: Mapping[str, tuple[str, Converter]]) -> Fields:
    found = {}
    for label, (name, convert) in table.items():
        try:
            if pairs.get(label):
                found[name] = convert(pairs[label])
        except ValueError:
            continue
    return found


def _size(text: str | None, wide: str, high: str) -> dict[str, int]:
    size = _SIZE.fullmatch(text or "")
    sides = {wide: int(size[1]), high: int(size[2])} if size else {}
    return sides if any(sides.values()) else {}


def _numbered(label: str, pairs: Pairs) -> list[str]:
    """Return the values of "<label> 1", "<label> 2", …"""
    numbered = re.compile(rf"{label} \d+")
    return [value for name, value in pairs.items() if numbered.fullmatch(name)]
