"""The stand-in's pictures are real files of the asked size with their text inside."""

import base64
import io

import pytest
from PIL import Image

from devtools.standin import pictures


def opened(file: bytes) -> Image.Image:
    return Image.open(io.BytesIO(file))


@pytest.mark.parametrize("size", [(8, 8), (64, 16), (130, 70), (512, 768)])
def test_a_picture_has_exactly_the_asked_size(size: tuple[int, int]) -> None:
    assert pictures.draw(*size, "a lighthouse", 1).size == size


def test_the_same_arguments_give_the_same_picture() -> None:
    first = pictures.draw(64, 64, "a lighthouse", 1, noise=True)
    second = pictures.draw(64, 64, "a lighthouse", 1, noise=True)
    assert first.tobytes() == second.tobytes()


def test_the_seed_changes_the_background() -> None:
    first, second = (pictures.draw(64, 64, "", seed) for seed in (1, 2))
    assert first.getpixel((32, 0)) != second.getpixel((32, 0))


def test_the_prompt_is_written_on_the_picture() -> None:
    blank, written = (pictures.draw(128, 128, prompt, 1) for prompt in ("", "a lighthouse"))
    assert blank.tobytes() != written.tobytes()


def test_noise_makes_the_file_several_times_larger() -> None:
    plain, noisy = (pictures.draw(256, 256, "", 1, noise=noise) for noise in (False, True))
    assert len(pictures.encode(noisy, "png")) > 2 * len(pictures.encode(plain, "png"))


@pytest.mark.parametrize(
    ("file_format", "kind"), [("png", "PNG"), ("jpg", "JPEG"), ("jpeg", "JPEG"), ("webp", "WEBP")]
)
@pytest.mark.parametrize("text", ["a lighthouse\nSteps: 20", "灯台, phare à l’aube\nSteps: 20"])
def test_every_format_carries_the_infotext(file_format: str, kind: str, text: str) -> None:
    file = opened(pictures.encode(pictures.draw(64, 48, "", 1), file_format, text))
    assert (file.format, file.size) == (kind, (64, 48))
    assert pictures.texts_inside(file)["parameters"] == text


def test_png_keeps_plain_text_in_a_text_chunk_named_parameters() -> None:
    file = pictures.encode(pictures.draw(8, 8, "", 1), "png", "a lighthouse")
    assert b"tEXtparameters\0a lighthouse" in file


def test_an_unknown_format_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        pictures.encode(pictures.draw(8, 8, "", 1), "jxl")


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,"])
def test_base64_is_decoded_with_and_without_a_prefix(prefix: str) -> None:
    text = base64.b64encode(pictures.encode(pictures.draw(24, 16, "", 1), "png")).decode()
    picture = pictures.decode(prefix + text)
    assert picture is not None
    assert picture.size == (24, 16)


@pytest.mark.parametrize("text", ["", "%%%", "bm8gcGljdHVyZQ=="])
def test_text_that_is_no_picture_decodes_to_none(text: str) -> None:
    assert pictures.decode(text) is None


def test_a_grid_is_as_square_as_it_can_be() -> None:
    tile = pictures.draw(16, 8, "", 1)
    assert pictures.grid([tile] * 4).size == (32, 16)
    assert pictures.grid([tile] * 2).size == (32, 8)
    assert pictures.grid([tile] * 5).size == (48, 16)
