"""remove_background through the real SDK class against the stand-in."""

import base64
from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image

from devtools.standin import StandIn
from support.dify_files import picture, served_each
from support.drawing import Drawn, invoke, lying_picture, refused
from tools.remove_background import RemoveBackgroundTool
from webui import errors
from webui.pictures.picture import identify_picture

JOB = "rembg"


@pytest.fixture
def cutter() -> Iterator[StandIn]:
    with StandIn(extensions=[JOB]) as standin:
        yield standin


def cut_out(standin: StandIn, *sources: bytes, **given: object) -> Drawn:
    """Of a PNG of 96x64 unless `sources` are given."""
    with served_each(*(sources or (picture(),))) as images:
        return Drawn(invoke(RemoveBackgroundTool, standin, {"images": images, **given}))


def request_of(standin: StandIn) -> dict[str, object]:
    (request,) = [one.json for one in standin.received if one.path == f"/{JOB}"]
    return dict(request)


def as_file(image: Image.Image, kind: str, **options: object) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def test_the_background_of_a_picture_becomes_transparent(cutter: StandIn) -> None:
    source = picture()
    drawn = cut_out(cutter, source)
    ((file, meta),) = drawn.files
    assert Image.open(BytesIO(file)).getchannel("A").getextrema() == (0, 255)
    assert meta["filename"].startswith("remove_background-")
    assert meta["filename"].endswith(".png")
    request = request_of(cutter)
    assert request.pop("force_task_id")
    assert request.pop("input_image") == base64.b64encode(source).decode()
    assert request == {"model": "u2net", "return_mask": False, "alpha_matting": False}
    elapsed = drawn.variables["elapsed_seconds"]
    assert drawn.text == f"1 image, u2net, {elapsed} s.\n1.png: 96x64."
    assert drawn.json["request"] == request


def test_what_to_install_is_told_before_anything_is_sent(standin: StandIn) -> None:
    with refused(errors.WebUINotFoundError, match=r"Install the extension stable-diffusion-webui-"):
        cut_out(standin)
    assert [one for one in standin.received if one.method == "POST"] == []


@pytest.mark.parametrize(("file_format", "family"), [("jpg", "a1111"), ("webp", "forge")])
def test_a_server_that_would_drop_the_transparency_is_not_asked(
    file_format: str, family: str
) -> None:
    with StandIn(family=family, extensions=[JOB], image_format=file_format) as standin:
        with refused(errors.InvalidParameterError, match=f"as {file_format}, and drops"):
            cut_out(standin)
        assert [one for one in standin.received if one.method == "POST"] == []
        mask = cut_out(standin, mask_only=True)
    assert (len(mask.files), mask.warnings) == (1, [])


def test_what_came_without_transparency_or_in_another_size_is_warned_of(cutter: StandIn) -> None:
    text = base64.b64encode(picture(32, 32, "JPEG")).decode()
    cutter.fail_next(f"/{JOB}", status=200, body={"image": text})
    size, opaque = cut_out(cutter).warnings
    assert size == "1.png came back as 32x32 instead of 96x64."
    assert opaque.startswith("1.png came back without transparency. ")


def test_photos_are_turned_but_by_ben2() -> None:
    with StandIn(family="sdnext", image_format="png") as standin:
        turned = cut_out(standin, lying_picture())
        lying = cut_out(standin, lying_picture(), rembg_model="ben2")
    assert (turned.json["images"][0]["width"], turned.warnings) == (64, [])
    assert lying.json["images"][0]["width"] == 96
    assert lying.warnings == ["1.png: SD.Next does not turn it as its EXIF data says."]


def test_only_a_failure_of_the_first_loses_what_is_done(cutter: StandIn) -> None:
    failure = {"error": "RuntimeError", "errors": "no such model"}
    good = base64.b64encode(as_file(Image.new("RGBA", (96, 64)), "PNG")).decode()
    cutter.fail_next(f"/{JOB}", status=200, body={"image": good})
    cutter.fail_next(f"/{JOB}", body=failure)
    drawn = cut_out(cutter, picture(), picture(), picture())
    assert len(drawn.files) == 1
    (warning,) = drawn.warnings
    assert warning.startswith("Not cut out: 2.png, 3.png. ")
    cutter.fail_next(f"/{JOB}", body=failure)
    with refused(errors.WebUIServerError, match="no such model"):
        cut_out(cutter, picture(), picture())


@pytest.mark.parametrize(
    ("mode", "kind", "is_opaque"),
    [
        ("RGB", "PNG", True), ("RGBA", "PNG", False), ("L", "PNG", True), ("LA", "PNG", False),
        ("P", "PNG", True), ("RGB", "JPEG", True), ("RGB", "WEBP", True), ("RGBA", "WEBP", False),
    ],
)  # fmt: skip
def test_a_header_tells_whether_anything_shines_through(
    mode: str, kind: str, is_opaque: bool
) -> None:
    file = as_file(Image.new(mode, (8, 8)), kind)
    assert identify_picture(file).is_opaque is is_opaque


def test_a_palette_may_be_transparent_too() -> None:
    file = as_file(Image.new("P", (8, 8)), "PNG", transparency=0)
    assert not identify_picture(file).is_opaque
