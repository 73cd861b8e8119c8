"""Requests to enlarge pictures, each a job of its own, from one tool's values."""

from collections.abc import Iterator
from dataclasses import dataclass

from webui.http.endpoints import Endpoint
from webui.pictures.picture import Picture
from webui.request.request import Request
from webui.server.server import Server
from webui.values import Fields, Json

_OWN = {"images", "timeout"}
_SIDES = ("upscaling_resize_w", "upscaling_resize_h")
_FACTOR = 2.0
_UPSCALERS = ("upscaler_1", "upscaler_2")
# Fields that do nothing alone, and what they need.
_NEEDS = {
    "upscaler_2": "extras_upscaler_2_visibility",
    "extras_upscaler_2_visibility": "upscaler_2",
    "codeformer_weight": "codeformer_visibility",
}
# Servers floor a factor's result to multiples of this.
_SLACK = 8


@dataclass(frozen=True)
class Enlarging:
    """What is the same for every picture.

    fields: names in the server's spelling. warnings: what has no effect. turns: the server turns
    pictures as their EXIF data says.
    """

    fields: Fields
    warnings: list[str]
    turns: bool

    @property
    def maker(self) -> str:
        return str(self.fields["upscaler_1"])

    def size_of(self, picture: Picture) -> tuple[int, int]:
        """Width and height as the server sees them."""
        return picture.upright_size if self.turns else picture.size

    def request_for(self, picture: Picture) -> Request:
        """With the side that was not given, in proportion: servers take 512 for it."""
        fields = dict(self.fields)
        width, height = self.size_of(picture)
        wide, high = (fields.get(side) for side in _SIDES)
        if wide and not high:
            fields[_SIDES[1]] = max(1, round(wide * height / width))
        elif high and not wide:
            fields[_SIDES[0]] = max(1, round(high * width / height))
        fields["image"] = picture.base64()
        return Request(Endpoint.EXTRA_SINGLE_IMAGE, fields)

    def differences(self, name: str, source: Picture, came: Picture) -> Iterator[str]:
        """Yield a sentence, if the picture is not of the size that it should have become."""
        asked = self._expected_size(source)
        if came.width is None or came.height is None:
            return
        if abs(came.width - asked[0]) >= _SLACK or abs(came.height - asked[1]) >= _SLACK:
            yield (
                f"{name} became {came.width}x{came.height} instead of {asked[0]}x{asked[1]}. "
                "The server's log says why."
            )

    def _expected_size(self, source: Picture) -> tuple[int, int]:
        fields, (width, height) = self.request_for(source).fields, self.size_of(source)
        if fields["resize_mode"] == 0:
            factor = fields["upscaling_resize"]
        else:
            target = fields[_SIDES[0]], fields[_SIDES[1]]
            if fields.get("upscaling_crop", True):
                return target
            factor = max(target[0] / width, target[1] / height)
        return int(width * factor), int(height * factor)


def build_enlarging(asked: Fields, server: Server) -> Enlarging:
    """From the tool's values. InvalidParameterError for an upscaler that the server lacks."""
    fields = {name: value for name, value in asked.items() if name not in _OWN}
    offered = server.named(Endpoint.UPSCALERS, "name")
    for name in _UPSCALERS:
        if name in fields:
            fields[name] = server.find(fields[name], name, "upscaler", offered)
    for side in _SIDES:
        if not fields.get(side):
            fields.pop(side, None)
    if any(side in fields for side in _SIDES):
        fields["resize_mode"] = 1
    else:
        # Without an upscaler, faces may be all that is to be repaired.
        factor = _FACTOR if fields["upscaler_1"] != "None" else 1.0
        fields = {"upscaling_resize": factor, **fields, "resize_mode": 0}
    return Enlarging(fields, _warnings(asked, fields, server), server.family.turns_by_exif)


def _warnings(asked: Fields, fields: Fields, server: Server) -> list[str]:
    idle = [name for name in asked if fields.get(name) and not server.reads(name)]
    told = [f"{name} has no effect: {server.family.label} does not know it." for name in idle]
    told += [
        f"{name} has no effect without {other}."
        for name, other in _NEEDS.items()
        if _is_on(fields.get(name)) and not _is_on(fields.get(other))
    ]
    if "upscaling_resize" in asked and fields["resize_mode"] == 1:
        told.append("upscaling_resize has no effect beside a target width or height.")
    return told + server.unchecked()


def _is_on(value: Json) -> bool:
    return bool(value) and value != "None"
