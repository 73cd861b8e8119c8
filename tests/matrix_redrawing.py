"""What a server is asked to do with a picture by img2img, and what comes of it.

Whatever means the same in txt2img has the same outcome here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO

from dify_files import picture
from matrix import DRAWN, Outcome, Row, everywhere, lacking, refused, warned
from matrix_features import FEATURES
from matrix_mistakes import MISTAKES, SINGLE
from PIL import Image


def half_white() -> bytes:
    """A mask of 64x64 whose right half is to be repainted."""
    mask, file = Image.new("L", (64, 64)), BytesIO()
    mask.paste(255, (32, 0, 64, 64))
    mask.save(file, "PNG")
    return file.getvalue()


@dataclass(frozen=True)
class Redrawing(Row):
    """A call whose values may hold files, as bytes.

    `kept` is where the source must come back untouched: "left", "right", "all"; "" says only that
    it must not come back as a whole.
    """

    kept: str = ""


SOURCE = picture(64, 64)
_MASK = {"mask": half_white()}
_WIDE = {"image": picture(72, 64)}
_SIZED = {"width": 128, "height": 64}


def _no_mask(field: str) -> Mapping[str, Outcome]:
    return everywhere(warned(f"{field} has no effect without mask"))


REDRAWING = [
    Redrawing("The picture's own size", {}, everywhere(DRAWN)),
    Redrawing(
        "A size that is no multiple of 64",
        _WIDE,
        everywhere(DRAWN, sdcpp=warned("128x64 instead of 72x64")),
        size=(72, 64),
    ),
    Redrawing("Another size", _SIZED, everywhere(DRAWN), size=(128, 64)),
    Redrawing(
        "Another size, cropped",
        {**_SIZED, "resize_mode": 1},
        everywhere(DRAWN, sdcpp=lacking("resize_mode has no effect")),
        size=(128, 64),
    ),
    Redrawing("Nothing redrawn", {"denoising_strength": 0}, everywhere(DRAWN), kept="all"),
    Redrawing("Several at once", {"batch_size": 2}, everywhere(DRAWN), images=2),
    Redrawing("Mask", _MASK, everywhere(DRAWN), kept="left"),
    Redrawing(
        "Mask, all but the white",
        {**_MASK, "inpainting_mask_invert": 1},
        everywhere(DRAWN),
        kept="right",
    ),
    Redrawing(
        "Mask of a size that is no multiple of 64",
        {**_WIDE, "mask": picture(72, 64)},
        everywhere(DRAWN, sdcpp=warned("128x64 instead of 72x64")),
        size=(72, 64),
    ),
    Redrawing(
        "Mask, whole picture",
        {**_MASK, "inpaint_full_res": False},
        everywhere(DRAWN),
        kept="left",
    ),
    Redrawing(
        "Mask, only its surroundings",
        {**_MASK, "inpaint_full_res": True, "inpaint_full_res_padding": 16},
        everywhere(DRAWN, sdcpp=lacking("inpaint_full_res has no effect")),
        kept="left",
    ),
    Redrawing(
        "Mask, blurred",
        {**_MASK, "mask_blur": 8},
        everywhere(DRAWN, sdcpp=lacking("mask_blur has no effect")),
    ),
    Redrawing(
        "Mask, blurred to the sides",
        {**_MASK, "mask_blur_x": 8},
        everywhere(
            DRAWN,
            neo=lacking("mask_blur_x has no effect"),
            sdnext=lacking("mask_blur_x has no effect"),
            sdcpp=lacking("mask_blur_x has no effect"),
        ),
    ),
    # stable-diffusion.cpp blurs no mask, so that it does what is asked.
    Redrawing(
        "Mask, not blurred to the sides",
        {**_MASK, "mask_blur_x": 0},
        everywhere(
            DRAWN,
            neo=lacking("mask_blur_x has no effect"),
            sdnext=lacking("mask_blur_x has no effect"),
        ),
    ),
    Redrawing(
        "Mask with soft edges",
        {**_MASK, "mask_round": False},
        everywhere(
            DRAWN,
            sdnext=lacking("mask_round has no effect"),
            sdcpp=lacking("mask_round has no effect"),
        ),
    ),
    Redrawing(
        "Mask, filled with the colours around",
        {**_MASK, "inpainting_fill": 0},
        everywhere(
            DRAWN,
            sdnext=lacking("inpainting_fill has no effect"),
            sdcpp=lacking("inpainting_fill has no effect"),
        ),
    ),
    Redrawing(
        "Mask, filled with noise",
        {**_MASK, "inpainting_fill": 2},
        everywhere(
            DRAWN,
            sdnext=lacking("inpainting_fill has no effect"),
            sdcpp=lacking("inpainting_fill has no effect"),
        ),
    ),
    Redrawing("Mask of another size", {"mask": picture(32, 32)}, everywhere(refused("same size"))),
    Redrawing("A mask's blur without a mask", {"mask_blur": 8}, _no_mask("mask_blur")),
    Redrawing(
        "A mask's filling without a mask", {"inpainting_fill": 2}, _no_mask("inpainting_fill")
    ),
    Redrawing(
        "A mask turned round without a mask",
        {"inpainting_mask_invert": 1},
        _no_mask("inpainting_mask_invert"),
    ),
    Redrawing(
        "Image CFG scale",
        {"image_cfg_scale": 2},
        everywhere(
            DRAWN,
            sdnext=lacking("image_cfg_scale has no effect"),
            sdcpp=lacking("image_cfg_scale has no effect"),
        ),
    ),
    Redrawing(
        "A second pass",
        {"extra_parameters": '{"enable_hr": true, "hr_scale": 2}'},
        everywhere(warned("enable_hr has no effect"), sdnext=warned("instead of 128x128")),
        size=(128, 128),
    ),
    Redrawing(
        "No noise of its own", {"eta": 0}, everywhere(DRAWN, sdcpp=lacking("eta has no effect"))
    ),
    Redrawing("A picture that is none", {"image": b"hello"}, everywhere(refused("image: the"))),
]

# Beyond those: what only one family does.
ALONE = [
    Redrawing(
        "A mask's field without a schema to ask",
        {**_MASK, "mask_blur_x": 8},
        {"sdnext": lacking("mask_blur_x has no effect")},
        docs=False,
    ),
    Redrawing(
        "Image CFG scale without a schema to ask",
        {"image_cfg_scale": 2},
        {"sdnext": lacking("image_cfg_scale has no effect")},
        docs=False,
    ),
]

SHARED = [row for row in [*FEATURES, *MISTAKES, *SINGLE] if "enable_hr" not in row.given]
