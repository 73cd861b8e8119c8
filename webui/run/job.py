"""One generation on the server, which goes on when its caller must leave, and those kept so."""

import hashlib
import json
import math
import sys
import time
import uuid
from collections.abc import Callable
from threading import Event, Lock, Thread

from webui.errors import StableDiffusionError, WebUIBusyError
from webui.http.account import Account
from webui.http.client import WebUIClient
from webui.http.endpoints import Endpoint
from webui.http.reply import Reply
from webui.http.settings import LONGEST_TIMEOUT, Settings
from webui.run.outbox import Outbox
from webui.values import Fields

_MOST_KEPT = 16
_MOST_BYTES = 1 << 30
_LONGEST_KEPT = 7200.0
# Seconds until a server that takes no more is asked again, unless it says; each is twice the last.
FIRST_PAUSE = 5.0
LONGEST_PAUSE = 30.0


class Job:
    """A request being worked on. It reads the whole reply, whether or not anybody listens.

    patience: seconds for which a server that takes no more is asked again. largest: bytes above
    which a picture is only noted. task_id: what the server knows it by.
    submitted: time.monotonic() of the first submission. account, error: there when `pictures` has
    ended. too_large: (number, bytes) of each picture that is larger. replying: the server has begun
    to answer, so all is drawn. held_back: it waits, as the server takes no more for now. held_for,
    held_by: how many seconds it had to wait so, and the server's reason.
    """

    def __init__(
        self,
        settings: Settings,
        endpoint: Endpoint,
        fields: Fields,
        patience: float = math.inf,
        *,
        largest: int = sys.maxsize,
    ) -> None:
        self.key = identify_job(settings, endpoint, fields)
        self.task_id = str(fields.get("force_task_id") or f"task-{uuid.uuid4().hex}")
        self.fields = {**fields, "force_task_id": self.task_id}
        self.submitted = time.monotonic()
        self.pictures = Outbox()
        self.account = Account()
        self.error: BaseException | None = None
        self.too_large: list[tuple[int, int]] = []
        self.replying = False
        self.held_back = False
        self.held_for = 0.0
        self.held_by = ""
        self.ended: float | None = None
        self._settings = settings
        self._endpoint = endpoint
        self._largest = largest
        self._give_up_at = self.submitted + patience
        self._unwanted = Event()

    def start(self) -> None:
        """Submit it; returns at once."""
        Thread(target=self._run, daemon=True).start()

    def drop(self) -> None:
        """Nobody wants it any more: delete what comes, and do not ask a busy server again."""
        self._unwanted.set()
        self.pictures.discard()

    def _run(self) -> None:
        try:
            with WebUIClient(self._settings) as client, self._post(client) as reply:
                self.replying = True
                for picture in reply.pictures():
                    self.pictures.put(picture)
                self.account, self.too_large = reply.account, reply.too_large
        except StableDiffusionError as error:
            self.error = error
        except BaseException as error:
            # A mistake of ours: the call reports it, and the log has it too.
            self.error = error
            raise
        finally:
            self.ended = time.monotonic()
            self.pictures.end()

    def _post(self, client: WebUIClient) -> Reply:
        """Post it, again while the server takes no more.

        This POST alone may be repeated: nothing was drawn. WebUIBusyError when patience ends.
        """
        pause = FIRST_PAUSE
        while True:
            try:
                # The caller keeps the time; the connection must outlast it, to be picked up again.
                return client.generate(
                    self._endpoint, self.fields, timeout=LONGEST_TIMEOUT, largest=self._largest
                )
            except WebUIBusyError as error:
                wait = pause if error.retry_after is None else max(error.retry_after, 1.0)
                if time.monotonic() + wait >= self._give_up_at:
                    raise
                self.held_back, self.held_by = True, str(error)
                if self._unwanted.wait(wait):
                    raise
                self.held_back, self.held_for = False, time.monotonic() - self.submitted
                pause = min(2 * pause, LONGEST_PAUSE)


class KeptJobs:
    """Jobs whose callers had to leave, each to be claimed once by the same call made again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._jobs: list[Job] = []
        self._lock = Lock()

    def keep(self, job: Job) -> None:
        """Let it go on and keep what it gives; the oldest go when there are too many."""
        job.pictures.abandon()
        with self._lock:
            self._jobs.append(job)
        self.tidy()

    def claim(self, settings: Settings, endpoint: Endpoint, fields: Fields) -> Job | None:
        """Return a kept job of the same server, login and request, which is then no longer kept."""
        self.tidy()
        wanted = identify_job(settings, endpoint, fields)
        with self._lock:
            for job in self._jobs:
                if job.key == wanted:
                    self._jobs.remove(job)
                    job.pictures.attend()
                    return job
        return None

    def tidy(self) -> None:
        """Drop what is too old, then the oldest until number and bytes are within bounds."""
        with self._lock:
            for job in list(self._jobs):
                old = job.ended is not None and job.ended + _LONGEST_KEPT < self._clock()
                stored = sum(one.pictures.stored_bytes for one in self._jobs)
                if old or len(self._jobs) > _MOST_KEPT or stored > _MOST_BYTES:
                    self._jobs.remove(job)
                    job.drop()

    def clear(self) -> None:
        """Drop them all."""
        with self._lock:
            while self._jobs:
                self._jobs.pop().drop()


def identify_job(settings: Settings, endpoint: Endpoint, fields: Fields) -> str:
    """Return a digest of what makes two calls the same; no password can be read from it."""
    address = settings.address
    identity = [str(address), address.username, address.password, endpoint, fields]
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
