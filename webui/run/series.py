"""A call's pictures, a job each, one after the other, and none that is done lost to a failure."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from webui.call import Call
from webui.errors import StableDiffusionError
from webui.pictures.picture import Picture, Source
from webui.request.request import Request
from webui.run.generation import Generation
from webui.run.progress import Progress


@dataclass(frozen=True)
class Outcome:
    """What came of one picture: another one, or words."""

    source: Source
    came: Picture | str


class Series:
    """Iterate over `events`; the call's timeout holds for all pictures together.

    request_for: the job that one picture becomes. undone: what those are that were not reached,
    such as "Not enlarged". warnings: taken note of while it goes on.
    """

    def __init__(self, call: Call, request_for: Callable[[Picture], Request], undone: str) -> None:
        self._call = call
        self._request_for = request_for
        self._undone = undone
        self._submitted = time.monotonic()
        self._has_given = False
        self.warnings: list[str] = []

    @property
    def elapsed(self) -> float:
        """Seconds, to a tenth."""
        return round(time.monotonic() - self._submitted, 1)

    def events(self) -> Iterator[Outcome | Progress]:
        """Yield what comes of each picture, and how far it is.

        Raises StableDiffusionError; but when something was already given, it stops with a warning,
        for a call that fails gives its caller nothing.
        """
        sources: Sequence[Source] = self._call.asked["images"]
        for place, source in enumerate(sources):
            part = f"{place + 1}/{len(sources)}" if len(sources) > 1 else ""
            if place:
                yield Progress(share=0.0, elapsed=0.0, part=part)
            try:
                for event in self._work_on(source):
                    yield event.within(part) if isinstance(event, Progress) else event
            except StableDiffusionError as error:
                if not self._has_given:
                    raise
                missing = ", ".join(one.name for one in sources[place:])
                self.warnings.append(f"{self._undone}: {missing}. {error}")
                return

    def _work_on(self, source: Source) -> Iterator[Outcome | Progress]:
        """Yield what comes of one, within what is left of the time."""
        # A call that gives something succeeds, so nobody would come back for the rest.
        resume = not self._has_given
        request = self._request_for(source.picture)
        with Generation.begin(self._call, request, resume=resume) as generation:
            for event in generation.events():
                if isinstance(event, Progress):
                    yield event
                    continue
                self._has_given = True
                yield Outcome(source, event)
        text = generation.account.text
        if text is not None:
            self._has_given = True
            yield Outcome(source, text)
        self.warnings += generation.warnings
