from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from dify.messages import hand_over
from support.dify_files import picture
from tools.txt2img import Txt2ImgTool
from webui.errors import WebUIServerError
from webui.pictures.picture import identify_picture
from webui.report import Event
from webui.run.progress import Progress
from webui.run.summary import Image
from webui.values import Fields


@dataclass
class Told:
    """The report of a call."""

    all: Fields | None

    def json(self) -> Fields | None:
        return self.all

    def text(self) -> str:
        return "1 image."

    def variables(self) -> Fields:
        return {"seed": 7, "model": "dream"}


def handed_over(*events: Event) -> list[tuple[str, dict[str, Any]]]:
    messages = hand_over(Txt2ImgTool.from_credentials({}), events)
    return [(one.type.value, vars(one.message) | (one.meta or {})) for one in messages]


def variable(name: str, value: object, stream: bool = False) -> tuple[str, dict[str, Any]]:
    return "variable", {"variable_name": name, "variable_value": value, "stream": stream}


def test_events_become_messages_as_they_come() -> None:
    found = Image("a.png", identify_picture(picture()))
    assert handed_over(Progress(share=0.5), found, Told({"images": []})) == [
        variable("progress", "50 %", stream=True),
        variable("progress", "\n", stream=True),
        ("blob", {"blob": picture(), "mime_type": "image/png", "filename": "a.png"}),
        ("json", {"json_object": {"images": []}}),
        ("text", {"text": "1 image."}),
        variable("seed", 7),
        variable("model", "dream"),
    ]


def test_a_report_for_a_language_model_has_no_json() -> None:
    assert [kind for kind, _ in handed_over(Told(None))] == ["text", "variable", "variable"]


def pieces(events: Iterable[Event]) -> Iterator[str]:
    """What is streamed of the line of progress."""
    for one in hand_over(Txt2ImgTool.from_credentials({}), events):
        if one.type is one.MessageType.VARIABLE and getattr(one.message, "stream", False):
            yield getattr(one.message, "variable_value", "")


@pytest.mark.parametrize(
    ("events", "line"),
    [
        ([Progress(share=0.0), Progress(share=0.29), Progress(share=1.0)], "0 % · 29 % · 100 %"),
        # Within a tenth nothing is new, until half a minute has passed.
        ([Progress(share=0.31, elapsed=3.0), Progress(share=0.33, elapsed=32.0)], "31 %"),
        ([Progress(share=0.31, elapsed=3.0), Progress(share=0.33, elapsed=33.0)], "31 % · 33 %"),
        ([Progress("2/14"), Progress("2/14"), Progress("1/14"), Progress("…"), Progress(share=0)],
         "⏳ 2/14 · ⏳ 1/14 · ⏳ … · 0 %"),
        ([Progress(share=0.5, is_ours=False)], "(50 %)"),
        ([Progress(share=0.5, part="1/2"), Progress(share=0.5, is_ours=False, part="2/2")],
         "[1/2] 50 % · [2/2] (50 %)"),
        # Where nobody can tell, the seconds show that it still runs.
        ([Progress(elapsed=30.4), Progress(elapsed=60.2, part="2/2")], "30 s · [2/2] 60 s"),
    ],
)  # fmt: skip
def test_the_line_of_progress_grows_in_numbers(events: list[Progress], line: str) -> None:
    assert "".join(pieces(events)) == line


@pytest.mark.parametrize(
    "at",
    [
        lambda _: Progress(),
        lambda second: Progress(share=second / 1200),
        # A tenth comes just after each fourth half minute.
        lambda second: Progress(share=second / 1230),
        lambda second: Progress(f"{(1200 - second) // 20}/60"),
        lambda second: Progress(share=second % 60 / 60, part=f"{second // 60}/20"),
    ],
    ids=["nothing known", "share", "awkward share", "long queue", "many parts"],
)
def test_twenty_minutes_of_progress_are_few_pieces(at: Callable[[int], Progress]) -> None:
    news = [at(second).after(float(second)) for second in range(0, 1200, 3)]
    told = list(pieces(news))
    assert 30 <= len(told) <= 45


def test_the_line_ends_before_a_picture_and_another_begins() -> None:
    found = Image("a.png", identify_picture(picture()))
    events: list[Event] = [Progress(share=0.5), found, found, Progress(share=0.9), Told(None)]
    assert list(pieces(events)) == ["50 %", "\n", "90 %", "\n"]


def test_the_line_ends_before_an_error_too() -> None:
    def failing() -> Iterator[Event]:
        yield Progress(share=0.5)
        raise WebUIServerError("It failed.")

    told = pieces(failing())
    assert [next(told), next(told)] == ["50 %", "\n"]
    with pytest.raises(WebUIServerError):
        next(told)


def test_a_picture_that_comes_at_once_leaves_progress_empty_rather_than_unset() -> None:
    # An answer shows a variable that was never sent by its name, "1003.progress".
    found = Image("a.png", identify_picture(picture()))
    assert handed_over(found, found)[0] == variable("progress", "", stream=True)
    assert [kind for kind, _ in handed_over(found, found)] == ["variable", "blob", "blob"]
