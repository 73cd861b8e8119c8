"""Which way up a picture is, by the EXIF block that cameras write."""

import struct

from webui.images import Picture

_ORIENTATION = 0x0112
_EXIF = b"Exif\0\0"


def is_turned(picture: Picture) -> bool:
    """Whether a viewer must turn or mirror it (EXIF orientation 2 to 8)."""
    return _read(picture) != 1


def upright_size(picture: Picture) -> tuple[int, int]:
    """Width and height as seen, which are swapped when it lies on its side."""
    width, height = picture.width or 0, picture.height or 0
    return (height, width) if _read(picture) >= 5 else (width, height)


def _read(picture: Picture) -> int:
    """The orientation, 1 to 8; 1, upright, where there is none or it cannot be read.

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
    """The TIFF part of the EXIF block, wherever the file type keeps it; b"" if nowhere."""
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
