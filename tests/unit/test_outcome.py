"""What came back against what was asked, with the stand-in's lists behind it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from devtools.standin import StandIn
from support.exchange import connect
from support.standins import StandIns
from webui.errors import WebUIResponseError, WebUIServerError, WrongModelError
from webui.http.account import Account
from webui.http.endpoints import Endpoint
from webui.request.request import Request
from webui.run.outcome import compare_outcome
from webui.run.summary import Drawn, Summary
from webui.server.families import Family
from webui.server.profile import Profile
from webui.server.server import Server
from webui.values import Fields


@pytest.fixture
def server(standin: StandIn) -> Iterator[Server]:
    with connect(standin.base_url) as there:
        yield Server.ask(there, Endpoint.TXT2IMG)


def made_up(**traits: Any) -> Server:  # noqa: ANN401 - whatever a family has
    """One that cannot be asked, and reads whatever it is given."""
    family = Family("mine", "Mine", **traits)
    return Server(connect("http://gpu:7860"), Profile("txt2img", family, paths=frozenset()))


PLAIN = made_up()


def image(width: int | None = 512, height: int | None = 512, **others: Any) -> Drawn:  # noqa: ANN401 - see Drawn
    plain = {"seed": 1, "subseed": None, "infotext": "Steps: 20", "grid": False, "extra": False}
    return Drawn("1.png", width=width, height=height, **plain | others)


def summary(
    *images: Drawn, model: str = "", sampler: str = "", told: Fields | None = None
) -> Summary:
    account = Account({"seed": 1} if told is None else told)
    return Summary(list(images), model, sampler, {}, account, 1.0)


def compared(
    server: Server, came: Summary, *, interrupted: bool = False, **asked: object
) -> list[str]:
    fields: Fields = {"width": 512, "height": 512, "batch_size": 1} | asked
    request = Request(Endpoint.TXT2IMG, fields)
    return compare_outcome(came, request, server, interrupted=interrupted)


@pytest.mark.parametrize(
    ("came", "asked"),
    [
        ((image(),), {}),
        ((image(), image()), {"batch_size": 2}),
        ((image(1024, grid=True), image(), image()), {"n_iter": 2}),
        ((image(), image(64, 64, extra=True)), {}),
        ((image(1000, 1000),), {"enable_hr": True, "hr_scale": 1.96}),
        ((image(2048, 700), image()), {"script_name": "X/Y/Z plot"}),
        ((image(256, 256),), {"firstphase_width": 256, "firstphase_height": 256}),
        ((image(None, None),), {}),
        ((image(300, 200),), {"mask": "x"}),
        ((), {"send_images": False}),
    ],
)
def test_what_is_as_asked_or_explained_is_not_spoken_of(
    came: tuple[Drawn, ...], asked: dict[str, Any]
) -> None:
    assert compared(PLAIN, summary(*came), **asked) == []


def test_another_size_is_said() -> None:
    whole: list[tuple[Server, Fields]] = [
        (PLAIN, {}),
        (PLAIN, {"enable_hr": True}),
        (PLAIN, {"mask": "x", "inpaint_full_res": False}),
        (made_up(pastes_masked_part=False), {"mask": "x"}),
    ]
    for server, asked in whole:
        (told,) = compared(server, summary(image(448, 512)), **asked)
        assert told.startswith("The server drew 448x512 instead of ")


def test_another_sampler_or_fewer_images_are_said() -> None:
    came = summary(image(), sampler="DPM++ 2M")
    for same in ("dpm++ 2m", "Default"):
        assert compared(PLAIN, came, sampler_name=same) == []
    assert compared(PLAIN, came, sampler_name="Euler", batch_size=2, n_iter=2) == [
        "1 of 4 images came back.",
        "The server used the sampler DPM++ 2M instead of Euler.",
    ]


def test_a_plot_draws_with_what_it_is_told_to_and_no_other_script(server: Server) -> None:
    asked, other = entry(server, 0), entry(server, 1)
    wish = naming(asked["title"]) | {"sampler_name": "Euler", "seed": 1}
    came = summary(image(), model=other["model_name"], sampler="Heun", told={"all_seeds": [7]})
    assert compared(server, came, script_name="X/Y/Z plot", **wish) == []
    with pytest.raises(WrongModelError):
        compared(server, came, script_name="prompt matrix", **wish)


def test_a_plot_that_the_server_takes_no_notice_of_excuses_nothing(standins: StandIns) -> None:
    with connect(standins.of("sdcpp").base_url) as there:
        server = Server.ask(there, Endpoint.TXT2IMG)
        said = compared(server, summary(image(seed=7)), script_name="X/Y/Z plot", seed=1)
    assert said == ["The server drew with the seed 7 instead of 1."]


def entry(server: Server, place: int) -> dict[str, Any]:
    return (server.entries(Endpoint.SD_MODELS) or [])[place]


def naming(model: str) -> dict[str, Any]:
    return {"override_settings": {"sd_model_checkpoint": model}}


def test_another_model_is_an_error_that_says_which(server: Server) -> None:
    asked, other = entry(server, 0), entry(server, 1)
    came = summary(image(), model=other["model_name"])
    assert compared(server, summary(image()), **naming(asked["title"])) == []
    with pytest.raises(WrongModelError, match=f"drew with the model {other['model_name']}, not"):
        compared(server, came, **naming(asked["title"]))


def test_a_picture_is_refused_only_if_another_model_certainly_drew_it(server: Server) -> None:
    asked, other = entry(server, 0), entry(server, 1)
    came = summary(image(), model=asked["model_name"], told={"sd_model_hash": asked["hash"]})
    for name in (asked["title"], asked["model_name"], asked["hash"]):
        assert compared(server, came, **naming(name)) == []
    for doubtful in ("nobody knows", asked["model_name"]):
        came = summary(image(), model=doubtful, told={"sd_model_hash": "0123456789"})
        (warning,) = compared(server, came, **naming(asked["title"]))
        assert warning.startswith(f"The server calls the model that drew {doubtful}.")
    came = summary(image(), model=other["model_name"], told={"sd_model_hash": other["hash"]})
    with pytest.raises(WrongModelError):
        compared(server, came, **naming(asked["title"]))


@pytest.mark.parametrize(
    ("asked", "words"),
    [({"seed": 1}, []), ({"seed": -1}, []), ({}, []), ({"seed": 2**31}, ["seed 1 instead of"])],
)
def test_a_seed_that_was_replaced_is_told(asked: Fields, words: list[str]) -> None:
    warnings = compared(PLAIN, summary(image()), **asked)
    assert [words[0] in warning for warning in warnings] == [True] * len(words)


def test_a_sampler_that_is_told_with_its_scheduler_is_the_one_asked_for() -> None:
    came = summary(image(), sampler="dpm++2m karras")
    assert compared(PLAIN, came, sampler_name="dpm++2m", scheduler="karras") == []
    (warning,) = compared(PLAIN, came, sampler_name="dpm++2m", scheduler="simple")
    assert "used the sampler dpm++2m karras" in warning


@pytest.mark.parametrize(
    ("told", "infotext"),
    [({}, None), ({"infotexts": ["Steps: 20", "Steps: 20"]}, "Steps: 20")],
    ids=["bare", "short"],
)
def test_a_leftover_preview_is_an_error_where_servers_leave_one(
    told: Fields, infotext: str | None
) -> None:
    came = summary(image(infotext=infotext), told=told)
    assert compared(PLAIN, came) == []
    with StandIn(family="sdnext") as standin, connect(standin.base_url) as there:
        leaving = Server.ask(there, Endpoint.TXT2IMG)
        with pytest.raises(WebUIServerError, match=r"SD\.Next broke off and sent a preview inste"):
            compared(leaving, came)
        assert compared(leaving, came, interrupted=True) == []
        assert compared(leaving, summary(image(), told={})) == []
        # The pictures of a plot, all of which are in its account, came as one.
        plot = summary(image(), told={"infotexts": ["Steps: 20", "Steps: 20"]})
        assert compared(leaving, plot, script_name="xyz grid script") == []
        standin.state.queue.interrupt()
        with pytest.raises(WebUIServerError):
            compared(leaving, summary(image()))


def post(standin: StandIn, path: str, body: Fields) -> Any:  # noqa: ANN401 - JSON
    reply = requests.post(f"{standin.base_url}/sdapi/v1/{path}", json=body, timeout=30)
    return reply.json() if reply.content else None


def break_off(standin: StandIn) -> None:
    standin.run_out_of_memory()
    assert post(standin, "txt2img", {"prompt": "a cat"})["images"] == []


def lose_the_model(standin: StandIn) -> None:
    standin.state.has_model = False


def have_no_models(standin: StandIn) -> None:
    lose_the_model(standin)
    standin.fail_next("/sdapi/v1/sd-models", status=200, body=[])


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (lose_the_model, "No model is loaded. Choose one"),
        (have_no_models, "It has no models: install"),
        (
            lambda one: post(one, "options", {"sd_model_checkpoint": "nope"}),
            "Its settings name the model n",
        ),
        (lambda one: post(one, "skip", {}), "pressed Skip"),
        (break_off, "It broke off: most often memory ran out"),
        (lambda _: None, "Its own log says why: often memory ran out"),
    ],
    ids=["no model", "no models", "a model that is none", "skipped", "broken off", "not told"],
)
def test_why_nothing_came_is_told_as_far_as_the_server_says(
    cause: Callable[[StandIn], object], words: str
) -> None:
    with StandIn(family="sdnext") as standin, connect(standin.base_url) as there:
        sdnext = Server.ask(there, Endpoint.TXT2IMG)
        cause(standin)
        with pytest.raises(WebUIResponseError, match=f"but sent no images\\. .*{words}"):
            compared(sdnext, summary(told={}))
        assert compared(sdnext, summary(told={}), send_images=False) == []


def test_a_controlnet_unit_that_the_infotext_leaves_out_had_no_effect() -> None:
    units = [{"module": "canny"}, {"enabled": True}, {"enabled": False}, True]
    asked: Fields = {"alwayson_scripts": {"controlnet": {"args": units}}}
    one = 'Steps: 20, ControlNet 0: "Module: canny, Model: None"'
    (warning,) = compared(PLAIN, summary(image(infotext=one)), **asked)
    assert warning.startswith("The infotext tells of 1 of 2 ControlNet units")
    both = f'{one}, ControlNet 1: "Module: None, Model: None"'
    assert compared(PLAIN, summary(image(infotext=both)), **asked) == []
    assert compared(PLAIN, summary(image(infotext=None)), **asked) == []


def test_a_model_of_adetailer_that_the_infotext_leaves_out_had_no_effect() -> None:
    units = [True, False, {"ad_model": "face"}, {"ad_model": "hand"}, {"ad_model": "None"}]
    asked: Fields = {"alwayson_scripts": {"ADetailer": {"args": units}}}
    one = "Steps: 20, ADetailer model: face, ADetailer model classes: x"
    (warning,) = compared(PLAIN, summary(image(infotext=one)), **asked)
    assert warning.startswith("The infotext tells of 1 of 2 ADetailer models")
    both = f"{one}, ADetailer model 2nd: hand"
    assert compared(PLAIN, summary(image(infotext=both)), **asked) == []
