"""Who draws, who waits, how far each is, and how it is stopped."""

import secrets
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from devtools.standin.failures import ClosingError


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
    started: float = field(default_factory=time.time)

    @classmethod
    def named(cls, task_id: str | None, kind: str) -> "Task":
        name = task_id or f"task({kind}-{secrets.token_hex(4).upper()})"
        return cls(id=name, job=f"scripts_{kind}")

    @property
    def share_done(self) -> float:
        passes = self.job_no + self.sampling_step / max(self.sampling_steps, 1)
        return min(passes / self.job_count, 1.0) if self.job_count > 0 else 0.0

    def seconds_left(self, share: float) -> float | None:
        elapsed = time.time() - self.started
        return elapsed / share - elapsed if share else None


class Queue:
    """First come, first served, by as many cards as there are; 0 are any number.

    `task` is the one that began last, running or not, and `drawing` are all that run.
    """

    def __init__(self, cards: int = 1) -> None:
        self.task = Task()
        self.waiting: list[Task] = []
        self.drawing: list[Task] = []
        self._cards = cards
        self._finished: deque[str] = deque(maxlen=16)
        self._line: deque[object] = deque()
        self._changed = threading.Condition()
        self._closing = False

    @property
    def running(self) -> Task | None:
        return self.task if self.task.job_count else None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until a card is free and everyone who came before has one."""
        ticket = object()
        with self._changed:
            self._line.append(ticket)
            self._changed.wait_for(
                lambda: (
                    self._closing or not self._cards or ticket in islice(self._line, self._cards)
                )
            )
        try:
            if self._closing:
                raise ClosingError
            yield
        finally:
            with self._changed:
                self._line.remove(ticket)
                self._changed.notify_all()

    @contextmanager
    def work_on(self, task: Task) -> Iterator[None]:
        """Wait for the task's turn and run it."""
        self.waiting.append(task)
        try:
            with self.turn():
                task.job_count, task.started = -1, time.time()
                self.task = task
                self.drawing.append(task)
                self.waiting.remove(task)
                yield
                self._finished.append(task.id)
        finally:
            task.job, task.job_count = "", 0
            for line in (self.waiting, self.drawing):
                if task in line:
                    line.remove(task)

    def sample(self, task: Task, steps: int, seconds: float) -> bool:
        """Let one pass take its time, step by step; False if it was stopped on the way."""
        task.sampling_steps, task.sampling_step = steps, 0
        for _ in range(steps):
            with self._changed:
                if self._changed.wait_for(
                    lambda: self._closing or task.interrupted, timeout=seconds / steps
                ):
                    return False
            task.sampling_step += 1
        return True

    def interrupt(self) -> None:
        """Stop whatever runs; what waits is not touched."""
        with self._changed:
            for task in {self.task, *self.drawing}:
                task.interrupted = True
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
        """What GET /sdapi/v1/progress says: the server's work, without naming the task."""
        task = self.task
        share = min(0.01 + task.share_done, 1.0) if task.job_count else 0.0
        began = time.strftime("%Y%m%d%H%M%S", time.localtime(task.started))
        left = task.seconds_left(share) or 0.0
        return {
            "progress": share,
            "eta_relative": left,
            "state": {**vars(task), "job_timestamp": began},
        }

    def task_progress(self, task_id: str | None) -> dict[str, Any]:
        """What POST /internal/progress says of a task that it knows; of others, nothing."""
        queued = self.pending_tasks()["tasks"]
        if task_id in queued:
            place = f"In queue: {queued.index(task_id) + 1}/{len(queued)}"
            return {"queued": True, "textinfo": place}
        for task in self.drawing:
            if task_id and task.id == task_id:
                share = task.share_done
                told = {"progress": share, "eta": task.seconds_left(share)}
                return {"active": True, **told, "textinfo": None}
        return {"completed": task_id in self._finished}

    def pending_tasks(self) -> dict[str, Any]:
        ids = [task.id for task in self.waiting if task.id]
        return {"size": len(ids), "tasks": ids}
