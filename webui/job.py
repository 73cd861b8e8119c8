"""One generation on the server, which goes on when its caller must leave, and those kept so."""

import hashlib
import json
import time
import uuid
from collections.abc import Callable, Mapping
from threading import Lock, Thread
from typing import Any

from webui import limits
from webui.client import WebUIClient
from webui.credentials import LONGEST_TIMEOUT, Credentials
from webui.errors import StableDiffusionError
from webui.outbox import Outbox
from webui.reply import Reply

_MOST_KEPT = 16
_MOST_BYTES = 1 << 30
_LONGEST_KEPT = 7200.0


class Job:
    """A request being worked on. It reads the whole reply, whether or not anybody listens.

    task_id: what the server knows it by. submitted: time.monotonic() of the first submission.
    info, error: there when `pictures` has ended. too_large: (number, bytes) of each picture that
    Dify would not take. replying: the server has begun to answer, so all is drawn.
    """

    def __init__(self, credentials: Credentials, path: str, body: Mapping[str, Any]) -> None:
        self.key = _key(credentials, path, body)
        self.task_id = str(body.get("force_task_id") or f"dify-{uuid.uuid4().hex}")
        self.submitted = time.monotonic()
        self.pictures = Outbox()
        self.info: dict[str, Any] = {}
        self.error: BaseException | None = None
        self.too_large: list[tuple[int, int]] = []
        self.replying = False
        self.ended: float | None = None
        self._credentials = credentials
        self._path = path
        self.body = {**body, "force_task_id": self.task_id}

    def start(self) -> None:
        """Submit it; returns at once."""
        Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            # The caller keeps the time; the connection must outlast it, to be picked up again.
            with (
                WebUIClient(self._credentials) as client,
                client.generate(self._path, self.body, timeout=LONGEST_TIMEOUT) as response,
            ):
                self.replying = True
                reply = Reply(response, client.address, limits.largest_file())
                for picture in reply.pictures():
                    self.pictures.put(picture)
                self.info, self.too_large = reply.info, reply.too_large
        except StableDiffusionError as error:
            self.error = error
        except BaseException as error:
            # A mistake of ours: the call reports it, and the log has it too.
            self.error = error
            raise
        finally:
            self.ended = time.monotonic()
            self.pictures.end()


class Kept:
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

    def claim(self, credentials: Credentials, path: str, body: Mapping[str, Any]) -> Job | None:
        """A kept job of the same server, login and request, which is then no longer kept."""
        self.tidy()
        wanted = _key(credentials, path, body)
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
                    job.pictures.discard()


def _key(credentials: Credentials, path: str, body: Mapping[str, Any]) -> str:
    """A digest of what makes two calls the same; no password can be read from it."""
    address = credentials.address
    identity = [str(address), address.username, address.password, path, body]
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
