"""How images travel in requests and replies."""

import base64
from collections.abc import Sequence

from PIL import Image

from devtools import pictures
from devtools.standin_errors import RefusalError
from devtools.standin_state import State


def decode_input(text: object) -> Image.Image:
    """The picture in a request's base64 text."""
    picture = pictures.decode(text) if isinstance(text, str) else None
    if picture is None:
        raise RefusalError(500, "Invalid encoded image")
    return picture


def encode_all(
    state: State, images: Sequence[Image.Image], texts: Sequence[str | None] = ()
) -> list[str]:
    """Base64 texts in the server's format, which it only now finds impossible."""
    file_format = state.options["samples_format"]
    if file_format.lower() not in ("png", "jpg", "jpeg", "webp"):
        raise RefusalError(500, "Invalid image format")
    padded = [*texts, *[None] * (len(images) - len(texts))]
    files = (
        pictures.encode(image, file_format, text)
        for image, text in zip(images, padded, strict=True)
    )
    return [base64.b64encode(file).decode() for file in files]
