"""Pictures as bytes: base64, file types by signature; size, text and orientation from headers."""

import base64
import binascii
import struct
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

_SIGNATURES = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png", "png"),
    (0, b"\xff\xd8\xff", "image/jpeg", "jpg"),
    (8, b"WEBP", "image/webp", "webp"),
    (0, b"GIF8", "image/gif", "gif"),
    (4, b"ftypavif", "image/avif", "avif"),
    (0, b"\xff\x0a", "image/jxl", "jxl"),
    (4, b"JXL \r\n\x87\n", "image/jxl", "jxl"),
    (0, b"BM", "image/bmp", "bmp"),
    (0, b"II*\x00", "image/tiff", "tiff"),
    (0, b"MM\x00*", "image/tiff", "tiff"),
)
_LONGEST_TEXT = 1 << 20
_ORIENTATION = 0x0112
_EXIF = b"Exif\0\0"
# Characters of base64 decoded at a time: a multiple of 4.
_SLICE = 1 << 20


@dataclass(frozen=True)
class Picture:
    """One image file, its bytes as the server sent them.

    width, height: pixels, None for types whose header is not read here (all but PNG, JPEG, WebP).
    """

    data: bytes
    mime_type: str
    extension: str
    width: int | None
    height: int | None
    infotext: str | None

    def base64(self) -> str:
        """As requests carry it."""
        return base64.b64encode(self.data).decode()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the pixels as they lie, 0 where they are not known."""
        return self.width or 0, self.height or 0

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height as seen, which are swapped when it lies on its side."""
        width, height = self.size
        return (height, width) if _orientation(self) >= 5 else (width, height)

    @property
    def is_turned(self) -> bool:
        """Whether a viewer must turn or mirror it (EXIF orientation 2 to 8)."""
        return _orientation(self) != 1

    @property
    def is_grey(self) -> bool:
        """Whether its header says that it has no colours (PNG, JPEG)."""
        if self.extension == "png":
            return self.data[25:26] in {b"\0", b"\4"}
        return self.extension == "jpg" and self.width is not None and _jpeg_frame(self.data)[2] == 1

    @property
    def is_opaque(self) -> bool:
        """Whether its header says that nothing shines through (PNG, JPEG, WebP)."""
        if self.extension == "png":
            colours = self.data[25:26]
            return colours in {b"\0", b"\2", b"\3"} and b"tRNS" not in dict(_png_chunks(self.data))
        if self.extension == "webp":
            # VP8X has a flag for it, VP8L may have it, VP8 never does.
            kind, flags = self.data[12:16], self.data[20:21]
            return kind == b"VP8 " or (kind == b"VP8X" and not flags[0] & 0x10)
        return self.extension == "jpg"

    @property
    def is_cut_off(self) -> bool:
        """Whether its end is missing (PNG)."""
        return self.extension == "png" and b"IEND" not in dict(_png_chunks(self.data))


@dataclass(frozen=True)
class Source:
    """A picture that goes into a request. name: the file's, as the user knows it."""

    name: str
    picture: Picture


def decode_picture(text: str) -> Picture:
    """Return a picture from base64, with or without a "data:image/…;base64," prefix.

    ValueError says what is wrong: not base64, or not an image.
    """
    if text.startswith("data:"):
        text = text.partition(",")[2]
    data = bytearray()
    try:
        if 0 <= text.find("=") < len(text) - 2:
            raise ValueError
        for at in range(0, len(text), _SLICE):
            data += binascii.a2b_base64(text[at : at + _SLICE], strict_mode=True)
            # A large picture takes a while; others of this process must get their turn.
            time.sleep(0)
    except ValueError:
        raise ValueError("is not valid base64") from None
    return identify_picture(bytes(data))


def identify_picture(data: bytes) -> Picture:
    """Return what a file is, by its signature. ValueError if it is no image."""
    for offset, signature, mime_type, extension in _SIGNATURES:
        if data.startswith(signature, offset):
            width, height = _size(data, extension)
            infotext = _png_text(data, "parameters") if extension == "png" else None
            return Picture(data, mime_type, extension, width, height, infotext)
    raise ValueError("is empty" if not data else "is not an image of a known type")


