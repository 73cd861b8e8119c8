import base64
import struct
import zlib
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from support.dify_files import picture
from webui.pictures.picture import decode_picture, identify_picture

SIZE = (96, 64)
UNKNOWN = r"^is not an image of a known type$"


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_with(*chunks: bytes) -> bytes:
    """A PNG with these chunks right after its header."""
    return picture()[:33] + b"".join(chunks) + picture()[33:]


def turned(kind: str, value: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = value
    return picture(*SIZE, kind, exif=exif)


@pytest.mark.parametrize(
    ("kind", "options", "extension"),
    [("PNG", {}, "png"), ("JPEG", {}, "jpg"), ("JPEG", {"progressive": True}, "jpg"),
     ("JPEG", {"comment": b"\xff" * 60_000}, "jpg"), ("WEBP", {"lossless": False}, "webp"),
     ("WEBP", {"lossless": True}, "webp"), ("WEBP", {"exif": b"Exif\0\0II*\0"}, "webp")],
    ids=["PNG", "JPEG", "progressive", "long header", "lossy", "lossless", "extended"],
)  # fmt: skip
def test_type_and_size_are_read_from_the_bytes(
    kind: str, options: dict[str, Any], extension: str
) -> None:
    data = picture(*SIZE, kind, **options)
    found = identify_picture(data)
    assert found.data is data
    assert (found.mime_type, found.extension) == (f"image/{kind.lower()}", extension)
    assert (found.width, found.height) == found.size == SIZE


@pytest.mark.parametrize(
    ("data", "extension"),
    [*((picture(kind=kind), kind.lower()) for kind in ("GIF", "BMP", "TIFF", "AVIF")),
     (b"\xff\x0a\x00", "jxl"), (b"\0\0\0\x0cJXL \r\n\x87\n", "jxl"), (b"MM\0*", "tiff")],
)  # fmt: skip
def test_rarer_types_are_known_by_signature_without_a_size(data: bytes, extension: str) -> None:
    found = identify_picture(data)
    assert (found.mime_type, found.extension) == (f"image/{extension}", extension)
    assert (found.width, found.height, found.size, found.infotext) == (None, None, (0, 0), None)


@pytest.mark.parametrize(
    "data", [b"<html>", b"\0" * 100, b"%PDF-1.7", b"\x89PNG", b"RIFF\0\0\0\0WAVEfmt ", b"hello"]
)
def test_what_is_no_image_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=UNKNOWN):
        identify_picture(data)


@pytest.mark.parametrize(
    "data",
    [b"\x89PNG\r\n\x1a\n", picture()[:20], b"\xff\xd8\xff", b"\xff\xd8\xff\xe0\0\0",
     b"\xff\xd8\xff\xe0\xff\xff", picture(kind="JPEG")[:20], b"RIFF\0\0\0\0WEBPALPH",
     picture(kind="WEBP", lossless=False)[:16], picture(kind="WEBP", lossless=True)[:16],
     picture(kind="WEBP", exif=b"Exif\0\0II*\0")[:16]],
)  # fmt: skip
def test_an_image_cut_off_in_its_header_has_no_size(data: bytes) -> None:
    found = identify_picture(data)
    assert (found.width, found.height) == (None, None)


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,", "data:;base64,"])
def test_base64_becomes_the_picture_to_the_byte(prefix: str) -> None:
    data = picture()
    found = decode_picture(prefix + base64.b64encode(data).decode())
    assert found.data == data
    assert found.base64() == base64.b64encode(data).decode()


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        *((text, r"^is not valid base64$") for text in (
            "@@@@", "abc", "iVBORw0KGgo", "é", "\0", "１２３４", "\ud800", "data:image/png,@@",
            "a\nbcd")),
        *((text, r"^is empty$") for text in ("", "data:image/png;base64,", "data:image/png")),
        (base64.b64encode(b"<html></html>").decode(), UNKNOWN),
    ],
)  # fmt: skip
def test_base64_that_holds_no_picture_is_refused(text: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        decode_picture(text)


@pytest.mark.parametrize(
    "text", ["a cat\nSteps: 20", "café", "灯台 at dawn\n🌅"], ids=["ASCII", "Latin", "any"]
)
@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "zipped"])
@pytest.mark.parametrize("international", [False, True], ids=["", "with a language"])
def test_the_infotext_is_read_as_pillow_writes_it(
    text: str, zipped: bool, international: bool
) -> None:
    info = PngInfo()
    info.add_text("Software", "probe")
    if international:
        info.add_itxt("parameters", text, lang="ja", tkey="設定", zip=zipped)
    else:
        info.add_text("parameters", text, zip=zipped)
    assert identify_picture(picture(pnginfo=info)).infotext == text


@pytest.mark.parametrize(
    "data",
    [
        picture(),
        *(png_with(chunk(b"tEXt", text)) for text in (b"prompt\0a cat", b"parameters2\0a cat")),
        *(png_with(chunk(b"zTXt", b"parameters\0" + rest)) for rest in (
            b"", b"\0not deflated", b"\0" + zlib.compress(b"a" * 2**24, level=9))),
        *(png_with(chunk(b"iTXt", b"parameters\0" + rest)) for rest in (
            b"", b"\0\0no separators", b"\1\0\0\0not deflated", b"\0\0\0\0\xff\xfe")),
        picture() + chunk(b"tEXt", b"parameters\0after the pixels"),
        picture()[:33] + b"\xff\xff\xff\xfftEXtSoftware\0claims more than there is",
        picture(kind="JPEG", comment=b"parameters\0a cat"),
    ],
    ids=["none", "another", "longer keyword", "empty zTXt", "bad zTXt", "a bomb", "empty iTXt",
         "short iTXt", "bad iTXt", "not UTF-8", "late", "too long", "JPEG"],
)  # fmt: skip
def test_without_a_readable_infotext_there_is_none(data: bytes) -> None:
    found = identify_picture(data)
    assert found.infotext is None
    assert found.size == SIZE


def test_of_two_infotexts_the_first_counts() -> None:
    data = png_with(chunk(b"tEXt", b"parameters\0first"), chunk(b"tEXt", b"parameters\0second"))
    assert identify_picture(data).infotext == "first"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("value", [*range(10), 65535])
def test_the_size_is_the_one_seen(kind: str, value: int) -> None:
    found = identify_picture(turned(kind, value))
    assert found.size == SIZE
    assert found.upright_size == ((64, 96) if 5 <= value <= 8 else SIZE)
    assert found.is_turned is (2 <= value <= 8)


@pytest.mark.parametrize(
    "data",
    [*(picture(kind=kind) for kind in ("JPEG", "PNG", "WEBP")),
     turned("JPEG", 6)[: turned("JPEG", 6).index(b"Exif\0\0") + 12]],
    ids=["JPEG", "PNG", "WEBP", "cut off"],
)  # fmt: skip
def test_without_a_whole_block_of_exif_a_picture_is_upright(data: bytes) -> None:
    found = identify_picture(data)
    assert found.upright_size == found.size
    assert not found.is_turned
