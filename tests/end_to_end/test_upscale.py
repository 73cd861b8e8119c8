"""upscale through the real SDK class against the stand-in."""

import base64
from collections.abc import Iterator
from contextlib import ExitStack
from io import BytesIO
from typing import Any

import pytest
from dify_files import Described, described, picture, served
from drawing import Drawn
from PIL import Image
from raw_server import free_port

from devtools.standin import StandIn
from dify.limits import DifyTimeLimitError, FileTooLargeError
from tools.upscale import UpscaleTool
from webui.errors import (
    InvalidParameterError,
    WebUINotFoundError,
    WebUIServerError,
    WebUITimeoutError,
)

PATH = "/sdapi/v1/extra-single-image"


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


def enlarge(standin: StandIn, *sources: bytes, **given: object) -> Drawn:
    """A PNG of 96x64 unless `sources` are given; the files are named 1.png, 2.png, …"""
    with ExitStack() as stack:
        files: list[Described] = [
            stack.enter_context(served(source)) | {"filename": f"{number}.png"}
            for number, source in enumerate(sources or (picture(),), 1)
        ]
        return call(standin, **{"images": files, "upscaler_1": "Lanczos"} | given)


def call(standin: StandIn, **given: object) -> Drawn:
    tool = UpscaleTool.from_credentials({"base_url": standin.base_url})
    return Drawn(tool.invoke(given))


def sent(standin: StandIn) -> list[dict[str, Any]]:
    return [r.json for r in standin.received if r.path == PATH and isinstance(r.json, dict)]


def sizes(drawn: Drawn) -> list[tuple[int, int]]:
    return [Image.open(BytesIO(data)).size for data, _ in drawn.files]


def test_a_picture_becomes_twice_as_large(standin: StandIn) -> None:
    source = picture()
    drawn = enlarge(standin, source)
    assert sizes(drawn) == [(192, 128)]
    (request,) = sent(standin)
    assert request.pop("force_task_id")
    assert request == {
        "image": base64.b64encode(source).decode(),
        "upscaler_1": "Lanczos",
        "upscaling_resize": 2,
        "resize_mode": 0,
    }
    ((_, meta),) = drawn.files
    assert meta["mime_type"] == "image/png"
    assert meta["filename"].startswith("upscale-")
    assert drawn.json["images"] == [
        {
            "filename": meta["filename"],
            "width": 192,
            "height": 128,
            "source": "1.png",
            "source_width": 96,
            "source_height": 64,
        }
    ]
    assert drawn.text.startswith("1 image, Lanczos, ")
    assert drawn.text.endswith("\n1.png: 192x128.")
    assert drawn.variables["warnings"] == []
    assert drawn.variables["elapsed_seconds"] >= 0


def test_every_field_goes_out_under_its_own_name(standin: StandIn) -> None:
    given: dict[str, object] = {
        "upscaler_1": "Lanczos",
        "upscaler_2": "Nearest",
        "extras_upscaler_2_visibility": 0.5,
        "upscaling_resize": 1.5,
        "gfpgan_visibility": 0.25,
        "codeformer_visibility": 0.75,
        "codeformer_weight": 0.5,
        "upscale_first": True,
    }
    drawn = enlarge(standin, **given)
    (request,) = sent(standin)
    assert given.items() <= request.items()
    assert drawn.variables["warnings"] == []
    assert sizes(drawn) == [(144, 96)]


def test_several_are_enlarged_in_order_one_at_a_time(standin: StandIn) -> None:
    sources = [picture(64, 64), picture(8, 16), picture(32, 8, "JPEG")]
    drawn = enlarge(standin, *sources, upscaling_resize=4)
    assert sizes(drawn) == [(256, 256), (32, 64), (128, 32)]
    assert [one["image"] for one in sent(standin)] == [
        base64.b64encode(source).decode() for source in sources
    ]
    assert [one["source"] for one in drawn.json["images"]] == ["1.png", "2.png", "3.png"]
    assert len({meta["filename"] for _, meta in drawn.files}) == 3


def test_a_target_size_is_filled_and_cropped(standin: StandIn) -> None:
    drawn = enlarge(standin, upscaling_resize_w=200, upscaling_resize_h=200)
    assert sizes(drawn) == [(200, 200)]
    assert sent(standin)[0]["resize_mode"] == 1
    assert drawn.variables["warnings"] == []


