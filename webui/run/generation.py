"""One call's wait for one generation: pictures and progress out, and the three ways it can end.

It ends with the reply; at its own deadline, when the server is told to stop; or a little before
the caller stops listening, when the job is left to go on and kept for the next call of the kind.
"""

import time
from collections.abc import Iterator, Sequence
from threading import Thread
from typing import Self

from webui import lasting
from webui.call import Call
from webui.errors import NotKeptError, WebUITimeoutError
from webui.http.account import Account
from webui.pictures.picture import Picture
from webui.request.division import Part
from webui.request.request import Request
from webui.run.divided import DividedJob
from webui.run.job import Job
from webui.run.progress import Progress
from webui.run.watch import Watch
from webui.values import Fields

# Seconds in which the server is told to stop when the caller is about to leave.
_PARTING = 2.0


def grace(timeout: float) -> float:
    """How many seconds over its timeout a job has to stop and to hand over what is ready.

    A tenth of it, but at least 1.5 and at most 30: a timeout of 5 ends by 7, one of 3600 by 3630.
    """
    return min(max(timeout / 10, 1.5), 30.0)


class Generation:
    """A job on its way. Iterate over `events`, then read `account`, `warnings` and `elapsed`.

    When its `with` block ends, so does the job, unless it is kept. resume: it is kept if the
    caller cannot wait for it. interrupted: it was told to stop, at its deadline. fields: the
    request as it was sent.
    """

    def __init__(self, job: Job, call: Call, *, resume: bool) -> None:
        self._job = job
        self._watch = Watch(job)
        self._limits = call.limits
        self._timeout = call.timeout
        self.resume = resume
        self._is_kept = False
        self._deadline = job.began + call.timeout
        self._has_grace = False
        self._interrupting: Thread | None = None
        self._left_alone = ""
        self._came = 0
        self.interrupted = False
        self.warnings: list[str] = []

    @classmethod
    def begin(
        cls, call: Call, request: Request, parts: Sequence[Part] = (), *, resume: bool
    ) -> Self:
        """Submit a request, or take over the same one of an earlier call.

        parts: those that it is cut into, if it is. resume: whether a job that the caller cannot
        wait for is kept, and one kept earlier is taken over. The call's timeout counts from the
        first call, look-ups and queueing included.
        """
        job = (
            DividedJob(call, request.endpoint, request.fields, parts)
            if parts
            else Job(call, request.endpoint, request.fields)
        )
        kept = lasting.JOBS.claim(job) if resume else None
        if kept is None and time.monotonic() >= call.deadline:
            raise WebUITimeoutError(
                f"The {call.timeout:g} s were over before {call.settings.address} was asked to "
                "begin. Raise timeout, in the node or in the plugin's settings."
            )
        if kept is None:
            job.start()
            lasting.RUNNING.add(job)
        generation = cls(kept or job, call, resume=resume)
        generation._watch.begin()
        return generation

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.drop()

    def drop(self) -> None:
        """Nobody waits for it any more: end the job, unless it is kept."""
        self._watch.end()
        if not self._is_kept:
            self._job.drop()

    @property
    def fields(self) -> Fields:
        return self._job.fields

    @property
    def task_ids(self) -> Sequence[str]:
        """What the server knows its jobs by."""
        return self._job.task_ids

    @property
    def account(self) -> Account:
        """The server's account of the run, once `events` has ended."""
        return self._job.account

    @property
    def elapsed(self) -> float:
        """Seconds since the first submission."""
        return time.monotonic() - self._job.submitted

    @property
    def was_watched(self) -> bool:
        """Whether it took so long that the server was asked how far it is."""
        return self._watch.has_looked

    def events(self) -> Iterator[Picture | Progress]:
        """Yield each picture as it arrives, and between them how far it is, when there is news.

        Raises what the job failed with; WebUITimeoutError at the deadline; what the limits raise
        when the caller waits no longer and, at the end, for a picture that it would not take.
        """
        pictures = self._job.pictures
        while not pictures.is_empty:
            until = min(self._watch.speaks_at, self._deadline, self._limits.answer_by)
            picture = pictures.take(max(until - time.monotonic(), 0.0))
            if picture is not None:
                self._came += 1
                yield picture
            if pictures.is_empty:
                break
            self._mind_the_time()
            news = self._watch.news() if picture is None else None
            if news is not None:
                yield news
        self._conclude()

    def _mind_the_time(self) -> None:
        now = time.monotonic()
        if now >= self._limits.answer_by:
            self._leave()
        if self._job.ended is not None:
            return  # What is still to be taken is here.
        if self._left_alone and not self._job.replying:
            raise self._timed_out(self._left_alone)
        if now < self._deadline:
            return
        if self._has_grace:
            raise self._timed_out(self._why_late())
        self._has_grace = True
        self._deadline = now + grace(self._timeout)
        if not self._job.replying:
            # Beside the wait: what is ready meanwhile is taken at once.
            self._interrupting = Thread(
                target=self._interrupt, args=(grace(self._timeout),), daemon=True
            )
            self._interrupting.start()

    def _why_late(self) -> str:
        if self._job.replying:
            return "Its reply did not come to an end."
        if self.interrupted:
            return "It was told to stop, but sent nothing."
        return "It did not say whose job is running, so it was not told to stop."

    def _leave(self) -> None:
        """Answer while the caller still listens."""
        if self.resume and not self._came:
            lasting.JOBS.keep(self._job)
            self._is_kept = True
            raise self._limits.time_is_up(self._timeout, kept=True, fate="")
        if not self._came and not self.interrupted:
            self._interrupt(_PARTING)
        fate = self._left_alone or "It was told to stop."
        raise self._limits.time_is_up(self._timeout, kept=False, fate=fate)

    def _interrupt(self, within: float) -> None:
        self._left_alone = self._job.interrupt(within)
        self.interrupted = not self._left_alone
        self._job.pictures.wake()

    def _timed_out(self, what_now: str) -> WebUITimeoutError:
        return WebUITimeoutError(
            f"{self._job.settings.address} did not finish within {self._timeout:g} s. {what_now} "
            "Raise timeout, in the node or in the plugin's settings."
        )

    def _conclude(self) -> None:
        job = self._job
        if self._interrupting is not None:
            # The job may have ended before the server's answer to the interrupt was here.
            self._interrupting.join(_PARTING)
        nothing = not self._came and job.account.text is None
        if self.interrupted and nothing:
            raise self._timed_out("It was told to stop and had no picture ready.")
        if self._left_alone and nothing:
            raise self._timed_out(self._left_alone)
        if job.error is not None:
            raise job.error
        lost = job.pictures.lost
        if lost and not self._came:
            raise NotKeptError(
                f"What was drawn could not be kept until now: {job.pictures.lost_by}. Run this "
                "again to draw it anew."
            )
        if lost:
            self.warnings.append(
                f"{lost} of {lost + self._came} pictures could not be kept until now: "
                f"{job.pictures.lost_by}."
            )
        if self.interrupted:
            self.warnings.append(
                f"Interrupted after {self._timeout:g} s, the timeout: the last picture may be "
                "unfinished."
            )
        self.warnings += job.warnings()
        if job.too_large:
            raise self._limits.picture_is_too_large(*job.too_large[0])
