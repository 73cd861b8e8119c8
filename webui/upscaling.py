"""From Dify's files to larger pictures, one after the other."""

import base64
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from webui import files, orientation
from webui.client import WebUIClient
from webui.credentials import Credentials
from webui.errors import StableDiffusionError, WebUINotFoundError, WebUITimeoutError
from webui.families import SDCPP, SDNEXT
from webui.generation import Generation
from webui.images import Picture
from webui.messages import Event
from webui.result import Result
from webui.server import Server

_ENDPOINT = "extra-single-image"
_PATH = f"sdapi/v1/{_ENDPOINT}"
_OWN = {"images", "timeout"}
_SIDES = ("upscaling_resize_w", "upscaling_resize_h")
_FACTOR = 2.0
# Fields that do nothing alone, and what they need.
_NEEDS = {
    "upscaler_2": "extras_upscaler_2_visibility",
    "extras_upscaler_2_visibility": "upscaler_2",
    "codeformer_weight": "codeformer_visibility",
}
# Servers floor a factor's result to multiples of this.
_SLACK = 8


@dataclass(frozen=True)
class _Source:
    """A picture to enlarge. name: the file's, as the user knows it."""

    name: str
    picture: Picture


def enlarge(given: Mapping[str, Any], settings: Credentials) -> Iterator[Event]:
    """Each picture enlarged, and at the end the summary, which `text` puts in words.

    given: `images`, files as Dify passes them; fields of the API; `timeout`, which holds for all
    together. Raises StableDiffusionError; but when something is already done, it stops with a
    warning, for a call that fails gives Dify nothing.
    """
    began = time.monotonic()
    sources = _sources(given["images"])
    with WebUIClient(settings) as client:
        server = Server(client, _ENDPOINT)
        _refuse_without_endpoint(server, client)
        fields = _fields(given, server)
        turns = server.profile.family is not SDNEXT
        names = Result("upscale", fields)
        images: list[dict[str, Any]] = []
        warnings = _warnings(given, fields, server)
        timeout = given.get("timeout", settings.timeout)
        submitted = time.monotonic()
        for place, source in enumerate(sources):
            size = _size(source.picture, turns=turns)
            try:
                body = _targeted(fields, size) | {"image": _base64(source.picture)}
                job = Generation(
                    settings,
                    client,
                    _PATH,
                    body,
                    timeout=_left(timeout, submitted) if place else timeout,
                    # A call that gives something succeeds, so nobody would come back for the rest.
                    resume=not images,
                    began=began,
                )
                for event in job.events():
                    if isinstance(event, str):
                        yield event if len(sources) == 1 else f"{place + 1}/{len(sources)}: {event}"
                        continue
                    file_name = names.add(event)
                    images.append(_account(file_name, event, source, size))
                    warnings += _differences(images[-1], body, size)
                    yield file_name, event
                warnings += job.warnings
            except StableDiffusionError as error:
                if not images:
                    raise
                left = ", ".join(one.name for one in sources[place:])
                warnings.append(f"Not enlarged: {left}. {error}")
                break
            if not turns and orientation.is_turned(source.picture):
                warnings.append(f"{source.name}: SD.Next does not turn it as its EXIF data says.")
        yield {
            "images": images,
            "request": fields,
            "warnings": list(dict.fromkeys(warnings)),
            "elapsed_seconds": round(time.monotonic() - submitted, 1),
        }


def text(summary: Mapping[str, Any]) -> str:
    """The node's `text`: how many, by what, time, each size and the warnings, a line each."""
    images = summary["images"]
    count = f"{len(images)} {'image' if len(images) == 1 else 'images'}"
    by = summary["request"]["upscaler_1"]
    lines = [f"{count}, {by}, {summary['elapsed_seconds']} s."]
    lines += [f"{one['source']}: {one['width']}x{one['height']}." for one in images]
    lines += [f"Warning: {warning}" for warning in summary["warnings"]]
    return "\n".join(lines)


def _sources(value: object) -> list[_Source]:
    """All files at once: their links would not outlive the work on the first."""
    pictures = files.read_all(value, "images")
    listed = value if isinstance(value, Sequence) else [value]
    names = [getattr(one, "filename", None) for one in listed if one is not None]
    return [
        _Source(str(name or f"image {number}"), picture)
        for number, (name, picture) in enumerate(zip(names, pictures, strict=True), 1)
    ]