def test_without_cropping_the_target_is_covered(standin: StandIn) -> None:
    drawn = enlarge(standin, upscaling_resize_w=200, upscaling_resize_h=200, upscaling_crop=False)
    assert sizes(drawn) == [(300, 200)]
    assert drawn.variables["warnings"] == []


def test_one_side_gives_the_other_for_each_picture(standin: StandIn) -> None:
    given = {"upscaling_resize_w": 192, "upscaling_resize_h": 0}
    assert sizes(enlarge(standin, picture(), picture(64, 64), **given)) == [(192, 128), (192, 192)]
    assert sizes(enlarge(standin, upscaling_resize_h=256)) == [(384, 256)]


def test_a_picture_on_its_side_counts_as_seen(standin: StandIn) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    drawn = enlarge(standin, picture(96, 64, "JPEG", exif=exif))
    assert drawn.json["images"][0]["source_width"] == 64


def test_sd_next_does_not_turn_it_and_says_so() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    with StandIn(family="sdnext") as standin:
        known = standin.state.catalogue.upscalers[-1].name
        drawn = enlarge(standin, picture(96, 64, "JPEG", exif=exif), upscaler_1=known)
    assert drawn.json["images"][0]["source_width"] == 96
    assert drawn.variables["warnings"] == ["1.png: SD.Next does not turn it as its EXIF data says."]


@pytest.mark.parametrize("field", ["upscaler_1", "upscaler_2"])
def test_an_unknown_upscaler_is_refused_with_the_closest(standin: StandIn, field: str) -> None:
    with pytest.raises(InvalidParameterError, match=rf"{field}: AUTOMATIC1111 .*R-ESRGAN 4x\+"):
        enlarge(standin, **{field: "R-ESRGN 4x"})
    assert sent(standin) == []


def test_an_upscaler_is_sent_in_the_servers_spelling(standin: StandIn) -> None:
    enlarge(standin, upscaler_1="r-esrgan  4X+")
    assert sent(standin)[0]["upscaler_1"] == "R-ESRGAN 4x+"


def test_without_an_upscaler_the_size_stays(standin: StandIn) -> None:
    drawn = enlarge(standin, upscaler_1="None", gfpgan_visibility=1)
    assert sizes(drawn) == [(96, 64)]
    assert drawn.variables["warnings"] == []


def test_another_size_than_asked_is_warned_of(standin: StandIn) -> None:
    drawn = enlarge(standin, upscaler_1="None", upscaling_resize=2)
    assert drawn.variables["warnings"] == [
        "1.png became 96x64 instead of 192x128. The server's log says why."
    ]
    assert "Warning: 1.png became 96x64" in drawn.text


