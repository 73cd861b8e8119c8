"""One generation's request body, from a tool's values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webui import field_checks, lora, name_checks, networks, values
from webui.errors import InvalidParameterError
from webui.families import SDCPP, SDNEXT
from webui.server import Server

# Parameters of ours: the API has no such fields, only places where they belong.
_OWN = {"model", "vae", "clip_skip", "lora", "timeout", "resume", "extra_parameters"}
_SIZES = ("width", "height", "hr_resize_x", "hr_resize_y")
_BUILT_IN_VAE = {"automatic", "none", "built in"}


@dataclass(frozen=True)
class Request:
    """What is posted, and what the user should know about it, the most telling first."""

    body: dict[str, Any]
    warnings: list[str]


def build(given: Mapping[str, Any], server: Server, *, default_model: str = "") -> Request:
    """The body for the server's endpoint from values that `Parameters.read` gave.

    default_model: the checkpoint for calls that name none. Raises InvalidParameterError where
    values contradict each other, name what the server does not have, or would crash it.
    """
    loras = lora.listed(given.get("lora", ""))
    profile = server.profile
    body = {name: value for name, value in given.items() if name not in _OWN}
    rounded = _round_sizes(body)
    overrides = _overrides(given, server, default_model)
    if overrides:
        body["override_settings"] = overrides
    if "clip_skip" in given and profile.family in {SDNEXT, SDCPP}:
        body["clip_skip"] = given["clip_skip"]
    _translate_resize_mode(body, server)
    extra = given.get("extra_parameters", {})
    body = merged(body, extra)
    _complete_hires(body, server)
    if loras:
        networks.apply(loras, body, server)
    tagged = networks.warnings(body, server)
    field_checks.refuse(body, profile)
    name_checks.check(body, server)
    fields = [*(name for name in given if name not in _OWN), *extra]
    if "vae" in given:
        fields.append("override_settings")
    return Request(body, [*field_checks.warnings(fields, body, profile), *tagged, *rounded])


def _round_sizes(body: dict[str, Any]) -> list[str]:
    """Latents are eighths of pixels; servers floor in silence, and some round up."""
    warnings = []
    for name in _SIZES:
        size = body.get(name, 0)
        rounded = (size + 4) // 8 * 8
        if rounded != size:
            body[name] = rounded
            warnings.append(f"{name} {size} is no multiple of 8 and was rounded to {rounded}.")
    return warnings


def _translate_resize_mode(body: dict[str, Any], server: Server) -> None:
    """SD.Next counts from 1, as its 0 leaves the image as it is, and has other modes after fill."""
    if server.profile.family is not SDNEXT or "init_images" not in body:
        return
    mode = body.get("resize_mode", 0)
    if mode == 3:
        raise InvalidParameterError(
            "resize_mode: SD.Next has no latent resize. Use 0 stretch, 1 crop or 2 fill."
        )
    body["resize_mode"] = mode + 1


def _overrides(given: Mapping[str, Any], server: Server, default_model: str) -> dict[str, Any]:
    """override_settings, with what our own parameters put there."""
    overrides = dict(given.get("override_settings", {}))
    if "model" in given:
        _put(overrides, "sd_model_checkpoint", given["model"], "model")
    elif default_model:
        overrides.setdefault("sd_model_checkpoint", default_model)
    if "vae" in given:
        _put(overrides, *_vae(given["vae"], server), "vae")
    if "clip_skip" in given and server.profile.family not in {SDNEXT, SDCPP}:
        _put(overrides, "CLIP_stop_at_last_layers", given["clip_skip"], "clip_skip")
    return overrides


def _vae(wanted: str, server: Server) -> tuple[str, Any]:
    """The option that selects a VAE, and its value: Forge and Neo load VAEs as modules."""
    chosen = values.names(wanted)
    if server.entries("sd-modules") is not None:
        return "forge_additional_modules", [
            name for name in chosen if name.lower() not in _BUILT_IN_VAE
        ]
    if len(chosen) != 1:
        raise InvalidParameterError(
            f"vae: {wanted!r} names {len(chosen)} files, but this server takes one. "
            "Several modules are for Forge and Forge Neo."
        )
    return "sd_vae", chosen[0]


def _put(overrides: dict[str, Any], option: str, value: object, parameter: str) -> None:
    if overrides.get(option, value) != value:
        raise InvalidParameterError(
            f"{parameter}: {value!r} contradicts override_settings, where {option} is "
            f"{overrides[option]!r}. Give it in one place."
        )
    overrides[option] = value


def merged(target: object, patch: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON merge patch, RFC 7396: objects merge, null removes, everything else replaces."""
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value) if isinstance(value, dict) else value
    return result


def _complete_hires(body: dict[str, Any], server: Server) -> None:
    """Fill in what one server or another crashes or misbehaves without in the second pass.

    A1111 compares a missing denoising_strength with 0; Forge and Neo search in a missing
    hr_additional_modules and take CFG 1 for a missing hr_cfg; stable-diffusion.cpp calls the steps
    hr_steps; SD.Next runs no second pass without hr_resize_mode and hr_force, and crashes without
    an upscaler where the others take a latent one. Servers ignore the fields they do not know.
    """
    if body.get("enable_hr") is not True:
        return
    steps = body.get("hr_second_pass_steps") or body.get("steps")
    if server.profile.family is SDNEXT and "hr_upscaler" not in body:
        upscalers = [str(entry.get("name")) for entry in server.entries("upscalers") or []]
        latent = [name for name in upscalers if name.lower().startswith("latent")]
        body["hr_upscaler"] = next(iter(latent), "Latent Nearest")
    fill = {
        "denoising_strength": 0.7,
        "hr_cfg": body.get("cfg_scale"),
        "hr_additional_modules": ["Use same choices"],
        "hr_steps": steps,
        "hr_resize_mode": 1 if "hr_upscaler" in body else 5,
        "hr_force": True,
    }
    for name, value in fill.items():
        if value is not None:
            body.setdefault(name, value)
