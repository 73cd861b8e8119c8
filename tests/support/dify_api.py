"""Dify's service API for one app: its event stream as Dify 1.16.1 sent it, cut where told."""

import json
import re
import socket
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from support.dify_files import picture
from support.raw_server import Answer, RawServer, reply

type Event = dict[str, Any]

KEY = "app-0123456789"
RUN = "94041906-25d8-49fb-8308-8119c157473e"
NAME = "txt2img-灯台-1.png"
PICTURE = picture(8, 8)
UPLOAD_LIMIT = 1000
"""Bytes above which an upload is refused."""
_PART = re.compile(
    rb'name="(\w+)"(?:; filename="([^"]*)")?\r\n(?:[^\r]+\r\n)*\r\n(.*?)\r\n--', re.DOTALL
)
_STREAM = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
    b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
)


def of_run(event: str, **data: object) -> Event:
    return {"event": event, "workflow_run_id": RUN, "task_id": "t", "data": data}


def file_of(link: str) -> Event:
    """A file as outputs have it."""
    known = {"dify_model_identity": "__dify__file__", "type": "image", "remote_url": None}
    return known | {"filename": NAME, "url": link}


def field(kind: str, name: str, **more: object) -> Event:
    """A field of a form as `/parameters` tells it."""
    return {kind: {"variable": name, "type": kind, "required": False, **more}}


FORM = [field("paragraph", "prompt"), field("number", "width"), field("select", "style")]


def begun(title: str = "Text to image") -> list[Event]:
    return [of_run("workflow_started"), of_run("node_started", title=title)]


def drawn(link: str, text: str = "", status: str = "succeeded") -> list[Event]:
    """A workflow that draws one picture."""
    end = {"outputs": {"images": [file_of(link)], "seed": 7}, "files": [file_of(link)]}
    return [
        *begun(),
        of_run("text_chunk", text=text),
        of_run("workflow_finished", status=status, error=None, **end),
    ]


def failed(error: str) -> list[Event]:
    """A chatflow that fails, and says so twice."""
    return [
        *begun(),
        of_run("workflow_finished", status="failed", error=error, outputs={}, files=[]),
        {"event": "error", "code": "completion_request_error", "message": error, "status": 400},
    ]


def said(answer: str, link: str) -> list[Event]:
    """An agent's answer, of no run."""
    known = {"conversation_id": "c1", "message_id": "m1", "task_id": "t"}
    return [
        known | {"event": "agent_thought", "thought": "", "tool": "draw"},
        known | {"event": "message_file", "belongs_to": "user", "url": "/files/uploads/photo.png"},
        known | {"event": "message_file", "belongs_to": "assistant", "url": link},
        known | {"event": "agent_message", "answer": answer},
        known | {"event": "message_end", "metadata": {}, "files": []},
    ]


class DifyApi(RawServer):
    """Listens on the loopback. The app tells `story`, each stream only until the next of `cuts`.

    A cut is a number of events, counted from the story's begin. Links need a `sign`. The app asks
    for what is in `form`; with a message it takes files if it has `file_upload`.
    """

    def __init__(
        self,
        story: Sequence[Event] = (),
        whole: object = None,
        cuts: Sequence[int] = (),
        form: Sequence[Event] = FORM,
        file_upload: Event | None = None,
    ) -> None:
        super().__init__(b"")
        self.story, self.whole, self.cuts = list(story), whole, list(cuts)
        self.takes = {"user_input_form": form, "file_upload": file_upload or {"enabled": False}}
        self.started: list[Event] = []
        self.uploads: list[tuple[str, str, bytes]] = []
        """User, name and content of each."""
        self.told = 0

    def answer_to(self, request: bytes) -> Answer:
        head, _, body = request.partition(b"\r\n\r\n")
        method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
        url = urlsplit(target)
        if url.path.startswith("/files/"):
            return self._file(head, "sign" in parse_qs(url.query))
        if f"authorization: bearer {KEY}".encode() not in head.lower():
            refused = {"code": "unauthorized", "message": "Access token is invalid", "status": 401}
            return reply(json.dumps(refused), status="401 Unauthorized")
        if url.path == "/v1/parameters":
            return reply(json.dumps(self.takes))
        if url.path == "/v1/files/upload":
            return self._keep(body)
        if method == "POST" and url.path in {"/v1/workflows/run", "/v1/chat-messages"}:
            self.started.append(json.loads(body) | {"path": url.path})
            if self.started[-1]["response_mode"] == "blocking":
                return reply(json.dumps(self.whole)) if self.whole else b""
            return self._tell
        user = self.started[0]["user"] if self.started else None
        if url.path == f"/v1/workflow/{RUN}/events" and parse_qs(url.query) == {"user": [user]}:
            return self._tell
        return reply('{"code": "not_found", "message": "No such run"}', status="404 Not Found")

    def _keep(self, form: bytes) -> bytes:
        parts = {name: (named.decode(), content) for name, named, content in _PART.findall(form)}
        named, content = parts[b"file"]
        if len(content) > UPLOAD_LIMIT:
            refused = {"code": "file_too_large", "message": "", "status": 413}
            return reply(json.dumps(refused), status="413 Request Entity Too Large")
        self.uploads.append((parts[b"user"][1].decode(), named, content))
        return reply(json.dumps({"id": f"upload-{len(self.uploads)}"}), status="201 Created")

    def _file(self, head: bytes, signed: bool) -> bytes:
        if not signed or b"authorization:" in head.lower():
            return reply("Invalid request", status="403 Forbidden", content_type="text/plain")
        return reply(PICTURE, content_type="image/png")

    def _tell(self, connection: socket.socket) -> None:
        """Go on with the story, in chunks that end within lines and letters."""
        until = self.cuts.pop(0) if self.cuts else len(self.story)
        lines = [json.dumps(one, ensure_ascii=False) for one in self.story[self.told : until]]
        self.told = until
        stream = "event: ping\n\n" + "".join(f"data: {line}\n\n" for line in lines)
        data = stream.encode()
        connection.sendall(_STREAM)
        for start in range(0, len(data), 7):
            piece = data[start : start + 7]
            connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        if until == len(self.story):
            connection.sendall(b"0\r\n\r\n")
