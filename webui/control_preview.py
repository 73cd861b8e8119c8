"""From a picture to the map that ControlNet would draw by.

Source: `POST /controlnet/detect` of Mikubill/sd-webui-controlnet (scripts/api.py, 56cec5b) and of
Forge (lib_controlnet/api.py, dfdcbab), `POST /sdapi/v1/preprocess` of SD.Next
(modules/api/process.py, 058a7f0c).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from webui.call import Call
from webui.errors import InvalidParameterError, WebUIResponseError
from webui.http.client import WebUIClient
from webui.http.endpoints import Endpoint
from webui.pictures.picture import Picture
from webui.report import Event
from webui.request.control import Wish, control_of
from webui.request.request import Request
from webui.run.generation import Generation
from webui.run.summary import Collector, Image, warning_lines
from webui.server.control import is_none
from webui.server.server import Server
from webui.values import Fields

_TOOL = "control_preview"
# In the names of preprocessors whose result is a tensor, on one server or another.
_WITHOUT_PICTURE = (
    "ip-adapter",
    "ipadapter",
    "clipvision",
    "clip_vision",
    "revision",
    "(instantid)",
    "face_embedding",
    "photomaker",
)
_SMALLEST, _LARGEST, _USUAL = 64, 2048, 512
# What a preprocessor's sliders are at in a drawing; Forge's preview takes 64 for both.
_SLIDERS: dict[str, tuple[float, ...]] = {
    "blur_gaussian": (9,),
    "canny": (100, 200),
    "depth_leres": (0, 0),
    "depth_leres++": (0, 0),
    "mediapipe_face": (1, 0.5),
    "mlsd": (0.1, 0.1),
    "normal_midas": (0.4,),
    "recolor_intensity": (1,),
    "recolor_luminance": (1,),
    "scribble_xdog": (32,),
    "softedge_teed": (2,),
    "threshold": (127,),
    "tile_colorfix": (8,),
    "tile_colorfix+sharp": (8, 1),
    "tile_resample": (1,),
}


@dataclass(frozen=True)
class Preview:
    """What made the map, the file that it is in, its size in pixels, and the seconds it took."""

    preprocessor: str
    filename: str
    width: int | None
    height: int | None
    warnings: list[str]
    elapsed: float

    def json(self) -> Fields:
        image = {"filename": self.filename, "width": self.width, "height": self.height}
        return {"images": [image], **self.variables()}

    def text(self) -> str:
        """Return what made it, size and time, and the warnings, a line each."""
        size = f", {self.width}x{self.height}" if self.width else ""
        line = f"Map by {self.preprocessor}{size}, {self.elapsed} s."
        return "\n".join([line, *warning_lines(self.warnings)])

    def variables(self) -> Fields:
        return {
            "preprocessor": self.preprocessor,
            "warnings": self.warnings,
            "elapsed_seconds": self.elapsed,
        }


def preview_control(call: Call) -> Iterator[Event]:
    """Make one map. InvalidParameterError for a preprocessor that makes no picture."""
    source: Picture = call.asked["image"].picture
    with WebUIClient(call.settings, until=call.deadline) as client:
        server = Server.ask(client, Endpoint.TXT2IMG)
        control = control_of(server, "image")
        wish = Wish.read(call.asked, server, control)
        preprocessor = wish.preprocessor()
        if is_none(preprocessor):
            what = "control_preprocessor: none"
            if wish.type is not None and "control_preprocessor" not in call.asked:
                what = f"control_type: {wish.type.name}"
            raise InvalidParameterError(
                f"{what} leaves the picture as it is, so there is nothing to preview."
            )
        if any(word in preprocessor.casefold() for word in _WITHOUT_PICTURE):
            raise InvalidParameterError(
                f"control_preprocessor: {preprocessor} makes numbers for the model, and no picture "
                "that could be shown."
            )
        fields = _fields(control.preview, preprocessor, source, call.asked)
        warnings = []
        if source.is_turned and not server.family.turns_by_exif:
            warnings.append(f"{server.family.label} does not turn the image as its EXIF data says.")
        if "control_resolution" in call.asked and control.preview == Endpoint.PREPROCESS:
            warnings.append(
                f"control_resolution has no effect: {server.family.label} decides it itself."
            )
        yield from _make(call, Request(control.preview, fields), preprocessor, warnings)


def _make(call: Call, request: Request, preprocessor: str, warnings: list[str]) -> Iterator[Event]:
    collector, made = Collector(_TOOL), list[Image]()
    with Generation.begin(call, request, resume=False) as generation:
        for event in generation.events():
            if not isinstance(event, Picture):
                yield event
            elif not made:
                made.append(collector.add(event))
                yield made[0]
    if not made:
        raise WebUIResponseError(f"The server sent no picture by {preprocessor}.")
    picture = made[0].picture
    yield Preview(
        preprocessor,
        made[0].filename,
        picture.width,
        picture.height,
        warnings + generation.warnings,
        round(generation.elapsed, 1),
    )


def _fields(endpoint: Endpoint, preprocessor: str, source: Picture, asked: Fields) -> Fields:
    if endpoint == Endpoint.PREPROCESS:
        return {"image": source.base64(), "model": preprocessor}
    shorter = min(source.size) or _USUAL
    sides = zip("ab", _SLIDERS.get(preprocessor, ()), strict=False)
    return {
        "controlnet_module": preprocessor,
        "controlnet_input_images": [source.base64()],
        "controlnet_processor_res": asked.get(
            "control_resolution", min(max(shorter, _SMALLEST), _LARGEST)
        ),
        **{f"controlnet_threshold_{side}": value for side, value in sides},
    }
