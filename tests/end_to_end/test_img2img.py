"""img2img through the real SDK class against the stand-in, with files as Dify hands them over."""

import base64
from io import BytesIO

from PIL import Image

from devtools.standin import StandIn
from support.dify_files import picture, served
from support.drawing import Drawn, invoke, lying_picture, refused, sent
from tools.img2img import Img2ImgTool
from webui.errors import InvalidParameterError


def redraw(standin: StandIn, source: bytes | None = None, **given: object) -> Drawn:
    with served(picture() if source is None else source) as image:
        return Drawn(invoke(Img2ImgTool, standin, {"prompt": "a cat", "image": image} | given))


def test_a_picture_is_redrawn_in_its_own_size(standin: StandIn) -> None:
    source = picture(96, 64)
    drawn = redraw(standin, source, denoising_strength=0.4)
    ((data, meta),) = drawn.files
    assert Image.open(BytesIO(data)).size == (96, 64)
    assert meta["filename"].startswith("img2img-")
    request = sent(standin, "img2img")
    assert request["init_images"] == [base64.b64encode(source).decode()]
    assert (request["width"], request["height"]) == (96, 64)
    assert request["denoising_strength"] == 0.4
    assert drawn.warnings == []
    assert "characters)" in drawn.json["request"]["init_images"][0]


def test_a_mask_and_reference_images_are_fetched_too(standin: StandIn) -> None:
    mask, reference = picture(96, 64), picture(8, 8)
    with served(mask) as one, served(reference) as other:
        drawn = redraw(
            standin,
            mask=one,
            reference_images=[other, other],
            extra_parameters='{"reference": "{{image_1}}"}',
        )
    request = sent(standin, "img2img")
    assert request["mask"] == base64.b64encode(mask).decode()
    assert request["reference"] == base64.b64encode(reference).decode()
    assert "reference_images" not in request
    assert "image 2 had no effect" in " ".join(drawn.warnings)


def test_warnings_come_in_the_forms_order(standin: StandIn) -> None:
    warnings = redraw(standin, mask_blur=8, inpainting_mask_invert=1).warnings
    assert warnings == ["inpainting_mask_invert, mask_blur have no effect without mask."]


def test_what_is_no_picture_is_refused_before_the_server_is_asked(standin: StandIn) -> None:
    with refused(InvalidParameterError, match="image is empty, but required"):
        redraw(standin, image=[None])
    with refused(InvalidParameterError, match="image: the file is not an image"):
        redraw(standin, b"hello")
    assert standin.received == []


def test_a_server_that_does_not_turn_pictures_is_said_to() -> None:
    with StandIn(family="sdnext") as standin:
        drawn = redraw(standin, lying_picture())
    assert drawn.warnings == ["SD.Next does not turn the image as its EXIF data says."]
