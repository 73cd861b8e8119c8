"""How far a job is, from the best source the server has."""

import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

from webui.errors import WebUIError
from webui.http.client import WebUIClient
from webui.values import Json

# As the WebUI words it: "In queue: 2/14".
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


HELD_BACK = Progress("… (429)")


@dataclass(frozen=True)
class TaskState:
    """What `POST /internal/progress` says of one task."""

    active: bool
    queued: bool
    progress: Progress


class Lookout:
    """Asks after one job; a source that does not answer at first is not asked again."""

    def __init__(self, client: WebUIClient, task_id: str) -> None:
        self._client = client
        self._task_id = task_id
        self._sources = [self._of_task, self._of_server]
        self._proven: set[Callable[[], Progress | None]] = set()

    def look(self) -> Progress:
        """Return how far the job is; nothing while the server cannot be reached."""
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

    def task(self) -> TaskState | None:
        """Our own task; None where the server knows no tasks (--nowebui, sd.cpp)."""
        found = self._client.task_progress(self._task_id)
        if not isinstance(found, dict) or "active" not in found:
            return None
        active, queued = bool(found["active"]), bool(found.get("queued"))
        progress = Progress()
        if active:
            progress = Progress.of_share(found.get("progress"), is_ours=True)
        elif queued:
            place = _PLACE.search(str(found.get("textinfo") or ""))
            progress = Progress(place[0] if place else "…")
        return TaskState(active, queued, progress)

    def _of_task(self) -> Progress | None:
        task = self.task()
        return task.progress if task else None

    def _of_server(self) -> Progress | None:
        """Return the server's one running job, which may be somebody else's, and is marked so."""
        found = self._client.progress()
        if not isinstance(found, dict) or "progress" not in found:
            return None
        if not found["progress"]:
            return Progress()
        return Progress.of_share(found["progress"], is_ours=False)
