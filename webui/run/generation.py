"""One call's wait for one generation: pictures and progress out, and the three ways it can end.

It ends with the reply; at its own deadline, when the server is told to stop; or a little before
the caller stops listening, when the job is left to go on and kept for the next call of the kind.
"""

import time
from collections.abc import Iterator

from webui import lasting
from webui.call import Limits
from webui.errors import WebUITimeoutError
from webui.http.account import Account
from webui.http.client import WebUIClient
from webui.http.settings import Settings
from webui.pictures.picture import Picture
from webui.request.request import Request
from webui.run.job import Job
from webui.run.progress import HELD_BACK, Lookout, Progress
from webui.values import Fields

# Seconds. The first look comes late, so that a short run costs one request and no more.
FIRST_LOOK = 2.0
LOOK_EVERY = 3.0
SAY_EVERY = 30.0
# How long an interrupted server gets to hand over what it has.
GRACE = 30.0


class Generation:
    """A job on its way. Iterate over `events`, then read `account`, `warnings` and `elapsed`.

    interrupted: it was told to stop, at its deadline. was_watched: it took so long that the server
    was asked how far it is. fields: the request as it was sent.
    """

    def __init__(
        self,
        job: Job,
        client: WebUIClient,
        limits: Limits,
        *,
        timeout: float,
        resume: bool,
    ) -> None:
        self._job = job
        self._client = client
        self._limits = limits
        self._timeout = timeout
        self._resume = resume
        self._deadline = job.submitted + timeout
        self._granted = False
        self._came = 0
        self.interrupted = False
        self.was_watched = False
        self.warnings: list[str] = []

    @classmethod
    def begin(
        cls,
        settings: Settings,
        client: WebUIClient,
        request: Request,
        limits: Limits,
        *,
        timeout: float,
        resume: bool,
    ) -> "Generation":
        """Submit a request, or take over the same one of an earlier call.

        timeout: seconds from the first submission, queueing included. resume: whether a job that
        the caller cannot wait for is kept, and one kept earlier is taken over.
        """
        job = lasting.JOBS.claim(settings, request.endpoint, request.fields) if resume else None
        if job is None:
            largest = limits.largest_file
            job = Job(settings, request.endpoint, request.fields, timeout, largest=largest)
            job.start()
        return cls(job, client, limits, timeout=timeout, resume=resume)

    @property
    def fields(self) -> Fields:
        return self._job.fields

    @property
    def account(self) -> Account:
        """The server's account of the run, once `events` has ended."""
        return self._job.account

    @property
    def elapsed(self) -> float:
        """Seconds since the first submission."""
        return time.monotonic() - self._job.submitted

    def events(self) -> Iterator[Picture | Progress]:
        """Yield each picture as it arrives, and between them how far it is, when there is news.

        Raises what the job failed with; WebUITimeoutError at the deadline; what the limits raise
        when the caller waits no longer and, at the end, for a picture that it would not take.
        """
        try:
            yield from self._arriving()
        except GeneratorExit:
            # Nobody wants the rest.
            self._job.drop()
            raise
        self._conclude()

    def _arriving(self) -> Iterator[Picture | Progress]:
        told = _Teller(Lookout(self._client, self._job.task_id), self._job.submitted)
        while not self._job.pictures.is_empty:
            now = time.monotonic()
            wait = min(told.next_look, self._deadline, self._limits.answer_by) - now
            picture = self._job.pictures.take(max(wait, 0.0))
            if picture is not None:
                self._came += 1
                yield picture
            elif not self._job.pictures.is_empty:
                self._mind_the_time()
                news = told.news(held_back=self._job.held_back)
                self.was_watched = self.was_watched or told.has_looked
                if news is not None:
                    yield news

    def _mind_the_time(self) -> None:
        now = time.monotonic()
        if now >= self._limits.answer_by:
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
        """Answer while the caller still listens."""
        if self._resume and not self._came:
            lasting.JOBS.keep(self._job)
            raise self._limits.time_is_up(self._timeout, kept=True, fate="")
        self._job.drop()
        left_alone = "" if self._came else self._interrupt()
        fate = left_alone or "It was told to stop."
        raise self._limits.time_is_up(self._timeout, kept=False, fate=fate)

    def _interrupt(self) -> str:
        """Stop our own job, and only that: the server's interrupt hits whichever is running.

        Why it was left alone instead, or "" when it was told to stop.
        """
        if self._job.held_back:
            return f"Nothing was drawn. {self._job.held_by}"
        task = Lookout(self._client, self._job.task_id).task()
        if task is not None and task.active:
            self._client.interrupt()
            self.interrupted = True
            return ""
        if task is not None and task.queued:
            return (
                "It is still in the queue and will be drawn all the same: interrupting would stop "
                "somebody else's picture."
            )
        return (
            "It may still be drawn: this server cannot tell whose job is running, and "
            "interrupting might stop somebody else's picture."
        )

    def _timed_out(self, what_now: str) -> WebUITimeoutError:
        self._job.drop()
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
        if job.held_for:
            self.warnings.append(f"The job was taken after {job.held_for:.0f} s. {job.held_by}")
        if job.too_large:
            raise self._limits.picture_is_too_large(*job.too_large[0])


class _Teller:
    """When to look after a job, and when there is news."""

    def __init__(self, lookout: Lookout, submitted: float) -> None:
        self._lookout = lookout
        self._submitted = submitted
        self._said = Progress()
        self._said_at = time.monotonic()
        self.next_look = self._said_at + FIRST_LOOK
        self.has_looked = False

    def news(self, *, held_back: bool) -> Progress | None:
        """Return how far it is, when that is due and has changed, and every 30 s all the same."""
        if time.monotonic() < self.next_look:
            return None
        found = HELD_BACK if held_back else self._lookout.look()
        self.has_looked = True
        now = time.monotonic()
        self.next_look = now + LOOK_EVERY
        if now < self._said_at + SAY_EVERY and found in {Progress(), self._said}:
            return None
        self._said, self._said_at = found, now
        return found.after(now - self._submitted)
