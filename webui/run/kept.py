"""Jobs whose callers had to leave, and the room that their pictures take until they come back."""

import time
from collections.abc import Callable
from threading import Lock, Thread

from webui.run.job import Job
from webui.run.outbox import Outbox

MOST_BYTES = 1 << 30
_MOST_KEPT = 16
_LONGEST_KEPT = 7200.0
# Seconds between two looks for what is too old.
TIDY_EVERY = 60.0


class KeptJobs:
    """Each is to be claimed once, by the same call of the same caller made again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # The oldest first.
        self._jobs: list[Job] = []
        # No longer kept, but perhaps not all collected yet.
        self._claimed: list[Job] = []
        self._lock = Lock()
        self._is_minded = False

    def keep(self, job: Job) -> None:
        """Let it go on and keep what it gives; the oldest go when there are too many."""
        job.pictures.abandon(self)
        with self._lock:
            self._jobs.append(job)
            if not self._is_minded:
                self._is_minded = True
                Thread(target=self._mind, daemon=True).start()
        self.tidy()

    def claim(self, wanted: Job) -> Job | None:
        """Return a kept job of the same key, which is then no longer kept."""
        self.tidy()
        with self._lock:
            for job in self._jobs:
                if job.key == wanted.key:
                    self._jobs.remove(job)
                    self._claimed.append(job)
                    job.pictures.attend()
                    return job
        return None

    def make_room(self, outbox: Outbox) -> bool:
        """Drop the oldest others until all fits in the room; False if it does not even so."""
        if outbox.stored_bytes > MOST_BYTES:
            return False
        return self._drop(lambda job: job.pictures is not outbox and self._stored > MOST_BYTES)

    def tidy(self) -> None:
        """Drop what is too old, then the oldest until number and bytes are within bounds."""
        self._drop(
            lambda job: (
                self._is_old(job) or len(self._jobs) > _MOST_KEPT or self._stored > MOST_BYTES
            )
        )

    def clear(self) -> None:
        """Drop them all."""
        self._drop(lambda _: True)

    def _drop(self, is_to_go: Callable[[Job], bool]) -> bool:
        """Drop some, the oldest first. Return whether the rest fits in the room."""
        gone = []
        with self._lock:
            self._claimed = [job for job in self._claimed if job.pictures.stored_bytes]
            for job in list(self._jobs):
                if is_to_go(job):
                    self._jobs.remove(job)
                    gone.append(job)
            fits = self._stored <= MOST_BYTES
        for job in gone:
            job.drop()
        return fits

    @property
    def _stored(self) -> int:
        return sum(job.pictures.stored_bytes for job in [*self._jobs, *self._claimed])

    def _is_old(self, job: Job) -> bool:
        """Tell whether it ended long ago, or should have."""
        ended = job.deadline if job.ended is None else job.ended
        return ended + _LONGEST_KEPT < self._clock()

    def _mind(self) -> None:
        """Tidy now and then, as long as there is anything."""
        while self._is_minded:
            time.sleep(TIDY_EVERY)
            self.tidy()
            with self._lock:
                self._is_minded = bool(self._jobs)
