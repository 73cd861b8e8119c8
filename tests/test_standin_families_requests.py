"""Each family checks requests, names and logins, and words its errors, in its own way."""

import json
from typing import Any

import pytest
import requests
from standin_calls import ask, draw, get

from devtools.standin import StandIn

PYDANTIC1 = ["a1111", "reforge", "classic"]
PYDANTIC2 = ["forge", "neo", "sdnext"]


def post(standin: StandIn, body: bytes, kind: str = "application/json") -> requests.Response:
    url = f"{standin.base_url}/sdapi/v1/txt2img"
    return requests.post(url, data=body, headers={"Content-Type": kind}, timeout=10)


@pytest.mark.parametrize("family", PYDANTIC1)
def test_the_older_framework_converts_nearly_anything(family: str) -> None:
    with StandIn(family=family) as standin:
        found = draw(standin, prompt=5, steps=2.7)["parameters"]
        assert (found["prompt"], found["steps"]) == ("5", 2)
        [complaint] = ask(standin, "txt2img", steps="abc").json()["detail"]
    assert complaint == {
        "loc": ["body", "steps"],
        "msg": "value is not a valid integer",
        "type": "type_error.integer",
    }


@pytest.mark.parametrize("family", PYDANTIC2)
@pytest.mark.parametrize(
    ("field", "sent", "kind", "text"),
    [
        (
            "steps",
            "abc",
            "int_parsing",
            "Input should be a valid integer, unable to parse string as an integer",
        ),
        (
            "steps",
            20.7,
            "int_from_float",
            "Input should be a valid integer, got a number with a fractional part",
        ),
        ("prompt", 5, "string_type", "Input should be a valid string"),
        ("script_args", "a", "list_type", "Input should be a valid list"),
        ("send_images", None, "bool_type", "Input should be a valid boolean"),
    ],
)
def test_the_newer_framework_is_strict(
    family: str, field: str, sent: object, kind: str, text: str
) -> None:
    with StandIn(family=family) as standin:
        response = ask(standin, "txt2img", **{field: sent})
    assert response.status_code == 422
    [complaint] = response.json()["detail"]
    link = complaint.pop("url", None)
    assert complaint == {"type": kind, "loc": ["body", field], "msg": text, "input": sent}
    assert bool(link) == (family == "forge")


@pytest.mark.parametrize("family", PYDANTIC2)
def test_the_newer_framework_still_takes_numbers_as_text(family: str) -> None:
    with StandIn(family=family) as standin:
        assert draw(standin, steps="3", cfg_scale="6.5")["parameters"]["steps"] == 3


@pytest.mark.parametrize("family", PYDANTIC2)
@pytest.mark.parametrize(
    ("body", "content_type", "loc", "kind"),
    [
        (b"", "application/json", ["body"], "missing"),
        (b"{oops", "application/json", ["body", 1], "json_invalid"),
        (b"[]", "application/json", ["body"], "model_attributes_type"),
        (b"{}", "application/x-www-form-urlencoded", ["body"], "model_attributes_type"),
    ],
)
def test_the_newer_framework_words_a_broken_body_otherwise(
    family: str, body: bytes, content_type: str, loc: list[object], kind: str
) -> None:
    with StandIn(family=family) as standin:
        response = post(standin, body, content_type)
    assert response.status_code == 422
    [complaint] = response.json()["detail"]
    assert (complaint["loc"], complaint["type"]) == (loc, kind)


REFUSED: dict[str, Any] = {
    "a1111": {"error": "HTTPException", "detail": "x", "body": "", "errors": ""},
    "forge": {"detail": "x"},
    "sdnext": {
        "error": "HTTPException",
        "detail": "x",
        "body": "",
        "errors": "422: x",
        "code": 422,
    },
}
REFUSED |= {"reforge": REFUSED["a1111"], "classic": REFUSED["a1111"], "neo": REFUSED["forge"]}


@pytest.mark.parametrize("family", REFUSED)
def test_a_refusal_has_the_family_s_shape(family: str) -> None:
    with StandIn(family=family) as standin:
        response = ask(standin, "txt2img", alwayson_scripts={"Nowhere": {}})
    words = "Always on script not found: " if family == "sdnext" else "Script 'Nowhere' not found"
    assert response.status_code == 422
    assert response.json()["detail"].startswith(words)
    body = json.loads(response.text.replace(response.json()["detail"], "x"))
    assert body == REFUSED[family]


@pytest.mark.parametrize(
    ("family", "key"),
    [
        ("a1111", "errors"),
        ("reforge", "errors"),
        ("classic", "errors"),
        ("forge", "message"),
        ("neo", "message"),
    ],
)
def test_a_crash_puts_its_text_under_the_family_s_key(family: str, key: str) -> None:
    with StandIn(family=family) as standin:
        response = ask(standin, "txt2img", override_settings={"foo": 1})
    assert response.status_code == 500
    assert response.json() == {"error": "KeyError", "detail": "", "body": "", key: "'foo'"}


