"""Pictures among a tool's values, put where the API wants them."""

import pytest

from support.dify_files import picture
from support.drawing import lying_picture
from webui.errors import InvalidParameterError
from webui.http.endpoints import Endpoint
from webui.pictures.picture import Source, identify_picture
from webui.request.inputs import Inputs, place_inputs
from webui.values import Fields

PORTRAIT, LANDSCAPE = picture(64, 96), picture(96, 64)


def put(asked: Fields, *untouched: str) -> Inputs:
    return place_inputs(asked, Endpoint.TXT2IMG, untouched)


def source(data: bytes) -> Source:
    return Source("photo.png", identify_picture(data))


def base64(data: bytes) -> str:
    return source(data).picture.base64()


def test_a_picture_gives_the_size_unless_one_is_given() -> None:
    found = put({"image": source(LANDSCAPE)})
    assert found.asked == {"init_images": [base64(LANDSCAPE)], "width": 96, "height": 64}
    assert not found.turned
    assert put({"image": source(LANDSCAPE), "width": 128}).asked["width"] == 128


def test_a_picture_on_its_side_gives_the_size_as_seen() -> None:
    found = put({"image": source(lying_picture()), "mask": source(PORTRAIT)})
    assert (found.asked["width"], found.asked["height"]) == (64, 96)
    assert found.turned


def test_a_mask_is_of_the_pictures_size_or_refused() -> None:
    placed = put({"image": source(LANDSCAPE), "mask": source(LANDSCAPE)}).asked
    assert placed["mask"] == base64(LANDSCAPE)
    with pytest.raises(InvalidParameterError, match=r"^mask: 64x96 is not the image's 96x64"):
        put({"image": source(LANDSCAPE), "mask": source(PORTRAIT)})


def test_reference_images_fill_their_places() -> None:
    units = {"ControlNet": {"args": [{"image": "{{image_2}}", "module": "canny"}]}}
    found = put(
        {
            "reference_images": [source(PORTRAIT), source(LANDSCAPE), source(PORTRAIT)],
            "alwayson_scripts": units,
            "extra_parameters": {"reference": "{{ image_1 }}", "prompt": "{{image_1}} of a cat"},
        }
    )
    assert found.asked == {
        "alwayson_scripts": {
            "ControlNet": {"args": [{"image": base64(LANDSCAPE), "module": "canny"}]}
        },
        "extra_parameters": {"reference": base64(PORTRAIT), "prompt": "{{image_1}} of a cat"},
    }
    assert found.warnings == [
        "Of reference_images, image 3 had no effect: no {{image_…}} names it."
    ]


@pytest.mark.parametrize("number", [0, 2])
def test_a_place_without_a_file_is_refused(number: int) -> None:
    asked = {
        "reference_images": [source(PORTRAIT)],
        "extra_parameters": {"a": f"{{{{image_{number}}}}}"},
    }
    with pytest.raises(InvalidParameterError, match="has no file, as reference_images holds 1"):
        put(asked)


def test_an_infotext_fills_what_the_user_left_alone_and_is_not_sent() -> None:
    text = (
        "a dog\nNegative prompt: cat\nSteps: 7, Sampler: Euler a, Seed: 5, Size: 64x128, "
        "Model: dream, Clip skip: 2, ENSD: 31337"
    )
    asked = {"prompt": "mine", "steps": 20, "seed": 9, "model": "other", "infotext": text}
    found = put(asked | {"override_settings": {"eta_noise_seed_delta": 0}}, "steps").asked
    assert found == {
        "prompt": "mine",
        "steps": 7,
        "seed": 9,
        "model": "other",
        "override_settings": {"eta_noise_seed_delta": 0, "CLIP_stop_at_last_layers": 2},
        "negative_prompt": "cat",
        "sampler_name": "Euler a",
        "width": 64,
        "height": 128,
    }


def test_a_place_of_thousands_of_digits_has_no_file() -> None:
    with pytest.raises(InvalidParameterError, match=r"^extra_parameters: \{\{image_999+… has no"):
        put({"extra_parameters": {"a": f"{{{{image_{'9' * 5000}}}}}"}})


def test_a_picture_named_many_times_is_refused_before_it_is_written_out() -> None:
    large = Source("large.png", identify_picture(PORTRAIT + bytes(1 << 20)))
    units = [{"image": "{{image_1}}"}] * 300
    asked = {"reference_images": [large], "alwayson_scripts": {"ControlNet": {"args": units}}}
    with pytest.raises(InvalidParameterError) as caught:
        put(asked)
    assert str(caught.value) == (
        "alwayson_scripts: with its pictures the request would have 400 MiB, and at most 96 are "
        "sent. Give smaller pictures, or name them less often."
    )
