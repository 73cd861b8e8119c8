"""What a call gives: pictures and progress while it goes on, a report at its end."""

from typing import Protocol

from webui.run.progress import Progress
from webui.run.summary import Image
from webui.values import Fields


class Report(Protocol):
    """All there is to say at the end, for programs, for people, and for the next node."""

    def json(self) -> Fields | None:
        """Return one object that says it all; None where only a language model would read it."""

    def text(self) -> str:
        """In words."""

    def variables(self) -> Fields:
        """By the names of the tool's outputs."""


type Event = Image | Progress | Report
