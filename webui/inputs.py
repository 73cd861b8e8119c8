"""Pictures that go into a request: the one to redraw, its mask, and those for extensions."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webui import files, orientation
from webui.errors import InvalidParameterError
from webui.images import Picture

_PLACEHOLDER = re.compile(r"\{\{\s*image_(\d+)\s*\}\}")
_WITH_PLACEHOLDERS = ("alwayson_scripts", "extra_parameters")


@dataclass(frozen=True)
class Inputs:
    """Values with every file in its place as base64.

    warnings: what had no effect. turned: the picture lies on its side or head by its EXIF data.
    """

    given: dict[str, Any]
    warnings: list[str]
    turned: bool = False


def placed(given: Mapping[str, Any]) -> Inputs:
    """Read the files among a tool's values, at once, and put them where the API wants them.

    `image` becomes init_images, and width and height where none is given; `mask` stays, as base64;
    `reference_images` replace the placeholders {{image_1}}, {{image_2}}, … inside alwayson_scripts
    and extra_parameters. InvalidParameterError for a file that cannot be used, and for a
    placeholder without a file.
    """
    found = dict(given)
    warnings: list[str] = []
    turned = False
    if "image" in found:
        picture = files.read(found.pop("image"), "image")
        size = orientation.upright_size(picture)
        found["init_images"] = [_base64(picture)]
        found.setdefault("width", size[0])
        found.setdefault("height", size[1])
        turned = orientation.is_turned(picture)
        if "mask" in found:
            found["mask"] = _mask(found["mask"], size)
    pictures = (
        files.read_all(found.pop("reference_images"), "reference_images")
        if "reference_images" in found
        else []
    )
    used: set[int] = set()
    for name in _WITH_PLACEHOLDERS:
        if name in found:
            found[name] = _filled(found[name], [_base64(one) for one in pictures], name, used)
    idle = [f"image {number}" for number in range(1, len(pictures) + 1) if number not in used]
    if idle:
        warnings.append(
            f"Of reference_images, {', '.join(idle)} had no effect: no {{{{image_…}}}} names it."
        )
    return Inputs(found, warnings, turned)


def _mask(value: object, size: tuple[int, int]) -> str:
    mask = files.read(value, "mask")
    found = orientation.upright_size(mask)
    if found != size:
        raise InvalidParameterError(
            f"mask: {found[0]}x{found[1]} is not the image's {size[0]}x{size[1]}. "
            "Give a mask of the same size."
        )
    return _base64(mask)


def _filled(value: object, pictures: list[str], parameter: str, used: set[int]) -> Any:  # noqa: ANN401 - JSON in, JSON out
    """The same JSON with each placeholder, which is a whole text, replaced by its picture."""
    if isinstance(value, dict):
        return {k: _filled(item, pictures, parameter, used) for k, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, pictures, parameter, used) for item in value]
    match = _PLACEHOLDER.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return value
    number = int(match[1])
    if not 1 <= number <= len(pictures):
        raise InvalidParameterError(
            f"{parameter}: {value} has no file, as reference_images holds {len(pictures)}."
        )
    used.add(number)
    return pictures[number - 1]


def _base64(picture: Picture) -> str:
    return base64.b64encode(picture.data).decode()
