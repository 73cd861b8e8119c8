"""From the one who receives pictures to the one who hands them on, one at a time."""

import tempfile
import time
from collections import deque
from threading import Condition
from typing import IO

from webui.pictures.picture import Picture, identify_picture

Stored = IO[bytes]


class Outbox:
    """A hand-over of one picture; without a taker, pictures wait on disk.

    While somebody takes, `put` waits until the previous picture is gone, so that never more than
    two are in memory. After `abandon` nothing waits: pictures go to files that have no name, and so
    vanish with the process however it ends.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._waiting: deque[Picture | Stored] = deque()
        self._attended = True
        self._ended = False
        self._discarded = False
        self.stored_bytes = 0

    def put(self, picture: Picture) -> None:
        """Hand over the next picture."""
        with self._changed:
            while self._attended and self._waiting:
                self._changed.wait()
            if not self._attended and not self._discarded:
                self._waiting.append(self._store(picture))
            elif not self._discarded:
                self._waiting.append(picture)
            self._changed.notify_all()

    def end(self) -> None:
        """Say that no more will come."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def take(self, timeout: float) -> Picture | None:
        """Return the next picture; None after `timeout` seconds or at the end (see `is_empty`)."""
        until = time.monotonic() + timeout
        with self._changed:
            while not self._waiting and not self._ended:
                left = until - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    return None
            if not self._waiting:
                return None
            found = self._waiting.popleft()
            self._changed.notify_all()
        if isinstance(found, Picture):
            return found
        with found:
            found.seek(0)
            data = found.read()
        self.stored_bytes -= len(data)
        return identify_picture(data)

    @property
    def is_empty(self) -> bool:
        """Whether everything was taken and no more will come."""
        return self._ended and not self._waiting

    def abandon(self) -> None:
        """Go on without a taker."""
        with self._changed:
            self._attended = False
            self._changed.notify_all()

    def attend(self) -> None:
        """Take again; what is on disk comes first."""
        with self._changed:
            self._attended = True

    def discard(self) -> None:
        """Drop what nobody took, and what may still come."""
        with self._changed:
            self._attended = False
            self._discarded = True
            self._changed.notify_all()
            while self._waiting:
                found = self._waiting.popleft()
                if not isinstance(found, Picture):
                    found.close()
            self.stored_bytes = 0

    def _store(self, picture: Picture) -> Stored:
        file = tempfile.TemporaryFile()  # noqa: SIM115 - `take` or `discard` closes it
        file.write(picture.data)
        self.stored_bytes += len(picture.data)
        return file
