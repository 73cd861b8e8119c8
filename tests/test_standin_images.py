"""The stand-in takes images: it redraws them, enlarges them and reads their text."""

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from standin_calls import ask, base64_picture, draw

from devtools import pictures
from devtools.standin import StandIn


@pytest.fixture(scope="module")
def standin() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


def test_img2img_draws_over_the_image(standin: StandIn) -> None:
    source = base64_picture(32, 32)
    reply = draw(standin, "img2img", init_images=[source], denoising_strength=0, seed=7)
    [picture] = reply["images"]
    assert (picture.size, picture.getpixel((1, 1))) == ((64, 64), (255, 0, 0))
    assert reply["parameters"]["init_images"] is None
    assert len(reply["parameters"]) == 57
    assert "Denoising strength: 0.0" in reply["info"]["infotexts"][0]


def test_img2img_repaints_only_where_the_mask_is_white(standin: StandIn) -> None:
    picture = Image.new("L", (64, 64), "black")
    picture.paste("white", (0, 0, 32, 64))
    mask = b64encode(pictures.encode(picture, "png")).decode()
    source = f"data:image/png;base64,{base64_picture(64, 64)}"
    fields = {"init_images": [source], "mask": mask, "denoising_strength": 1}
    reply = draw(standin, "img2img", **fields)
    [result] = reply["images"]
    assert result.getpixel((60, 1)) == (255, 0, 0)
    assert result.getpixel((1, 1)) != (255, 0, 0)


@pytest.mark.parametrize(
    ("images", "status", "detail"),
    [
        (None, 404, "Init image not found"),
        (["bm8gcGljdHVyZQ=="], 500, "Invalid encoded image"),
        ([base64_picture(8, 8)] * 2, 500, ""),
    ],
)
def test_img2img_refuses_what_is_no_image(
    standin: StandIn, images: list[str] | None, status: int, detail: str
) -> None:
    fields = {} if images is None else {"init_images": images}
    response = ask(standin, "img2img", **fields)
    assert (response.status_code, response.json()["detail"]) == (status, detail)


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ({"upscaler_1": "Lanczos"}, (48, 32)),
        ({"upscaler_1": "Lanczos", "upscaling_resize": 3}, (72, 48)),
        ({}, (24, 16)),
        (
            {
                "upscaler_1": "Lanczos",
                "resize_mode": 1,
                "upscaling_resize_w": 40,
                "upscaling_resize_h": 40,
            },
            (40, 40),
        ),
        (
            {
                "upscaler_1": "Lanczos",
                "resize_mode": 1,
                "upscaling_resize_w": 40,
                "upscaling_resize_h": 40,
                "upscaling_crop": False,
            },
            (60, 40),
        ),
    ],
)
def test_extras_enlarge_an_image(
    standin: StandIn, fields: dict[str, Any], size: tuple[int, int]
) -> None:
    reply = ask(standin, "extra-single-image", image=base64_picture(24, 16), **fields).json()
    picture = pictures.decode(reply["image"])
    assert picture is not None
    assert picture.size == size


def test_extras_do_not_know_every_upscaler(standin: StandIn) -> None:
    fields = {"image": base64_picture(8, 8), "upscaler_1": "Nowhere"}
    response = ask(standin, "extra-single-image", **fields)
    assert response.status_code == 500
    assert response.json()["error"] == "AssertionError"
    assert response.json()["errors"] == "could not find upscaler named Nowhere"


def test_png_info_reads_the_text_inside(standin: StandIn) -> None:
    text = "a lighthouse\nNegative prompt: fog\nSteps: 20, Sampler: Euler a, Size: 64x32"
    reply = ask(standin, "png-info", image=base64_picture(8, 8, text=text)).json()
    assert reply["info"] == text
    assert reply["parameters"] == {
        "Prompt": "a lighthouse",
        "Negative prompt": "fog",
        "Steps": "20",
        "Sampler": "Euler a",
        "Size": "64x32",
        "Size-1": "64",
        "Size-2": "32",
    }
    assert ask(standin, "png-info", image=base64_picture(8, 8)).json()["info"] == ""
