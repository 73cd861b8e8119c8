"""What a request holds that the server ignores, overrides or stumbles over.

Source: the families' own processing code. Only what the user set is spoken of.
"""

from collections.abc import Collection, Iterator
from typing import Any

from webui import families
from webui.errors import InvalidParameterError
from webui.families import FORGE, NEO, REFORGE, SDCPP, SDNEXT
from webui.server import Profile

Body = dict[str, Any]

# Values with which a field changes nothing, so that ignoring it loses nothing.
# For the others that is nothing at all: 0, false, "".
_NEUTRAL: dict[str, tuple[object, ...]] = {
    "n_iter": (1,),
    "send_images": (True,),
    "subseed": (-1,),
    "seed_resize_from_w": (-1, 0),
    "seed_resize_from_h": (-1, 0),
    "override_settings_restore_afterwards": (True,),
    "eta": (),
    "mask_blur_x": (4,),
    "mask_blur_y": (4,),
    "mask_round": (True,),
    "inpainting_fill": (1,),
    "inpaint_full_res_padding": (32,),
}
_MOST_SDCPP = {"steps": 100, "batch_size": 8}
# An option of ours and the parameter that carries it.
_OPTIONS = {"sd_vae": "vae", "forge_additional_modules": "vae"}


def refuse(body: Body, profile: Profile) -> None:
    """InvalidParameterError for what would crash the server, often after the work is done."""
    if profile.reads("firstpass_image") and body.get("firstpass_image") and _is_on(body):
        raise InvalidParameterError(
            "firstpass_image: with enable_hr the server crashes on it after the first pass. "
            "Leave it out; img2img takes pictures."
        )
    phase = [name for name in ("firstphase_width", "firstphase_height") if body.get(name)]
    if profile.reads("firstphase_width") and len(phase) == 1:
        raise InvalidParameterError(
            f"{phase[0]}: alone it makes the other side 0 and the server crashes. "
            "Leave it out and use width and height."
        )
    if profile.family is SDCPP:
        if _is_on(body) and body.get("denoising_strength") == 0:
            raise InvalidParameterError(
                "denoising_strength: stable-diffusion.cpp wants more than 0 with enable_hr."
            )
        if isinstance(body.get("cfg_scale"), int | float) and body["cfg_scale"] < 0:
            raise InvalidParameterError("cfg_scale: stable-diffusion.cpp wants 0 or more.")


def warnings(given: Collection[str], body: Body, profile: Profile) -> list[str]:
    """Sentences on what has no effect or another one than it seems.

    given: the API fields that the user set.
    """
    told = [*_ignored(given, body, profile), *_overridden(body, profile), *_inert(given, body)]
    return list(dict.fromkeys(told))


def _ignored(given: Collection[str], body: Body, profile: Profile) -> Iterator[str]:
    family = profile.family
    for field in given:
        if profile.reads(field) or field not in body or _is_neutral(field, body[field]):
            continue
        if field == "hr_second_pass_steps" and profile.reads("hr_steps"):
            continue  # Sent under that server's name, too.
        if family is SDCPP and field in {"mask_blur_x", "mask_blur_y"} and not body[field]:
            continue  # It never blurs a mask.
        if field == "override_settings":
            names = [_OPTIONS.get(option, option) for option in body[field]]
            field = f"override_settings ({', '.join(names)})"
        yield f"{field} has no effect: {family.label} does not know it.{_instead(field, family)}"
    if family is SDNEXT and not _is_neutral("inpainting_fill", body.get("inpainting_fill", 1)):
        yield "inpainting_fill has no effect: SD.Next lists the field and does not use it."
    if family is SDCPP:
        for field, most in _MOST_SDCPP.items():
            if isinstance(body.get(field), int) and body[field] > most:
                yield f"{field} is cut to {most}: stable-diffusion.cpp takes no more."
    if family is FORGE and "sd_vae" in body.get("override_settings", {}):
        yield "sd_vae in override_settings has no effect: Forge loads VAEs as modules. Use vae."
    if family is REFORGE and body.get("s_min_uncond"):
        yield "s_min_uncond has no effect: reForge reads its own option of that name instead."


def _instead(field: str, family: families.Family) -> str:
    other = family.instead.get(field.split(" ")[0])
    return f" It uses {other} instead." if other else ""


def _overridden(body: Body, profile: Profile) -> Iterator[str]:
    """Fields that the server reads and then acts otherwise."""
    if profile.reads("firstphase_width") and body.get("firstphase_width"):
        yield "firstphase_width and firstphase_height replace width and height."
    if profile.reads("refiner_checkpoint") and _refiner(body) and not body.get("refiner_switch_at"):
        yield (
            "Without refiner_switch_at the refiner is never used."
            if profile.family is NEO
            else "Without refiner_switch_at the refiner draws from the first step on."
        )
    if body.get("send_images") is False and not body.get("save_images"):
        yield "With send_images off and save_images not on, every image is lost."
    if (
        _is_on(body)
        and body.get("hr_scale")
        and (body.get("hr_resize_x") or body.get("hr_resize_y"))
    ):
        yield "hr_scale has no effect: hr_resize_x and hr_resize_y decide the size."


def _inert(given: Collection[str], body: Body) -> Iterator[str]:
    """Fields that do nothing on any server, or nothing without another one."""
    for field in ("do_not_save_samples", "do_not_save_grid"):
        if body.get(field):
            yield f"{field} has no effect: save_images alone decides."
    if body.get("comments"):
        yield "comments has no effect: the server empties it."
    if body.get("firstpass_image"):
        yield "firstpass_image has no effect over the API."
    if body.get("sampler_index") and body.get("sampler_name"):
        yield "sampler_index has no effect beside sampler_name."
    if body.get("subseed", -1) != -1 and not body.get("subseed_strength"):
        yield "subseed has no effect without subseed_strength."
    if body.get("refiner_switch_at") and not _refiner(body):
        yield "refiner_switch_at has no effect without refiner_checkpoint."
    if body.get("script_args") and not body.get("script_name"):
        yield "script_args has no effect without script_name."
    sides = [body.get(f"seed_resize_from_{side}", -1) > 0 for side in "wh"]
    if any(sides) and not all(sides):
        yield "seed_resize_from_w and seed_resize_from_h have an effect only together."
    if "init_images" in body:
        yield from _inert_in_img2img(given, body)
    elif not _is_on(body):
        second_pass = [f for f in given if f.startswith("hr_") or f == "denoising_strength"]
        idle = [f for f in second_pass if f in body and not _is_neutral(f, body[f])]
        if idle:
            verb = "has" if len(idle) == 1 else "have"
            yield f"{', '.join(idle)} {verb} no effect without enable_hr."


def _inert_in_img2img(given: Collection[str], body: Body) -> Iterator[str]:
    if body.get("latent_mask"):
        yield "latent_mask has no effect over the API. Use mask."
    if not body.get("mask"):
        masked = [f for f in given if f.startswith(("mask_", "inpaint")) and f in body]
        idle = [f for f in masked if not _is_neutral(f, body[f])]
        if idle:
            verb = "has" if len(idle) == 1 else "have"
            yield f"{', '.join(idle)} {verb} no effect without mask."


def _refiner(body: Body) -> bool:
    return str(body.get("refiner_checkpoint") or "None").lower() != "none"


def _is_on(body: Body) -> bool:
    return body.get("enable_hr") is True


def _is_neutral(field: str, value: object) -> bool:
    return value in _NEUTRAL[field] if field in _NEUTRAL else not value