@pytest.mark.parametrize(
    ("given", "warning"),
    [
        (
            {"upscaler_2": "Nearest"},
            "upscaler_2 has no effect without extras_upscaler_2_visibility.",
        ),
        (
            {"extras_upscaler_2_visibility": 0.5},
            "extras_upscaler_2_visibility has no effect without upscaler_2.",
        ),
        (
            {"codeformer_weight": 0.5},
            "codeformer_weight has no effect without codeformer_visibility.",
        ),
        (
            {"upscaling_resize": 2, "upscaling_resize_w": 192},
            "upscaling_resize has no effect beside a target width or height.",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_has_no_effect_is_warned_of(
    standin: StandIn, given: dict[str, object], warning: str
) -> None:
    assert enlarge(standin, **given).variables["warnings"] == [warning]


def test_fields_that_the_server_does_not_know_are_warned_of() -> None:
    with StandIn(family="sdnext") as standin:
        known = standin.state.catalogue.upscalers[-1].name
        drawn = enlarge(standin, upscaler_1=known, gfpgan_visibility=1, codeformer_visibility=0)
    assert drawn.variables["warnings"] == [
        "gfpgan_visibility has no effect: SD.Next does not know it."
    ]


@pytest.mark.parametrize("family", ["forge", "neo", "reforge", "classic", "sdnext"])
def test_other_families_enlarge_as_well(family: str) -> None:
    with StandIn(family=family) as standin:
        known = standin.state.catalogue.upscalers[-1].name
        drawn = enlarge(standin, upscaler_1=known)
    assert sizes(drawn) == [(192, 128)]
    assert drawn.variables["warnings"] == []


def test_a_server_that_cannot_enlarge_is_told_before_anything_is_sent() -> None:
    with StandIn(family="sdcpp") as standin:
        with pytest.raises(WebUINotFoundError, match=r"stable-diffusion\.cpp at .* cannot enlarge"):
            enlarge(standin)
        assert not [r for r in standin.received if r.method == "POST"]


def test_a_failure_of_the_first_is_an_error(standin: StandIn) -> None:
    standin.fail_next(PATH, body={"error": "RuntimeError", "errors": "no such model"})
    with pytest.raises(WebUIServerError, match="no such model"):
        enlarge(standin, picture(), picture())


def test_what_is_done_is_kept_when_a_later_one_fails(standin: StandIn) -> None:
    drawn = Drawn(failing_at_the_second(standin))
    assert len(drawn.files) == 1
    (warning,) = drawn.variables["warnings"]
    assert warning.startswith("Not enlarged: 2.png, 3.png. ")
    assert "no such model" in warning


def failing_at_the_second(standin: StandIn) -> Iterator[Any]:
    with ExitStack() as stack:
        files = [
            stack.enter_context(served(picture())) | {"filename": f"{number}.png"}
            for number in (1, 2, 3)
        ]
        tool = UpscaleTool.from_credentials({"base_url": standin.base_url})
        for message in tool.invoke({"images": files, "upscaler_1": "Lanczos"}):
            if message.type == message.MessageType.BLOB:
                failure = {"error": "RuntimeError", "errors": "no such model"}
                standin.fail_next(PATH, body=failure)
            yield message


def test_the_timeout_holds_for_all_together() -> None:
    with StandIn(delay=1.5) as standin:
        drawn = enlarge(standin, picture(), picture(), picture(), timeout=2.9)
        (warning,) = drawn.variables["warnings"]
    assert len(drawn.files) == 1
    assert warning.startswith("Not enlarged: 2.png, 3.png. ")
    assert "Raise timeout" in warning


def test_a_single_one_that_takes_too_long_is_an_error() -> None:
    with StandIn(delay=30) as standin, pytest.raises(WebUITimeoutError, match="within 1 s"):
        enlarge(standin, timeout=1)


def test_a_picture_that_outlasts_dify_is_collected_by_the_next_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with StandIn(delay=2) as standin, served(picture()) as file:
        given = {"images": [file], "upscaler_1": "Lanczos"}
        monkeypatch.setenv("PLUGIN_MAX_EXECUTION_TIMEOUT", "1")
        with pytest.raises(DifyTimeLimitError, match="run this again"):
            call(standin, **given)
        monkeypatch.delenv("PLUGIN_MAX_EXECUTION_TIMEOUT")
        assert sizes(call(standin, **given)) == [(192, 128)]
        assert len(sent(standin)) == 1


def test_a_picture_too_large_for_dify_is_an_error(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLUGIN_MAX_FILE_SIZE", "100")
    with pytest.raises(FileTooLargeError):
        enlarge(standin)


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (None, "images is empty"),
        ([], "images is empty"),
        ([None], "images is empty"),
        (["photo.png"], "images: bind it to a file variable"),
        ([described("/files/1")], "images: Dify's link to the file has no host"),
        ([described(f"http://127.0.0.1:{free_port()}/1")], "images: the file cannot be fetched"),
    ],
    ids=str,
)
def test_what_are_no_files_is_refused_before_the_server_is_asked(
    standin: StandIn, images: object, said: str
) -> None:
    with pytest.raises(InvalidParameterError, match=said):
        call(standin, images=images, upscaler_1="Lanczos")
    assert standin.received == []


@pytest.mark.parametrize("bad", [b"", b"hello"], ids=["empty", "text"])
def test_one_file_that_is_no_image_stops_all_before_the_server_is_asked(
    standin: StandIn, bad: bytes
) -> None:
    with pytest.raises(InvalidParameterError, match="images: the file is "):
        enlarge(standin, picture(), bad)
    assert standin.received == []


def test_one_file_counts_as_a_list_of_one(standin: StandIn) -> None:
    with served(picture()) as file:
        assert sizes(call(standin, images=file, upscaler_1="Lanczos")) == [(192, 128)]
