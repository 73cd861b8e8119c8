"""What a request holds that the server ignores, overrides or stumbles over: a table of rules.

Source: the families' own processing code. Only what the user set is spoken of.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from webui.errors import InvalidParameterError
from webui.pictures.picture import decode_picture
from webui.request.division import is_divisible
from webui.request.request import Request
from webui.server.server import Server

# An option of ours and the parameter that carries it.
_OPTIONS = {"sd_vae": "vae", "forge_additional_modules": "vae"}


@dataclass(frozen=True)
class Rule:
    """applies: when. says: what, as a sentence, or a function that gives the sentences."""

    applies: Callable[[Request, Server], object]
    says: str | Callable[[Request, Server], Iterator[str]]

    def sentences(self, request: Request, server: Server) -> Iterator[str]:
        """Yield what it says of a request, if anything."""
        if not self.applies(request, server):
            return
        if isinstance(self.says, str):
            yield self.says
        else:
            yield from self.says(request, server)


def refuse_crashes(request: Request, server: Server) -> None:
    """InvalidParameterError for what would crash the server, often after the work is done."""
    for sentence in _sentences(_CRASHES, request, server):
        raise InvalidParameterError(sentence)


def warn_of_fields(request: Request, server: Server) -> list[str]:
    """Sentences on what has no effect or another one than it seems."""
    return list(dict.fromkeys(_sentences(_WARNINGS, request, server)))


def _sentences(rules: Sequence[Rule], request: Request, server: Server) -> Iterator[str]:
    for rule in rules:
        yield from rule.sentences(request, server)


def _always(_request: Request, _server: Server) -> bool:
    return True


def _is_set(name: str) -> Callable[[Request, Server], bool]:
    """Return the rule applies to any value but an empty one."""
    return lambda request, _server: bool(request.fields.get(name))


def _lonely_phase(request: Request, _server: Server) -> Iterator[str]:
    phase = [n for n in ("firstphase_width", "firstphase_height") if request.fields.get(n)]
    if len(phase) == 1:
        yield (
            f"{phase[0]}: alone it makes the other side 0 and the server crashes. "
            "Leave it out and use width and height."
        )


def _beyond(request: Request, server: Server) -> Iterator[str]:
    family = server.family
    for name in {**family.lowest, **family.highest}:
        value = request.fields.get(name)
        if not isinstance(value, int | float):
            continue
        if value < family.lowest.get(name, value):
            yield f"{name}: {family.label} wants {family.lowest[name]} or more."
        # Each picture of a call has the next seed.
        more = request.image_count - 1 if name == "seed" else 0
        if value + more > family.highest.get(name, value + more):
            most = f"{family.highest[name] - more} at the most"
            pictures = f" for {more + 1} images" if more else ""
            yield f"{name}: {family.label} takes {most}{pictures}."


def _wants_strength(_request: Request, server: Server) -> Iterator[str]:
    yield f"denoising_strength: {server.family.label} wants more than 0 with enable_hr."


def _broken_pictures(request: Request, server: Server) -> Iterator[str]:
    for name in ("init_images", "extra_images", "mask"):
        value = request.fields.get(name) or []
        for text in value if isinstance(value, list) else [value]:
            fault = _fault_of(str(text), needs_colours=name != "mask")
            if fault:
                yield (
                    f"{name}: a picture {fault}. {server.family.label} would draw without it. Give "
                    "a whole PNG or JPEG in colour (RGB)."
                )


def _fault_of(text: str, *, needs_colours: bool) -> str:
    """Return why stb_image reads nothing from a picture, "" if it does."""
    try:
        picture = decode_picture(text)
    except ValueError as error:
        return str(error)
    if picture.extension in {"avif", "jxl", "tiff"}:
        return f"is of the type {picture.mime_type}"
    if picture.is_cut_off:
        return "is cut off"
    return "has shades of grey alone" if needs_colours and picture.is_grey else ""


def _unread(request: Request, server: Server) -> Iterator[str]:
    """Fields that the server does not know."""
    for name in request.given:
        if server.reads(name) or request.is_idle(name) or _is_done_otherwise(name, request, server):
            continue
        shown = name
        if name == "override_settings":
            names = [_OPTIONS.get(option, option) for option in request.overrides]
            shown = f"override_settings ({', '.join(names)})"
        instead = server.family.instead(name)
        told = f" It uses {instead} instead." if instead else ""
        yield f"{shown} has no effect: {server.family.label} does not know it.{told}"


def _is_done_otherwise(name: str, request: Request, server: Server) -> bool:
    """Tell whether the server does what the field asks for without knowing it."""
    if name == "n_iter":
        return is_divisible(request, server)
    if name == "hr_second_pass_steps":
        return server.reads("hr_steps")  # Sent under that server's name, too.
    blurs_nothing = name in {"mask_blur_x", "mask_blur_y"} and not request.fields[name]
    return blurs_nothing and not server.reads("mask_blur")


def _unused(request: Request, server: Server) -> Iterator[str]:
    """Fields and options that it knows and leaves alone."""
    for name, reason in server.family.unused.items():
        if not request.is_idle(name):
            yield f"{name} has no effect: {reason}."
    for name, reason in server.family.unused_options.items():
        if name in request.overrides:
            yield f"{name} in override_settings has no effect: {reason}."


def _cut(request: Request, server: Server) -> Iterator[str]:
    for name, most in server.family.most.items():
        value = request.fields.get(name)
        if isinstance(value, int) and value > most:
            yield f"{name} is cut to {most}: {server.family.label} takes no more."


def _refiner_at_once(_request: Request, server: Server) -> Iterator[str]:
    yield (
        "Without refiner_switch_at the refiner is never used."
        if server.family.refiner_waits
        else "Without refiner_switch_at the refiner draws from the first step on."
    )


def _not_saved(request: Request, _server: Server) -> Iterator[str]:
    for name in ("do_not_save_samples", "do_not_save_grid"):
        if request.fields.get(name):
            yield f"{name} has no effect: save_images alone decides."


def _one_seed_side(request: Request, _server: Server) -> bool:
    sides = [request.fields.get(f"seed_resize_from_{side}", -1) > 0 for side in "wh"]
    return any(sides) and not all(sides)


def _second_pass_fields(request: Request, _server: Server) -> Iterator[str]:
    names = [n for n in request.given if n.startswith("hr_") or n == "denoising_strength"]
    yield from _without(request.effective(names), "enable_hr")


def _mask_fields(request: Request, _server: Server) -> Iterator[str]:
    names = [n for n in request.given if n.startswith(("mask_", "inpaint"))]
    yield from _without(request.effective(names), "mask")


def _without(idle: Sequence[str], other: str) -> Iterator[str]:
    if idle:
        verb = "has" if len(idle) == 1 else "have"
        yield f"{', '.join(idle)} {verb} no effect without {other}."


_CRASHES = (
    Rule(
        lambda request, server: (
            server.reads("firstpass_image")
            and request.fields.get("firstpass_image")
            and request.has_second_pass
        ),
        "firstpass_image: with enable_hr the server crashes on it after the first pass. "
        "Leave it out; img2img takes pictures.",
    ),
    Rule(lambda _request, server: server.reads("firstphase_width"), _lonely_phase),
    Rule(
        lambda request, server: (
            server.family.hires_wants_strength
            and request.has_second_pass
            and request.fields.get("denoising_strength") == 0
        ),
        _wants_strength,
    ),
    Rule(_always, _beyond),
    Rule(lambda _request, server: server.family.drops_broken_pictures, _broken_pictures),
)

_WARNINGS = (
    # What this server does not do.
    Rule(_always, _unread),
    Rule(_always, _unused),
    Rule(_always, _cut),
    # What it does otherwise than it seems.
    Rule(
        lambda request, server: (
            server.reads("firstphase_width") and request.fields.get("firstphase_width")
        ),
        "firstphase_width and firstphase_height replace width and height.",
    ),
    Rule(
        lambda request, server: (
            server.reads("refiner_checkpoint")
            and request.has_refiner
            and not request.fields.get("refiner_switch_at")
        ),
        _refiner_at_once,
    ),
    Rule(
        lambda request, _server: not request.sends_images and not request.fields.get("save_images"),
        "With send_images off and save_images not on, every image is lost.",
    ),
    Rule(
        lambda request, _server: (
            request.has_second_pass
            and request.fields.get("hr_scale")
            and (request.fields.get("hr_resize_x") or request.fields.get("hr_resize_y"))
        ),
        "hr_scale has no effect: hr_resize_x and hr_resize_y decide the size.",
    ),
    # What does nothing on any server, or nothing without another field.
    Rule(_always, _not_saved),
    Rule(_is_set("comments"), "comments has no effect: the server empties it."),
    Rule(_is_set("firstpass_image"), "firstpass_image has no effect over the API."),
    Rule(
        lambda request, _server: (
            request.fields.get("sampler_index") and request.fields.get("sampler_name")
        ),
        "sampler_index has no effect beside sampler_name.",
    ),
    Rule(
        lambda request, _server: (
            request.fields.get("subseed", -1) != -1 and not request.fields.get("subseed_strength")
        ),
        "subseed has no effect without subseed_strength.",
    ),
    Rule(
        lambda request, _server: (
            request.fields.get("refiner_switch_at") and not request.has_refiner
        ),
        "refiner_switch_at has no effect without refiner_checkpoint.",
    ),
    Rule(
        lambda request, _server: (
            request.fields.get("script_args") and not request.fields.get("script_name")
        ),
        "script_args has no effect without script_name.",
    ),
    Rule(
        _one_seed_side,
        "seed_resize_from_w and seed_resize_from_h have an effect only together.",
    ),
    Rule(
        lambda request, _server: request.redraws and request.fields.get("latent_mask"),
        "latent_mask has no effect over the API. Use mask.",
    ),
    Rule(lambda request, _server: request.redraws and not request.fields.get("mask"), _mask_fields),
    Rule(
        lambda request, _server: not request.redraws and not request.has_second_pass,
        _second_pass_fields,
    ),
)
