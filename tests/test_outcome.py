"""What came back against what was asked, with the stand-in's lists behind it."""

from collections.abc import Iterator
from typing import Any

import pytest
from exchange import connect

from devtools.standin import StandIn
from webui import outcome
from webui.errors import WebUIServerError, WrongModelError
from webui.server import Server


@pytest.fixture
def server() -> Iterator[Server]:
    with StandIn() as standin, connect(standin.base_url) as there:
        yield Server(there)


def image(width: int = 512, height: int = 512, **others: object) -> dict[str, Any]:
    plain = {"width": width, "height": height, "grid": False, "extra": False, "infotext": "x"}
    return plain | others


def summary(*images: dict[str, Any], **others: object) -> dict[str, Any]:
    plain = {"images": images or (image(),), "model": "", "sampler": "", "info": {"seed": 1}}
    return plain | others


def checked(server: Server, came: dict[str, Any], **asked: object) -> list[str]:
    return outcome.check(came, {"width": 512, "height": 512, "batch_size": 1} | asked, server)


def test_what_is_as_asked_is_not_spoken_of(server: Server) -> None:
    assert checked(server, summary()) == []


@pytest.mark.parametrize(
    ("came", "asked"),
    [
        ((image(), image()), {"batch_size": 2}),
        ((image(grid=True, width=1024), image(), image()), {"n_iter": 2}),
        ((image(), image(64, 64, extra=True)), {}),
        ((image(1024, 1024),), {"enable_hr": True}),
        ((image(768, 768),), {"enable_hr": True, "hr_scale": 1.5}),
        ((image(1000, 1000),), {"enable_hr": True, "hr_scale": 1.96}),
        ((image(640, 640),), {"enable_hr": True, "hr_resize_x": 640}),
        ((image(640, 640),), {"enable_hr": True, "hr_resize_y": 640}),
        ((image(640, 960),), {"enable_hr": True, "hr_resize_x": 640, "hr_resize_y": 960}),
        ((image(2048, 700), image()), {"script_name": "X/Y/Z plot"}),
        ((image(256, 256),), {"firstphase_width": 256, "firstphase_height": 256}),
        ((image(None, None),), {}),  # type: ignore[arg-type]
        ((), {"send_images": False}),
    ],
)
def test_what_a_setting_explains_is_not_spoken_of(
    server: Server, came: tuple[dict[str, Any], ...], asked: dict[str, object]
) -> None:
    assert checked(server, summary() | {"images": came}, **asked) == []


def test_a_part_that_is_pasted_back_has_the_size_of_the_whole() -> None:
    with StandIn() as standin, connect(standin.base_url) as there:
        came = summary(image(300, 200))
        assert checked(Server(there, "img2img"), came, mask="x") == []


def test_fewer_images_are_said(server: Server) -> None:
    assert checked(server, summary(image()), batch_size=2, n_iter=2) == ["1 of 4 images came back."]


@pytest.mark.parametrize(
    "asked", [{}, {"enable_hr": True}, {"mask": "x", "inpaint_full_res": False}]
)
def test_another_size_is_said(server: Server, asked: dict[str, object]) -> None:
    (told,) = checked(server, summary(image(448, 512)), **asked)
    assert told.startswith("The server drew 448x512 instead of ")


def test_another_sampler_is_said(server: Server) -> None:
    came = summary(sampler="DPM++ 2M")
    assert checked(server, came, sampler_name="Euler") == [
        "The server used the sampler DPM++ 2M instead of Euler."
    ]
    assert checked(server, came, sampler_name="dpm++ 2m") == []


def entry(server: Server, place: int) -> dict[str, Any]:
    return (server.entries("sd-models") or [])[place]


def test_another_model_is_an_error_that_says_which(server: Server) -> None:
    asked, other = entry(server, 0), entry(server, 1)
    came = summary(model=other["model_name"])
    with pytest.raises(WrongModelError, match=f"drew with the model {other['model_name']}, not"):
        checked(server, came, override_settings={"sd_model_checkpoint": asked["title"]})


def test_a_model_of_the_same_name_but_another_hash_is_an_error(server: Server) -> None:
    asked = entry(server, 0)
    came = summary(model=asked["model_name"], info={"sd_model_hash": "0123456789"})
    with pytest.raises(WrongModelError):
        checked(server, came, override_settings={"sd_model_checkpoint": asked["title"]})


def test_the_asked_model_is_known_in_any_spelling(server: Server) -> None:
    asked = entry(server, 0)
    for name in (asked["title"], asked["model_name"], asked["hash"]):
        came = summary(model=asked["model_name"], info={"sd_model_hash": asked["hash"]})
        assert checked(server, came, override_settings={"sd_model_checkpoint": name}) == []


def test_a_server_that_names_no_model_is_believed(server: Server) -> None:
    asked = entry(server, 0)
    assert (
        checked(server, summary(), override_settings={"sd_model_checkpoint": asked["title"]}) == []
    )


def test_a_leftover_preview_of_sdnext_is_an_error() -> None:
    with StandIn(family="sdnext") as standin, connect(standin.base_url) as there:
        came = summary(image(64, 64, infotext=None), info={})
        with pytest.raises(WebUIServerError, match="sent a preview instead of the picture"):
            checked(Server(there), came)
        assert checked(Server(there), summary(image(infotext="Steps: 20"), info={})) == []
