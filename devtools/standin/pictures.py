"""Pictures that say what they were asked for, with the infotext inside.

They are cheap: a blurred palette from the seed, with the prompt and the seed written on it. Drawn
and encoded once, they are kept.
"""

import base64
import binascii
import colorsys
import functools
import hashlib
import io
import math
import textwrap
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import ExifTags, Image, ImageDraw, ImageFont, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

FORMATS = {"png": "PNG", "jpg": "JPEG", "jpeg": "JPEG", "webp": "WEBP"}
_USER_COMMENT = 0x9286
_UNICODE = b"UNICODE\0"


def draw(
    width: int, height: int, prompt: str, seed: int, *, remark: str = "", noise: bool = False
) -> Image.Image:
    """An RGB picture of exactly width x height; the same arguments give the same pixels.

    The prompt is written at its top, the seed and the remark at its bottom. `noise` adds grain,
    so that the file is about as large as a photograph's.
    """
    picture = _background(width, height, seed)
    if noise:
        grain = hashlib.shake_128(f"grain {seed}".encode()).digest(width * height * 3)
        picture = Image.blend(picture, Image.frombytes("RGB", (width, height), grain), 0.1)
    _write(picture, prompt, f"seed {seed}" + (f", {remark}" if remark else ""))
    return picture


@dataclass(frozen=True)
class Sketch:
    """A picture yet to be drawn: what `draw` takes."""

    width: int
    height: int
    prompt: str
    seed: int
    remark: str = ""
    noise: bool = False

    def drawn(self) -> Image.Image:
        return draw(
            self.width,
            self.height,
            self.prompt,
            self.seed,
            remark=self.remark,
            noise=self.noise,
        )


class Files:
    """Pictures as base64 text; of sketches, those last wanted are kept, up to so many bytes."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._size = 0
        self._kept: OrderedDict[tuple[Sketch, str, str | None], str] = OrderedDict()
        self._lock = threading.Lock()

    def text(
        self, picture: Sketch | Image.Image, file_format: str, infotext: str | None = None
    ) -> str:
        if isinstance(picture, Image.Image):
            return base64.b64encode(encode(picture, file_format, infotext)).decode()
        key = (picture, file_format, infotext)
        with self._lock:
            if key not in self._kept:
                found = self.text(picture.drawn(), file_format, infotext)
                self._kept[key] = found
                self._size += len(found)
            self._kept.move_to_end(key)
            found = self._kept[key]
            while self._size > self._most:
                self._size -= len(self._kept.popitem(last=False)[1])
            return found


def _background(width: int, height: int, seed: int) -> Image.Image:
    numbers = hashlib.shake_128(f"palette {seed}".encode()).digest(1 + 2 * 16)
    hue = numbers[0] / 255
    palette = Image.new("RGB", (4, 4))
    for cell in range(16):
        drift, light = numbers[1 + 2 * cell], numbers[2 + 2 * cell]
        colour = colorsys.hsv_to_rgb(hue + drift / 1000, 0.35 + drift / 800, 0.4 + light / 600)
        palette.putpixel((cell % 4, cell // 4), tuple(int(255 * part) for part in colour))
    return palette.resize((width, height), Image.Resampling.BICUBIC)


def _write(picture: Image.Image, prompt: str, footer: str) -> None:
    size = max(8, min(picture.size) // 16)
    margin = size
    font = _font(size)
    pen = ImageDraw.Draw(picture)
    columns = max(4, int((picture.width - 2 * margin) / font.getlength("n")))
    room = max(1, (picture.height - 4 * margin) // int(size * 1.3))
    lines = textwrap.wrap(prompt, columns, max_lines=room, placeholder=" …")
    top = float(margin)
    for line in lines:
        pen.text((margin, top), line, "white", font, stroke_width=1, stroke_fill="black")
        top += size * 1.3
    bottom = picture.height - margin - size * 1.3
    for line in reversed(textwrap.wrap(footer, columns)):
        pen.text((margin, bottom), line, "white", font, stroke_width=1, stroke_fill="black")
        bottom -= size * 1.3


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def grid(pictures: Sequence[Image.Image]) -> Image.Image:
    """The overview that a WebUI makes of several pictures of one size."""
    rows = round(math.sqrt(len(pictures)))
    columns = math.ceil(len(pictures) / rows)
    width, height = pictures[0].size
    sheet = Image.new("RGB", (columns * width, rows * height), "black")
    for place, picture in enumerate(pictures):
        sheet.paste(picture, (place % columns * width, place // columns * height))
    return sheet


def encode(picture: Image.Image, file_format: str, infotext: str | None = None) -> bytes:
    """A file's bytes; `file_format` is png, jpg, jpeg or webp, anything else a KeyError.

    The infotext goes where WebUI servers put it: a PNG text chunk named `parameters`, or the
    EXIF field UserComment.
    """
    kind = FORMATS[file_format.lower()]
    file = io.BytesIO()
    if kind == "PNG":
        texts = PngInfo()
        if infotext is not None:
            texts.add_text("parameters", infotext)
        picture.save(file, kind, pnginfo=texts, compress_level=1)
        return file.getvalue()
    exif = Image.Exif()
    if infotext is not None:
        comment = _UNICODE + infotext.encode("utf-16-be")
        exif.get_ifd(ExifTags.IFD.Exif)[_USER_COMMENT] = comment
    picture.convert("RGB").save(file, kind, exif=exif, quality=80)
    return file.getvalue()


def decode(text: str) -> Image.Image | None:
    """The picture in a base64 text, with or without `data:image/...;base64,`; None if there is
    none."""
    encoded = text.split(";base64,", 1)[-1] if text.startswith("data:image/") else text
    try:
        picture = Image.open(io.BytesIO(base64.b64decode(encoded)))
        picture.load()
    except (binascii.Error, UnidentifiedImageError, OSError):
        return None
    return picture


def texts_inside(picture: Image.Image) -> dict[str, str]:
    """What a picture's file says of itself; the infotext is under `parameters`."""
    texts = {str(key): value for key, value in picture.info.items() if isinstance(value, str)}
    comment = picture.getexif().get_ifd(ExifTags.IFD.Exif).get(_USER_COMMENT)
    if isinstance(comment, bytes) and comment.startswith(_UNICODE):
        texts["parameters"] = comment.removeprefix(_UNICODE).decode("utf-16-be", "replace")
    return texts
