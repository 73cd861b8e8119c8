"""News of a running job, asked for beside it, so that no look-up delays or ends anything."""

import time
from threading import Event, Thread

from webui.run.job import Job
from webui.run.progress import Progress

# Seconds. The first look comes late, so that a short run costs one request and no more.
FIRST_LOOK = 2.0
LOOK_EVERY = 3.0
SAY_EVERY = 30.0


class Watch:
    """Looks after a job in a thread of its own; whoever takes its pictures is woken for news.

    has_looked: the job took so long that the server was asked.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._lookout = job.lookout()
        self._over = Event()
        self._latest = self._said = Progress()
        self._said_at = time.monotonic()
        self.has_looked = False

    def begin(self) -> None:
        """Look from now on."""
        Thread(target=self._run, daemon=True).start()

    def end(self) -> None:
        """Look no longer; a look-up that is on its way ends."""
        self._over.set()
        self._lookout.end()

    @property
    def speaks_at(self) -> float:
        """The time.monotonic() at which it has news even if nothing changes."""
        return self._said_at + SAY_EVERY

    def news(self) -> Progress | None:
        """Return how far the job is, if that has changed, and now and then all the same."""
        now, latest = time.monotonic(), self._latest
        if now < self.speaks_at and latest in {Progress(), self._said}:
            return None
        self._said, self._said_at = latest, now
        return latest.after(now - self._job.submitted)

    def _run(self) -> None:
        wait = FIRST_LOOK
        while not self._over.wait(wait):
            self.has_looked = True
            self._latest = self._lookout.look()
            self._job.pictures.wake()
            wait = LOOK_EVERY
