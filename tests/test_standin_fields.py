"""The stand-in checks and converts request fields as pydantic 1 does on AUTOMATIC1111."""

from collections.abc import Iterator

import pytest
import requests
from standin_calls import ask

from devtools.standin import StandIn


@pytest.fixture(scope="module")
def standin() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


@pytest.mark.parametrize(
    ("field", "sent", "taken"),
    [
        ("steps", "20", 20),
        ("steps", 20.7, 20),
        ("prompt", 5, "5"),
        ("cfg_scale", "6.5", 6.5),
        ("enable_hr", "false", False),
        ("styles", None, None),
        ("script_name", None, None),
        ("force_task_id", None, None),
    ],
)
def test_values_are_converted(standin: StandIn, field: str, sent: object, taken: object) -> None:
    response = ask(standin, "txt2img", **{field: sent})
    assert response.status_code == 200
    assert response.json()["parameters"][field] == taken


@pytest.mark.parametrize(
    ("field", "sent", "text", "kind"),
    [
        ("steps", "abc", "value is not a valid integer", "type_error.integer"),
        ("cfg_scale", "abc", "value is not a valid float", "type_error.float"),
        ("enable_hr", "abc", "value could not be parsed to a boolean", "type_error.bool"),
        ("prompt", ["a"], "str type expected", "type_error.str"),
        ("styles", "Sharp", "value is not a valid list", "type_error.list"),
        ("override_settings", "{}", "value is not a valid dict", "type_error.dict"),
        ("sampler_index", None, "none is not an allowed value", "type_error.none.not_allowed"),
        ("send_images", None, "none is not an allowed value", "type_error.none.not_allowed"),
        ("alwayson_scripts", None, "none is not an allowed value", "type_error.none.not_allowed"),
    ],
)
def test_values_of_the_wrong_type_are_refused(
    standin: StandIn, field: str, sent: object, text: str, kind: str
) -> None:
    response = ask(standin, "txt2img", **{field: sent})
    assert response.status_code == 422
    assert response.json() == {"detail": [{"loc": ["body", field], "msg": text, "type": kind}]}


def test_unknown_fields_are_ignored_in_silence(standin: StandIn) -> None:
    response = ask(standin, "txt2img", hr_cfg=3, nowhere=None)
    assert response.status_code == 200
    assert "hr_cfg" not in response.json()["parameters"]


@pytest.mark.parametrize(
    ("field", "error"),
    [("steps", "TypeError"), ("hr_scale", "TypeError"), ("prompt", "AttributeError")],
)
def test_a_null_that_passes_the_check_crashes_later(
    standin: StandIn, field: str, error: str
) -> None:
    response = ask(standin, "txt2img", **{field: None})
    assert (response.status_code, response.json()["error"]) == (500, error)


@pytest.mark.parametrize(
    ("data", "content_type", "loc", "kind"),
    [
        ("", "application/json", ["body"], "value_error.missing"),
        ("{oops", "application/json", ["body", 1], "value_error.jsondecode"),
        ("[]", "application/json", ["body"], "type_error.dict"),
        ("{}", "application/x-www-form-urlencoded", ["body"], "type_error.dict"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(
    standin: StandIn, data: str, content_type: str, loc: list[object], kind: str
) -> None:
    headers = {"Content-Type": content_type}
    url = f"{standin.base_url}/sdapi/v1/txt2img"
    response = requests.post(url, data=data, headers=headers, timeout=10)
    assert response.status_code == 422
    [complaint] = response.json()["detail"]
    assert (complaint["loc"], complaint["type"]) == (loc, kind)


def test_json_needs_no_content_type(standin: StandIn) -> None:
    url = f"{standin.base_url}/sdapi/v1/txt2img"
    body = b'{"width": 64, "height": 64}'
    assert requests.post(url, data=body, timeout=10).status_code == 200