def _refuse_without_endpoint(server: Server, client: WebUIClient) -> None:
    paths = server.profile.paths
    if server.profile.family is SDCPP or (paths is not None and f"/{_PATH}" not in paths):
        raise WebUINotFoundError(
            f"{server.profile.family.label} at {client.address} cannot enlarge pictures: it has no "
            f"/{_PATH}. Use another WebUI, or img2img with a larger width and height."
        )


def _fields(given: Mapping[str, Any], server: Server) -> dict[str, Any]:
    """What is the same for every picture; names in the server's spelling."""
    fields = {name: value for name, value in given.items() if name not in _OWN}
    for name in ("upscaler_1", "upscaler_2"):
        if name in fields:
            fields[name] = server.find(
                fields[name], name, "upscaler", lambda afresh: _upscalers(server, afresh=afresh)
            )
    for side in _SIDES:
        if not fields.get(side):
            fields.pop(side, None)
    if any(side in fields for side in _SIDES):
        return fields | {"resize_mode": 1}
    # Without an upscaler, faces may be all that is to be repaired.
    factor = _FACTOR if fields["upscaler_1"] != "None" else 1.0
    return {"upscaling_resize": factor, **fields, "resize_mode": 0}


def _upscalers(server: Server, *, afresh: bool) -> list[str] | None:
    entries = server.entries("upscalers", afresh=afresh)
    return None if entries is None else [str(one["name"]) for one in entries if one.get("name")]


def _targeted(fields: Mapping[str, Any], size: tuple[int, int]) -> dict[str, Any]:
    """With the side that was not given, in proportion: servers take 512 for it."""
    body = dict(fields)
    wide, high = (fields.get(side) for side in _SIDES)
    if wide and not high:
        body[_SIDES[1]] = max(1, round(wide * size[1] / size[0]))
    elif high and not wide:
        body[_SIDES[0]] = max(1, round(high * size[0] / size[1]))
    return body


def _warnings(given: Mapping[str, Any], fields: Mapping[str, Any], server: Server) -> list[str]:
    profile = server.profile
    idle = [name for name in given if name in fields and fields[name] and not profile.reads(name)]
    told = [f"{name} has no effect: {profile.family.label} does not know it." for name in idle]
    told += [
        f"{name} has no effect without {other}."
        for name, other in _NEEDS.items()
        if _is_on(fields.get(name)) and not _is_on(fields.get(other))
    ]
    if "upscaling_resize" in given and fields["resize_mode"] == 1:
        told.append("upscaling_resize has no effect beside a target width or height.")
    return told


def _is_on(value: object) -> bool:
    return bool(value) and value != "None"


def _differences(
    image: Mapping[str, Any], body: Mapping[str, Any], size: tuple[int, int]
) -> Iterator[str]:
    came = (image["width"], image["height"])
    asked = _expected(body, size)
    if None not in came and any(
        abs(is_so - wanted) >= _SLACK for is_so, wanted in zip(came, asked, strict=True)
    ):
        yield (
            f"{image['source']} became {came[0]}x{came[1]} instead of {asked[0]}x{asked[1]}. "
            "The server's log says why."
        )


def _expected(body: Mapping[str, Any], size: tuple[int, int]) -> tuple[int, int]:
    if body["resize_mode"] == 0:
        factor = body["upscaling_resize"]
    else:
        target = body[_SIDES[0]], body[_SIDES[1]]
        if body.get("upscaling_crop", True):
            return target
        factor = max(target[0] / size[0], target[1] / size[1])
    return int(size[0] * factor), int(size[1] * factor)


def _left(timeout: float, submitted: float) -> float:
    """Seconds left of the time for all; WebUITimeoutError when there are none."""
    left = round(timeout - (time.monotonic() - submitted), 1)
    if left <= 0:
        raise WebUITimeoutError(
            f"The time is up after {timeout:g} s. Raise timeout, in the node or in the plugin's "
            "settings."
        )
    return left


def _account(
    file_name: str, picture: Picture, source: _Source, size: tuple[int, int]
) -> dict[str, Any]:
    return {
        "filename": file_name,
        "width": picture.width,
        "height": picture.height,
        "source": source.name,
        "source_width": size[0],
        "source_height": size[1],
    }


def _size(picture: Picture, *, turns: bool) -> tuple[int, int]:
    if turns:
        return orientation.upright_size(picture)
    return picture.width or 0, picture.height or 0


def _base64(picture: Picture) -> str:
    return base64.b64encode(picture.data).decode()
