"""What outlives a call and matters to the next: in this process's memory, and gone with it."""

import time
from threading import Thread
from weakref import WeakSet

from webui.run.job import Job
from webui.run.kept import KeptJobs
from webui.server.cache import Shelves

# Jobs whose callers had to leave, for the same call made again.
JOBS = KeptJobs()
# All that were submitted; those that have ended go by themselves.
RUNNING: WeakSet[Job] = WeakSet()
# What servers said of themselves, for a short while.
ANSWERS = Shelves()


def forget() -> None:
    """Begin as a new process does."""
    JOBS.clear()
    RUNNING.clear()
    ANSWERS.clear()


def interrupt_jobs(within: float) -> None:
    """Have servers stop what is certainly ours, as nobody will be there to take it.

    All at once, and in so many seconds at the most.
    """
    until = time.monotonic() + within
    asking = [
        Thread(target=job.interrupt, args=(within,), daemon=True)
        for job in list(RUNNING)
        if job.ended is None
    ]
    for one in asking:
        one.start()
    for one in asking:
        one.join(max(until - time.monotonic(), 0.0))
