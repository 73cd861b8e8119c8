"""Pictures that say what they were asked for, with the infotext inside; cheap, and kept.

A picture has two colours from the seed, with the prompt and the seed written on them.
"""

import base64
import binascii
import hashlib
import importlib.util
import io
import struct
import textwrap
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import ExifTags, Image, ImageDraw, ImageFont, ImageOps, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

FORMATS = {"png": "PNG", "jpg": "JPEG", "jpeg": "JPEG", "webp": "WEBP"}
_USER_COMMENT = 0x9286
_UNICODE = b"UNICODE\0"


@dataclass(frozen=True)
class Sketch:
    """A picture yet to be drawn; equal sketches give equal pixels.

    `noise` adds grain, so that the file is about as large as a photograph's.
    """

    width: int
    height: int
    prompt: str
    seed: int
    remark: str = ""
    noise: bool = False


@lru_cache(maxsize=32)
def drawn(sketch: Sketch) -> Image.Image:
    """Draw in RGB, with the prompt at the top, the seed and the remark at the bottom."""
    size = (sketch.width, sketch.height)
    picture = _palette(sketch.seed).resize(size)
    if sketch.noise:
        grain = hashlib.shake_128(f"grain {sketch.seed}".encode())
        pixels = grain.digest(sketch.width * sketch.height * 3)
        picture = Image.blend(picture, Image.frombytes("RGB", size, pixels), 0.1)
    letter = max(8, min(size) // 16)
    pen, font = ImageDraw.Draw(picture), _font(letter)
    foot = f"seed {sketch.seed}" + (f", {sketch.remark}" if sketch.remark else "")
    for text, y, anchor in ((sketch.prompt, letter, "la"), (foot, sketch.height - letter, "ld")):
        widest = font.getlength("字" if max(text, default="") > "\u2e80" else "n")
        columns = max(4, int((sketch.width - 2 * letter) / widest))
        lines = "\n".join(textwrap.wrap(text, columns, max_lines=8, placeholder=" …"))
        pen.multiline_text(
            (letter, y), lines, "white", font, anchor, stroke_width=1, stroke_fill="black"
        )
    return picture


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Load one with Japanese and Chinese letters, if the package that brings it is installed."""
    brought = importlib.util.find_spec("paperang_p2_fonts_cjk")
    if brought is None or brought.origin is None:
        return ImageFont.load_default(size)
    return ImageFont.truetype(Path(brought.origin).parent / "fonts/wqy-microhei.ttc", size)


def _palette(seed: int) -> Image.Image:
    """Return a gradient between two colours that lie apart."""
    dark, light = f"hsl({seed * 137 % 360}, 60%, 25%)", f"hsl({seed * 61 % 360}, 50%, 65%)"
    return ImageOps.colorize(Image.linear_gradient("L"), dark, light)


def text_of(picture: Sketch | Image.Image, file_format: str, infotext: str | None = None) -> str:
    """Return a picture as base64 text; of sketches, those last wanted are kept."""
    if isinstance(picture, Sketch):
        return _text_of_sketch(picture, file_format, infotext)
    return base64.b64encode(encode(picture, file_format, infotext)).decode()


@lru_cache(maxsize=128)
def _text_of_sketch(sketch: Sketch, file_format: str, infotext: str | None) -> str:
    return text_of(drawn(sketch), file_format, infotext)


def encode(picture: Image.Image, file_format: str, infotext: str | None = None) -> bytes:
    """Return a file's bytes; `file_format` is a key of FORMATS.

    The infotext goes where WebUI servers put it: a PNG text chunk named `parameters`, or the
    EXIF field UserComment.
    """
    kind, file = FORMATS[file_format.lower()], io.BytesIO()
    if kind == "PNG":
        texts = PngInfo()
        if infotext is not None:
            texts.add_text("parameters", infotext)
        picture.save(file, kind, pnginfo=texts, compress_level=1)
        return file.getvalue()
    exif = b"" if infotext is None else _exif(_UNICODE + infotext.encode("utf-16-be"))
    picture.convert("RGB").save(file, kind, exif=exif, quality=80)
    return file.getvalue()


def _exif(comment: bytes) -> bytes:
    """Return EXIF data with a UserComment of undefined type, as it must be; Pillow writes bytes.

    One directory at 8 points to the other at 26, which points to the comment at 44.
    """
    entries = (0x8769, 4, 1, 26), (_USER_COMMENT, 7, len(comment), 44)
    directories = b"".join(struct.pack(">HHHIII", 1, *entry, 0) for entry in entries)
    return b"Exif\0\0MM\0*\0\0\0\x08" + directories + comment


def decode(text: str) -> Image.Image | None:
    """Decode the picture in a base64 text, with or without `data:image/...;base64,` before it."""
    encoded = text.split(";base64,", 1)[-1] if text.startswith("data:image/") else text
    try:
        picture = Image.open(io.BytesIO(base64.b64decode(encoded)))
        picture.load()
    except (binascii.Error, UnidentifiedImageError, OSError):
        return None
    return picture


def texts_inside(picture: Image.Image) -> dict[str, str]:
    """Return what a picture's file says of itself; the infotext is under `parameters`."""
    texts = {str(key): value for key, value in picture.info.items() if isinstance(value, str)}
    comment = picture.getexif().get_ifd(ExifTags.IFD.Exif).get(_USER_COMMENT)
    if isinstance(comment, bytes) and comment.startswith(_UNICODE):
        texts["parameters"] = comment.removeprefix(_UNICODE).decode("utf-16-be", "replace")
    return texts
