"""What a generation gave: names for its files, and the account a person or a workflow reads."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from webui.errors import WebUIResponseError
from webui.images import Picture
from webui.infotext import parse

_LONGEST_TEXT = 20_000
_BASE64 = re.compile(r"[A-Za-z0-9+/]{200,}={0,2}")


class Result:
    """Collects pictures while they pass through, and sums up when the server's info is there."""

    def __init__(self, tool: str, body: Mapping[str, Any]) -> None:
        self._tool = tool
        self._body = body
        self._stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        self._pictures: list[dict[str, Any]] = []

    def add(self, picture: Picture) -> str:
        """Take note of the next picture and name its file; its bytes are not kept."""
        number = len(self._pictures) + 1
        file_name = f"{self._tool}-{self._stamp}-{number}.{picture.extension}"
        self._pictures.append(
            {
                "filename": file_name,
                "width": picture.width,
                "height": picture.height,
                "infotext": picture.infotext,
            }
        )
        return file_name

    def summary(self, info: Mapping[str, Any], elapsed: float) -> dict[str, Any]:
        """The node's `json`: one object that says all there is to say but the pictures.

        info: the server's, {} if it sent none; seeds and model are then read from the infotexts
        inside the pictures. elapsed: seconds. WebUIResponseError when nothing was drawn although
        pictures were to be sent.
        """
        if not self._pictures and self._body.get("send_images") is not False:
            raise WebUIResponseError(
                "The server says the generation is done, but sent no images. Its own log says why: "
                "often memory ran out, and a smaller width, height or batch_size helps, or "
                "somebody pressed Interrupt."
            )
        first = _index(info)
        images = [self._image(i, i - first, info) for i in range(len(self._pictures))]
        infotexts = [image["infotext"] for image in images if image["infotext"]]
        parameters = parse(next(iter(infotexts), "")).parameters
        return {
            "images": images,
            "model": str(info.get("sd_model_name") or parameters.get("Model") or ""),
            "sampler": _sampler(info) or parameters.get("Sampler") or "",
            "request": _shortened(self._body),
            "info": _shortened(dict(info)),
            "warnings": [],
            "elapsed_seconds": round(elapsed, 1),
        }

    def _image(self, position: int, drawn: int, info: Mapping[str, Any]) -> dict[str, Any]:
        """One picture's account. drawn: its place among the drawn ones, negative for a grid.

        What follows the drawn ones (ControlNet's maps, for example) has no seed and is extra.
        """
        image = self._pictures[position]
        infotext = _at(info.get("infotexts"), position) or image["infotext"]
        seeds = info.get("all_seeds") or []
        extra = 0 < len(seeds) <= drawn
        seed = subseed = None
        if drawn >= 0 and not extra:
            written = parse(str(infotext or "")).parameters.get("Seed", "")
            read = int(written) if written.isascii() and written.isdigit() else None
            seed = _at(seeds, drawn) if seeds else read
            subseed = _at(info.get("all_subseeds"), drawn)
        return {
            "filename": image["filename"],
            "seed": seed,
            "subseed": subseed,
            "width": image["width"],
            "height": image["height"],
            "infotext": infotext,
            "grid": drawn < 0,
            "extra": extra,
        }


def variables(summary: Mapping[str, Any]) -> dict[str, Any]:
    """The node's variables of output_schema, from its summary."""
    drawn = [image for image in summary["images"] if not image["grid"] and not image["extra"]]
    seeds = [image["seed"] for image in drawn if image["seed"] is not None]
    return {
        "seed": seeds[0] if seeds else -1,
        "seeds": seeds,
        "infotext": next((image["infotext"] for image in drawn if image["infotext"]), ""),
        "model": summary["model"],
        "warnings": summary["warnings"],
        "elapsed_seconds": summary["elapsed_seconds"],
    }


def text(summary: Mapping[str, Any]) -> str:
    """The node's `text`: how many, size, model, time, seeds and warnings, a line each."""
    images = summary["images"]
    sizes = dict.fromkeys(
        f"{image['width']}x{image['height']}" for image in images if image["width"]
    )
    told = [
        f"{len(images)} {'image' if len(images) == 1 else 'images'}"
        if images
        else "No image came back, as send_images is off; they stay on the server",
        ", ".join(sizes),
        summary["model"],
        f"{summary['elapsed_seconds']} s",
    ]
    lines = [", ".join(part for part in told if part) + "."]
    seeds = [str(seed) for seed in variables(summary)["seeds"]]
    if seeds:
        lines.append(f"Seed{'s' if len(seeds) > 1 else ''}: {', '.join(seeds)}.")
    lines += [f"Warning: {warning}" for warning in summary["warnings"]]
    return "\n".join(lines)


def _sampler(info: Mapping[str, Any]) -> str:
    """stable-diffusion.cpp writes NONE for its default."""
    name = str(info.get("sampler_name") or "")
    return "" if name == "NONE" else name


def _index(info: Mapping[str, Any]) -> int:
    index = info.get("index_of_first_image")
    return index if isinstance(index, int) and index > 0 else 0


def _at(found: object, position: int) -> object:
    return found[position] if isinstance(found, list) and position < len(found) else None


def _shortened(value: object) -> object:
    """The same JSON without long texts: a picture as base64 would burst the daemon's line limit."""
    if isinstance(value, str) and (len(value) > _LONGEST_TEXT or _BASE64.fullmatch(value)):
        return f"{value[:60]}… ({len(value)} characters)"
    if isinstance(value, dict):
        return {key: _shortened(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shortened(item) for item in value]
    return value
