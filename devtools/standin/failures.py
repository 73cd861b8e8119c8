"""What goes wrong: by the server's own ways, or because a test has prepared it."""

import json
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from flask import Response


class CrashError(Exception):
    """What the real server did not catch: the class name and text of its own exception."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name


class RefusalError(Exception):
    """A refusal that the server words itself; `detail` may be a list of invalid fields."""

    def __init__(self, status: int, detail: object) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class ClosingError(Exception):
    """The server ends; nobody waits any longer."""


def out_of_memory() -> CrashError:
    """The error that torch raises."""
    text = "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 8.00 GiB"
    return CrashError("OutOfMemoryError", f"{text} of which 0 bytes is free.")


@dataclass
class Plans:
    """What is to happen to the next requests, by path; each plan serves one request."""

    failures: dict[str, deque[Response]] = field(default_factory=lambda: defaultdict(deque))
    hangs: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    breaks: dict[str, deque[int]] = field(default_factory=lambda: defaultdict(deque))

    def fail(self, path: str, status: int, body: object, content_type: str) -> None:
        text = body if isinstance(body, str) else json.dumps(body)
        self.failures[path].append(Response(text, status, content_type=content_type))

    def failure(self, path: str) -> Response | None:
        return self.failures[path].popleft() if self.failures[path] else None

    def hangs_now(self, path: str) -> bool:
        self.hangs[path] -= 1
        if self.hangs[path] >= 0:
            return True
        self.hangs[path] = 0
        return False

    def broken(self, path: str, response: Response) -> Response | None:
        """As much of the response as is planned; None if it is to go out whole."""
        if not self.breaks[path]:
            return None
        body = response.get_data()
        part = body[: _end_of_images(body, self.breaks[path].popleft())]
        headers = {"Content-Length": str(len(body)), "Content-Type": "application/json"}
        return Response(_cut_off(part), response.status_code, headers)


def _cut_off(part: bytes) -> Iterator[bytes]:
    yield part
    # The server takes this for a client that has gone, and closes the connection.
    raise ConnectionAbortedError


def _end_of_images(body: bytes, count: int) -> int:
    """A little beyond the first `count` images of a reply."""
    end = body.index(b"[", body.index(b'"images":')) + 1
    for _ in range(count):
        end = body.index(b'"', body.index(b'"', end) + 1) + 1
    return min(end + 40, len(body) - 1)
