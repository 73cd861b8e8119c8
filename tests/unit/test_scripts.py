"""A selectable script's arguments, by label or in order, as the server takes them."""

import json
from typing import Any

import pytest

from devtools.standin import StandIn
from support.exchange import connect
from support.raw_server import Answer, RawServer, reply, stalling_after
from support.standins import StandIns
from webui.errors import InvalidParameterError, WebUILateError
from webui.http import client
from webui.http.endpoints import Endpoint
from webui.request.build import build_request
from webui.request.request import Request
from webui.request.scripts import complete_script
from webui.server.families import UNKNOWN
from webui.server.profile import Profile
from webui.server.server import Server

PLOT = "X/Y/Z plot"
# As a new form of AUTOMATIC1111 and its forks has them, and over the API: axes by their number.
NOTHING = [0, "", None]
BOX_AND_CHOICE = [{"label": "X values"}, {"label": "X values", "choices": []}]


def asked_of(standin: StandIn, **asked: object) -> Request:
    with connect(standin.base_url) as there:
        return build_request(Endpoint.TXT2IMG, asked, Server.ask(there, Endpoint.TXT2IMG))


def arguments(standin: StandIn, given: object, script: str = PLOT) -> Any:  # noqa: ANN401 - of any kind
    return asked_of(standin, script_name=script, script_args=given).fields["script_args"]


def refusal(standin: StandIn, given: object, script: str = PLOT) -> str:
    with pytest.raises(InvalidParameterError) as caught:
        arguments(standin, given, script)
    return str(caught.value)


def form_of(script: str, form: object) -> bytes:
    return reply(json.dumps([{"name": script, "is_img2img": False, "args": form}]))


def completed(script: str, told: Answer, given: object) -> Any:  # noqa: ANN401 - likewise
    """Return the arguments for a server that has nothing else to tell."""
    with RawServer(told) as bare, connect(bare.base_url) as there:
        server = Server(there, Profile("txt2img", UNKNOWN))
        request = Request(Endpoint.TXT2IMG, {"script_name": script, "script_args": given})
        complete_script(request, server)
    return request.fields["script_args"]


@pytest.mark.parametrize("given", [[], [True]])
def test_a_script_gets_all_its_arguments(standin: StandIn, given: list[bool]) -> None:
    request = asked_of(standin, script_name="Prompt_Matrix", script_args=given)
    assert request.fields["script_name"] == "prompt matrix"
    assert request.fields["script_args"] == [bool(given), False, "positive", "comma", 0]


def test_more_arguments_than_a_script_has_are_refused(standin: StandIn) -> None:
    told = refusal(standin, [0] * 6, "prompt matrix")
    assert told == "script_args: 'prompt matrix' takes 5 arguments, not 6."


def test_a_script_s_arguments_stay_as_given_where_each_has_its_place(standins: StandIns) -> None:
    request = asked_of(standins.of("sdnext"), script_name="prompt matrix", script_args=[True])
    assert request.fields["script_args"] == [True]


@pytest.mark.parametrize(
    "given",
    [
        {"X type": "Sampler", "x_values": "euler A，DPM++ 2M", "Y type": 4, "Y values": [10, "20"],
         "Z values": None},
        ["sampler", "euler A, dpm++ 2m", ["Euler a", "DPM++ 2M"], "Steps", "10, 20", ["10", "20"]],
        [9, "Euler a, DPM++ 2M", ["euler_a", "DPM++ 2M"], "steps", "10, 20", ["10", "20"]],
    ],
)  # fmt: skip
def test_a_plot_is_asked_for_in_words_and_sent_with_the_server_s_numbers(
    standin: StandIn, given: object
) -> None:
    samplers = ["Euler a", "DPM++ 2M"]
    x, y = [9, ", ".join(samplers), samplers], [4, "10, 20", ["10", "20"]]
    assert arguments(standin, given)[:9] == [*x, *y, *NOTHING]


@pytest.mark.parametrize(
    ("given", "box", "chosen"),
    [
        # Brackets as in a prompt, which is no JSON.
        ("[red:blue:0.5], green", "[red:blue:0.5], green", ["[red:blue:0.5]", "green"]),
        (['a "b", c', "d"], '"a ""b"", c", d', ['a "b", c', "d"]),
        (["a\nb", 7.5], '"a\nb", 7.5', ["a\nb", "7.5"]),
    ],
)
def test_what_a_plot_replaces_is_read_by_it_as_it_was_given(
    standin: StandIn, given: object, box: str, chosen: list[str]
) -> None:
    found = arguments(standin, {"X type": "Prompt S/R", "X values": given})
    assert found[1:3] == [box, chosen]


