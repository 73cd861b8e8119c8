"""caption through the real SDK class against the stand-in."""

from typing import Any

import pytest

from devtools.standin import StandIn
from support.dify_files import picture, served_each
from support.drawing import Drawn, all_sent, collected, invoke, lying_picture, refused, sent
from tools.caption import CaptionTool
from webui import errors
from webui.http import client

JOB = "interrogate"
PATH = f"/sdapi/v1/{JOB}"


def caption(standin: StandIn, *sources: bytes, **given: object) -> Drawn:
    """Of a PNG of 96x64 unless `sources` are given."""
    with served_each(*(sources or (picture(),))) as images:
        return Drawn(invoke(CaptionTool, standin, {"images": images, **given}))


def test_a_picture_becomes_words_that_are_text_and_variables(standin: StandIn) -> None:
    drawn = caption(standin)
    request = sent(standin, JOB)
    assert {request.pop("force_task_id"), request.pop("image")}
    assert request == {"model": "clip"}
    elapsed = drawn.variables["elapsed_seconds"]
    words = "clip, 96x64"
    assert drawn.text == words
    assert drawn.progress == [""]
    assert drawn.variables == {
        "caption": words, "captions": [words], "warnings": [], "elapsed_seconds": elapsed,
    }  # fmt: skip
    assert drawn.json == {
        "captions": [{"source": "1.png", "caption": words}],
        "method": "clip", "request": request, "warnings": [], "elapsed_seconds": elapsed,
    }  # fmt: skip
    assert drawn.files == []


def test_several_are_described_in_order_and_the_line_of_progress_counts_them(
    standin: StandIn,
) -> None:
    drawn = caption(standin, picture(64, 64), picture(8, 16), caption_method="deepbooru")
    assert drawn.text == "1.png: deepdanbooru, 64x64\n2.png: deepdanbooru, 8x16"
    assert drawn.variables["captions"] == ["deepdanbooru, 64x64", "deepdanbooru, 8x16"]
    assert "".join(drawn.progress) == "[2/2] 0 %\n"


@pytest.mark.parametrize(
    ("said", "words", "warning"),
    [
        ({"caption": "a cat<error>"}, "a cat", "1.png is described in part at the most"),
        ({"caption": " "}, "", "1.png: the server found no words for it."),
    ],
)
def test_what_a_server_said_of_a_failure_is_no_caption(
    standin: StandIn, said: dict[str, Any], words: str, warning: str
) -> None:
    standin.fail_next(PATH, status=200, body=said)
    drawn = caption(standin)
    assert (drawn.variables["caption"], drawn.json["captions"][0]["caption"]) == (words, words)
    (told,) = drawn.warnings
    assert told.startswith(warning)


@pytest.mark.parametrize(
    ("said", "kind", "match"),
    [
        ({"caption": "<error>"}, errors.WebUIServerError, "failed to describe 1.png: error"),
        ({"caption": None}, errors.WebUIResponseError, "without the text asked for"),
        ({"caption": ["a cat"]}, errors.WebUIResponseError, "without the text asked for"),
        ({"caption": "x" * 200_000}, errors.WebUIResponseError, "without the text asked for"),
        ({"images": ["eHh4"]}, errors.WebUIResponseError, "is not an image"),
        ("<html>", errors.WebUIResponseError, "not as a Stable Diffusion WebUI does"),
    ],
)
def test_a_reply_without_a_caption_is_an_error(
    standin: StandIn, said: object, kind: type[errors.WebUIError], match: str
) -> None:
    standin.fail_next(PATH, status=200, body=said)
    with refused(kind, match=match):
        caption(standin)


def test_an_empty_answer_of_a_vision_model_and_its_error_are_told_apart() -> None:
    with StandIn(family="sdnext") as standin:
        standin.fail_next("/sdapi/v1/vqa", status=200, body={"answer": "error"})
        with refused(errors.WebUIServerError, match="failed to describe 1.png: error"):
            caption(standin)
        standin.fail_next("/sdapi/v1/vqa", status=200, body={"answer": "an error message"})
        assert caption(standin).text == "an error message"


@pytest.mark.parametrize(
    ("default", "words"),
    [
        ("OpenCLiP", "ViT-L-14/openai"),
        ("Tagger", "wd-eva02-large-tagger-v3"),
        ("VLM", "Normal Caption"),
        (5, "Normal Caption"),
    ],
)
def test_sdnext_describes_as_its_own_settings_say(default: object, words: str) -> None:
    with StandIn(family="sdnext") as standin:
        standin.state.options["caption_default_type"] = default
        standin.state.listed["caption_default_type"] = None
        assert caption(standin).text == f"{words}, 96x64"
        assert caption(standin, caption_question="Why?").text == "Why?, 96x64"


def test_a_family_that_does_not_turn_photos_says_so() -> None:
    with StandIn(family="sdnext") as standin:
        drawn = caption(standin, lying_picture(), caption_method="clip")
    assert drawn.warnings == ["1.png: SD.Next does not turn it as its EXIF data says."]
    with StandIn() as standin:
        drawn = caption(standin, lying_picture())
    assert (drawn.text, drawn.warnings) == ("clip, 64x96", [])


def test_a_failure_after_the_first_keeps_what_is_done(standin: StandIn) -> None:
    standin.fail_next(PATH, status=200, body={"caption": "a cat"})
    standin.fail_next(PATH, body={"error": "RuntimeError", "errors": "no such model"})
    drawn = caption(standin, *[picture()] * 3)
    assert drawn.variables["captions"] == ["a cat"]
    (warning,) = drawn.warnings
    assert warning.startswith("Not described: 2.png, 3.png. ")
    assert "no such model" in warning


@pytest.mark.slow
def test_a_caption_that_outlasts_dify_is_collected_by_the_next_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with StandIn(delay=1.0) as standin, served_each(picture()) as images:
        given = {"images": images}
        drawn = collected(monkeypatch, lambda: Drawn(invoke(CaptionTool, standin, given)))
        assert drawn.text == "clip, 96x64"
        assert len(all_sent(standin, JOB)) == 1


def test_settings_that_a_busy_server_does_not_tell_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(client, "LOOKUP_PATIENCE", 0.3)
    with StandIn(family="sdnext") as standin:
        standin.hang_next("/sdapi/v1/options")
        drawn = caption(standin, caption_method="clip")
    (warning,) = drawn.warnings
    assert warning.startswith("The server did not say in time which options it has")
