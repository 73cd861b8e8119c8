"""One drawing's request, from a tool's values."""

from collections.abc import Mapping

from webui import values
from webui.errors import InvalidParameterError
from webui.fields import FIELDS
from webui.http.endpoints import Endpoint
from webui.request.control import add_control_unit
from webui.request.detailer import DETAILER_FIELDS, apply_detailer
from webui.request.field_checks import refuse_crashes, warn_of_fields
from webui.request.loras import apply_loras, warn_of_tags
from webui.request.name_checks import check_names
from webui.request.request import Request
from webui.request.scripts import complete_script
from webui.server.server import Server
from webui.values import Fields, Json

_SIZES = ("width", "height", "hr_resize_x", "hr_resize_y")
_BUILT_IN_VAE = {"automatic", "none", "built in"}


def build_request(
    endpoint: Endpoint, asked: Fields, server: Server, *, default_model: str = ""
) -> Request:
    """Return the request for TXT2IMG or IMG2IMG from a tool's values.

    asked: values by the form's names, as `place_inputs` gives them, and perhaps `count`, the number
    of pictures. default_model: the checkpoint for calls that name none. InvalidParameterError where
    values contradict each other, name what the server does not have, or would crash it.
    """
    asked = _counted(asked)
    extra = asked.get("extra_parameters", {})
    detailing = {name: asked[name] for name in DETAILER_FIELDS if name in asked}
    detailing = merge(detailing, {name: extra[name] for name in DETAILER_FIELDS if name in extra})
    extra = {name: value for name, value in extra.items() if name not in DETAILER_FIELDS}
    ours = {name for name in asked if name in FIELDS and FIELDS[name].own}
    given = (*(name for name in asked if name not in ours), *extra)
    if "vae" in asked:
        given = (*given, "override_settings")
    request = Request(
        endpoint, {name: value for name, value in asked.items() if name not in ours}, given
    )
    rounded = _round_sizes(request.fields)
    overrides = _overrides(asked, server, default_model)
    if overrides:
        request.fields["override_settings"] = overrides
    if "clip_skip" in asked and server.family.clip_skip_is_field:
        request.fields["clip_skip"] = asked["clip_skip"]
    _translate_resize_mode(request, server)
    request.fields = merge(request.fields, extra)
    controls = add_control_unit(request, asked, server)
    _complete_hires(request, server)
    apply_loras(asked.get("lora", []), request, server)
    tags = warn_of_tags(request, server)
    idle = apply_detailer(detailing, request, server)
    refuse_crashes(request, server)
    check_names(request, server)
    complete_script(request, server)
    request.warnings = [*warn_of_fields(request, server), *controls, *idle, *tags, *rounded]
    request.warnings += server.unchecked()
    return request


def _counted(asked: Fields) -> Fields:
    """`count` under the API's name for one by one, which takes less memory than a batch."""
    return {("n_iter" if name == "count" else name): value for name, value in asked.items()}


def _round_sizes(fields: Fields) -> list[str]:
    """Latents are eighths of pixels; servers floor in silence, and some round up."""
    warnings = []
    for name in _SIZES:
        size = fields.get(name, 0)
        rounded = (size + 4) // 8 * 8
        if rounded != size:
            fields[name] = rounded
            warnings.append(f"{name} {size} is no multiple of 8 and was rounded to {rounded}.")
    return warnings


def _translate_resize_mode(request: Request, server: Server) -> None:
    """SD.Next counts from 1, as its 0 leaves the image as it is, and has other modes after fill."""
    first = server.family.resize_modes_from
    if not request.redraws or not first:
        return
    mode = request.fields.get("resize_mode", 0)
    if mode == 3 and not server.family.resizes_latent:
        raise InvalidParameterError(
            f"resize_mode: {server.family.label} has no latent resize. "
            "Use just_resize, crop_and_resize or resize_and_fill."
        )
    request.fields["resize_mode"] = mode + first


def _overrides(asked: Fields, server: Server, default_model: str) -> Fields:
    """override_settings, with what our own parameters put there."""
    overrides = dict(asked.get("override_settings", {}))
    if "model" in asked:
        _put(overrides, "sd_model_checkpoint", asked["model"], "model")
    elif default_model:
        overrides.setdefault("sd_model_checkpoint", default_model)
    if "vae" in asked:
        _put(overrides, *_vae(asked["vae"], server), "vae")
    if "clip_skip" in asked and not server.family.clip_skip_is_field:
        _put(overrides, "CLIP_stop_at_last_layers", asked["clip_skip"], "clip_skip")
    return overrides


def _vae(wanted: Json, server: Server) -> tuple[str, Json]:
    """Return the option that selects a VAE, and its value: Forge and Neo load VAEs as modules."""
    chosen = values.names(wanted)
    if server.entries(Endpoint.SD_MODULES) is not None:
        return "forge_additional_modules", [
            name for name in chosen if name.lower() not in _BUILT_IN_VAE
        ]
    if len(chosen) != 1:
        raise InvalidParameterError(
            f"vae: {', '.join(chosen)!r} names {len(chosen)} files, but this server takes one. "
            "Several modules are for Forge and Forge Neo."
        )
    return "sd_vae", chosen[0]


def _put(overrides: Fields, option: str, value: Json, parameter: str) -> None:
    if overrides.get(option, value) != value:
        raise InvalidParameterError(
            f"{parameter}: {value!r} contradicts override_settings, where {option} is "
            f"{overrides[option]!r}. Give it in one place."
        )
    overrides[option] = value


def merge(target: Json, patch: Mapping[str, Json]) -> Fields:
    """Apply a JSON merge patch, RFC 7396: objects merge, null removes, all else replaces."""
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge(result.get(name), value) if isinstance(value, dict) else value
    return result


def _complete_hires(request: Request, server: Server) -> None:
    """Fill in what one server or another crashes or misbehaves without in the second pass.

    A1111 compares a missing denoising_strength with 0; Forge and Neo search in a missing
    hr_additional_modules and take CFG 1 for a missing hr_cfg; stable-diffusion.cpp calls the steps
    hr_steps; SD.Next runs no second pass without hr_resize_mode and hr_force, and crashes without
    an upscaler where the others take a latent one. Servers ignore the fields they do not know.
    """
    fields = request.fields
    if not request.has_second_pass:
        return
    if server.family.hires_wants_upscaler and "hr_upscaler" not in fields:
        upscalers = server.named(Endpoint.UPSCALERS, "name")(False) or []
        latent = [name for name in upscalers if name.lower().startswith("latent")]
        fields["hr_upscaler"] = next(iter(latent), "Latent Nearest")
    fill = {
        "denoising_strength": 0.7,
        "hr_cfg": fields.get("cfg_scale"),
        "hr_additional_modules": ["Use same choices"],
        "hr_steps": fields.get("hr_second_pass_steps") or fields.get("steps"),
        "hr_resize_mode": 1 if "hr_upscaler" in fields else 5,
        "hr_force": True,
    }
    for name, value in fill.items():
        if value is not None:
            fields.setdefault(name, value)
