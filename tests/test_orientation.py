from io import BytesIO

import pytest
from dify_files import picture
from PIL import Image

from webui import orientation
from webui.images import identify


def turned(kind: str, value: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = value
    return picture(96, 64, kind, exif=exif)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("value", range(1, 9))
def test_the_size_is_the_one_seen(kind: str, value: int) -> None:
    found = identify(turned(kind, value))
    assert orientation.upright_size(found) == ((64, 96) if value >= 5 else (96, 64))
    assert orientation.is_turned(found) is (value != 1)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_without_exif_a_picture_is_upright(kind: str) -> None:
    found = identify(picture(96, 64, kind))
    assert orientation.upright_size(found) == (96, 64)
    assert not orientation.is_turned(found)


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_counts_as_upright(value: int) -> None:
    assert not orientation.is_turned(identify(turned("JPEG", value)))


def test_a_block_cut_off_counts_as_none() -> None:
    file = BytesIO(turned("JPEG", 6))
    data = file.getvalue()
    at = data.index(b"Exif\0\0")
    assert not orientation.is_turned(identify(data[: at + 12]))
