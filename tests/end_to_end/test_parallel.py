"""One call as several requests side by side: the same pictures, and parts that fail apart."""

import base64
import io
import threading
import time
from typing import Any

import pytest
from dify_plugin.entities.tool import ToolInvokeMessage
from PIL import Image

from devtools.standin import FAMILIES, StandIn
from dify.limits import EXECUTION_VARIABLE
from support.dify_files import picture, served_each
from support.drawing import Drawn, all_sent, collected, draw, invoke, refused, until
from support.standins import StandIns
from tools.upscale import UpscaleTool
from webui.errors import WebUIServerError
from webui.http import reply
from webui.pictures.picture import Picture, decode_picture
from webui.run.generation import Generation

FOUR = {"parallel": "4"}
UPSCALE = "extra-single-image"
WAYS: list[dict[str, Any]] = [
    {"n_iter": 4, "seed": 7},
    {"n_iter": 5, "batch_size": 2, "seed": 7},
    {"n_iter": 3, "seed": 7, "subseed": 40, "subseed_strength": 0.3},
    {"n_iter": 2, "seed": 7, "subseed": 40},
]


def pixels(found: Drawn) -> list[bytes]:
    return [Image.open(io.BytesIO(data)).tobytes() for data, _ in found.files]


@pytest.mark.parametrize("given", WAYS, ids=repr)
@pytest.mark.parametrize(
    "family",
    [
        pytest.param(name, marks=[] if name in {"a1111", "sdnext"} else [pytest.mark.slow])
        for name in FAMILIES
        if name != "sdcpp"
    ],
)
def test_the_pictures_and_what_is_told_of_them_are_those_of_one_request(
    standins: StandIns, family: str, given: dict[str, Any]
) -> None:
    whole = draw(standins.of(family), **given)
    cut = draw(standins.of(family), FOUR, **given)
    assert pixels(cut) == pixels(whole)
    # A random variation seed that has no effect is another each time.
    told = ["all_seeds", "infotexts", *(["all_subseeds"] if "subseed" in given else [])]
    for name in told:
        assert cut.json["info"].get(name) == whole.json["info"].get(name)
    assert cut.variables["seeds"] == whole.variables["seeds"]
    assert cut.warnings == whole.warnings


def test_each_request_has_its_share_of_batches(standin: StandIn) -> None:
    draw(standin, FOUR, n_iter=6, batch_size=2, seed=1)
    told = [(one["n_iter"], one["seed"]) for one in all_sent(standin)]
    assert sorted(told) == [(1, 9), (1, 11), (2, 1), (2, 5)]


def test_a_random_seed_is_drawn_once_for_all(standin: StandIn) -> None:
    seeds = draw(standin, FOUR, n_iter=4).variables["seeds"]
    assert seeds == [seeds[0] + place for place in range(4)]


@pytest.mark.parametrize("given", [{}, {"n_iter": 1, "batch_size": 4}], ids=repr)
def test_without_several_batches_it_is_one_request(standin: StandIn, given: dict[str, Any]) -> None:
    draw(standin, FOUR, **given)
    assert len(all_sent(standin)) == 1


@pytest.mark.parametrize(
    "given",
    [
        {"script_name": "prompt matrix"},
        {"save_images": True},
        {"alwayson_scripts": {"Seed": {"args": []}}},
    ],
    ids=repr,
)
def test_what_sees_all_batches_is_not_cut(standin: StandIn, given: dict[str, Any]) -> None:
    found = draw(standin, FOUR, n_iter=2, seed=1, **given)
    assert len(all_sent(standin)) == 1
    assert not [one for one in found.warnings if "parallel" in one]


def test_a_server_without_batches_draws_one_after_the_other() -> None:
    with StandIn(family="sdcpp") as standin:
        found = draw(standin, n_iter=3, batch_size=2, seed=5)
        sent = all_sent(standin)
    assert [(one["seed"], "n_iter" in one) for one in sent] == [(5, False), (7, False), (9, False)]
    assert (found.variables["seeds"], found.warnings) == ([5, 6, 7, 8, 9, 10], [])


def test_a_part_that_fails_loses_its_own_pictures_alone(standin: StandIn) -> None:
    standin.fail_next("/sdapi/v1/txt2img", status=500, body={"error": "OutOfMemoryError"})
    found = draw(standin, {"parallel": "2"}, n_iter=4, seed=10)
    assert len(found.files) == 2
    missing = [one for one in found.warnings if one.startswith("Missing: seeds ")]
    assert len(missing) == 1
    assert "The graphics memory of" in missing[0]
    lost = [int(seed) for seed in missing[0][15:].split(".")[0].split(", ")]
    assert sorted([*found.variables["seeds"], *lost]) == [10, 11, 12, 13]


def test_if_all_fail_the_error_is_theirs(standin: StandIn) -> None:
    for _ in range(2):
        standin.fail_next("/sdapi/v1/txt2img", status=500, body={"error": "RuntimeError: x"})
    with refused(WebUIServerError, match="RuntimeError: x"):
        draw(standin, {"parallel": "2"}, n_iter=2)
    assert len(all_sent(standin)) == 2


