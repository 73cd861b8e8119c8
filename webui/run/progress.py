"""How far a job is, from the best source the server has."""

import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, Self

from webui.errors import WebUIError
from webui.http.client import WebUIClient
from webui.http.settings import Settings
from webui.values import Json

# As the WebUI words it: "In queue: 2/14".
_HELD_BACK = "… (429)"
_PLACE = re.compile(r"\d{1,6}/\d{1,6}", re.ASCII)


@dataclass(frozen=True)
class Progress:
    """How far a job is; false where nobody can tell.

    queue: its place among those that wait, as "2/14", or "…" where that is not told, with the
    status of a server that takes no more for now: "… (429)". share: done,
    0 to 1. is_ours: the job is certainly the call's own. elapsed: seconds since the job was
    submitted. part: which of a call's several jobs it is, as "2/3".
    """

    queue: str = ""
    share: float | None = None
    is_ours: bool = True
    elapsed: float | None = None
    part: str = ""

    def __bool__(self) -> bool:
        return bool(self.queue) or self.share is not None

    @classmethod
    def of_share(cls, share: Json, *, is_ours: bool) -> Self:
        """From what a server says, whatever it says."""
        done = share if isinstance(share, int | float) else 0.0
        # What is no number at all is not larger than none.
        return cls(share=min(max(0.0, done), 1.0), is_ours=is_ours)

    def after(self, elapsed: float) -> Self:
        """Return the same, so many seconds after the job was submitted."""
        return replace(self, elapsed=elapsed)

    def within(self, part: str) -> Self:
        """Return the same, of one of several jobs."""
        return replace(self, part=part)


@dataclass(frozen=True)
class TaskState:
    """What `POST /internal/progress` says of one task."""

    active: bool
    queued: bool
    progress: Progress

    @classmethod
    def ask(cls, client: WebUIClient, task_id: str) -> Self | None:
        """Ask the server; None where it knows no tasks (--nowebui, sd.cpp)."""
        found = client.task_progress(task_id)
        if not isinstance(found, dict) or "active" not in found:
            return None
        active, queued = bool(found["active"]), bool(found.get("queued"))
        progress = Progress()
        if active:
            progress = Progress.of_share(found.get("progress"), is_ours=True)
        elif queued:
            place = _PLACE.search(str(found.get("textinfo") or ""))
            progress = Progress(place[0] if place else "…")
        return cls(active, queued, progress)


class Looking(Protocol):
    """Asks how far something is."""

    def look(self) -> Progress:
        """Return how far it is."""

    def end(self) -> None:
        """Ask no more."""


class Lookout:
    """Asks after one job; a source that does not answer at first is not asked again.

    is_held_back: whether the job waits here, as the server takes no more for now.
    """

    def __init__(
        self, settings: Settings, task_id: str, is_held_back: Callable[[], bool] = lambda: False
    ) -> None:
        self._client = WebUIClient(settings, task_id=task_id)
        self._task_id = task_id
        self._is_held_back = is_held_back
        self._sources = [self._of_task, self._of_server]
        self._proven: set[Callable[[], Progress | None]] = set()

    def look(self) -> Progress:
        """Return how far the job is; nothing while the server cannot be reached."""
        if self._is_held_back():
            return Progress(_HELD_BACK)
        with contextlib.suppress(WebUIError):
            for source in list(self._sources):
                found = source()
                if found is None and source in self._proven:
                    break
                if found is None:
                    self._sources.remove(source)
                    continue
                self._proven.add(source)
                if found:
                    return found
        return Progress()

    def end(self) -> None:
        """Ask no more; a question that is on its way ends."""
        self._client.abort()
        self._client.close()

    def _of_task(self) -> Progress | None:
        task = TaskState.ask(self._client, self._task_id)
        return task.progress if task else None

    def _of_server(self) -> Progress | None:
        """Return the server's one running job, which may be somebody else's, and is marked so."""
        found = self._client.progress()
        if not isinstance(found, dict) or "progress" not in found:
            return None
        if not found["progress"]:
            return Progress()
        return Progress.of_share(found["progress"], is_ours=False)