def test_sd_next_s_plot_has_its_own_way_with_commas() -> None:
    told = [{"label": "X type", "choices": ["", "a"]}, *BOX_AND_CHOICE]
    given = {"X type": "a", "X values": ["red, blue", '"x"']}
    assert (
        completed("xyz grid script", form_of("xyz grid script", told), given)[1]
        == r'red\, blue, "x"'
    )


def test_a_choice_has_its_number_among_all_that_the_server_tells() -> None:
    told = [{"label": "X type", "choices": ["", None, "a"]}, *BOX_AND_CHOICE]
    assert completed(PLOT, form_of(PLOT, told), {"X type": "A"})[0] == 2


def test_the_number_of_an_axis_and_the_place_of_a_switch_are_the_server_s_own(
    standins: StandIns,
) -> None:
    found = {
        family: arguments(standins.of(family), {"X type": "Sampler", "Include Sub Images": True})
        for family in ("a1111", "forge", "reforge")
    }
    assert {family: one[0] for family, one in found.items()} == {
        "a1111": 9, "forge": 10, "reforge": 9,
    }  # fmt: skip
    assert {family: one.index(True, 10) for family, one in found.items()} == {
        "a1111": 10, "forge": 10, "reforge": 13,
    }  # fmt: skip


def test_a_switch_takes_the_words_of_a_select(standin: StandIn) -> None:
    given = {"Include Sub Images": "yes", "Draw legend": "no", "Include Sub Grids": True}
    assert arguments(standin, given)[9:12] == [False, True, True]
    said = refusal(standin, {"Draw legend": "perhaps"})
    assert said == "script_args: 'perhaps' for 'Draw legend' is neither true nor false."


def test_a_script_without_arguments_is_sent_those_of_its_form_as_it_takes_them(
    standin: StandIn,
) -> None:
    assert arguments(standin, [])[:9] == [1, "", None, *NOTHING, *NOTHING]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"X typ": "Steps"}, "no argument of 'x/y/z plot' named 'X typ'. Closest of 15: X type"),
        ({"X type": "Sampling"}, "no choice of 'X type' named 'Sampling'. Closest of 51: Sampler"),
        ({"X type": "Sampler", "X values": "Eulr a"}, "no sampler named 'Eulr a'. Closest of"),
        ({"Z type": "Schedule type", "Z values": ["Caras"]}, "no scheduler named 'Caras'. Close"),
        ({"X type": "Sampler", "X values": "[Euler a"}, "no sampler named '[Euler a'. Closest of"),
    ],
)
def test_a_word_that_the_script_does_not_have_is_refused(
    standin: StandIn, given: object, told: str
) -> None:
    assert refusal(standin, given).startswith(f"script_args: AUTOMATIC1111 has {told}")


def test_an_argument_under_two_spellings_is_refused(standin: StandIn) -> None:
    said = refusal(standin, {"X type": "Steps", "x_type": "Seed"})
    assert said == "script_args: 'X type' is given twice. Give it once."


@pytest.mark.parametrize("named", [{"script_name": "prompt matrix"}, {}])
def test_no_arguments_are_an_array_everywhere(standins: StandIns, named: dict[str, Any]) -> None:
    request = asked_of(standins.of("sdnext"), script_args={}, **named)
    assert request.fields["script_args"] == []


def test_labels_do_where_each_argument_has_its_own_place(standins: StandIns) -> None:
    found = arguments(standins.of("sdnext"), {"Joining char": "space"}, "prompt matrix")
    assert found == [False, False, "positive", "space", 0]


def test_labels_of_a_script_that_tells_none_are_refused() -> None:
    with pytest.raises(InvalidParameterError, match=r"^script_args: .*'nobody' by label. Give"):
        completed("nobody", reply("[]"), {"a": 1})


def test_labels_that_a_busy_server_does_not_tell_in_time_are_to_be_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client, "LOOKUP_PATIENCE", 0.2)
    with pytest.raises(WebUILateError, match=r"^script_args: .* in time .*: try again, or give"):
        completed(PLOT, stalling_after(b""), {"X type": "Seed"})


def test_labels_without_a_script_have_no_effect_and_do_no_harm(standin: StandIn) -> None:
    request = asked_of(standin, script_args={"X type": "Steps"})
    assert request.fields["script_args"] == ["Steps"]
    assert request.warnings == ["script_args has no effect without script_name."]
