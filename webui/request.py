"""One generation's request body, from a tool's values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from webui import lora, values
from webui.errors import InvalidParameterError
from webui.server import Server

# Parameters of ours: the API has no such fields, only places where they belong.
_OWN = {"model", "vae", "clip_skip", "lora", "timeout", "extra_parameters"}
_SIZES = ("width", "height", "hr_resize_x", "hr_resize_y")
_BUILT_IN_VAE = {"automatic", "none", "built in"}


@dataclass
class Request:
    """What is posted, and what the user should know about how it came about."""

    body: dict[str, Any]
    warnings: list[str] = field(default_factory=list)


def build(given: Mapping[str, Any], server: Server, *, default_model: str = "") -> Request:
    """The body for txt2img from values that `Parameters.read` gave.

    default_model: the checkpoint for calls that name none. Raises InvalidParameterError where
    values contradict each other or name what the server does not have.
    """
    body = {name: value for name, value in given.items() if name not in _OWN}
    request = Request(body)
    _round_sizes(request)
    _add_loras(request, given)
    overrides = dict(body.get("override_settings", {}))
    if "model" in given:
        _put(overrides, "sd_model_checkpoint", server.checkpoint(given["model"], "model"), "model")
    elif default_model and "sd_model_checkpoint" not in overrides:
        overrides["sd_model_checkpoint"] = server.checkpoint(default_model, "model")
    if "vae" in given:
        _put(overrides, *_vae(given["vae"], server), "vae")
    if "clip_skip" in given:
        _put(overrides, "CLIP_stop_at_last_layers", given["clip_skip"], "clip_skip")
    if overrides:
        body["override_settings"] = overrides
    request.body = merged(body, given.get("extra_parameters", {}))
    _complete_hires(request.body)
    return request


def _round_sizes(request: Request) -> None:
    """Latents are eighths of pixels; servers floor in silence, and some round up."""
    for name in _SIZES:
        size = request.body.get(name, 0)
        rounded = (size + 4) // 8 * 8
        if rounded != size:
            request.body[name] = rounded
            request.warnings.append(
                f"{name} {size} is no multiple of 8 and was rounded to {rounded}."
            )


def _add_loras(request: Request, given: Mapping[str, Any]) -> None:
    """Append tags to the prompt, and to the prompt of the second pass if it has its own."""
    if "lora" not in given:
        return
    tags = lora.tags(given["lora"])
    for name in ("prompt", "hr_prompt"):
        if request.body.get(name):
            request.body[name] = " ".join([request.body[name], *tags])
    if request.body.get("disable_extra_networks"):
        request.warnings.append("lora has no effect while disable_extra_networks is on.")


def _vae(wanted: str, server: Server) -> tuple[str, Any]:
    """The option that selects a VAE, and its value: Forge and Neo load VAEs as modules."""
    chosen = values.names(wanted)
    if server.loads_modules():
        built_in = [name for name in chosen if name.lower() in _BUILT_IN_VAE]
        return "forge_additional_modules", [name for name in chosen if name not in built_in]
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


def _complete_hires(body: dict[str, Any]) -> None:
    """Fill in what one server or another crashes or misbehaves without in the second pass.

    A1111 compares a missing denoising_strength with 0; Forge and Neo search in a missing
    hr_additional_modules and take CFG 1 for a missing hr_cfg; stable-diffusion.cpp calls the steps
    hr_steps; SD.Next runs no second pass without hr_resize_mode and hr_force. Servers ignore the
    fields they do not know.
    """
    if body.get("enable_hr") is not True:
        return
    steps = body.get("hr_second_pass_steps") or body.get("steps")
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
