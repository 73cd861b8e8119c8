"""Who draws, who waits, how far each is, and how it is stopped."""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from werkzeug.exceptions import ServiceUnavailable


@dataclass(eq=False)
class Task:
    """One request that draws. `job_count` counts sampling passes; -1 before they are known."""

    id: str = ""
    job: str = ""
    job_count: int = 0
    job_no: int = 0
    sampling_step: int = 0
    sampling_steps: int = 0
    interrupted: bool = False
    skipped: bool = False
    started: float = field(default_factory=time.time)

    @property
    def share_done(self) -> float:
        passes = self.job_no + self.sampling_step / max(self.sampling_steps, 1)
        return min(passes / self.job_count, 1.0) if self.job_count > 0 else 0.0

    def seconds_left(self, share: float) -> float | None:
        elapsed = time.time() - self.started
        return elapsed / share - elapsed if share else None


class Queue:
    """First come, first served, by as many cards as there are; 0 are any number.

    `task` is the generation that began last, running or not.
    """

    def __init__(self, cards: int = 1) -> None:
        self.task = Task()
        self._cards = cards
        self._line: list[Task] = []
        self._finished: deque[str] = deque(maxlen=16)
        self._changed = threading.Condition()
        self._closing = False

    @property
    def drawing(self) -> list[Task]:
        return self._line[: self._cards or None]

    @property
    def waiting(self) -> list[Task]:
        """Those behind, but for what draws nothing."""
        return [task for task in self._line[self._cards or len(self._line) :] if task.job]

    @property
    def running(self) -> Task | None:
        return self.task if self.task.job_count else None

    @contextmanager
    def work_on(self, task: Task) -> Iterator[None]:
        """Wait until a card is free and everyone who came before has one; run the task."""
        with self._changed:
            self._line.append(task)
            self._changed.wait_for(lambda: self._closing or task in self.drawing)
        try:
            if self._closing:
                raise ServiceUnavailable
            if task.job:
                task.job_count, task.started, self.task = -1, time.time(), task
            yield
            self._finished.append(task.id)
        finally:
            task.job, task.job_count, task.sampling_step = "", 0, 0
            with self._changed:
                self._line.remove(task)
                self._changed.notify_all()

    def sample(self, task: Task, steps: int, seconds: float) -> bool:
        """Let one pass take its time, step by step; False if it was stopped on the way."""
        task.sampling_steps, task.sampling_step = steps, 0
        for _ in range(steps):
            with self._changed:
                if self._changed.wait_for(
                    lambda: self._closing or task.interrupted or task.skipped, seconds / steps
                ):
                    return False
            task.sampling_step += 1
        return True

    def interrupt(self, *, skip: bool = False) -> None:
        """Stop whatever runs, or only what it draws just now; what waits is not touched."""
        with self._changed:
            for task in {self.task, *self.drawing}:
                task.interrupted, task.skipped = task.interrupted or not skip, skip
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def wait_for_the_end(self) -> None:
        """Return when the server closes, and not before."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing)

    def server_progress(self) -> dict[str, Any]:
        """Return what GET /sdapi/v1/progress says: the server's work, without naming the task."""
        task = self.task
        share = min(0.01 + task.share_done, 1.0) if task.job_count else 0.0
        began = time.strftime("%Y%m%d%H%M%S", time.localtime(task.started))
        state = {**vars(task), "job_timestamp": began}
        return {"progress": share, "eta_relative": task.seconds_left(share) or 0.0, "state": state}

    def task_progress(self, task_id: str | None) -> dict[str, Any]:
        """Return what POST /internal/progress says of a task that it knows; of others, nothing."""
        queued = self.pending_tasks()["tasks"]
        if task_id in queued:
            place = f"In queue: {queued.index(task_id) + 1}/{len(queued)}"
            return {"queued": True, "textinfo": place}
        for task in self.drawing:
            if task_id and task.id == task_id:
                told = {"progress": task.share_done, "eta": task.seconds_left(task.share_done)}
                return {"active": True, **told, "textinfo": None}
        return {"completed": task_id in self._finished}

    def pending_tasks(self) -> dict[str, Any]:
        ids = [task.id for task in self.waiting if task.id]
        return {"size": len(ids), "tasks": ids}
