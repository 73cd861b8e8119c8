"""Whatever is filled in, and whatever a server says: our errors or none, in time, fit to be sent.

The server is a stand-in's recorded replies behind requests' own adapter, so that an example costs
milliseconds. The examples are the same in every run.
"""

import base64
import copy
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import pytest
from dify_plugin.errors.model import CredentialsValidateFailedError, InvokeError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from requests import PreparedRequest
from responses import RequestsMock

from devtools.host.process import MAX_LINE_BYTES
from devtools.standin import FAMILIES
from support.by_name import TOOLS
from support.declared import TOOLS as DECLARED
from support.dify_files import described, picture
from webui import lasting

WEBUI, FILE = "http://10.0.0.1:7860", "http://10.0.0.2/files/1"
FAMILY = FAMILIES["a1111"].extended(["rembg"])
DRAWN = base64.b64encode(picture(8, 8)).decode()
INFO = {
    "all_seeds": [1], "all_subseeds": [1], "infotexts": ["a cat\nSteps: 2, Seed: 1"],
    "index_of_first_image": 0, "sd_model_name": "x", "sd_model_hash": "y", "seed": 1,
}  # fmt: skip


def trimmed(reply: Any) -> Any:  # noqa: ANN401
    """Of each list the first three, which are as good as all and sooner read."""
    if isinstance(reply, dict):
        return {name: trimmed(one) for name, one in reply.items()}
    return [trimmed(one) for one in reply[:3]] if isinstance(reply, list) else reply


REPLIES: dict[str, Any] = {
    path.removeprefix("POST "): trimmed(reply)
    for path, reply in FAMILY.replies.items()
    if "/" in path
} | {
    "/sdapi/v1/txt2img": {"images": [DRAWN], "parameters": {}, "info": INFO},
    "/sdapi/v1/img2img": {"images": [DRAWN], "parameters": {}, "info": INFO},
    "/sdapi/v1/extra-single-image": {"html_info": "", "image": DRAWN},
    "/sdapi/v1/interrogate": {"caption": "a cat"},
    "/rembg": {"image": DRAWN},
    "/sdapi/v1/png-info": {"info": "a\nSteps: 2", "items": {"a": "b"}, "parameters": {}},
}  # fmt: skip
USUAL: dict[str, dict[str, Any]] = {
    name: {
        one["name"]: {"file": described(FILE), "files": [described(FILE)]}.get(one["type"], "a cat")
        for one in tool["parameters"]
        if one.get("required") and not one.get("options")
    }
    for name, tool in DECLARED.items()
}
(LISTS,) = DECLARED["server_info"]["parameters"]
# What the job of a call costs beside its look-ups is asked of these.
ASKS: list[tuple[str, dict[str, Any]]] = [
    ("txt2img", {"sampler_name": "Eulr a", "model": "nothing"}),
    ("txt2img", {"lora": "x:1", "styles": "y", "vae": "z", "enable_hr": True}),
    ("txt2img", {"script_name": "x/y", "override_settings": '{"CLIP_stop_at_last_layers": 2}'}),
    ("txt2img", {"alwayson_scripts": '{"ControlNet": {"args": [{"module": "x", "model": "y"}]}}'}),
    ("img2img", {}),
    ("upscale", {"upscaler_1": "Lanczos"}),
    ("caption", {}),
    ("remove_background", {}),
    ("png_info", {}),
    *(("server_info", {"list": one["value"]}) for one in LISTS["options"]),
]

