"""What is found and drawn again, on its way into the request."""

from collections.abc import Iterator
from typing import Any

import pytest

from devtools.standin import StandIn
from support.drawing import draw, refused
from support.exchange import connect
from support.standins import StandIns
from webui.errors import InvalidParameterError
from webui.http.endpoints import Endpoint
from webui.request.build import build_request
from webui.request.request import Request
from webui.server.server import Server

FACE, HAND = "face_yolov8n.pt", "hand_yolov8n.pt"


def built(standin: StandIn, **asked: object) -> Request:
    with connect(standin.base_url) as there:
        return build_request(Endpoint.TXT2IMG, asked, Server.ask(there, Endpoint.TXT2IMG))


def arguments(request: Request, title: str = "ADetailer") -> list[Any]:
    found: list[Any] = request.fields["alwayson_scripts"][title]["args"]
    return found


@pytest.fixture
def extended(standins: StandIns) -> StandIn:
    return standins.of("a1111", extensions=["adetailer"])


@pytest.mark.parametrize(
    ("prompt", "prompts"),
    [
        ("", [None, None]),
        ("a smile", ["a smile", "a smile"]),
        ("a smile\r\nfive fingers\n\n", ["a smile", "five fingers"]),
        ("\nfive fingers", [None, "five fingers"]),
    ],
)
def test_each_model_is_a_unit_behind_two_switches_with_a_line_of_the_prompt(
    extended: StandIn, prompt: str, prompts: list[str | None]
) -> None:
    numbers = {"ad_confidence": 0.5, "ad_denoising_strength": 0.3}
    found = arguments(built(extended, ad_model=["FACE_yolov8n", HAND], ad_prompt=prompt, **numbers))
    assert found[:2] == [True, False]
    assert [(one["ad_model"], one.get("ad_prompt")) for one in found[2:]] == [
        (FACE, prompts[0]),
        (HAND, prompts[1]),
    ]
    assert all(numbers.items() <= one.items() for one in found[2:])


@pytest.mark.parametrize(
    "there", [[], [True], [True, True, {"ad_model": "face_yolov8s"}], [{"ad_model": "None"}]]
)
def test_what_stands_there_comes_first(extended: StandIn, there: list[Any]) -> None:
    scripts = {"adetailer": {"args": there}}
    request = built(extended, ad_model=[FACE], alwayson_scripts=scripts)
    switches = [True, True] if there[1:2] == [True] else [True, False]
    units = [one for one in there if isinstance(one, dict)]
    assert arguments(request, "adetailer") == [*switches, *units, {"ad_model": FACE}]
    assert request.fields["alwayson_scripts"].keys() == {"adetailer"}


@pytest.mark.parametrize(
    ("asked", "there", "words"),
    [
        ({}, [{"ad_model": "face_yolov8n"}], f"^ad_model: {FACE} stands in alwayson_scripts, too"),
        ({}, [False], "^ad_model: alwayson_scripts turn ADetailer off"),
        ({}, "none", "^alwayson_scripts: the args of ADetailer are no array"),
        ({}, [{"ad_model": "mediapipe_face_full"}] * 4, "^ad_model: .* 4 tabs .* 5 models"),
        ({"ad_prompt": "a\nb"}, [], "^ad_prompt: it has 2 lines, and ad_model names 1"),
        ({"ad_model": ["face_yolov9n.pt"]}, [], f"^ad_model: .*detection model.*{FACE}"),
        ({"ad_model": []}, [{"ad_model": "hands"}], f"^alwayson_scripts: .*detection.*{HAND}"),
    ],
)
def test_a_contradiction_and_what_the_extension_leaves_out_in_silence_are_refused(
    extended: StandIn, asked: dict[str, object], there: object, words: str
) -> None:
    scripts = {"ADetailer": {"args": there}}
    with pytest.raises(InvalidParameterError, match=words):
        built(extended, **{"ad_model": [FACE], "alwayson_scripts": scripts, **asked})


