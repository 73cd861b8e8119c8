"""Requests to enlarge: what each picture asks for, and what it should have become."""

from typing import Any

import pytest

from support.dify_files import picture
from support.drawing import lying_picture
from support.exchange import connect
from webui.http.endpoints import Endpoint
from webui.pictures.picture import Picture, identify_picture
from webui.request.enlarging import Enlarging, build_enlarging
from webui.server.families import Family
from webui.server.profile import Profile
from webui.server.server import Server

SQUARE = {"upscaling_resize_w": 200, "upscaling_resize_h": 200}
JOB = Endpoint.EXTRA_SINGLE_IMAGE


def plan(*, turns: bool = True, **asked: object) -> Enlarging:
    """By a server that has no upscaler but "None", which needs no look-up."""
    family = Family("plain", "Plain", turns_by_exif=turns)
    server = Server(connect("http://gpu:7860"), Profile(JOB.job, family, paths=frozenset()))
    return build_enlarging({"upscaler_1": "Lanczos"} | asked, server)


def image(width: int = 96, height: int = 64) -> Picture:
    return identify_picture(picture(width, height))


@pytest.mark.parametrize(
    ("asked", "mode", "size"),
    [
        ({}, 0, (192, 128)),
        ({"upscaling_resize": 1.5}, 0, (144, 96)),
        ({"upscaler_1": "None"}, 0, (96, 64)),
        ({"upscaler_1": "None", "upscaling_resize": 2}, 0, (192, 128)),
        (SQUARE, 1, (200, 200)),
        (SQUARE | {"upscaling_crop": False}, 1, (300, 200)),
        ({"upscaling_resize_w": 192, "upscaling_resize_h": 0}, 1, (192, 128)),
        ({"upscaling_resize_h": 256}, 1, (384, 256)),
        ({"upscaling_resize_w": 1}, 1, (1, 1)),
    ],
    ids=str,
)
def test_a_picture_becomes_as_large_as_asked(
    asked: dict[str, Any], mode: int, size: tuple[int, int]
) -> None:
    found = plan(**asked)
    assert found.request_for(image()).fields["resize_mode"] == mode
    assert list(found.differences("a.png", image(), image(*size))) == []
    (told,) = found.differences("a.png", image(), image(size[0] + 8, size[1]))
    assert f"became {size[0] + 8}x{size[1]} instead of {size[0]}x{size[1]}" in told


def test_a_servers_rounding_to_eighths_is_no_difference() -> None:
    assert list(plan().differences("a.png", image(99, 99), image(192, 192))) == []


@pytest.mark.parametrize(("turns", "size"), [(True, (64, 96)), (False, (96, 64))])
def test_a_picture_on_its_side_counts_as_the_server_sees_it(
    turns: bool, size: tuple[int, int]
) -> None:
    found, lying = plan(turns=turns, upscaling_resize_w=192), identify_picture(lying_picture())
    assert found.size_of(lying) == size
    sent = found.request_for(lying).fields
    assert sent["upscaling_resize_h"] == round(192 * size[1] / size[0])


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"upscaler_2": "Nearest"}, "upscaler_2 has no effect without extras_upscaler_2_visibil"),
        ({"extras_upscaler_2_visibility": 0.5}, "has no effect without upscaler_2."),
        ({"extras_upscaler_2_visibility": 0.5, "upscaler_2": "None"}, "without upscaler_2."),
        ({"codeformer_weight": 0.5}, "codeformer_weight has no effect without codeformer_vis"),
        ({"upscaling_resize": 2, "upscaling_resize_w": 192}, "upscaling_resize has no effect besi"),
    ],
    ids=str,
)
def test_what_has_no_effect_is_said(asked: dict[str, Any], words: str) -> None:
    (told,) = plan(**asked).warnings
    assert words in told
