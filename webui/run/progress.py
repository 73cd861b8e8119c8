"""How far a job is, from the best source the server has."""

from dataclasses import dataclass, replace
from typing import Self

from webui.http.client import WebUIClient
from webui.values import Json


@dataclass(frozen=True)
class Progress:
    """How far a job is; false where nobody can tell.

    what: in words. share: done, 0 to 1. seconds_left: the server's guess. elapsed: seconds since
    the job was submitted. part: which of a call's several jobs it is, as "2/3".
    """

    what: str = ""
    share: float | None = None
    seconds_left: float | None = None
    elapsed: float | None = None
    part: str = ""

    def __bool__(self) -> bool:
        return bool(self.what)

    @classmethod
    def of_share(cls, what: str, share: Json, seconds_left: Json) -> Self:
        """From what a server says, whatever it says."""
        left = seconds_left if isinstance(seconds_left, int | float) and seconds_left > 0 else None
        return cls(what, share if isinstance(share, int | float) else None, left)

    def after(self, elapsed: float) -> Self:
        """The same, so many seconds after the job was submitted."""
        return replace(self, elapsed=elapsed)

    def within(self, part: str) -> Self:
        """The same, of one of several jobs."""
        return replace(self, part=part)

    def line(self) -> str:
        """A short line for a person, which ends as one."""
        share = "" if self.share is None else f" {self.share:.0%}"
        told = [
            f"{self.what}{share}",
            "" if self.seconds_left is None else f"about {self.seconds_left:.0f} s left",
            "" if self.elapsed is None else f"{self.elapsed:.0f} s",
        ]
        part = f"{self.part}: " if self.part else ""
        return part + ", ".join(filter(None, told)) + "\n"


@dataclass(frozen=True)
class TaskState:
    """What `POST /internal/progress` says of one task."""

    active: bool
    queued: bool
    progress: Progress


class Lookout:
    """Asks after one job; a source that does not answer is not asked again."""

    def __init__(self, client: WebUIClient, task_id: str) -> None:
        self._client = client
        self._task_id = task_id
        self._sources = [self._of_task, self._of_server]

    def look(self) -> Progress:
        """How far the job is."""
        for source in list(self._sources):
            found = source()
            if found is None:
                self._sources.remove(source)
            elif found:
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
            progress = Progress.of_share("drawing", found.get("progress"), found.get("eta"))
        elif queued:
            progress = Progress(str(found.get("textinfo") or "In the queue").strip().rstrip("."))
        return TaskState(active, queued, progress)

    def _of_task(self) -> Progress | None:
        task = self.task()
        return task.progress if task else None

    def _of_server(self) -> Progress | None:
        """The server's one running job, which may be somebody else's, and is marked so."""
        found = self._client.progress()
        if not isinstance(found, dict) or "progress" not in found:
            return None
        if not found["progress"]:
            return Progress()
        return Progress.of_share(
            "the server's running job", found["progress"], found.get("eta_relative")
        )
