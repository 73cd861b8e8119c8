"""Families as records of traits: how each is recognised, and what a made-up one gets by with."""

import pytest

from devtools.standin import FAMILIES as PLAYED
from support.declared import CATALOGUE
from support.exchange import connect
from support.raw_server import RawServer, reply
from support.standins import StandIns
from webui.fields import FIELDS
from webui.http.endpoints import Endpoint
from webui.server import families
from webui.server.families import FAMILIES, UNKNOWN, Family, Schema
from webui.server.server import Server


def ask(base_url: str, endpoint: Endpoint = Endpoint.TXT2IMG) -> Server:
    with connect(base_url) as there:
        return Server.ask(there, endpoint)


def schema(*endpoints: Endpoint, fields: tuple[str, ...] = ()) -> Schema:
    return Schema(frozenset(one.path for one in endpoints), frozenset(fields))


def test_every_family_is_played_and_has_its_column_in_the_matrix() -> None:
    assert {one.key for one in FAMILIES} == set(PLAYED)
    assert {one.key: one.label for one in FAMILIES} == CATALOGUE.matrix["families"]


@pytest.mark.parametrize("key", PLAYED)
def test_each_family_is_recognised_by_its_own_answers(standins: StandIns, key: str) -> None:
    assert ask(standins.of(key).base_url).family.key == key


def test_sdnext_without_its_schema_is_recognised_by_its_version(standins: StandIns) -> None:
    server = ask(standins.of("sdnext", docs=False).base_url)
    assert server.family.key == "sdnext"
    assert server.reads("prompt")
    assert not server.reads("restore_faces")


def test_a_server_without_a_schema_or_a_fingerprint_is_unknown() -> None:
    with RawServer(reply("{}", status="404 Not Found")) as server:
        assert ask(server.base_url).family is UNKNOWN


def test_the_first_whose_sign_is_there_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = Family("mine", "Mine", lambda one: "my_field" in one.fields)
    monkeypatch.setattr(families, "FAMILIES", (mine, *FAMILIES))
    assert families.recognise(schema(Endpoint.SD_MODULES, fields=("my_field",))) is mine
    assert families.recognise(schema(Endpoint.SD_MODULES)).key == "neo"


def test_automatic1111_before_its_schedulers_is_not_taken_for_forge_classic() -> None:
    old = families.recognise(schema(Endpoint.TXT2IMG, Endpoint.INTERROGATE))
    assert (old.label, old.joins_scheduler) == ("AUTOMATIC1111", True)
    assert families.recognise(schema(Endpoint.TXT2IMG)).label == "Forge Classic"


def test_one_without_reads_what_the_catalogue_does_not_deny_it() -> None:
    (bare,) = [one for one in FAMILIES if not one.has_schema]
    for job in ("txt2img", "img2img"):
        read = bare.fields_read(job) or frozenset()
        of_the_form = {n for n, one in FIELDS.items() if job in one.tools and not one.own}
        assert {name for name in of_the_form if bare.ignores(name)} == of_the_form - read
        assert bare.also_reads[job] <= read
