"""One generation on the server, which goes on when its caller must leave."""

import hashlib
import json
import time
import uuid
from collections.abc import Sequence
from threading import Event, Thread

from webui.call import Call
from webui.errors import StableDiffusionError, WebUIBusyError, WebUIConnectionError
from webui.http.account import Account
from webui.http.client import WebUIClient
from webui.http.endpoints import Endpoint
from webui.http.reply import Reply
from webui.http.settings import LONGEST_TIMEOUT
from webui.run.outbox import Outbox
from webui.run.progress import Looking, Lookout, TaskState
from webui.values import Fields

# Seconds until a server that takes no more is asked again, unless it says; each is twice the last.
FIRST_PAUSE = 5.0
LONGEST_PAUSE = 30.0


class Job:
    """A request being worked on. It reads the whole reply, whether or not anybody listens.

    key: the same for the same request of the same caller to the same server and login; no password
    can be read from it. task_id: what the server knows it by. began, submitted: time.monotonic() of
    the call that it comes from, and of the first submission. deadline: until when a server that
    takes no more is asked again. account, error: there when `pictures` has ended. too_large:
    (number, bytes) of each picture of more bytes than the caller takes, which is only noted. ended:
    when.
    """

    def __init__(self, call: Call, endpoint: Endpoint, fields: Fields) -> None:
        self.settings = call.settings
        self.key = _identify(call, endpoint, fields)
        self.task_id = str(fields.get("force_task_id") or f"task-{uuid.uuid4().hex}")
        self.fields = {**fields, "force_task_id": self.task_id}
        self.began = call.began
        self.submitted = time.monotonic()
        self.deadline = call.deadline
        self.pictures = Outbox()
        self.account = Account()
        self.error: BaseException | None = None
        self.too_large: list[tuple[int, int]] = []
        self.ended: float | None = None
        self._endpoint = endpoint
        self._largest = call.limits.largest_file
        self._client = WebUIClient(call.settings, task_id=self.task_id)
        self._unwanted = Event()
        self._is_replying = self._is_held_back = False
        self._held_for = 0.0
        self._held_by = ""

    def start(self) -> None:
        """Submit it; returns at once."""
        Thread(target=self._run, daemon=True).start()

    def drop(self) -> None:
        """Nobody wants it any more: close its connection, and do not ask a busy server again."""
        self._unwanted.set()
        self.pictures.discard()
        self._client.abort()

    @property
    def task_ids(self) -> Sequence[str]:
        """Return what the server knows it by, or its parts."""
        return [self.task_id]

    @property
    def replying(self) -> bool:
        """Whether the server has begun to answer, so that all is drawn."""
        return self._is_replying

    def warnings(self) -> list[str]:
        """Return what is to be said of it, when it has ended."""
        if not self._held_for:
            return []
        return [f"The job was taken after {self._held_for:.0f} s. {self._held_by}"]

    def lookout(self) -> Looking:
        """Return who asks how far it is."""
        return Lookout(self.settings, self.task_id, lambda: self._is_held_back)

    def interrupt(self, within: float) -> str:
        """Have the server stop it, if it is certainly what runs: an interrupt hits whatever does.

        It takes so many seconds at the most. Why it was left alone, "" when it was told to stop.
        """
        if self._is_held_back:
            return f"Nothing was drawn. {self._held_by}"
        until = time.monotonic() + within
        try:
            with WebUIClient(self.settings, until=until, task_id=self.task_id) as client:
                task = TaskState.ask(client, self.task_id)
                if task is not None and task.active:
                    client.interrupt()
                    return ""
        except WebUIConnectionError:
            return "It may still be drawn: the server could not be reached to stop it."
        if task is not None and task.queued:
            return (
                "It is still in the queue: where that is a balancer's, it is withdrawn; a server "
                "draws it all the same, since interrupting would stop somebody else's picture."
            )
        return (
            "It may still be drawn: this server cannot tell whose job is running, and "
            "interrupting might stop somebody else's picture."
        )

    def _run(self) -> None:
        try:
            self._work()
        except StableDiffusionError as error:
            self.error = error
        except BaseException as error:
            # A mistake of ours: the call reports it, and the log has it too.
            self.error = error
            raise
        finally:
            self.pictures.end()
            self.ended = time.monotonic()

    def _work(self) -> None:
        """Hand over the pictures; then `account` and `too_large` are there."""
        with self._client as client, self._post(client) as reply:
            self._is_replying = True
            for picture in reply.pictures():
                self.pictures.put(picture)
            self.account, self.too_large = reply.account, reply.too_large

    def _post(self, client: WebUIClient) -> Reply:
        """Post it, again while the server takes no more.

        This POST alone may be repeated: nothing was drawn. WebUIBusyError at the deadline.
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
                if time.monotonic() + wait >= self.deadline:
                    raise
                self._is_held_back, self._held_by = True, str(error)
                if self._unwanted.wait(wait):
                    raise
                self._is_held_back = False
                self._held_for = time.monotonic() - self.submitted
                pause = min(2 * pause, LONGEST_PAUSE)


def _identify(call: Call, endpoint: Endpoint, fields: Fields) -> str:
    identity = [call.caller, call.settings.address.identity, endpoint, fields]
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
