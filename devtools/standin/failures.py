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


@dataclass
class Plans:
    """What is to happen to the next requests, by path; each plan serves one request.

    `breaks` are the numbers of images after which a reply ends.
    """

    failures: dict[str, deque[Response]] = field(default_factory=lambda: defaultdict(deque))
    hangs: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    breaks: dict[str, deque[int]] = field(default_factory=lambda: defaultdict(deque))

    def fail(self, path: str, status: int, body: object, content_type: str) -> None:
        text = body if isinstance(body, str) else json.dumps(body)
        self.failures[path].append(Response(text, status, content_type=content_type))

    def hangs_now(self, path: str) -> bool:
        left = self.hangs[path]
        self.hangs[path] = max(left - 1, 0)
        return left > 0

    def cut(self, path: str, response: Response) -> Response:
        """As much of the response as is planned: a little more than some whole images."""
        if not self.breaks[path]:
            return response
        body = response.get_data()
        end = body.index(b"[", body.index(b'"images":')) + 1
        for _ in range(self.breaks[path].popleft()):
            end = body.index(b'"', body.index(b'"', end) + 1) + 1
        part = body[: min(end + 40, len(body) - 1)]
        headers = {"Content-Length": str(len(body)), "Content-Type": "application/json"}
        return Response(_broken_off(part), response.status_code, headers)


def _broken_off(part: bytes) -> Iterator[bytes]:
    yield part
    # The server takes this for a client that has gone, and closes the connection.
    raise ConnectionAbortedError
