"""What a request says of itself."""

import pytest

from webui.http.endpoints import Endpoint
from webui.request.request import Request, is_neutral


def request(**fields: object) -> Request:
    return Request(Endpoint.TXT2IMG, fields)


HALF = {"width": 512, "height": 256, "enable_hr": True}


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ({}, None),
        ({"width": 512, "height": 256}, (512, 256)),
        (HALF, (1024, 512)),
        (HALF | {"hr_scale": 1.5}, (768, 384)),
        (HALF | {"hr_scale": 1.5, "hr_resize_x": 0, "hr_resize_y": 0}, (768, 384)),
        (HALF | {"hr_resize_x": 640}, (640, 320)),
        (HALF | {"hr_resize_y": 640}, (1280, 640)),
        (HALF | {"hr_resize_x": 640, "hr_resize_y": 960}, (640, 960)),
    ],
    ids=str,
)
def test_the_size_is_the_one_that_pictures_are_to_have(
    fields: dict[str, object], size: tuple[int, int] | None
) -> None:
    assert request(**fields).size == size


@pytest.mark.parametrize(
    ("name", "neutral", "telling"),
    [
        # A number, text or list of no importance; a value of the field's own; none at all.
        ("tiling", [False, None], [True]),
        ("styles", [[], ""], [["x"]]),
        ("n_iter", [1], [2, 0]),
        ("send_images", [True], [False]),
        ("eta", [], [0, 0.5]),
        ("nobody_knows_it", [0, "", {}, False], [1, "x"]),
    ],
)
def test_a_value_that_changes_nothing_is_known(
    name: str, neutral: list[object], telling: list[object]
) -> None:
    assert [is_neutral(name, value) for value in neutral] == [True] * len(neutral)
    assert [is_neutral(name, value) for value in telling] == [False] * len(telling)


def test_it_tells_what_has_an_effect_how_many_it_asks_for_and_of_whom() -> None:
    asked = request(n_iter=3, batch_size=2, tiling=True, subseed=-1, eta=0)
    assert asked.effective(["eta", "subseed", "tiling", "absent"]) == ["eta", "tiling"]
    assert (asked.image_count, request().image_count) == (6, 1)
    assert request(override_settings={"sd_model_checkpoint": "dream"}).model == "dream"
    assert request(override_settings={"sd_vae": "x"}).model == ""
    assert [request(refiner_checkpoint=x).has_refiner for x in ("xl", "None", "")] == [1, 0, 0]
