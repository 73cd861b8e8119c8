"""upscale through the real SDK class against the stand-in."""

import base64
from io import BytesIO

import pytest
from PIL import Image

from devtools.standin import StandIn
from support.dify_files import described, picture, served_each
from support.drawing import Drawn, all_sent, collected, invoke, lying_picture, refused, sent
from support.raw_server import RawServer, reply
from tools.upscale import UpscaleTool
from webui import errors

JOB = "extra-single-image"
PATH = f"/sdapi/v1/{JOB}"
FAILURE = {"error": "RuntimeError", "errors": "no such model"}


def enlarge(standin: StandIn, *sources: bytes, **given: object) -> Drawn:
    """A PNG of 96x64 unless `sources` are given."""
    with served_each(*(sources or (picture(),))) as images:
        return call(standin, images, **given)


def call(standin: StandIn, images: object, **given: object) -> Drawn:
    return Drawn(invoke(UpscaleTool, standin, {"images": images, "upscaler_1": "Lanczos"} | given))


def sizes(drawn: Drawn) -> list[tuple[int, int]]:
    return [Image.open(BytesIO(data)).size for data, _ in drawn.files]


def test_headers_of_the_credentials_go_to_the_server_and_not_to_difys_files(
    standin: StandIn,
) -> None:
    credentials = {"headers": "X-Key: hunter2"}
    with RawServer(reply(picture(), content_type="image/png")) as storage:
        given = {"images": [described(storage.base_url + "/files/1")], "upscaler_1": "Lanczos"}
        drawn = Drawn(invoke(UpscaleTool, standin, given, credentials))
    assert len(drawn.files) == len(storage.requests) == 1
    assert b"hunter2" not in storage.requests[0]
    assert {one.headers.get("X-Key") for one in standin.received} == {"hunter2"}


def test_a_picture_becomes_twice_as_large(standin: StandIn) -> None:
    source = picture()
    drawn = enlarge(standin, source)
    assert sizes(drawn) == [(192, 128)]
    request = sent(standin, JOB)
    assert request.pop("force_task_id")
    assert request == {
        "image": base64.b64encode(source).decode(),
        "upscaler_1": "Lanczos",
        "upscaling_resize": 2,
        "resize_mode": 0,
        "upscaling_crop": True,
        "upscale_first": False,
    }
    ((_, meta),) = drawn.files
    assert meta["mime_type"] == "image/png"
    assert meta["filename"].startswith("upscale-")
    del request["image"]
    elapsed = drawn.variables["elapsed_seconds"]
    assert drawn.variables == {"warnings": [], "elapsed_seconds": elapsed}
    image = {
        "filename": meta["filename"], "width": 192, "height": 128,
        "source": "1.png", "source_width": 96, "source_height": 64,
    }  # fmt: skip
    assert drawn.json == drawn.variables | {"images": [image], "request": request}
    assert drawn.text == f"1 image, Lanczos, {elapsed} s.\n1.png: 192x128."


def test_every_field_goes_out_under_its_own_name(standin: StandIn) -> None:
    given: dict[str, object] = {
        "upscaler_1": "Lanczos", "upscaler_2": "Nearest", "extras_upscaler_2_visibility": 0.5,
        "upscaling_resize": 1.5, "gfpgan_visibility": 0.25, "codeformer_visibility": 0.75,
        "codeformer_weight": 0.5, "upscale_first": True,
    }  # fmt: skip
    drawn = enlarge(standin, **given)
    assert given.items() <= sent(standin, JOB).items()
    assert (drawn.warnings, sizes(drawn)) == ([], [(144, 96)])


def test_several_are_enlarged_in_order_one_at_a_time(standin: StandIn) -> None:
    sources = [picture(64, 64), picture(8, 16), picture(32, 8, "JPEG")]
    drawn = enlarge(standin, *sources, upscaling_resize=4)
    assert sizes(drawn) == [(256, 256), (32, 64), (128, 32)]
    assert [one["image"] for one in all_sent(standin, JOB)] == [
        base64.b64encode(source).decode() for source in sources
    ]
    assert [one["source"] for one in drawn.json["images"]] == ["1.png", "2.png", "3.png"]
    assert len({meta["filename"] for _, meta in drawn.files}) == 3


def test_what_another_family_does_otherwise_is_warned_of() -> None:
    with StandIn(family="classic") as standin:
        drawn = enlarge(standin, lying_picture())
    assert drawn.json["images"][0]["source_width"] == 96
    assert drawn.warnings == ["1.png: Forge Classic does not turn it as its EXIF data says."]


def test_a_server_that_cannot_enlarge_is_told_before_anything_is_sent() -> None:
    with StandIn(family="sdcpp") as standin:
        with refused(errors.WebUINotFoundError, match=r"\.cpp at .* cannot enlarge"):
            enlarge(standin)
        assert not [r for r in standin.received if r.method == "POST"]


def test_only_a_failure_of_the_first_loses_what_is_done(standin: StandIn) -> None:
    messages = []
    with served_each(*[picture()] * 3) as images:
        for one in invoke(UpscaleTool, standin, {"images": images, "upscaler_1": "Lanczos"}):
            if one.type == one.MessageType.BLOB:
                standin.fail_next(PATH, body=FAILURE)
            messages.append(one)
    drawn = Drawn(messages)
    assert len(drawn.files) == 1
    (warning,) = drawn.warnings
    assert warning.startswith("Not enlarged: 2.png, 3.png. ")
    assert "no such model" in warning
    standin.fail_next(PATH, body=FAILURE)
    with refused(errors.WebUIServerError, match="no such model"):
        enlarge(standin, picture(), picture())


def test_the_timeout_holds_for_all_together() -> None:
    with StandIn(delay=0.6) as standin:
        drawn = enlarge(standin, picture(), picture(), picture(), timeout=1)
    assert len(drawn.files) == 1
    (warning,) = drawn.warnings
    assert warning.startswith("Not enlarged: 2.png, 3.png. ")
    assert "Raise timeout" in warning


def test_a_picture_that_outlasts_dify_is_collected_by_the_next_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with StandIn(delay=1.2) as standin, served_each(picture()) as images:
        drawn = collected(monkeypatch, lambda: call(standin, images))
        assert sizes(drawn) == [(192, 128)]
        assert len(all_sent(standin, JOB)) == 1
