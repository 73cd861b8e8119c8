"""What goes wrong: by the server's own ways, or because a test has prepared it."""

import json
from collections import defaultdict, deque
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
    """What is to happen to the next requests, by path; each plan serves one request."""

    failures: dict[str, deque[Response]] = field(default_factory=lambda: defaultdict(deque))
    hangs: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def fail(self, path: str, status: int, body: object, content_type: str) -> None:
        text = body if isinstance(body, str) else json.dumps(body)
        self.failures[path].append(Response(text, status, content_type=content_type))

    def hangs_now(self, path: str) -> bool:
        left = self.hangs[path]
        self.hangs[path] = max(left - 1, 0)
        return left > 0
