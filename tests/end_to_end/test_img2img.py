"""img2img through the real SDK class against the stand-in, with files as Dify hands them over."""

import base64
import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from dify_files import picture, served
from drawing import Drawn
from PIL import Image

from devtools.standin import StandIn
from tools.img2img import Img2ImgTool
from webui.errors import InvalidParameterError

PATH = "/sdapi/v1/img2img"


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


def redraw(standin: StandIn, source: bytes | None = None, **given: object) -> Drawn:
    tool = Img2ImgTool.from_credentials({"base_url": standin.base_url})
    with served(picture() if source is None else source) as image:
        return Drawn(tool.invoke({"prompt": "a cat", "image": image} | given))


def refusal(standin: StandIn, source: bytes | None = None, **given: object) -> str:
    with pytest.raises(InvalidParameterError) as caught:
        redraw(standin, source, **given)
    assert not [r for r in standin.received if r.path == PATH]
    return str(caught.value)


def sent(standin: StandIn) -> dict[str, Any]:
    (request,) = [r for r in standin.received if r.path == PATH]
    assert isinstance(request.json, dict)
    return request.json


def test_a_picture_is_redrawn_in_its_own_size(standin: StandIn) -> None:
    source = picture(96, 64)
    drawn = redraw(standin, source)
    assert Image.open(BytesIO(drawn.files[0][0])).size == (96, 64)
    assert drawn.files[0][1]["filename"].startswith("img2img-")
    request = sent(standin)
    assert request["init_images"] == [base64.b64encode(source).decode()]
    assert (request["width"], request["height"]) == (96, 64)
    assert drawn.variables["warnings"] == []


def test_a_given_size_wins(standin: StandIn) -> None:
    drawn = redraw(standin, width=128, height=72)
    assert Image.open(BytesIO(drawn.files[0][0])).size == (128, 72)


def test_a_picture_on_its_side_gives_the_size_as_seen(standin: StandIn) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    redraw(standin, picture(96, 64, "JPEG", exif=exif))
    assert (sent(standin)["width"], sent(standin)["height"]) == (64, 96)


def test_a_mask_goes_out_as_base64(standin: StandIn) -> None:
    data = picture()
    with served(data) as mask:
        redraw(standin, mask=mask, inpainting_fill=1)
    assert sent(standin)["mask"] == base64.b64encode(data).decode()


def test_a_mask_of_another_size_is_refused(standin: StandIn) -> None:
    with served(picture(32, 32)) as mask:
        assert "mask: 32x32 is not the image's 96x64" in refusal(standin, mask=mask)


def test_the_picture_is_told_by_its_length_only(standin: StandIn) -> None:
    drawn = redraw(standin)
    assert "characters)" in drawn.json["request"]["init_images"][0]


def test_a_missing_picture_is_refused(standin: StandIn) -> None:
    for nothing in (None, [], [None]):
        assert refusal(standin, image=nothing) == "image is empty, but required."


@pytest.mark.parametrize("source", [b"", b"hello"], ids=["empty", "text"])
def test_a_file_that_is_no_image_is_refused(standin: StandIn, source: bytes) -> None:
    assert refusal(standin, source).startswith("image: the file is ")


def test_reference_images_fill_their_places(standin: StandIn) -> None:
    first, second = picture(8, 8), picture(16, 16)
    units = {"ControlNet": {"args": [{"image": "{{image_2}}", "module": "canny"}]}}
    with served(first) as one, served(second) as two:
        drawn = redraw(
            standin,
            reference_images=[one, two],
            alwayson_scripts=json.dumps(units),
            extra_parameters='{"reference": "{{ image_1 }}"}',
        )
    request = sent(standin)
    unit = request["alwayson_scripts"]["ControlNet"]["args"][0]
    assert unit == {"image": base64.b64encode(second).decode(), "module": "canny"}
    assert request["reference"] == base64.b64encode(first).decode()
    assert "reference_images" not in request
    assert drawn.files


def test_a_place_without_a_file_is_refused(standin: StandIn) -> None:
    text = refusal(standin, extra_parameters='{"a": "{{image_1}}"}')
    assert "{{image_1}} has no file, as reference_images holds 0" in text


def test_a_file_without_a_place_is_warned_of(standin: StandIn) -> None:
    with served(picture()) as one:
        drawn = redraw(standin, reference_images=[one])
    assert "image 1 had no effect" in " ".join(drawn.variables["warnings"])


def test_fields_of_a_mask_without_one_are_warned_of(standin: StandIn) -> None:
    drawn = redraw(standin, mask_blur=8, inpainting_mask_invert=1)
    warned = " ".join(drawn.variables["warnings"])
    assert "inpainting_mask_invert, mask_blur have no effect without mask." in warned


def test_denoising_strength_needs_no_hires_here(standin: StandIn) -> None:
    assert redraw(standin, denoising_strength=0.4).variables["warnings"] == []
    assert sent(standin)["denoising_strength"] == 0.4


def test_names_are_checked_here_too(standin: StandIn) -> None:
    assert "Euler a" in refusal(standin, sampler_name="Euler ab")
