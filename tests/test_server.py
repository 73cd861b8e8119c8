"""What a server offers, read from the stand-in once and kept a short while."""

from collections.abc import Iterator

import pytest
from exchange import connect

from devtools.standin import StandIn
from webui import client, families
from webui.errors import InvalidParameterError, WebUIConnectionError
from webui.server import Server


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn() as running:
        yield running


@pytest.fixture
def server(standin: StandIn) -> Iterator[Server]:
    with connect(standin.base_url) as there:
        yield Server(there)


def asked(standin: StandIn, path: str) -> int:
    return len([r for r in standin.received if r.path == path])


def test_family_and_fields_come_from_one_look_at_the_schema(
    standin: StandIn, server: Server
) -> None:
    for _ in range(3):
        assert server.profile.family is families.A1111
    assert server.profile.reads("prompt")
    assert not server.profile.reads("hr_cfg")
    assert [r.path for r in standin.received] == ["/openapi.json"]


def test_each_endpoint_has_its_own_fields(standin: StandIn) -> None:
    with connect(standin.base_url) as there:
        assert Server(there, "img2img").profile.reads("init_images")
        assert not Server(there, "txt2img").profile.reads("init_images")


def test_a_list_is_asked_for_once(standin: StandIn, server: Server) -> None:
    for _ in range(3):
        assert server.entries("samplers")
    assert asked(standin, "/sdapi/v1/samplers") == 1


def test_a_list_the_server_does_not_have_costs_no_request(standin: StandIn, server: Server) -> None:
    assert server.entries("sd-modules") is None
    assert asked(standin, "/sdapi/v1/sd-modules") == 0


@pytest.mark.parametrize(
    ("status", "body"), [(500, {"error": "x"}), (404, ""), (200, "<html>"), (200, {"a": 1})]
)
def test_a_list_that_fails_is_no_failure(
    standin: StandIn, server: Server, status: int, body: object
) -> None:
    standin.fail_next("/sdapi/v1/samplers", status=status, body=body)
    assert server.entries("samplers") is None
    offered = server.find("anything", "sampler_name", "sampler", lambda _: None)
    assert offered == "anything"


def test_a_list_that_hangs_is_given_up(
    standin: StandIn, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "LOOKUP_PATIENCE", 0.3)
    assert server.profile
    standin.hang_next("/sdapi/v1/samplers")
    assert server.entries("samplers") is None


def test_without_a_schema_nothing_is_held_against_a_field(standin: StandIn, server: Server) -> None:
    standin.fail_next("/openapi.json", status=404, body={"detail": "Not Found"})
    assert server.profile.family is families.UNKNOWN
    assert server.profile.reads("anything")
    assert server.entries("samplers")


def test_a_server_that_is_gone_is_an_error_at_once(standin: StandIn, server: Server) -> None:
    standin.stop()
    with pytest.raises(WebUIConnectionError, match="refused the connection"):
        server.entries("samplers")
    standin.start()


def test_a_name_in_the_list_is_found_without_a_second_look(
    standin: StandIn, server: Server
) -> None:
    assert server.checkpoint(standin.state.checkpoints[0].name, "model")
    assert asked(standin, "/sdapi/v1/sd-models") == 1
    assert asked(standin, "/sdapi/v1/refresh-checkpoints") == 0


def test_a_name_that_is_missing_is_looked_up_afresh_before_it_is_refused(
    standin: StandIn, server: Server
) -> None:
    with pytest.raises(InvalidParameterError, match=r"^model: AUTOMATIC1111 has no model named"):
        server.checkpoint("nothing of the kind", "model")
    assert asked(standin, "/sdapi/v1/refresh-checkpoints") == 1
    assert asked(standin, "/sdapi/v1/sd-models") == 2


def test_another_login_sees_its_own_lists() -> None:
    with StandIn(api_auth="me:secret") as standin:
        with connect(standin.base_url) as anonymous:
            assert Server(anonymous).entries("samplers") is None
        with connect(standin.base_url, username="me", password="secret") as known:
            assert Server(known).entries("samplers")
