import base64
import struct
import zlib
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from webui import images

SIZE = (40, 24)
INFOTEXT = "a cat\nSteps: 20, Seed: 7"


def drawn(kind: str, **options: Any) -> bytes:  # noqa: ANN401 - Pillow's options are of any type
    file = BytesIO()
    Image.new("RGB", SIZE, "teal").save(file, kind, **options)
    return file.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_with(*chunks: bytes) -> bytes:
    """A PNG with these chunks right after its header."""
    whole = drawn("PNG")
    return whole[:33] + b"".join(chunks) + whole[33:]


@pytest.mark.parametrize(
    ("kind", "options", "mime_type", "extension"),
    [
        ("PNG", {}, "image/png", "png"),
        ("JPEG", {}, "image/jpeg", "jpg"),
        ("JPEG", {"progressive": True}, "image/jpeg", "jpg"),
        ("JPEG", {"comment": b"\xff" * 60_000}, "image/jpeg", "jpg"),
        ("WEBP", {"lossless": False}, "image/webp", "webp"),
        ("WEBP", {"lossless": True}, "image/webp", "webp"),
        ("WEBP", {"exif": b"Exif\0\0II*\0"}, "image/webp", "webp"),
    ],
    ids=["PNG", "JPEG", "progressive", "long header", "lossy", "lossless", "extended"],
)  # fmt: skip
def test_type_and_size_are_read_from_the_bytes(
    kind: str, options: dict[str, Any], mime_type: str, extension: str
) -> None:
    data = drawn(kind, **options)
    found = images.identify(data)
    assert found.data is data
    assert (found.mime_type, found.extension) == (mime_type, extension)
    assert (found.width, found.height) == SIZE


@pytest.mark.parametrize(
    ("kind", "mime_type"),
    [("GIF", "gif"), ("BMP", "bmp"), ("TIFF", "tiff"), ("AVIF", "avif")],
)
def test_rarer_types_are_known_by_signature_without_a_size(kind: str, mime_type: str) -> None:
    found = images.identify(drawn(kind))
    assert (found.mime_type, found.extension) == (f"image/{mime_type}", mime_type)
    assert (found.width, found.height, found.infotext) == (None, None, None)


@pytest.mark.parametrize("data", [b"\xff\x0a\x00", b"\0\0\0\x0cJXL \r\n\x87\n", b"MM\0*"])
def test_signatures_that_pillow_does_not_write_are_known_too(data: bytes) -> None:
    assert images.identify(data).extension in {"jxl", "tiff"}


def test_no_bytes_are_said_to_be_empty() -> None:
    with pytest.raises(ValueError, match=r"^is empty$"):
        images.identify(b"")


@pytest.mark.parametrize(
    "data", [b"<html>", b"\0" * 100, b"%PDF-1.7", b"\x89PNG", b"RIFF\0\0\0\0WAVEfmt ", b"hello"]
)
def test_what_is_no_image_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"^is not an image of a known type$"):
        images.identify(data)


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n",
        drawn("PNG")[:20],
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xe0\0\0",
        b"\xff\xd8\xff\xe0\xff\xff",
        drawn("JPEG")[:20],
        drawn("WEBP", lossless=False)[:16],
        drawn("WEBP", lossless=True)[:16],
        drawn("WEBP", exif=b"Exif\0\0II*\0")[:16],
        b"RIFF\0\0\0\0WEBPALPH",
    ],
)
def test_an_image_cut_off_in_its_header_has_no_size(data: bytes) -> None:
    found = images.identify(data)
    assert (found.width, found.height) == (None, None)


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,", "data:;base64,"])
def test_base64_becomes_the_picture_to_the_byte(prefix: str) -> None:
    data = drawn("PNG")
    assert images.decode(prefix + base64.b64encode(data).decode()).data == data


@pytest.mark.parametrize(
    "text",
    ["@@@@", "abc", "iVBORw0KGgo", "é", "\0", "１２３４", "\ud800", "data:image/png,@@", "a\nbcd"],
)
def test_broken_base64_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^is not valid base64$"):
        images.decode(text)


@pytest.mark.parametrize("text", ["", "data:image/png;base64,", "data:image/png"])
def test_base64_of_nothing_is_empty(text: str) -> None:
    with pytest.raises(ValueError, match=r"^is empty$"):
        images.decode(text)


def test_base64_of_something_else_is_no_image() -> None:
    with pytest.raises(ValueError, match=r"^is not an image of a known type$"):
        images.decode(base64.b64encode(b"<html></html>").decode())


@pytest.mark.parametrize(
    "text", [INFOTEXT, "café", "灯台 at dawn\n🌅"], ids=["ASCII", "Latin", "any"]
)
@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "zipped"])
def test_the_infotext_is_read_as_pillow_writes_it(text: str, zipped: bool) -> None:
    info = PngInfo()
    info.add_text("Software", "probe")
    info.add_text("parameters", text, zip=zipped)
    assert images.identify(drawn("PNG", pnginfo=info)).infotext == text


@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "zipped"])
def test_the_infotext_of_an_international_chunk_is_read(zipped: bool) -> None:
    info = PngInfo()
    info.add_itxt("parameters", "灯台", lang="ja", tkey="設定", zip=zipped)
    assert images.identify(drawn("PNG", pnginfo=info)).infotext == "灯台"


@pytest.mark.parametrize(
    "data",
    [
        drawn("PNG"),
        png_with(chunk(b"tEXt", b"prompt\0a cat")),
        png_with(chunk(b"tEXt", b"parameters2\0a cat")),
        png_with(chunk(b"zTXt", b"parameters\0\0not deflated")),
        png_with(chunk(b"zTXt", b"parameters\0")),
        png_with(chunk(b"iTXt", b"parameters\0")),
        png_with(chunk(b"iTXt", b"parameters\0\0\0no separators")),
        png_with(chunk(b"iTXt", b"parameters\0\1\0\0\0not deflated")),
        png_with(chunk(b"iTXt", b"parameters\0\0\0\0\0\xff\xfe")),
        drawn("PNG") + chunk(b"tEXt", b"parameters\0after the pixels"),
        drawn("JPEG", comment=b"parameters\0a cat"),
    ],
    ids=["none", "another", "longer keyword", "bad zTXt", "empty zTXt", "empty iTXt", "short iTXt",
         "bad iTXt", "not UTF-8", "late", "JPEG"],
)  # fmt: skip
def test_without_a_readable_infotext_there_is_none(data: bytes) -> None:
    found = images.identify(data)
    assert found.infotext is None
    assert (found.width, found.height) == SIZE


def test_a_chunk_that_claims_more_than_there_is_ends_the_search() -> None:
    data = drawn("PNG")[:33] + b"\xff\xff\xff\xfftEXtSoftware\0probe"
    assert images.identify(data).infotext is None


def test_an_infotext_that_unpacks_to_more_than_any_server_writes_is_left_packed() -> None:
    bomb = zlib.compress(b"a" * 2**24, level=9)
    assert images.identify(png_with(chunk(b"zTXt", b"parameters\0\0" + bomb))).infotext is None


def test_of_two_infotexts_the_first_counts() -> None:
    data = png_with(chunk(b"tEXt", b"parameters\0first"), chunk(b"tEXt", b"parameters\0second"))
    assert images.identify(data).infotext == "first"
