"""Names and values in a request that a server would ignore, or break at."""

import pytest

from devtools.standin import StandIn
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
        ({"ControlNet": [1]}, "unless its value is an object"),
    ],
)
def test_what_servers_ignore_among_extensions_is_refused(
    standin: StandIn, script: dict[str, object], words: str
) -> None:
    with pytest.raises(InvalidParameterError, match=f"^alwayson_scripts: .*{words}"):
        check(standin, alwayson_scripts=script)


def test_an_extension_without_controls_is_known_by_the_plain_list(standin: StandIn) -> None:
    standin.fail_next("/sdapi/v1/scripts", status=200, body={"txt2img": ["hypertile"]})
    check(standin, alwayson_scripts={"Hypertile": {"args": []}})
