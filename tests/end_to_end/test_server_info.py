"""server_info through the real SDK class against the stand-in of every family."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from devtools.standin import FAMILIES, StandIn
from support.drawing import Drawn, draw, invoke, paths, refused, until
from support.raw_server import RawServer, reply
from tools.server_info import ServerInfoTool
from webui import errors
from webui.server.listings import READERS

OPTIONS = "/sdapi/v1/options"
LOGIN = {"username": "me", "password": "pass-word"}


def ask(where: StandIn | str, choice: object = None, **credentials: object) -> Drawn:
    return Drawn(invoke(ServerInfoTool, where, {"list": choice}, credentials))


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_is_known_with_what_it_tells(family: str) -> None:
    with StandIn(family=family) as standin:
        found = ask(standin)
        for choice in READERS:
            ask(standin, choice)
        asked = set(paths(standin))
    # Nothing is drawn, and no command line is read.
    assert not asked & {"/sdapi/v1/txt2img", "/sdapi/v1/cmd-flags", "/internal/sysinfo"}
    silent, label = family == "sdcpp", found.json["family"]
    assert found.variables == {
        "names": [], "family": label, "model": found.json["model"], "login": False,
        "version": "2026-07-23 058a7f0c" if family == "sdnext" else "",
        "queue": -1 if silent else 0,
    }  # fmt: skip
    assert found.json["model"].startswith("v1-5-pruned-emaonly")
    card = {"ram": {"free": 20.0, "total": 32.0}, "cuda": {"free": 5.0, "total": 8.0}}
    assert found.json["memory"] == (None if silent else card)
    assert found.json["queue"] is None if silent else found.json["running"] is False
    assert f"| Family | {label} |" in found.text
    assert ("| Graphics memory | not told |" in found.text) == silent
    assert ("| Running | nothing |" in found.text) != silent


def test_fields_that_nobody_tells_are_not_guessed() -> None:
    with StandIn(family="sdnext", docs=False) as standin:
        assert ask(standin, "fields").json["offered"] is False


def test_limits_and_choices_of_an_argument_are_kept_and_its_keys_are_not(standin: StandIn) -> None:
    arguments = [
        {"label": "Count", "value": 3, "minimum": 1, "maximum": 8, "step": 1, "choices": None},
        {"label": "Mode", "value": "b", "minimum": None, "choices": ["a", "b"]},
        {"label": "API key", "value": "sk-1234"},
        {"label": "Picture", "value": "A" * 100_000},
    ]
    mine = {"name": "mine", "is_alwayson": True, "args": arguments}
    scripts = [mine | {"is_img2img": one} for one in (True, False)]
    standin.fail_next("/sdapi/v1/script-info", status=200, body=scripts)
    found = ask(standin, "scripts")
    (script,) = found.json["items"]
    assert script["always_on"] is True
    assert script["for"] == ["img2img", "txt2img"]
    assert script["arguments"][:3] == [
        {"label": "Count", "value": 3, "minimum": 1, "maximum": 8, "step": 1},
        {"label": "Mode", "value": "b", "choices": ["a", "b"]},
        {"label": "API key", "value": ""},
    ]
    assert len(json.dumps(found.json)) < 5000
    assert len(found.text) < 5000
    assert "Mode = b, API key = empty" in found.text


def test_a_name_cannot_break_the_table(standin: StandIn) -> None:
    styles = [{"name": "a|b", "prompt": "one\ntwo", "negative_prompt": None}]
    standin.fail_next("/sdapi/v1/prompt-styles", status=200, body=styles)
    found = ask(standin, "styles")
    assert found.text.endswith("| name | prompt |\n| --- | --- |\n| a\\|b | one two |")
    assert found.variables["names"] == ["a|b"]


def test_an_empty_list_is_not_a_missing_one_and_is_asked_for_afresh(standin: StandIn) -> None:
    ask(standin, "loras")
    standin.received.clear()
    standin.fail_next("/sdapi/v1/loras", status=200, body=[])
    found = ask(standin, "loras")
    assert "/sdapi/v1/refresh-loras" in paths(standin)
    assert found.json["offered"] is True
    assert found.variables["names"] == []
    assert "The server has no LoRAs." in found.text


def test_the_running_job_and_those_behind_it_are_counted(standin: StandIn) -> None:
    standin.state.delay = 600
    with ThreadPoolExecutor(2) as callers:
        for _ in range(2):
            callers.submit(draw, standin, steps=10)
        try:
            until(
                lambda: standin.state.queue.running and standin.state.queue.running.sampling_steps
            )
            until(lambda: standin.state.queue.waiting)
            found = ask(standin)
        finally:
            # The second draws at once when the first is stopped.
            standin.state.delay = 0
            standin.state.queue.interrupt()
    assert found.variables["queue"] == 2
    assert (found.json["running"], found.json["waiting"]) == (True, 1)
    assert found.json["job"]["steps"] == 10
    assert 0 < found.json["job"]["progress"] <= 1
    assert "| Running | one job, " in found.text
    assert "| Waiting | 1 |" in found.text


def test_a_login_is_noticed_and_never_told() -> None:
    with StandIn(api_auth="me:pass-word") as standin:
        found = ask(standin, "scripts", **LOGIN)
        strangers = [r.path for r in standin.received if "Authorization" not in r.headers]
    assert found.variables["login"] is True
    assert "| Login | needed |" in found.text
    assert strangers == [OPTIONS]
    told = json.dumps([found.json, found.variables, found.text])
    assert "pass-word" not in told
    assert base64.b64encode(b"me:pass-word").decode() not in told


def test_a_proxys_login_page_is_a_login_too_and_an_open_door_is_none(standin: StandIn) -> None:
    standin.fail_next(OPTIONS, status=200, body={"sd_model_checkpoint": None})
    standin.fail_next(OPTIONS, status=200, body="<html>Log in</html>", mime="text/html")
    found = ask(standin, **LOGIN)
    assert found.variables["login"] is True
    assert found.variables["model"] == ""
    assert "| Model | none |" in found.text
    assert ask(standin, **LOGIN).variables["login"] is False


@pytest.mark.parametrize(
    ("started", "login", "words"),
    [
        ({"api_auth": "me:right"}, LOGIN, "refuses the login 'me'"),
        ({"api_auth": "me:right"}, {}, "asks for a login"),
        ({"api": False}, {}, "--api"),
    ],
)
def test_a_server_that_does_not_let_in_or_is_gone_is_an_error(
    started: dict[str, Any], login: dict[str, str], words: str
) -> None:
    with StandIn(**started) as standin, refused(errors.WebUIError, match=words):
        ask(standin, **login)
    with refused(errors.WebUIConnectionError, match="refused the connection"):
        ask(standin, **login)


def test_another_choice_is_refused_with_the_choices(standin: StandIn) -> None:
    with refused(errors.InvalidParameterError, match="Allowed: none, models, samplers"):
        ask(standin, "cmd-flags")
    assert standin.received == []


@pytest.mark.parametrize("odd", [5, "x", [5, {"name": {}, "aliases": 5, "args": 5}], {}, None])
def test_nonsense_from_the_server_is_as_if_it_had_not_been_said(
    standin: StandIn, odd: object
) -> None:
    huge = int("9" * 400)
    standin.fail_next("/sdapi/v1/memory", status=200, body={"ram": {"free": huge}, "cuda": odd})
    work = {"progress": 0.5, "eta_relative": huge, "state": {"sampling_step": odd}}
    standin.fail_next("/sdapi/v1/progress", status=200, body=work)
    standin.fail_next("/sdapi/v1/samplers", status=200, body=odd)
    found = ask(standin, "samplers").json
    assert found["memory"] is None
    assert found["job"]["seconds_left"] is None
    assert found["names"] == []


@pytest.mark.parametrize(
    ("headers", "names"),
    [
        ({}, []),
        ({"X-Server": "card3"}, ["card3"]),
        ({"Via": "1.1 caddy"}, ["1.1 caddy"]),
        ({"X-Server": "card3", "Via": "1.1 caddy"}, ["card3"]),
        ({"X-Server": "a|b" * 100}, [("a|b" * 100)[:79] + "…"]),
    ],
    ids=repr,
)
def test_who_answered_is_told_where_a_balancer_tells_it(
    headers: dict[str, str], names: list[str]
) -> None:
    lines = [f"{name}: {value}" for name, value in headers.items()]
    with RawServer(reply('{"sd_model_checkpoint": "one"}', *lines)) as server:
        found = ask(server.base_url)
    assert found.json["answered_by"] == names
    assert ("| Answered by | " in found.text) == bool(names)
