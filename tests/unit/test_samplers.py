"""Samplers and schedulers as people write them, on servers that want them apart or together."""

import pytest

from devtools.standin import StandIn
from support.drawing import paths
from support.exchange import connect
from support.standins import StandIns
from webui.errors import InvalidParameterError
from webui.http.endpoints import Endpoint
from webui.request.request import Request
from webui.request.samplers import check_samplers
from webui.server.server import Server
from webui.values import Fields


def checked(standin: StandIn, **given: object) -> Fields:
    request = Request(Endpoint.TXT2IMG, given)
    with connect(standin.base_url) as there:
        check_samplers(request, Server.ask(there, Endpoint.TXT2IMG))
    return request.fields


@pytest.mark.parametrize(
    ("family", "given", "sent"),
    [
        ("a1111", {"sampler_name": "Euler a"}, {"sampler_name": "Euler a"}),
        ("a1111", {"sampler_name": " euler A "}, {"sampler_name": "Euler a"}),
        ("a1111", {"sampler_name": "k_euler_a"}, {"sampler_name": "Euler a"}),
        ("a1111", {"sampler_index": "euler a"}, {"sampler_index": "Euler a"}),
        ("a1111", {"sampler_name": "DPM++ 2M Karras"},
         {"sampler_name": "DPM++ 2M", "scheduler": "Karras"}),
        ("a1111", {"sampler_name": "dpm++ 2m karras", "scheduler": "Automatic"},
         {"sampler_name": "DPM++ 2M", "scheduler": "Karras"}),
        ("a1111", {"sampler_name": "DPM++ 2M Karras", "scheduler": "karras"},
         {"sampler_name": "DPM++ 2M", "scheduler": "Karras"}),
        ("a1111", {"scheduler": "KARRAS"}, {"scheduler": "Karras"}),
        ("a1111", {"scheduler": "sgm_uniform"}, {"scheduler": "SGM Uniform"}),
        ("a1111", {"hr_sampler_name": "Use same sampler"}, {}),
        ("a1111", {"hr_scheduler": "Use same scheduler"}, {}),
        ("a1111", {"hr_sampler_name": "DPM++ 2M Karras"},
         {"hr_sampler_name": "DPM++ 2M", "hr_scheduler": "Karras"}),
        ("classic", {"sampler_name": "DPM++ 2M", "scheduler": "karras"},
         {"sampler_name": "DPM++ 2M Karras"}),
        ("classic", {"sampler_name": "DPM++ 2M Karras"}, {"sampler_name": "DPM++ 2M Karras"}),
        ("classic", {"sampler_name": "Euler", "scheduler": "Automatic"}, {"sampler_name": "Euler"}),
        ("sdcpp", {"sampler_name": "Euler a", "scheduler": "Karras"},
         {"sampler_name": "euler_a", "scheduler": "karras"}),
        ("sdcpp", {"sampler_name": "DDIM", "scheduler": "Automatic"},
         {"sampler_name": "ddim_trailing", "scheduler": "default"}),
        ("sdcpp", {"sampler_name": "k_euler_a"}, {"sampler_name": "euler_a"}),
        ("sdnext", {"sampler_name": "euler", "scheduler": "Karras"},
         {"sampler_name": "Euler", "scheduler": "Karras"}),
        ("sdnext", {"sampler_index": "euler"}, {"sampler_name": "Euler"}),
        ("sdnext", {"sampler_name": "default"}, {"sampler_name": "Default"}),
    ],
)  # fmt: skip
def test_a_name_is_put_in_the_servers_way(
    standins: StandIns, family: str, given: dict[str, object], sent: dict[str, object]
) -> None:
    assert checked(standins.of(family), **given) == sent


@pytest.mark.parametrize(
    ("family", "given", "closest"),
    [
        ("a1111", {"sampler_name": "Eular a"}, "Euler a"),
        ("a1111", {"sampler_name": "DPM++ 2M Karas"}, "DPM++ 2M"),
        ("a1111", {"scheduler": "Karas"}, "Karras"),
        ("a1111", {"hr_sampler_name": "Eular"}, "Euler"),
        ("a1111", {"hr_scheduler": "exponentiel"}, "Exponential"),
        ("a1111", {"sampler_name": "DPM++ 2M Karras", "scheduler": "Exponential"},
         "names the scheduler Karras, but scheduler is 'Exponential'"),
        ("classic", {"sampler_name": "DPM++ 2M", "scheduler": "Karas"}, "DPM++ 2M Karras"),
        ("sdcpp", {"sampler_name": "eular_a"}, "euler_a"),
        ("sdcpp", {"scheduler": "karas"}, "karras"),
        ("sdnext", {"sampler_name": "Eular"}, "Euler"),
    ],
)  # fmt: skip
def test_an_unknown_name_is_refused_with_the_right_one(
    standins: StandIns, family: str, given: dict[str, object], closest: str
) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        checked(standins.of(family), **given)
    assert str(caught.value).partition(":")[0] in given
    assert closest in str(caught.value)


def test_nothing_set_asks_nothing(standin: StandIn) -> None:
    assert checked(standin) == {}
    assert paths(standin) == ["/openapi.json"]