@pytest.mark.slow
def test_at_the_deadline_what_is_ready_is_delivered_and_the_rest_is_named() -> None:
    with StandIn(cards=2, delay=1.1) as standin:
        found = draw(standin, {"parallel": "6"}, n_iter=6, seed=10, timeout=1.5)
    # Two in time, two half drawn, and two that waited for a card.
    assert len(found.files) == 4
    missing = [one for one in found.warnings if one.startswith("Missing: seed ")]
    assert len(missing) == 2
    assert all("It is still in the queue" in one for one in missing)


def enlarged(standin: StandIn, count: int, parallel: int = 2, **given: object) -> Drawn:
    asked = {"upscaler_1": "Lanczos", "upscaling_resize": 1, **given}
    with served_each(*(picture(8 * number, 8) for number in range(1, count + 1))) as images:
        called = invoke(UpscaleTool, standin, asked | {"images": images}, {"parallel": parallel})
        return Drawn(called)


def came_and_named(found: Drawn) -> tuple[list[str], list[str]]:
    """Return the pictures of which there is a larger one, and those that a warning names."""
    named = [one.split(": ")[1].split(". ")[0] for one in found.warnings]
    return [one["source"] for one in found.json["images"]], ", ".join(named).split(", ")


def test_several_pictures_are_done_side_by_side_and_come_in_their_order() -> None:
    with StandIn(cards=2, delay=0.3) as standin:
        found = enlarged(standin, 5)
    widths = [Image.open(io.BytesIO(data)).width for data, _ in found.files]
    assert (widths, found.warnings) == ([8, 16, 24, 32, 40], [])
    assert found.variables["elapsed_seconds"] < 5 * 0.3


def test_a_picture_that_fails_loses_none_that_is_begun(standin: StandIn) -> None:
    standin.fail_next(f"/sdapi/v1/{UPSCALE}", body={"error": "RuntimeError: x"})
    came, named = came_and_named(enlarged(standin, 6))
    assert came
    assert sorted(came + named) == [f"{number}.png" for number in range(1, 7)]
    assert len(all_sent(standin, UPSCALE)) < 6


def test_if_no_picture_comes_the_error_is_the_first_one_s(standin: StandIn) -> None:
    for _ in range(2):
        standin.fail_next(f"/sdapi/v1/{UPSCALE}", body={"error": "RuntimeError: x"})
    with refused(WebUIServerError, match="RuntimeError: x"):
        enlarged(standin, 3)
    assert len(all_sent(standin, UPSCALE)) == 2


def test_pictures_side_by_side_have_one_deadline() -> None:
    with StandIn(cards=1, delay=0.6) as standin:
        found = enlarged(standin, 5, parallel=4, timeout=1)
    came, named = came_and_named(found)
    assert came
    assert "5.png" in named
    assert found.variables["elapsed_seconds"] < 1 + 2


@pytest.mark.slow
def test_pictures_side_by_side_that_outlast_dify_are_collected_by_the_next_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with StandIn(cards=2, delay=1.2) as standin:
        found = collected(monkeypatch, lambda: enlarged(standin, 2))
        assert len(all_sent(standin, UPSCALE)) == len(found.files) == 2


def test_what_a_server_sends_beyond_its_picture_is_read_as_it_is_taken(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def decode(text: str) -> Picture:
        read.append(text)
        return decode_picture(text)

    monkeypatch.setattr(reply, "decode_picture", decode)
    many = [picture(8, 8)] * 50
    for _ in range(2):
        body = {"images": [base64.b64encode(one).decode() for one in many]}
        standin.fail_next(f"/sdapi/v1/{UPSCALE}", status=200, body=body)
    before = threading.active_count()
    with served_each(picture(8, 8), picture(8, 8)) as images:
        given = {"upscaler_1": "Lanczos", "images": images}
        came = iter(invoke(UpscaleTool, standin, given, {"parallel": 2}))
        while next(came).type != ToolInvokeMessage.MessageType.BLOB:
            pass
        time.sleep(0.5)
        assert 2 < len(read) < 20
        del came
    until(lambda: threading.active_count() <= before)


@pytest.mark.slow
def test_a_picture_begun_late_is_not_kept_once_another_came(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begin, begun = Generation.begin, iter((0.0, 1.2))

    def begin_late(*given: Any, **more: Any) -> Generation:  # noqa: ANN401 - as it takes them
        generation = begin(*given, **more)
        time.sleep(next(begun))
        return generation

    monkeypatch.setattr(Generation, "begin", begin_late)
    monkeypatch.setenv(EXECUTION_VARIABLE, "2")
    with StandIn(cards=1, delay=0.9) as standin:
        found = enlarged(standin, 2)
    assert len(found.files) == 1
    assert "run this again" not in found.warnings[0]
