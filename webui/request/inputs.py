"""What can be settled of a request before its server is known: pictures placed, LoRAs read."""

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass

from webui import values
from webui.errors import InvalidParameterError
from webui.fields import FIELDS
from webui.http.endpoints import Endpoint
from webui.pictures.infotext import parse_infotext
from webui.pictures.infotext_fields import fields_of
from webui.pictures.picture import Picture, Source
from webui.request.loras import listed_loras
from webui.text import shortened
from webui.values import Fields, Json

_PLACEHOLDER = re.compile(r"\{\{\s*image_(\d+)\s*\}\}")
# Options that parameters of ours set.
_OPTIONS = {
    "sd_model_checkpoint": "model",
    "sd_vae": "vae",
    "forge_additional_modules": "vae",
    "CLIP_stop_at_last_layers": "clip_skip",
}
_MANY_DIGITS = 10
_LONGEST_QUOTE = 60
# Characters of a request, nearly all of them pictures: in memory it takes several times as much.
_LARGEST_REQUEST = 96 << 20
_WITH_PLACEHOLDERS = ("alwayson_scripts", "extra_parameters")


@dataclass(frozen=True)
class Inputs:
    """Values with every picture in its place as base64, and `lora` as a list of `Lora`.

    warnings: what had no effect. turned: the picture lies on its side or head by its EXIF data.
    """

    asked: Fields
    warnings: list[str]
    turned: bool = False


def place_inputs(
    asked: Fields, endpoint: Endpoint, untouched: Container[str] = frozenset()
) -> Inputs:
    """Put the pictures among a tool's values where the API wants them, and take `lora` apart.

    untouched: values that are only a default. `infotext` fills those, and what is not set.

    `image` becomes init_images, and width and height where none is given; `mask` and
    `control_image` stay, as base64; `reference_images` replace the placeholders {{image_1}},
    {{image_2}}, … inside alwayson_scripts and extra_parameters. InvalidParameterError for a mask of
    another size, for a placeholder without a file, and for a `lora` that cannot be understood.
    """
    placed = _filled_from_infotext(asked, endpoint, untouched)
    if "lora" in placed:
        placed["lora"] = listed_loras(placed["lora"])
    turned = False
    if "image" in placed:
        picture = placed.pop("image").picture
        width, height = picture.upright_size
        placed["init_images"] = [picture.base64()]
        placed.setdefault("width", width)
        placed.setdefault("height", height)
        turned = picture.is_turned
        if "mask" in placed:
            placed["mask"] = _checked_mask(placed["mask"].picture, picture).base64()
    if "control_image" in placed:
        picture = placed["control_image"].picture
        placed["control_image"] = picture.base64()
        turned = turned or picture.is_turned
    warnings = _fill_placeholders(placed, placed.pop("reference_images", []))
    _refuse_too_large(placed)
    return Inputs(placed, warnings, turned)


def _filled_from_infotext(asked: Fields, endpoint: Endpoint, untouched: Container[str]) -> Fields:
    """Return the same values with an infotext's in the place of those that the user left alone.

    No server gets the text itself: Forge and its kin answer 500, and Forge Classic breaks every
    later job at a schedule type.
    """
    filled = dict(asked)
    told = fields_of(parse_infotext(filled.pop("infotext", "")))
    options = told.pop("override_settings", {})
    for name, value in told.items():
        is_ours = name in FIELDS and endpoint.job in FIELDS[name].tools
        if is_ours and (name not in asked or name in untouched):
            filled[name] = value
    options = {name: value for name, value in options.items() if _OPTIONS.get(name) not in asked}
    if options:
        filled["override_settings"] = options | asked.get("override_settings", {})
    return filled


def _checked_mask(mask: Picture, picture: Picture) -> Picture:
    found, size = mask.upright_size, picture.upright_size
    if found != size:
        raise InvalidParameterError(
            f"mask: {found[0]}x{found[1]} is not the image's {size[0]}x{size[1]}. "
            "Give a mask of the same size."
        )
    return mask


def _fill_placeholders(placed: Fields, sources: Sequence[Source]) -> list[str]:
    """Fill in place; sentences on pictures that no placeholder names."""
    pictures = [source.picture.base64() for source in sources]
    used: set[int] = set()
    for name in _WITH_PLACEHOLDERS:
        if name in placed:
            placed[name] = _filled(placed[name], pictures, name, used)
    idle = [f"image {number}" for number in range(1, len(pictures) + 1) if number not in used]
    if not idle:
        return []
    return [f"Of reference_images, {', '.join(idle)} had no effect: no {{{{image_…}}}} names it."]


def _refuse_too_large(placed: Fields) -> None:
    """InvalidParameterError before a text that stands in many places is written out."""
    sizes = {name: values.length(value) for name, value in placed.items()}
    total = sum(sizes.values())
    if total > _LARGEST_REQUEST:
        largest = max(sizes, key=lambda name: sizes[name])
        raise InvalidParameterError(
            f"{largest}: with its pictures the request would have {total >> 20} MiB, and at most "
            f"{_LARGEST_REQUEST >> 20} are sent. Give smaller pictures, or name them less often."
        )


def _filled(value: Json, pictures: Sequence[str], parameter: str, used: set[int]) -> Json:
    """Replace each placeholder, which is a whole text, by its picture."""
    if isinstance(value, dict):
        return {k: _filled(item, pictures, parameter, used) for k, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, pictures, parameter, used) for item in value]
    match = _PLACEHOLDER.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return value
    number = int(match[1]) if len(match[1]) < _MANY_DIGITS else 0
    if not 1 <= number <= len(pictures):
        raise InvalidParameterError(
            f"{parameter}: {shortened(value, _LONGEST_QUOTE)} has no file, as reference_images "
            f"holds {len(pictures)}."
        )
    used.add(number)
    return pictures[number - 1]
