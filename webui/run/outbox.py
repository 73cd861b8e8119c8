"""From the one who receives pictures to the one who hands them on, one at a time."""

import contextlib
import tempfile
import time
from collections import deque
from threading import Condition
from typing import IO, Protocol

from webui.pictures.picture import Picture, identify_picture

Stored = IO[bytes]


class Room(Protocol):
    """Disk space that several outboxes share."""

    def make_room(self, outbox: "Outbox") -> bool:
        """Tell whether its `stored_bytes` fit in, once others have made way."""


class Outbox:
    """A hand-over of one picture; without a taker, pictures wait on disk.

    While somebody takes, `put` waits until the previous picture is gone, so that never more than
    two are in memory. After `abandon` nothing waits: pictures go to files that have no name, and so
    vanish with the process however it ends. What finds no room there is lost.

    stored_bytes: on disk, or about to be. lost: how many found no room, for the reason `lost_by`.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._waiting: deque[Picture | Stored] = deque()
        self._room: Room | None = None
        self._ended = False
        self._discarded = False
        self._woken = False
        self.stored_bytes = 0
        self.lost = 0
        self.lost_by = ""

    def put(self, picture: Picture) -> None:
        """Hand over the next picture."""
        with self._changed:
            while self._room is None and self._waiting and not self._discarded:
                self._changed.wait()
            room = self._room
            if room is None:
                self._append(picture, 0)
                return
            size = len(picture.data)
            self.stored_bytes += size
        # Others that make way have locks of their own.
        try:
            reason = "" if room.make_room(self) else "the room for waiting pictures is full"
            stored = None if reason else _store(picture)
        except OSError as error:
            stored, reason = None, f"the disk did not take it: {error.strerror or error}"
        with self._changed:
            if stored is not None:
                self._append(stored, size)
            else:
                self.stored_bytes -= size
                self.lost, self.lost_by = self.lost + 1, reason

    def end(self) -> None:
        """Say that no more will come."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wake(self) -> None:
        """Let the one who takes look up: something else has happened."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def take(self, timeout: float) -> Picture | None:
        """Return the next picture.

        None after `timeout` seconds, when woken, or at the end (see `is_empty`).
        """
        until = time.monotonic() + timeout
        with self._changed:
            while not self._waiting and not self._ended and not self._woken:
                left = until - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    break
            self._woken = False
            if not self._waiting:
                return None
            found = self._waiting.popleft()
            self._changed.notify_all()
        if isinstance(found, Picture):
            return found
        with found:
            found.seek(0)
            data = found.read()
        with self._changed:
            self.stored_bytes -= len(data)
        return identify_picture(data)

    @property
    def is_empty(self) -> bool:
        """Whether everything was taken and no more will come."""
        return self._ended and not self._waiting

    def abandon(self, room: Room) -> None:
        """Go on without a taker."""
        with self._changed:
            self._room = room
            self._changed.notify_all()

    def attend(self) -> None:
        """Take again; what is on disk comes first."""
        with self._changed:
            self._room = None

    def discard(self) -> None:
        """Drop what nobody took, and what may still come."""
        with self._changed:
            self._discarded = True
            self._changed.notify_all()
            while self._waiting:
                found = self._waiting.popleft()
                if not isinstance(found, Picture):
                    self.stored_bytes -= found.tell()
                    found.close()

    def _append(self, found: Picture | Stored, size: int) -> None:
        """Let it wait, unless it was discarded meanwhile."""
        if not self._discarded:
            self._waiting.append(found)
        elif not isinstance(found, Picture):
            found.close()
            self.stored_bytes -= size
        self._changed.notify_all()


def _store(picture: Picture) -> Stored:
    """Write it to a file that the one who takes it closes."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - see above
    try:
        file.write(picture.data)
        file.flush()
    except OSError:
        # It would try to write once more.
        with contextlib.suppress(OSError):
            file.close()
        raise
    return file
