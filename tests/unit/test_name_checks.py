"""Names and values in a request that a server would ignore, or break at."""

import json

import pytest

from devtools.standin import StandIn
from support.drawing import draw
from support.exchange import connect
from support.standins import StandIns
from webui.errors import InvalidParameterError
from webui.http.endpoints import Endpoint
from webui.request.name_checks import check_names
from webui.request.request import Request
from webui.server.server import Server


def check(standin: StandIn, **given: object) -> None:
    with connect(standin.base_url) as there:
        check_names(Request(Endpoint.TXT2IMG, given), Server.ask(there, Endpoint.TXT2IMG))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"CLIP_stop_at_last_layers": "two"}, "is a number on this server, not 'two'"),
        ({"CLIP_stop_at_last_layers": "2"}, "is a number"),
        ({"CLIP_stop_at_last_layers": True}, "is a number"),
        ({"samples_format": 5}, "samples_format is text on this server, not 5"),
        ({"enable_pnginfo": "yes"}, "is true or false"),
    ],
)
def test_an_option_of_another_type_is_refused_since_it_breaks_every_later_job(
    standin: StandIn, options: dict[str, object], words: str
) -> None:
    with pytest.raises(InvalidParameterError, match=f"^override_settings: .*{words}"):
        check(standin, override_settings=options)


def test_an_option_of_its_own_type_or_none_passes(standin: StandIn) -> None:
    check(standin, override_settings={"CLIP_stop_at_last_layers": 2, "samples_format": "png"})
    check(standin, override_settings={"CLIP_stop_at_last_layers": None})


def test_options_that_were_never_set_are_known_where_only_set_ones_are_listed(
    standins: StandIns,
) -> None:
    check(standins.of("sdnext"), override_settings={"sd_vae": "Automatic", "samples_format": "png"})
    with pytest.raises(InvalidParameterError, match="no option named 'sd_vea'"):
        check(standins.of("sdnext"), override_settings={"sd_vea": "x"})


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ({"Refiner": {"args": []}}, "Use refiner_checkpoint"),
        ({"Seed": [1]}, "unless its value is an object"),
    ],
)
def test_what_servers_ignore_among_extensions_is_refused(
    standin: StandIn, script: dict[str, object], words: str
) -> None:
    with pytest.raises(InvalidParameterError, match=f"^alwayson_scripts: .*{words}"):
        check(standin, alwayson_scripts=script)


def test_an_extension_without_controls_is_known_by_the_plain_list(standin: StandIn) -> None:
    script: dict[str, object] = {"Hypertile": {"args": []}}
    check(standin, alwayson_scripts=script)
    draw(standin, alwayson_scripts=json.dumps(script))


def check_units(standin: StandIn, *units: object, title: str = "ControlNet") -> None:
    check(standin, alwayson_scripts={title: {"args": list(units)}})


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        ({"model": "control_v11p_sd15_cany"}, r"ControlNet model named .*Closest .*_canny \[d14c0"),
        ({"model": "control_v11p_sd15_canny [00000000]"}, "ControlNet model named"),
        ({"model": "none", "module": "cany"}, "ControlNet module named 'cany'.*: canny"),
        ({"enabled": True, "module": "nope"}, "ControlNet module named 'nope'"),
    ],
)
@pytest.mark.parametrize("title", ["ControlNet", "controlnet"])
def test_a_controlnet_unit_with_an_unknown_name_is_refused_since_it_is_left_out(
    standins: StandIns, unit: dict[str, object], words: str, title: str
) -> None:
    with pytest.raises(InvalidParameterError, match=f"^alwayson_scripts: Forge has no {words}"):
        check_units(standins.of("forge"), {"model": "None", "module": None}, unit, title=title)


def test_a_controlnet_unit_is_sent_in_the_servers_own_spelling() -> None:
    sent = {"model": "Control_v11p_sd15_canny", "module": " Canny", "weight": 0.5}
    # By the words of the page, which AUTOMATIC1111's extension lists apart and takes as well.
    other = {"model": "t2i_color [0123abcd]", "module": "depth_midas", "image": "x"}
    with StandIn(extensions=["controlnet"]) as standin:
        check_units(standin, sent, other, {"enabled": False, "model": "nope"})
    model = "control_v11p_sd15_canny [d14c016b]"
    assert sent == {"model": model, "module": "canny", "weight": 0.5}
    assert (other["model"], other["module"]) == ("t2i_color", "depth_midas")


def test_without_a_unit_or_a_list_no_name_of_controlnet_is_checked() -> None:
    with StandIn(family="forge") as standin:
        for args in ([], [{"enabled": False, "model": "nope"}], "none"):
            check(standin, alwayson_scripts={"ControlNet": {"args": args}})
        assert not [one for one in standin.received if one.path.startswith("/controlnet")]
        standin.fail_next("/controlnet/model_list", status=404)
        check_units(standin, {"model": "nope"})
        assert [one.path for one in standin.received][-1] == "/controlnet/model_list"
