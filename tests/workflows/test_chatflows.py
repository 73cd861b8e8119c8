"""The examples of chatflows, with a stand-in for the language model."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from devtools.standin import StandIn
from devtools.standin.chat import ChatStandIn, Reply
from devtools.workflow import Host, WorkflowError
from support.dify_files import picture
from support.drawing import all_sent, sent
from support.workflows import example, sizes, upload


@contextmanager
def talking(dify: Host, replies: Iterable[Reply] = ()) -> Iterator[tuple[Host, ChatStandIn]]:
    """A Dify whose language model says these."""
    with ChatStandIn(replies) as model:
        yield replace(dify, llm=model.base_url), model


def test_a_wish_becomes_a_prompt_and_the_prompt_a_picture(dify: Host, standin: StandIn) -> None:
    with talking(dify, ["a lighthouse, dawn light"]) as (host, model):
        came = example("chat-and-draw.yml").run(host, {}, query="Leuchtturm bei Sonnenaufgang")

    (asked,) = model.received
    assert [one["role"] for one in asked["messages"]] == ["system", "user"]
    assert asked["messages"][1]["content"] == "Leuchtturm bei Sonnenaufgang"
    assert sent(standin)["prompt"] == "a lighthouse, dawn light"
    assert sizes(dify.files, came.outputs["files"].value) == [(64, 96)]
    assert re.search(r"\nSeed: \d+\.$", came.outputs["answer"])
    # The prompt is read while the picture is drawn, a word at a time.
    assert came.shown[:4] == ["a", " lighthouse,", " dawn", " light"]
    assert "".join(came.shown) == came.outputs["answer"]


def test_what_the_model_thinks_before_the_prompt_is_not_drawn(dify: Host, standin: StandIn) -> None:
    with talking(dify, ["<think>\nA short one will do.\n</think>\n\na lighthouse"]) as (host, _):
        example("chat-and-draw.yml").run(host, {}, query="Leuchtturm")
    assert sent(standin)["prompt"] == "a lighthouse"


@pytest.mark.slow
def test_a_chat_shows_how_far_it_is_before_the_picture(dify: Host) -> None:
    with StandIn(delay=8) as standin, talking(dify) as (host, _):
        host = replace(host, credentials={"base_url": standin.base_url})
        came = example("chat-and-draw.yml").run(host, {}, query="a cat")
    assert len(came.progress) >= 2
    places = [came.shown.index(one) for one in came.progress]
    picture_at = next(at for at, one in enumerate(came.shown) if one.startswith("!["))
    assert places == sorted(places)
    assert came.shown.index("a") < places[0] < places[-1] < picture_at


def test_an_agent_looks_up_names_draws_and_answers(dify: Host, standin: StandIn) -> None:
    replies: list[Reply] = [
        ("server_info", {"list": "samplers"}),
        ("draw", {"prompt": "a cat", "width": 64, "height": 64}),
        "Here is your cat.",
    ]
    with talking(dify, replies) as (host, model):
        came = example("agent-draws.yml").run(host, {}, query="Zeichne eine Katze")

    first, second, third = model.received
    assert {one["function"]["name"] for one in first["tools"]} == {"draw", "server_info"}
    assert [one["role"] for one in first["messages"]] == ["system", "user"]
    assert "Euler a" in second["messages"][-1]["content"]
    assert "64x64" in third["messages"][-1]["content"]
    assert len(all_sent(standin)) == 1
    assert came.outputs["answer"].startswith("Here is your cat.\n\n![draw-")
    assert sizes(dify.files, came.outputs["files"].value) == [(64, 64)]


def test_an_agent_that_draws_on_and_on_ends_without_an_answer(dify: Host, standin: StandIn) -> None:
    wish: Reply = ("draw", {"prompt": "a cat", "width": 64, "height": 64})
    with talking(dify, [wish] * 9) as (host, model):
        came = example("agent-draws.yml").run(host, {}, query="a cat")
    assert (len(model.received), len(all_sent(standin))) == (5, 4)
    assert came.outputs["answer"].strip().startswith("![draw-")


def test_an_agent_reads_the_plugin_s_sentence_alone(dify: Host) -> None:
    with talking(dify, [("draw", {"prompt": "a cat", "model": "nobody"}), "No."]) as (host, model):
        example("agent-draws.yml").run(host, {}, query="a cat")
    said = model.received[-1]["messages"][-1]["content"]
    assert said.startswith("tool invoke error: model: AUTOMATIC1111 has no model named 'nobody'.")
    assert "Traceback" not in said


@pytest.mark.parametrize("masked", [True, False])
def test_a_photo_is_restyled_whole_or_where_the_mask_says(
    dify: Host, standin: StandIn, tmp_path: Path, masked: bool
) -> None:
    uploads = [upload(dify.files, tmp_path / "photo.png", picture(64, 96))]
    if masked:
        mask = picture(64, 96, mode="L")
        uploads.insert(0, upload(dify.files, tmp_path / "my mask.png", mask))
    came = example("restyle-a-photo.yml").run(
        dify, {"strength": "0.4"}, query="as watercolour", uploads=uploads
    )
    posted = sent(standin, "img2img")
    assert (posted["prompt"], posted["denoising_strength"]) == ("as watercolour", 0.4)
    assert ("mask" in posted) == masked
    assert sizes(dify.files, came.outputs["files"].value) == [(64, 96)]


def test_a_restyler_without_a_photo_asks_for_one(dify: Host) -> None:
    with pytest.raises(WorkflowError, match=r"^image"):
        example("restyle-a-photo.yml").run(dify, {}, query="as watercolour")


def test_a_wish_is_drawn_along_the_lines_of_a_photo(dify: Host, tmp_path: Path) -> None:
    photo = upload(dify.files, tmp_path / "photo.png", picture(64, 96))
    with StandIn(extensions=["controlnet"]) as standin:
        host = replace(dify, credentials={"base_url": standin.base_url})
        came = example("control-a-photo.yml").run(
            host, {}, query="an oil painting of this", uploads=[photo]
        )
    posted = sent(standin)
    (unit,) = posted["alwayson_scripts"]["ControlNet"]["args"]
    assert posted["prompt"] == "an oil painting of this"
    assert (unit["module"], "canny" in unit["model"]) == ("canny", True)
    assert sizes(dify.files, came.outputs["files"].value)[0] == (64, 96)
    assert re.search(r"\nSeed: \d+\.$", came.outputs["answer"])


def test_controlnet_that_is_missing_is_named_in_the_chat(
    dify: Host, standin: StandIn, tmp_path: Path
) -> None:
    photo = upload(dify.files, tmp_path / "photo.png", picture(8, 8))
    with pytest.raises(WorkflowError, match="sd-webui-controlnet"):
        example("control-a-photo.yml").run(dify, {}, query="a cat", uploads=[photo])
    assert all_sent(standin) == []


def test_a_chat_says_that_a_wish_was_drawn_without_a_photo(dify: Host) -> None:
    came = example("control-a-photo.yml").run(dify, {}, query="a cat")
    assert "control_type has no effect without control_image." in came.outputs["answer"]


def test_a_photo_is_put_into_words_and_these_with_the_wish_into_a_prompt(
    dify: Host, standin: StandIn, tmp_path: Path
) -> None:
    photo = upload(dify.files, tmp_path / "photo.png", picture(64, 96))
    with talking(dify, ["a harbour, snow"]) as (host, model):
        came = example("describe-and-redraw.yml").run(host, {}, query="im Winter", uploads=[photo])
    (asked,) = model.received
    assert asked["messages"][1]["content"] == "Photo: clip, 64x96\n\nWish: im Winter"
    assert sent(standin)["prompt"] == "a harbour, snow"
    assert sizes(dify.files, came.outputs["files"].value) == [(64, 96)]
    answer = came.outputs["answer"]
    # Dify shows the name of a variable that was never sent.
    assert "progress" not in answer
    told = [answer.index(one) for one in ("clip, 64x96", "a harbour, snow", "![")]
    assert told == sorted(told)


def test_a_model_that_cannot_be_reached_fails_the_run(dify: Host) -> None:
    host = replace(dify, llm="http://127.0.0.1:9/v1")
    with pytest.raises(WorkflowError, match=r"127\.0\.0\.1"):
        example("chat-and-draw.yml").run(host, {}, query="a cat")
