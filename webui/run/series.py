"""A call's pictures, a job each, as many at once as is allowed; none that is done is lost."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from queue import Empty, Queue
from threading import Thread

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

    As many are worked on at once as the settings allow; what comes of each waits in memory for its
    turn, a picture or two. request_for: the job that one picture becomes. undone: what those are
    that were not reached, such as "Not enlarged". warnings: taken note of while it goes on.
    """

    def __init__(self, call: Call, request_for: Callable[[Picture], Request], undone: str) -> None:
        self._call = call
        self._request_for = request_for
        self._undone = undone
        self._submitted = time.monotonic()
        self._works = [_Work(source, self._lead) for source in call.asked["images"]]
        self.warnings: list[str] = []

    @property
    def elapsed(self) -> float:
        """Seconds, to a tenth."""
        return round(time.monotonic() - self._submitted, 1)

    def events(self) -> Iterator[Outcome | Progress]:
        """Yield what comes of each picture, in their order, and how far it is.

        After a failure no more are begun. If nothing came, it is raised; otherwise this ends with
        a warning, for a call that fails gives its caller nothing.
        """
        try:
            for place, work in enumerate(self._works):
                self._begin(self._works[place : place + self._call.settings.parallel])
                part = f"{place + 1}/{len(self._works)}" if len(self._works) > 1 else ""
                if place and work.has_begun:
                    yield work.latest.within(part)
                for event in work.events():
                    yield event.within(part) if isinstance(event, Progress) else event
        finally:
            for work in self._works:
                work.drop()
        self._conclude()

    @property
    def _has_given(self) -> bool:
        return any(work.has_given for work in self._works)

    @property
    def _errors(self) -> list[StableDiffusionError]:
        return [work.error for work in self._works if work.error is not None]

    def _begin(self, works: Sequence["_Work"]) -> None:
        for work in works:
            if not work.has_begun and not self._errors:
                work.begin()

    def _lead(self, work: "_Work") -> Iterator[Outcome | Progress]:
        """Yield what comes of one, within what is left of the time."""
        request = self._request_for(work.source.picture)
        with Generation.begin(self._call, request, resume=not self._has_given) as generation:
            work.generation = generation
            if self._has_given:  # Meanwhile, perhaps.
                generation.resume = False
            if work.is_dropped:
                return
            for event in generation.events():
                if isinstance(event, Progress):
                    yield event
                    continue
                self._note_given(work)
                yield Outcome(work.source, event)
        if (text := generation.account.text) is not None:
            self._note_given(work)
            yield Outcome(work.source, text)
        work.warnings = generation.warnings

    def _note_given(self, work: "_Work") -> None:
        """Keep none of the rest: a call that gives something succeeds, and nobody comes back."""
        work.has_given = True
        for one in self._works:
            if (generation := one.generation) is not None:
                generation.resume = False

    def _conclude(self) -> None:
        for work in self._works:
            self.warnings += work.warnings
        errors = self._errors
        if errors and not self._has_given:
            raise errors[0]
        undone: dict[str, list[str]] = {}
        for work in self._works:
            if work.error or not work.has_begun:
                undone.setdefault(str(work.error or errors[0]), []).append(work.source.name)
        for error, names in undone.items():
            self.warnings.append(f"{self._undone}: {', '.join(names)}. {error}")


class _Work:
    """One picture, led through in a thread of its own, where its time is kept.

    latest: how far it was when nobody listened yet. error, warnings: there when `events` has ended.
    """

    def __init__(
        self, source: Source, lead: Callable[["_Work"], Iterator[Outcome | Progress]]
    ) -> None:
        self.source = source
        self.generation: Generation | None = None
        self.has_begun = self.has_given = self.is_dropped = False
        self.latest = Progress(share=0.0, elapsed=0.0)
        self.error: StableDiffusionError | None = None
        self.warnings: list[str] = []
        self._lead = lead
        self._is_heard = False
        self._mistake: BaseException | None = None
        # Room for what is asked for and the end: a server that sends more waits for a taker.
        self._events = Queue[Outcome | Progress | None](2)

    def begin(self) -> None:
        """Work on it from now on."""
        self.has_begun = True
        Thread(target=self._run, daemon=True).start()

    def events(self) -> Iterator[Outcome | Progress]:
        """Yield them as they come; none if it was not begun."""
        self._is_heard = True
        while self.has_begun and (event := self._events.get()) is not None:
            yield event
        if self._mistake is not None:
            raise self._mistake

    def drop(self) -> None:
        """Nobody waits for it any more, nor for room to put what came of it."""
        self.is_dropped = True
        if (generation := self.generation) is not None:
            generation.drop()
        with contextlib.suppress(Empty):
            while True:
                self._events.get_nowait()

    def _put(self, event: Outcome | Progress | None) -> None:
        if not self.is_dropped:
            self._events.put(event)

    def _run(self) -> None:
        try:
            for event in self._lead(self):
                if isinstance(event, Progress) and not self._is_heard:
                    self.latest = event
                else:
                    self._put(event)
        except StableDiffusionError as error:
            self.error = error
        except BaseException as error:
            # A mistake of ours: the call reports it, and the log has it too.
            self._mistake = error
            raise
        finally:
            # With it goes the request, which holds the picture.
            self.generation = None
            self._put(None)