def _size(data: bytes, extension: str) -> tuple[int, int] | tuple[None, None]:
    try:
        if extension == "png":
            return struct.unpack_from(">II", data, 16)
        if extension == "jpg":
            return _jpeg_frame(data)[:2]
        if extension == "webp":
            return _webp_size(data)
    except (struct.error, IndexError):
        pass
    return None, None


def _jpeg_frame(data: bytes) -> tuple[int, int, int]:
    """Return width, height and channels, by the frame header (SOF0 to SOF15).

    DHT, JPG and DAC share its range. IndexError and struct.error where there is none.
    """
    at = 2
    while data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            height, width, channels = struct.unpack_from(">HHB", data, at + 5)
            return width, height, channels
        at += 2 + int(struct.unpack_from(">H", data, at + 2)[0])
    raise IndexError


def _webp_size(data: bytes) -> tuple[int, int] | tuple[None, None]:
    kind = data[12:16]
    if kind == b"VP8X":
        # Two whole numbers of three bytes each.
        (packed,) = struct.unpack("<Q", data[24:30].ljust(8 if len(data) >= 30 else 0, b"\0"))
        return 1 + (packed & 0xFFFFFF), 1 + (packed >> 24)
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None, None


def _png_text(data: bytes, keyword: str) -> str | None:
    """Read the first tEXt, zTXt or iTXt chunk of that name, which WebUIs write before the pixels.

    Source: PNG specification, section 11.3.3. A damaged chunk counts as none.
    """
    wanted = keyword.encode() + b"\0"
    for kind, body in _png_chunks(data):
        if kind == b"IDAT":
            return None
        if kind not in {b"tEXt", b"zTXt", b"iTXt"} or not body.startswith(wanted):
            continue
        rest = body[len(wanted) :]
        try:
            if kind == b"tEXt":
                return rest.decode("latin-1")
            if kind == b"zTXt":
                return _unpacked(rest[1:]).decode("latin-1")
            compressed, (_, _, text) = rest[0], rest[2:].split(b"\0", 2)
            return (_unpacked(text) if compressed else text).decode()
        except (zlib.error, ValueError, IndexError):
            return None
    return None


def _unpacked(data: bytes) -> bytes:
    """Decompressed text; ValueError for more of it than any infotext holds."""
    unpacking = zlib.decompressobj()
    text = unpacking.decompress(data, _LONGEST_TEXT)
    if not unpacking.eof:
        raise ValueError("cut off, or too long")
    return text


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 8
    while at + 8 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length


def _orientation(picture: Picture) -> int:
    """Return the orientation, 1 to 8; 1, upright, where there is none or it cannot be read.

    Source: Exif 2.32, sections 4.5 and 4.6.
    """
    block = _exif(picture)
    try:
        order = {b"II": "<", b"MM": ">"}[block[:2]]
        (at,) = struct.unpack_from(order + "I", block, 4)
        (count,) = struct.unpack_from(order + "H", block, at)
        for entry in range(count):
            tag, _, _, value = struct.unpack_from(order + "HHIH", block, at + 2 + 12 * entry)
            if tag == _ORIENTATION:
                return int(value) if 1 <= value <= 8 else 1
    except (KeyError, struct.error):
        pass
    return 1


def _exif(picture: Picture) -> bytes:
    """Return the TIFF part of the EXIF block, wherever the file type keeps it; b"" if nowhere."""
    data = picture.data
    if picture.extension == "jpg":
        at = data.find(_EXIF, 0, 1 << 16)
        return data[at + len(_EXIF) : at + (1 << 16)] if at >= 0 else b""
    marker = b"eXIf" if picture.extension == "png" else b"EXIF"
    at = data.find(marker)
    if at < 0:
        return b""
    start = at + (4 if picture.extension == "png" else 8)
    return data[start : start + (1 << 16)].removeprefix(_EXIF)
