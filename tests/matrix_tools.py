"""What a server is asked by the smaller tools, and what comes of it on each family."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO

from dify_files import picture
from matrix import DRAWN, MODULES, Outcome, Row, everywhere, lacking, refused, warned
from PIL import Image

from devtools.standin import FAMILIES, pictures
from devtools.standin.family import without_hash

_NO_ENDPOINT = lacking("cannot enlarge pictures", "refused")
_LIMITED = refused("upscaling_resize")
_DETAILER = lacking("codeformer_visibility has no effect")


def _enlarged(outcome: Outcome = DRAWN, **but: Outcome) -> Mapping[str, Outcome]:
    return everywhere(outcome, sdcpp=_NO_ENDPOINT, **but)


# The picture is one of 32x16. `asked` is what the request must then hold.
UPSCALE = [
    Row(
        "By a factor",
        {"upscaling_resize": 3},
        _enlarged(),
        {"upscaling_resize": 3, "resize_mode": 0},
        size=(96, 48),
    ),
    Row("By no factor", {}, _enlarged(), {"upscaling_resize": 2}, size=(64, 32)),
    Row("By a broken factor", {"upscaling_resize": 1.5}, _enlarged(), size=(48, 24)),
    Row(
        "Smaller",
        {"upscaling_resize": 0.5},
        _enlarged(classic=_LIMITED, sdnext=_LIMITED),
        size=(16, 8),
    ),
    Row(
        "By a large factor",
        {"upscaling_resize": 10},
        _enlarged(classic=_LIMITED, sdnext=_LIMITED),
        size=(320, 160),
    ),
    Row(
        "To a size",
        {"upscaling_resize_w": 64, "upscaling_resize_h": 64},
        _enlarged(),
        {"resize_mode": 1},
        size=(64, 64),
    ),
    Row(
        "To a size, not cropped",
        {"upscaling_resize_w": 64, "upscaling_resize_h": 64, "upscaling_crop": False},
        _enlarged(),
        {"resize_mode": 1},
        size=(128, 64),
    ),
    Row("To a width", {"upscaling_resize_w": 64}, _enlarged(), size=(64, 32)),
    Row(
        "In another spelling",
        {"upscaler_1": "r-esrgan 4X+"},
        _enlarged(),
        {"upscaler_1": "R-ESRGAN 4x+"},
        elsewhere={
            "sdnext": ({"upscaler_1": "realesrgan 4X+"}, {"upscaler_1": "RealESRGAN 4x+"}),
        },
        size=(64, 32),
    ),
    Row(
        "Faces only",
        {"upscaler_1": "None", "codeformer_visibility": 1},
        _enlarged(sdnext=_DETAILER),
        {"upscaler_1": "None", "codeformer_visibility": 1},
        size=(32, 16),
    ),
    Row(
        "No upscaler, but a factor",
        {"upscaler_1": "None", "upscaling_resize": 2},
        _enlarged(warned("32x16 instead of 64x32")),
    ),
    Row(
        "Unknown upscaler",
        {"upscaler_1": "R-ESRGAN 4x"},
        _enlarged(refused("R-ESRGAN 4x+"), sdnext=refused("RealESRGAN 4x+")),
    ),
    Row(
        "Unknown second upscaler",
        {"upscaler_2": "Lanczoz", "extras_upscaler_2_visibility": 0.5},
        _enlarged(refused("Lanczos"), sdnext=refused("Resize Lanczos")),
    ),
    Row("Wrong login", {}, _enlarged(refused("Set username and password")), login=True),
    Row("No schema to ask", {}, {"sdnext": DRAWN}, size=(64, 32), docs=False),
    Row(
        "Faces without a schema to ask",
        {"codeformer_visibility": 1},
        {"sdnext": _DETAILER},
        docs=False,
    ),
]

DRAW = [
    Row("A picture", {}, everywhere(DRAWN)),
    Row("Three", {"count": 3}, everywhere(DRAWN), images=3),
    Row(
        "More than a batch holds",
        {"count": 10, "max_count": 10},
        everywhere(DRAWN, sdcpp=warned("batch_size is cut to 8")),
        images=10,
    ),
    Row("A size above the cap", {"width": 128, "max_size": 64}, everywhere(warned("now 64x32"))),
    Row(
        "A style",
        {"style": "watercolour"},
        everywhere(DRAWN, sdcpp=lacking("has no effect: stable-diffusion.cpp")),
        {"styles": ("Watercolour",)},
    ),
    Row(
        "An unknown style",
        {"style": "Watercolor"},
        everywhere(refused("Watercolour"), sdcpp=lacking("has no effect: stable-diffusion.cpp")),
    ),
    Row(
        "Another model",
        {"model": "dreamshaper_8"},
        everywhere(DRAWN, sdcpp=lacking("v1-5-pruned-emaonly", "refused")),
        {"model": "dreamshaper_8"},
    ),
    Row(
        "A sampler",
        {"sampler_name": "euler A"},
        everywhere(DRAWN),
        {"sampler": "Euler a"},
        elsewhere={"sdcpp": ({}, {"sampler": "euler_a"})},
    ),
    Row(
        "An unknown sampler",
        {"sampler_name": "Euler q"},
        everywhere(refused("Euler a"), sdcpp=refused("euler_a")),
    ),
    Row("A LoRA", {"lora": "pixel_art:0.5"}, everywhere(DRAWN), {"loras": ("pixel_art",)}),
    Row(
        "Wrong login", {}, everywhere(refused("Set username and password"), sdcpp=DRAWN), login=True
    ),
    Row("Out of memory", {}, everywhere(refused("smaller")), leftover="nothing"),
    Row("A preview", {}, {"sdnext": refused("memory")}, leftover="preview"),
    Row("Three without a schema to ask", {"count": 3}, {"sdnext": DRAWN}, images=3, docs=False),
]

INFOTEXT = "a cat\nSteps: 20, Sampler: Euler, Seed: 5, Size: 512x768"
_NOTHING = warned("holds no generation parameters")
_PNG_ONLY = lacking("Give a PNG", "refused")


def _jpeg(text: str) -> bytes:
    return pictures.encode(Image.open(BytesIO(picture(8, 8))), "jpg", text)


# `asked` is what is read.
PNG_INFO = [
    Row(
        "A PNG",
        {"image": pictures.encode(Image.open(BytesIO(picture(8, 8))), "png", INFOTEXT)},
        everywhere(DRAWN),
        {"seed": 5, "width": 512},
    ),
    Row("A PNG that holds nothing", {"image": picture(8, 8)}, everywhere(_NOTHING)),
    Row(
        "A JPEG",
        {"image": _jpeg(INFOTEXT)},
        everywhere(DRAWN, sdcpp=_PNG_ONLY),
        {"seed": 5, "width": 512},
    ),
    Row(
        "A JPEG that holds nothing",
        {"image": picture(8, 8, "JPEG")},
        everywhere(_NOTHING, sdcpp=_PNG_ONLY),
    ),
    Row("A file of another kind", {"image": b"hello"}, everywhere(refused("image: the"))),
    Row(
        "Wrong login",
        {"image": picture(8, 8)},
        everywhere(refused("Set username and password"), sdcpp=_NOTHING),
        login=True,
    ),
]


@dataclass(frozen=True)
class Listing:
    """A list of server_info: which of the server's own lists it is, and who does not offer it."""

    name: str
    source: str
    lacking: frozenset[str] = frozenset()
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    key: str = "name"

    def names(self, family: str) -> list[str] | None:
        """What must be listed; None where the server has no such list."""
        if family in self.lacking:
            return None
        known = FAMILIES[family]
        source = self.elsewhere.get(family, self.source)
        if self.key == "name":
            return list(dict.fromkeys(known.names(source)))
        entries = known.replies[f"/sdapi/v1/{source}"]
        return [without_hash(entry[self.key]) for entry in entries]


_SDCPP = frozenset({"sdcpp"})
LISTINGS = [
    Listing("models", "sd-models", key="title"),
    Listing("samplers", "samplers"),
    Listing("schedulers", "schedulers", frozenset({"classic", "sdnext"}), key="label"),
    Listing("upscalers", "upscalers"),
    Listing("vaes", "sd-vae", _SDCPP, dict.fromkeys(MODULES, "sd-modules")),
    Listing("loras", "loras"),
    Listing("embeddings", "embeddings", _SDCPP),
    Listing("styles", "prompt-styles", _SDCPP),
    Listing("scripts", "script-info", _SDCPP),
]
