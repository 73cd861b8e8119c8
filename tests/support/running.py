"""One call by txt2img in a thread of its own, with its caller's patience."""

import math
import sys
import threading
import time
from typing import Any

from devtools.standin import StandIn
from webui.call import Call, Limits
from webui.draw import txt2img
from webui.http.address import parse_address
from webui.http.settings import Settings
from webui.report import Event
from webui.run.progress import Progress
from webui.run.summary import Image, Summary


class Run:
    """One call, in a thread of its own.

    patience: seconds until its caller listens no longer. leave_at: the first such event is the last
    that is taken. arrived_at: the time.monotonic() of the first picture.
    """

    def __init__(
        self,
        where: StandIn | str,
        *,
        patience: float = math.inf,
        largest: int = sys.maxsize,
        leave_at: type[Event] | None = None,
        **asked: Any,  # noqa: ANN401 - a form's values
    ) -> None:
        base_url = where if isinstance(where, str) else where.base_url
        limits = Limits(time.monotonic() + patience, largest)
        fields = {"prompt": "a cat", "width": 64, "height": 64, "seed": 5} | asked
        self._call = Call(fields, Settings(parse_address(base_url)), limits)
        self.arrived_at = math.inf
        self._leave_at = leave_at
        self._events: list[Event] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            for event in txt2img(self._call):
                self._events.append(event)
                if isinstance(event, Image):
                    self.arrived_at = min(self.arrived_at, time.monotonic())
                if self._leave_at and isinstance(event, self._leave_at):
                    break
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test looks at it
            self._error = error

    def events[E](self, kind: type[E]) -> list[E]:
        """What came of this kind, when all is done."""
        self._thread.join(30)
        assert not self._thread.is_alive()
        return [event for event in self._events if isinstance(event, kind)]

    def done(self) -> tuple[Summary, list[Image]]:
        """What came of a call that succeeds."""
        images, summaries = self.events(Image), self.events(Summary)
        assert self._error is None, repr(self._error)
        (summary,) = summaries
        return summary, images

    def failure(self, kind: type[BaseException]) -> str:
        self.events(Progress)
        assert isinstance(self._error, kind), repr(self._error)
        return str(self._error)
