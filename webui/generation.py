"""One call's wait for one generation: pictures and progress out, and the three ways it can end.

It ends with the reply; at its own deadline, when the server is told to stop; or a little before
Dify would end the call, when the job is left to go on and kept for the next call of the same kind.
"""

import math
import time
from collections.abc import Iterator, Mapping
from typing import Any

from webui import limits
from webui.client import WebUIClient
from webui.credentials import Credentials
from webui.errors import DifyTimeLimitError, FileTooLargeError, WebUITimeoutError
from webui.images import Picture
from webui.job import Job, Kept
from webui.progress import Progress

_KEPT = Kept()

# Seconds. The first look comes late, so that a short run costs one request and no more.
FIRST_LOOK = 2.0
LOOK_EVERY = 3.0
SAY_EVERY = 30.0
# How long an interrupted server gets to hand over what it has.
GRACE = 30.0


class Generation:
    """A job on its way. Iterate over `events`, then read `info`, `warnings` and `elapsed`.

    interrupted: it was told to stop, at its deadline.

    timeout: seconds from the first submission, queueing included. resume: whether a job that Dify
    gives no more time is kept, and one kept earlier is taken over. began: time.monotonic() of the
    call's begin.
    """

    def __init__(
        self,
        settings: Credentials,
        client: WebUIClient,
        path: str,
        body: Mapping[str, Any],
        *,
        timeout: float,
        resume: bool,
        began: float,
    ) -> None:
        self._client = client
        self._timeout = timeout
        self._resume = resume
        within = limits.answer_within()
        self._answer_by = math.inf if within is None else began + within
        kept = _KEPT.claim(settings, path, body) if resume else None
        self._job = kept or Job(settings, path, body)
        self._deadline = self._job.submitted + timeout
        self.interrupted = False
        self._granted = False
        self._came = 0
        if kept is None:
            self._job.start()
        self.warnings: list[str] = []

    @property
    def body(self) -> Mapping[str, Any]:
        """The request as it was sent."""
        return self._job.body

    @property
    def info(self) -> dict[str, Any]:
        """The server's account of the run, once `events` has ended."""
        return self._job.info

    @property
    def elapsed(self) -> float:
        """Seconds since the first submission."""
        return time.monotonic() - self._job.submitted

    def events(self) -> Iterator[Picture | str]:
        """Each picture as it arrives, and between them lines of progress, as text.

        Raises what the job failed with; WebUITimeoutError at the deadline; DifyTimeLimitError
        when Dify gives no more time; FileTooLargeError, at the end, for a picture that Dify would
        not take.
        """
        try:
            yield from self._arriving()
        except GeneratorExit:
            # Nobody wants the rest.
            self._job.pictures.discard()
            raise
        self._conclude()

    def _arriving(self) -> Iterator[Picture | str]:
        told = _Teller(Progress(self._client, self._job.task_id), self._job.submitted)
        while not self._job.pictures.is_empty:
            now = time.monotonic()
            wait = min(told.next_look, self._deadline, self._answer_by) - now
            picture = self._job.pictures.take(max(wait, 0.0))
            if picture is not None:
                self._came += 1
                yield picture
            elif not self._job.pictures.is_empty:
                self._mind_the_time()
                line = told.line()
                if line:
                    yield line

    def _mind_the_time(self) -> None:
        now = time.monotonic()
        if now >= self._answer_by:
            self._leave()
        if now < self._deadline:
            return
        if self._came or (self._job.replying and self._granted):
            raise self._timed_out("It stopped sending in the middle of its reply.")
        if self.interrupted:
            raise self._timed_out("It was told to stop, but sent nothing.")
        if not self._job.replying:
            left_alone = self._interrupt()
            if left_alone:
                raise self._timed_out(left_alone)
        self._granted = True
        self._deadline = now + GRACE

    def _leave(self) -> None:
        """Answer while Dify still listens."""
        limit = limits.execution_limit() or 0.0
        wanted = math.ceil(self._timeout / 60 + 1) * 60
        what = f"Dify's plugin daemon ends every call after {limit:.0f} s"
        remedy = f"set {limits.EXECUTION_VARIABLE}={wanted} in docker/.env"
        if self._resume and not self._came:
            _KEPT.keep(self._job)
            raise DifyTimeLimitError(
                f"{what}, and the picture is not done. It is being drawn on and will be kept: run "
                f"this again, or turn on the node's retry on failure, to collect it. To wait in "
                f"one call, {remedy}."
            )
        self._job.pictures.discard()
        left_alone = "" if self._came else self._interrupt()
        what_now = left_alone or "It was told to stop."
        raise DifyTimeLimitError(
            f"{what}, and the picture is not done. {what_now} To wait longer, {remedy}."
        )

    def _interrupt(self) -> str:
        """Stop our own job, and only that: the server's interrupt hits whichever is running.

        Why it was left alone instead, or "" when it was told to stop.
        """
        task = Progress(self._client, self._job.task_id).task()
        if task is not None and task.get("active"):
            self._client.lookup("sdapi/v1/interrupt", {})
            self.interrupted = True
            return ""
        if task is not None and task.get("queued"):
            return (
                "It is still in the queue and will be drawn all the same: interrupting would stop "
                "somebody else's picture."
            )
        return (
            "It may still be drawn: this server cannot tell whose job is running, and "
            "interrupting might stop somebody else's picture."
        )

    def _timed_out(self, what_now: str) -> WebUITimeoutError:
        self._job.pictures.discard()
        return WebUITimeoutError(
            f"{self._client.address} did not finish within {self._timeout:g} s. {what_now} "
            "Raise timeout, in the node or in the plugin's settings."
        )

    def _conclude(self) -> None:
        job = self._job
        if self.interrupted and not self._came:
            raise self._timed_out("It was told to stop and had no picture ready.")
        if job.error is not None:
            raise job.error
        if self.interrupted:
            self.warnings.append(
                f"Interrupted after {self._timeout:g} s, the timeout: the last picture may be "
                "unfinished."
            )
        if job.too_large:
            number, size = job.too_large[0]
            raise FileTooLargeError(
                f"Image {number} has {size} bytes, more than Dify takes from a tool "
                f"({limits.largest_file()}). Set {limits.FILE_SIZE_VARIABLE} in docker/.env to "
                "more, or let the server save JPEG or WebP."
            )


class _Teller:
    """When to look after a job, and when there is something new to say."""

    def __init__(self, progress: Progress, submitted: float) -> None:
        self._progress = progress
        self._submitted = submitted
        self._said = ""
        self._said_at = time.monotonic()
        self.next_look = self._said_at + FIRST_LOOK

    def line(self) -> str:
        """A line that ends as one, or "" when nothing is due: it changed, or 30 s have passed."""
        now = time.monotonic()
        if now < self.next_look:
            return ""
        found = self._progress.line()
        now = time.monotonic()
        self.next_look = now + LOOK_EVERY
        if now < self._said_at + SAY_EVERY and found in {"", self._said}:
            return ""
        self._said, self._said_at = found, now
        return ", ".join(filter(None, [found, f"{now - self._submitted:.0f} s"])) + "\n"
