"""What a server offers, read from the stand-in once and kept a short while."""

from collections.abc import Iterator

import pytest
from dify_plugin.errors.model import InvokeServerUnavailableError

from devtools.standin import StandIn
from support.drawing import draw, invoke, paths
from support.exchange import connect
from tools.server_info import ServerInfoTool
from webui.errors import InvalidParameterError, WebUIConnectionError, WebUILateError
from webui.http import client
from webui.http.endpoints import Endpoint
from webui.server.server import Server

SAMPLERS = "/sdapi/v1/samplers"


@pytest.fixture
def server(standin: StandIn) -> Iterator[Server]:
    with connect(standin.base_url) as there:
        yield Server.ask(there, Endpoint.TXT2IMG)


def test_who_it_is_comes_from_one_look_at_the_schema(standin: StandIn) -> None:
    with connect(standin.base_url) as there:
        for _ in range(3):
            server = Server.ask(there, Endpoint.TXT2IMG)
    assert server.family.label == "AUTOMATIC1111"
    assert server.reads("prompt")
    assert not server.reads("hr_cfg")
    assert paths(standin) == ["/openapi.json"]


def test_each_job_has_its_own_fields(standin: StandIn, server: Server) -> None:
    with connect(standin.base_url) as there:
        assert Server.ask(there, Endpoint.IMG2IMG).reads("init_images")
    assert not server.reads("init_images")


def test_a_list_is_asked_for_once_and_only_if_there_is_one(
    standin: StandIn, server: Server
) -> None:
    for _ in range(3):
        assert server.entries(Endpoint.SAMPLERS)
        assert server.entries(Endpoint.SD_MODULES, afresh=True) is None
    assert paths(standin) == ["/openapi.json", SAMPLERS]


@pytest.mark.parametrize(
    ("status", "body"), [(500, {"error": "x"}), (404, ""), (200, "<html>"), (200, {"a": 1})]
)
def test_a_list_that_fails_is_no_failure(
    standin: StandIn, server: Server, status: int, body: object
) -> None:
    standin.fail_next(SAMPLERS, status=status, body=body)
    offered = server.named(Endpoint.SAMPLERS, "name")
    assert server.find("anything", "sampler_name", "sampler", offered) == "anything"


def test_a_list_that_hangs_is_given_up_and_is_not_taken_for_missing(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "LOOKUP_PATIENCE", 0.3)
    standin.hang_next(SAMPLERS)
    (warning,) = draw(standin, sampler_name="Euler a").warnings
    assert warning.startswith("The server did not say in time which samplers it has, so that was")
    assert draw(standin, sampler_name="Euler a").warnings == []
    standin.hang_next("/sdapi/v1/upscalers")
    with pytest.raises(InvokeServerUnavailableError, match="list of upscalers in time"):
        list(invoke(ServerInfoTool, standin, {"list": "upscalers"}))


def test_a_server_that_is_too_busy_to_say_what_it_is_is_not_taken_for_one_without_an_endpoint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client, "LOOKUP_PATIENCE", 0.3)
    with StandIn(family="sdnext") as standin, connect(standin.base_url) as there:
        standin.hang_next("/openapi.json")
        server = Server.ask(there, Endpoint.INTERROGATE)
        with pytest.raises(WebUILateError, match="did not say in time what it is"):
            server.require(Endpoint.INTERROGATE, "describe pictures", "Use another.")
        server.require(Endpoint.SDNEXT_REMBG, "remove backgrounds", "Use another.")


def test_a_busy_servers_last_list_is_better_than_none(
    standin: StandIn, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "LOOKUP_PATIENCE", 0.3)
    known = server.entries(Endpoint.SAMPLERS)
    standin.hang_next(SAMPLERS)
    assert server.entries(Endpoint.SAMPLERS, afresh=True) == known
    assert server.late == set()


def test_a_busy_server_that_nobody_knew_is_drawn_with_and_the_user_told(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "LOOKUP_PATIENCE", 0.3)
    standin.hang_next("/openapi.json")
    (warning,) = draw(standin).warnings
    assert "did not say in time what it is" in warning
    assert draw(standin).warnings == []


def test_without_a_schema_nothing_is_held_against_a_field(standin: StandIn) -> None:
    standin.fail_next("/openapi.json", status=404, body={"detail": "Not Found"})
    with connect(standin.base_url) as there:
        server = Server.ask(there, Endpoint.TXT2IMG)
        assert not server.family.is_known
        assert server.reads("anything")
        assert server.entries(Endpoint.SAMPLERS)


def test_a_server_that_is_gone_is_an_error_at_once(standin: StandIn, server: Server) -> None:
    standin.stop()
    with pytest.raises(WebUIConnectionError, match="refused the connection"):
        server.entries(Endpoint.SAMPLERS)
    standin.start()


def test_a_name_is_looked_up_afresh_only_before_it_is_refused(
    standin: StandIn, server: Server
) -> None:
    lists, refresh = "/sdapi/v1/sd-models", "/sdapi/v1/refresh-checkpoints"
    model = standin.state.checkpoints[0]
    assert server.checkpoint(model.name_for_extra, "model") == model.title
    assert paths(standin) == ["/openapi.json", lists]
    with pytest.raises(InvalidParameterError, match=r"^model: AUTOMATIC1111 has no model named"):
        server.checkpoint("nothing of the kind", "model")
    assert paths(standin) == ["/openapi.json", lists, refresh, lists]
