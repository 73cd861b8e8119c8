"""What outlives a call and matters to the next: in this process's memory, and gone with it."""

from webui.run.job import KeptJobs
from webui.server.cache import Shelves

# Jobs whose callers had to leave, for the same call made again.
JOBS = KeptJobs()
# What servers said of themselves, for a short while.
ANSWERS = Shelves()


def forget() -> None:
    """Begin as a new process does."""
    JOBS.clear()
    ANSWERS.clear()