TEXTS = st.text(st.characters(codec=None), max_size=30) | st.sampled_from(
    ["\ud83d", "\x00\x1b[31m", "<lora:" * 9, "a:1,b:", "{{image_9}}", "[", "{", "1e999", "5.0",
     "-1", "9" * 5000, "[" * 990 + "]" * 990, '{"a": ' * 101 + "1" + "}" * 101, " , ", "true",
     '{"prompt": 5}', '{"seed": {}}', '["\\ud83d"]', '{"alwayson_scripts": {"a": 5}}',
     "x" * 60_000, "Steps: 20, Seed: x, Size: 1x", "٣", "Euler a", "Automatic", "0"]
)  # fmt: skip
NUMBERS = st.integers() | st.floats() | st.sampled_from([10**400, -1, 0, 1e300])
LEAVES = st.none() | st.booleans() | NUMBERS | TEXTS
JSON: st.SearchStrategy[Any] = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
URLS = st.sampled_from([FILE, "http://[::1", "http://a..b", "", "file:///x", "http://\ud83d/"])
OF_TYPE = {
    "file": URLS.map(described),
    "files": st.lists(URLS.map(described), max_size=3),
    "number": NUMBERS | TEXTS,
}


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A tool, and up to four of its parameters with whatever may stand there."""
    tool = draw(st.sampled_from(sorted(TOOLS)))
    given = dict(USUAL[tool])
    declared = {one["name"]: one for one in DECLARED[tool]["parameters"]}
    for name in draw(st.lists(st.sampled_from(sorted(declared)), min_size=1, max_size=4)):
        one = declared[name]
        of_type = OF_TYPE.get(one["type"], JSON | JSON.map(lambda v: json.dumps(v, default=str)))
        options = [option["value"] for option in one.get("options", ())]
        given[name] = draw(st.sampled_from(options) | of_type if options else of_type)
    return tool, given


@cache
def places(path: str) -> list[tuple[str | int, ...]]:
    """The places within a reply that can be spoilt; of lists, the first two items count."""

    def within(value: Any, place: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:  # noqa: ANN401
        yield place
        if isinstance(value, dict):
            for key, item in value.items():
                yield from within(item, (*place, key))
        elif isinstance(value, list):
            for number, item in enumerate(value[:2]):
                yield from within(item, (*place, number))

    return list(within(REPLIES[path], ()))


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """A call, and what one path answers instead: its reply with something wrong in one place."""
    tool, given = draw(st.sampled_from(ASKS))
    path = draw(st.sampled_from(sorted(REPLIES)))
    place = draw(st.sampled_from(places(path)))
    wrong: Any = draw(JSON)
    if not place:
        return tool, given, {path: wrong}
    changed = copy.copy(REPLIES[path])
    inside: Any = changed
    for step in place[:-1]:
        inside[step] = copy.copy(inside[step])
        inside = inside[step]
    inside[place[-1]] = wrong
    return tool, given, {path: changed}


@cache
def recorded(path: str) -> bytes:
    return written(path, REPLIES[path])


def written(path: str, reply: Any) -> bytes:  # noqa: ANN401
    """A reply as bytes; `info` of a job is JSON inside of JSON."""
    if path.endswith("2img") and isinstance(reply, dict) and isinstance(reply.get("info"), dict):
        reply = reply | {"info": json.dumps(reply["info"])}
    return json.dumps(reply).encode()


def try_call(tool: str, asked: dict[str, Any], instead: dict[str, Any]) -> None:
    """Call a tool as the SDK does, up to the line that it writes."""

    def answer(request: PreparedRequest) -> tuple[int, dict[str, str], bytes]:
        path = urlsplit(str(request.url)).path
        if path == "/files/1":
            return 200, {}, picture(8, 8)
        if path in instead:
            return 200, {}, written(path, instead[path])
        return (200, {}, recorded(path)) if path in REPLIES else (404, {}, b"{}")

    lasting.forget()
    with RequestsMock(assert_all_requests_are_fired=False) as http:
        for method in ("GET", "POST"):
            http.add_callback(method, re.compile(".*"), answer)
        try:
            made = TOOLS[tool].from_credentials({"base_url": WEBUI, "timeout": 1})
            lines = [one.model_dump_json() for one in made.invoke(USUAL[tool] | asked)]
        except (InvokeError, CredentialsValidateFailedError) as error:
            lines = [str(error.args[0])]
            assert "mistake of the plugin" not in lines[0]
    assert all(len(line.encode()) < MAX_LINE_BYTES for line in lines)


def often(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=timedelta(seconds=5),
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.parametrize("examples", [100, pytest.param(10_000, marks=pytest.mark.slow)])
def test_whatever_is_filled_in_gives_a_picture_or_an_error_of_ours(examples: int) -> None:
    @often(examples)
    @given(calls())
    def holds(call: tuple[str, dict[str, Any]]) -> None:
        try_call(*call, {})

    holds()


@pytest.mark.parametrize("examples", [100, pytest.param(10_000, marks=pytest.mark.slow)])
def test_whatever_a_server_says_gives_a_picture_or_an_error_of_ours(examples: int) -> None:
    @often(examples)
    @given(spoilt())
    def holds(asked: tuple[str, dict[str, Any], dict[str, Any]]) -> None:
        try_call(*asked)

    holds()
