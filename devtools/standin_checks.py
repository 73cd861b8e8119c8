"""What a WebUI does not check but falls over."""

from typing import Any

from PIL import Image

from devtools.standin_errors import CrashError

_OUT_OF_MEMORY = (
    "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 8.00 GiB "
    "of which 0 bytes is free."
)
# Larger pictures end as they would on most cards.
_MOST_PIXELS = 100_000_000
_NUMBERS = (
    "width",
    "height",
    "steps",
    "batch_size",
    "n_iter",
    "cfg_scale",
    "subseed_strength",
    "hr_scale",
    "hr_resize_x",
    "hr_resize_y",
)


def check_nulls(values: dict[str, Any]) -> None:
    """CrashError for a null that passes for any type and then meets arithmetic."""
    for name in _NUMBERS:
        if values.get(name, 0) is None:
            text = "unsupported operand type(s) for *: 'NoneType' and 'int'"
            raise CrashError("TypeError", text)
    if values["prompt"] is None or values["negative_prompt"] is None:
        raise CrashError("AttributeError", "'NoneType' object has no attribute 'strip'")


def check_inputs(values: dict[str, Any], inputs: list[Image.Image]) -> None:
    """CrashError for img2img's pictures and strength."""
    if not inputs or len(inputs) > values["batch_size"]:
        text = f"bad number of images passed: {len(inputs)}; expecting {values['batch_size']}"
        raise CrashError("RuntimeError", f"{text} or less")
    if values["denoising_strength"] is None:
        text = "'<' not supported between instances of 'NoneType' and 'float'"
        raise CrashError("TypeError", text)


def check_size(width: int, height: int) -> None:
    """CrashError for a picture too small for one latent, or too large for a card."""
    if width < 8 or height < 8:
        text = f"Trying to create tensor with an empty dimension: [1, 4, {height // 8}, "
        raise CrashError("RuntimeError", f"{text}{width // 8}]")
    if is_too_large(width, height):
        raise out_of_memory()


def is_too_large(width: int, height: int) -> bool:
    """Whether no card has the memory for this size, in pixels."""
    return width * height > _MOST_PIXELS


def out_of_memory() -> CrashError:
    """The error that torch raises."""
    return CrashError("OutOfMemoryError", _OUT_OF_MEMORY)