@pytest.mark.parametrize(
    ("family", "text", "challenge"),
    [
        ("a1111", "Incorrect username or password", None),
        ("classic", "Incorrect username or password", None),
        ("forge", "Incorrect username or password", "Basic"),
        ("neo", "Incorrect username or password", "Basic"),
        ("sdnext", "Unauthorized", None),
    ],
)
def test_a_wrong_login_is_refused_in_the_family_s_words(
    family: str, text: str, challenge: str | None
) -> None:
    with StandIn(family=family, api_auth="ann:secret") as standin:
        response = get(standin, "/sdapi/v1/options", auth=("ann", "wrong"))
        assert get(standin, "/sdapi/v1/options", auth=("ann", "secret")).status_code == 200
    assert (response.status_code, response.json()["detail"]) == (401, text)
    assert response.headers.get("WWW-Authenticate") == challenge


def test_sdnext_guards_the_loras_too_and_sdcpp_guards_nothing() -> None:
    with StandIn(family="sdnext", api_auth="ann:secret") as standin:
        assert get(standin, "/sdapi/v1/loras").status_code == 401
    with StandIn(family="sdcpp", api_auth="ann:secret") as standin:
        assert get(standin, "/sdapi/v1/options").status_code == 200


@pytest.mark.parametrize(
    ("family", "used"),
    [("a1111", "DPM++ 2M"), ("forge", "DPM++ 2M"), ("reforge", "DPM++ 2M"), ("neo", "DPM++ 2M")],
)
def test_an_unknown_sampler_is_replaced_in_silence(family: str, used: str) -> None:
    with StandIn(family=family) as standin:
        assert draw(standin, sampler_name="Nowhere")["info"]["sampler_name"] == used
        assert standin.state.drawn[0].sampler == used


@pytest.mark.parametrize(
    ("family", "name"), [("classic", "euler a"), ("classic", "k_euler"), ("sdnext", "Nowhere")]
)
def test_an_unknown_sampler_is_refused_by_two(family: str, name: str) -> None:
    with StandIn(family=family) as standin:
        response = ask(standin, "txt2img", sampler_name=name)
    assert (response.status_code, response.json()["detail"]) == (404, "Sampler not found")


@pytest.mark.parametrize(
    ("family", "fields", "drawn"),
    [
        ("a1111", {"scheduler": "karras"}, ("Euler a", "Karras")),
        ("neo", {"scheduler": "Bong Tangent"}, ("Euler a", "Bong Tangent")),
        ("forge", {"scheduler": "Bong Tangent"}, ("Euler a", "Automatic")),
        ("classic", {"scheduler": "Karras"}, ("Euler a", "")),
        ("classic", {"sampler_name": "DPM++ 2M Karras"}, ("DPM++ 2M Karras", "")),
        ("a1111", {"sampler_name": "DPM++ 3M SDE Karras"}, ("DPM++ 3M SDE", "Karras")),
        ("sdnext", {"sampler_name": "euler A", "scheduler": "Karras"}, ("Euler a", "")),
        ("sdcpp", {"scheduler": "karras"}, ("euler_a", "karras")),
        ("sdcpp", {"scheduler": "Karras"}, ("euler_a", "NONE")),
        ("sdcpp", {"sampler_name": "nowhere"}, ("NONE", "NONE")),
    ],
)
def test_samplers_and_schedulers_are_what_the_family_makes_of_them(
    family: str, fields: dict[str, Any], drawn: tuple[str, str]
) -> None:
    with StandIn(family=family) as standin:
        asked = {"prompt": "a cat", "sampler_name": "Euler a", **fields}
        assert ask(standin, "txt2img", **asked).status_code == 200
        [applied] = standin.state.drawn
    assert (applied.sampler, applied.scheduler) == drawn


@pytest.mark.parametrize("family", ["a1111", "forge", "reforge", "classic", "neo", "sdnext"])
def test_loras_in_the_prompt_are_applied_if_they_exist(family: str) -> None:
    with StandIn(family=family) as standin:
        draw(standin, prompt="a cat <lora:pixel_art:0.5> <lora:nowhere:1>")
        assert standin.state.drawn[0].loras == ("pixel_art",)


def test_the_time_a_request_took_is_told_by_some() -> None:
    for family, told in (("a1111", True), ("sdnext", True), ("forge", False), ("sdcpp", False)):
        with StandIn(family=family) as standin:
            headers = get(standin, "/sdapi/v1/options").headers
        assert ("X-Process-Time" in headers) == told, family