def test_units_that_do_nothing_are_not_checked(extended: StandIn) -> None:
    idle: list[list[Any]] = [
        [False, {"ad_model": "x"}],
        [{"ad_model": "x", "ad_tab_enable": False}],
        [{}],
    ]
    for args in idle:
        built(extended, alwayson_scripts={"ADetailer": {"args": args}})
    assert "/adetailer/v1/ad_model" not in [one.path for one in extended.received]


def test_without_its_own_list_an_adetailer_takes_any_name() -> None:
    with StandIn(extensions=["adetailer"]) as standin:
        for _ in range(2):
            standin.fail_next("/adetailer/v1/ad_model", status=404)
        assert arguments(built(standin, ad_model=["mine"]))[2:] == [{"ad_model": "mine"}]


def test_numbers_without_a_model_say_that_they_are_idle(extended: StandIn) -> None:
    request = built(extended, ad_confidence=0.5)
    assert request.warnings == ["ad_confidence has no effect without ad_model."]
    assert "alwayson_scripts" not in request.fields


def test_extra_parameters_may_hold_the_same_fields_and_count_more(standins: StandIns) -> None:
    standin = standins.of("sdnext")
    extra = {"ad_model": ["hand_yolov8n"], "ad_prompt": None}
    request = built(standin, ad_model=["x"], ad_prompt="a smile", extra_parameters=extra)
    assert request.fields == {"detailer_enabled": True, "detailer_models": ["hand_yolov8n"]}
    with refused(InvalidParameterError, match="^extra_parameters: ad_confidence: 2 is too large"):
        draw(standin, ad_model="hand", extra_parameters='{"ad_confidence": 2}')


@pytest.fixture
def sdnext() -> Iterator[StandIn]:
    with StandIn(family="sdnext") as standin:
        yield standin


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"ad_prompt": "a\nb"}, "^ad_prompt: SD.Next takes one prompt"),
        ({"ad_prompt": "a [SEP] b"}, "^ad_prompt: SD.Next takes one prompt"),
        (
            {"extra_parameters": {"detailer_conf": 0.1}},
            "^ad_model: extra_parameters .*_conf is 0.1",
        ),
    ],
)
def test_what_sdnext_cannot_tell_apart_is_refused(
    sdnext: StandIn, asked: dict[str, object], words: str
) -> None:
    models = ["face-yolo8n", "hand_yolov8n.pt"]
    with pytest.raises(InvalidParameterError, match=words):
        built(sdnext, ad_model=models, ad_confidence=0.5, **asked)


def test_sdnexts_option_with_models_of_its_own_is_emptied_for_the_call(sdnext: StandIn) -> None:
    sdnext.state.options["detailer_args"] = sdnext.state.listed["detailer_args"] = "eyes-v1"
    draw(sdnext, ad_model="face-yolo8n", ad_prompt="a smile")
    assert sdnext.state.drawn[0].detailers == ("face-yolo8n",)
    assert sdnext.state.options["detailer_args"] == "eyes-v1"


def test_an_older_sdnext_says_to_update_it(sdnext: StandIn) -> None:
    with connect(sdnext.base_url) as there:
        server = Server.ask(there, Endpoint.TXT2IMG)
        server.profile = type(server.profile)("txt2img", server.family, frozenset({"prompt"}))
        with pytest.raises(InvalidParameterError, match=r"^ad_model: this SD.Next .* Update"):
            build_request(Endpoint.TXT2IMG, {"ad_model": ["face-yolo8n"]}, server)


def test_a_picture_is_drawn_again_with_the_same_models_from_its_infotext(extended: StandIn) -> None:
    first = draw(extended, ad_model=f"{FACE}, {HAND}", ad_prompt="a smile", ad_confidence=0.5)
    text = first.json["images"][0]["infotext"]
    assert draw(extended, infotext=text).warnings == []
    assert [one.detailers for one in extended.state.drawn] == [(FACE, HAND)] * 2
