"""Requests to remove backgrounds, each a job of its own, from one tool's values."""

from collections.abc import Iterator
from dataclasses import dataclass

from webui.errors import InvalidParameterError
from webui.http.endpoints import Endpoint
from webui.pictures.picture import Picture
from webui.request.request import Request
from webui.server.server import Server
from webui.values import Fields

# SD.Next's alone, which is not one of rembg's: modules/rembg/rembg_api.py at 058a7f0c.
_BEN2 = "ben2"
_INSTALL = (
    "Install the extension stable-diffusion-webui-rembg there: Extensions, Install from URL, "
    "github.com/AUTOMATIC1111/stable-diffusion-webui-rembg, then restart the WebUI"
)


@dataclass(frozen=True)
class Cutting:
    """What is the same for every picture.

    mask_only: what comes is the mask, which has no transparency. turns: pictures are turned as
    their EXIF data says, which rembg itself does (rembg/bg.py, remove).
    """

    endpoint: Endpoint
    fields: Fields
    mask_only: bool
    turns: bool
    warnings: list[str]

    @property
    def maker(self) -> str:
        return str(self.fields["model"])

    def request_for(self, picture: Picture) -> Request:
        return Request(self.endpoint, {**self.fields, "input_image": picture.base64()})

    def differences(self, name: str, source: Picture, came: Picture) -> Iterator[str]:
        """Yield a sentence for another size, and one where nothing is transparent."""
        expected = source.upright_size if self.turns else source.size
        if came.width and all(expected) and came.size != expected:
            asked = f"{expected[0]}x{expected[1]}"
            yield f"{name} came back as {came.width}x{came.height} instead of {asked}."
        if not self.mask_only and came.is_opaque:
            yield (
                f"{name} came back without transparency. Let the server save PNG (samples_format)."
            )


def build_cutting(asked: Fields, server: Server) -> Cutting:
    """From the tool's values, or an error before anything is asked of the graphics card.

    WebUINotFoundError names what to install. InvalidParameterError for what the server's code
    would drop without a word: transparency, in the format that it saves; a name that rembg does
    not know, for which it takes u2net (rembg/session_factory.py).

    Source: scripts/api.py of stable-diffusion-webui-rembg at a4c07b85, SD.Next as above; both send
    the picture as `samples_format` says.
    """
    endpoint, family, model = server.family.cuts_out_at, server.family, asked["rembg_model"]
    server.require(
        endpoint,
        "remove backgrounds",
        f"{_INSTALL}." if endpoint is Endpoint.REMBG else "Use another WebUI.",
    )
    is_ben2, mask_only = model == _BEN2, bool(asked.get("mask_only"))
    if is_ben2 and endpoint is not Endpoint.SDNEXT_REMBG:
        raise InvalidParameterError(f"rembg_model: only SD.Next has {model}, not {family.label}.")
    for name in ("mask_only", "alpha_matting"):
        if is_ben2 and asked.get(name):
            raise InvalidParameterError(f"{name}: {model} has none. Choose another rembg_model.")
    saved_as = str((server.options() or {}).get("samples_format") or "png").lower()
    if not mask_only and saved_as not in family.transparent_formats:
        raise InvalidParameterError(
            f"{family.label} saves pictures as {saved_as}, and drops their transparency. Set its "
            "option samples_format (Settings, the file format for images) to png, or choose "
            "mask_only."
        )
    fields: Fields = {"model": model, "return_mask": mask_only}
    fields["alpha_matting"] = bool(asked.get("alpha_matting"))
    turns = not is_ben2 or family.turns_by_exif
    return Cutting(endpoint, fields, mask_only, turns, server.unchecked())
