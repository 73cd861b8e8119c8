from dataclasses import dataclass
from typing import Any

from dify.messages import hand_over
from support.dify_files import picture
from tools.txt2img import Txt2ImgTool
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
    assert handed_over(Progress("Drawing", 0.5), found, Told({"images": []})) == [
        variable("progress", "Drawing 50%\n", stream=True),
        ("blob", {"blob": picture(), "mime_type": "image/png", "filename": "a.png"}),
        ("json", {"json_object": {"images": []}}),
        ("text", {"text": "1 image."}),
        variable("seed", 7),
        variable("model", "dream"),
    ]


def test_a_report_for_a_language_model_has_no_json() -> None:
    assert [kind for kind, _ in handed_over(Told(None))] == ["text", "variable", "variable"]


def test_a_picture_that_comes_at_once_leaves_progress_empty_rather_than_unset() -> None:
    # An answer shows a variable that was never sent by its name, "1003.progress".
    found = Image("a.png", identify_picture(picture()))
    assert handed_over(found, found)[0] == variable("progress", "", stream=True)
    assert [kind for kind, _ in handed_over(found, found)] == ["variable", "blob", "blob"]
