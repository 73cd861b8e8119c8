"""One generation at a time: who draws, who waits, how far it is, and how it is stopped."""

import secrets
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


class ClosingError(Exception):
    """The server ends; nobody waits any longer."""


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

    @classmethod
    def named(cls, task_id: str | None, kind: str) -> "Task":
        name = task_id or f"task({kind}-{secrets.token_hex(4).upper()})"
        return cls(id=name, job=f"scripts_{kind}")

    @property
    def share_done(self) -> float:
        if self.job_count <= 0:
            return 0.0
        share = self.job_no / self.job_count
        if self.sampling_steps > 0:
            share += self.sampling_step / self.sampling_steps / self.job_count
        return share

    def state(self) -> dict[str, Any]:
        return {
            "skipped": self.skipped,
            "interrupted": self.interrupted,
            "stopping_generation": False,
            "job": self.job,
            "job_count": self.job_count,
            "job_timestamp": time.strftime("%Y%m%d%H%M%S", time.localtime(self.started)),
            "job_no": self.job_no,
            "sampling_step": self.sampling_step,
            "sampling_steps": self.sampling_steps,
        }


class Queue:
    """First come, first served. `task` is the one that runs or ran last."""

    def __init__(self) -> None:
        self.task = Task()
        self.waiting: list[Task] = []
        self._current_id: str | None = None
        self._finished: deque[str] = deque(maxlen=16)
        self._line: deque[object] = deque()
        self._changed = threading.Condition()
        self._closing = False

    @property
    def running(self) -> Task | None:
        return self.task if self.task.job_count else None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until everyone who came before is done."""
        ticket = object()
        with self._changed:
            self._line.append(ticket)
            self._changed.wait_for(lambda: self._closing or self._line[0] is ticket)
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
        """Wait for the task's turn and run it.

        As on the real server, a task that fails stays the current one until the next begins.
        """
        self.waiting.append(task)
        try:
            with self.turn():
                task.job_count = -1
                task.started = time.time()
                self.task = task
                self._current_id = task.id or None
                self.waiting.remove(task)
                try:
                    yield
                    self._finished.append(task.id)
                    self._current_id = None
                finally:
                    task.job = ""
                    task.job_count = 0
        finally:
            if task in self.waiting:
                self.waiting.remove(task)

    def sample(self, task: Task, steps: int, seconds: float) -> bool:
        """Let one pass take its time, step by step; False if it was stopped on the way."""
        task.sampling_steps = steps
        task.sampling_step = 0
        for _ in range(steps):
            with self._changed:
                self._changed.wait_for(lambda: self._stopped(task), timeout=seconds / steps)
            if self._stopped(task):
                return False
            task.sampling_step += 1
        return True

    def _stopped(self, task: Task) -> bool:
        return self._closing or task.interrupted or task.skipped

    def interrupt(self) -> None:
        """Stop whatever runs; what waits is not touched."""
        with self._changed:
            self.task.interrupted = True
            self._changed.notify_all()

    def skip(self) -> None:
        with self._changed:
            self.task.skipped = True
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
        if task.job_count == 0:
            return {"progress": 0.0, "eta_relative": 0.0, "state": task.state(), "textinfo": None}
        progress = 0.01 + task.share_done
        elapsed = time.time() - task.started
        return {
            "progress": min(progress, 1.0),
            "eta_relative": elapsed / progress - elapsed,
            "state": task.state(),
            "textinfo": None,
        }

    def task_progress(self, task_id: str | None) -> dict[str, Any]:
        """What POST /internal/progress says of one task."""
        queued = self._waiting_ids()
        active = task_id is not None and task_id == self._current_id
        reply: dict[str, Any] = {
            "active": active,
            "queued": task_id in queued,
            "completed": task_id in self._finished,
            "progress": None,
            "eta": None,
            "live_preview": None,
            "id_live_preview": -1,
            "textinfo": None,
        }
        if not active:
            place = f"{queued.index(task_id) + 1}/{len(queued)}" if task_id in queued else ""
            reply["textinfo"] = f"In queue: {place}" if place else "Waiting..."
            return reply
        progress = min(self.task.share_done, 1.0)
        reply["progress"] = progress
        if progress:
            elapsed = time.time() - self.task.started
            reply["eta"] = elapsed / progress - elapsed
        return reply

    def pending_tasks(self) -> dict[str, Any]:
        ids = self._waiting_ids()
        return {"size": len(ids), "tasks": ids}

    def _waiting_ids(self) -> list[str]:
        return [task.id for task in self.waiting if task.id]
