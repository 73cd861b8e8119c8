"""Replies prepared in advance: another one, half of one, or none at all."""

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from flask import Response


@dataclass(frozen=True)
class Failure:
    """A reply in place of the real one; a string goes out as it is, anything else as JSON."""

    status: int
    body: object
    content_type: str

    def reply(self) -> Response:
        body = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return Response(body, self.status, content_type=self.content_type)


class Plans:
    """What is to happen to the next requests, by path; each plan serves one request."""

    def __init__(self) -> None:
        self.failures: dict[str, deque[Failure]] = {}
        self.hangs: dict[str, int] = {}
        self.breaks: dict[str, deque[int]] = {}

    def fail(self, path: str, failure: Failure) -> None:
        self.failures.setdefault(path, deque()).append(failure)

    def hang(self, path: str) -> None:
        self.hangs[path] = self.hangs.get(path, 0) + 1

    def break_off(self, path: str, after_images: int) -> None:
        self.breaks.setdefault(path, deque()).append(after_images)

    def failure(self, path: str) -> Response | None:
        failures = self.failures.get(path)
        return failures.popleft().reply() if failures else None

    def hangs_now(self, path: str) -> bool:
        if not self.hangs.get(path):
            return False
        self.hangs[path] -= 1
        return True

    def broken(self, path: str, response: Response) -> Response | None:
        """As much of the response as is planned; None if it is to go out whole."""
        breaks = self.breaks.get(path)
        if not breaks:
            return None
        body = response.get_data()
        part = body[: _end_of_images(body, breaks.popleft())]
        headers = {"Content-Length": str(len(body)), "Content-Type": "application/json"}
        return Response(_cut_off(part), response.status_code, headers)


def _cut_off(part: bytes) -> Iterator[bytes]:
    yield part
    # The server takes this for a client that has gone, and closes the connection.
    raise ConnectionAbortedError


def _end_of_images(body: bytes, count: int) -> int:
    """A little beyond the first `count` images of a reply."""
    start = body.index(b'"images":') + len(b'"images":')
    end = body.index(b"[", start) + 1
    for _ in range(count):
        end = body.index(b'"', body.index(b'"', end) + 1) + 1
    return min(end + 40, len(body) - 1)
