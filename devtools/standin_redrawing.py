"""How img2img's result comes to look like its input."""

from typing import Any

from PIL import Image, ImageOps


def redraw(source: Image.Image, picture: Image.Image, values: dict[str, Any]) -> Image.Image:
    """The source under the new picture, the more of it the weaker the denoising."""
    source = source.convert("RGB")
    if values["resize_mode"] == 1:
        source = ImageOps.fit(source, picture.size)
    elif values["resize_mode"] == 2:
        source = ImageOps.pad(source, picture.size)
    else:
        source = source.resize(picture.size)
    strength = min(max(values["denoising_strength"], 0.0), 1.0)
    redrawn = Image.blend(source, picture, strength)
    if not values["mask"]:
        return redrawn
    mask = values["mask"].convert("L").resize(picture.size)
    if values["inpainting_mask_invert"]:
        mask = ImageOps.invert(mask)
    return Image.composite(redrawn, source, mask)
