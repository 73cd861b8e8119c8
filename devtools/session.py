"""Calls to a plugin over its line protocol, whatever carries the lines."""

import contextlib
import json
import queue
import threading
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator, Mapping
from typing import Any

from devtools.messages import Message, MessageReader, PluginError, PluginGoneError, ProtocolError

type Inbox = queue.Queue[dict[str, Any] | PluginGoneError]


class Conversation(ABC):
    """Many calls at once over one connection to a plugin.

    `heartbeats` holds the `time.monotonic()` of each. `log_lines` holds what the plugin logged
    for the daemon, `stray_lines` what it wrote that is no part of the protocol: the daemon
    drops those.
    """

    manifest: dict[str, Any]

    def __init__(self) -> None:
        self.manifest = {}
        self.heartbeats: list[float] = []
        self.log_lines: list[str] = []
        self.stray_lines: list[str] = []
        self._inboxes: dict[str, Inbox] = {}
        self._lock = threading.Lock()
        self._gone: PluginGoneError | None = None

    def invoke(
        self,
        tool: str,
        parameters: Mapping[str, Any],
        credentials: Mapping[str, Any],
        *,
        provider: str = "stable_diffusion",
        timeout: float | None = None,
    ) -> Iterator[Message]:
        """Calls a tool at once; the iterator yields its messages as they arrive.

        Leaving the iterator early is allowed: like Dify, it tells the plugin nothing.

        Raises:
            PluginError: the tool raised an exception.
            PluginGoneError: the process or connection ended before the call did.
            ProtocolError: the plugin sent something Dify does not accept.
            TimeoutError: the call took more than `timeout` seconds in total.

        """
        request = {
            "action": "invoke_tool",
            "provider": provider,
            "tool": tool,
            "tool_parameters": dict(parameters),
            "credentials": dict(credentials),
            "credential_type": "api-key",
        }
        return _tool_messages(self._ask(request, timeout))

    def validate(
        self,
        credentials: Mapping[str, Any],
        *,
        provider: str = "stable_diffusion",
        timeout: float | None = None,
    ) -> None:
        """Has the provider check credentials; raises as `invoke` does."""
        request = {
            "action": "validate_tool_credentials",
            "provider": provider,
            "credentials": dict(credentials),
        }
        answers = list(self._ask(request, timeout))
        if answers != [{"result": True}]:
            raise ProtocolError(f"credentials were answered with {answers!r}")

    @abstractmethod
    def _send(self, line: bytes) -> None:
        """Writes one line; failing may stay silent when `_lose` is certain to follow."""

    def _receive(self, line: bytes) -> None:
        """Takes one line of the plugin's."""
        try:
            event = json.loads(line)
        except ValueError:
            event = None
        match event:
            case {"event": "session", "session_id": str(session_id), "data": dict(data)}:
                with self._lock:
                    inbox = self._inboxes.get(session_id)
                # Without an inbox the caller has left: the daemon drops such messages too.
                if inbox is not None:
                    inbox.put(data)
            case {"event": "heartbeat"}:
                self.heartbeats.append(time.monotonic())
            case {"event": "log", "data": {"level": level, "message": message}}:
                self.log_lines.append(f"{level} {message}")
            case {"event": "error", "data": data}:
                self.log_lines.append(f"ERROR {data}")
            case dict() if "event" not in event and not self.manifest:
                self.manifest = event
            case _:
                self.stray_lines.append(line.decode(errors="replace").rstrip())

    def _lose(self, error: PluginGoneError) -> None:
        """Ends every call, running or to come, with `error`."""
        with self._lock:
            self._gone = error
            for inbox in self._inboxes.values():
                inbox.put(error)

    def _ask(
        self, request: dict[str, Any], timeout: float | None
    ) -> Generator[dict[str, Any], None, None]:
        deadline = None if timeout is None else time.monotonic() + timeout
        session_id = str(uuid.uuid4())
        inbox: Inbox = queue.Queue()
        with self._lock:
            if self._gone is not None:
                # A fresh exception: a shared one would collect the tracebacks of all its raisers.
                raise PluginGoneError(*self._gone.args)
            self._inboxes[session_id] = inbox
        line = {
            "session_id": session_id,
            "conversation_id": None,
            "message_id": None,
            "app_id": None,
            "endpoint_id": None,
            "context": None,
            "event": "request",
            "data": {"type": "tool", "user_id": str(uuid.uuid4()), **request},
        }
        self._send(json.dumps(line).encode() + b"\n")
        return self._answers(session_id, inbox, deadline, request["provider"])

    def _answers(
        self, session_id: str, inbox: Inbox, deadline: float | None, provider: str
    ) -> Generator[dict[str, Any], None, None]:
        try:
            while True:
                remaining = None if deadline is None else max(0.0, deadline - time.monotonic())
                try:
                    answer = inbox.get(timeout=remaining)
                except queue.Empty:
                    raise TimeoutError("killed by timeout") from None
                if isinstance(answer, PluginGoneError):
                    raise PluginGoneError(*answer.args)
                data = answer.get("data") or {}
                match answer.get("type"):
                    case "stream":
                        yield data
                    case "end":
                        return
                    case "error":
                        raise self._reported(data, provider)
                    case "invoke":
                        raise ProtocolError(
                            f"the plugin called back to Dify ({data.get('type')}), which is not "
                            "played here"
                        )
                    case unknown:
                        raise ProtocolError(f"unknown stream message type: {unknown}")
        finally:
            with self._lock:
                del self._inboxes[session_id]

    def _reported(self, data: dict[str, Any], provider: str) -> PluginError:
        return PluginError(
            str(data.get("error_type")),
            str(data.get("message")),
            data.get("args") or {},
            provider=f"{self.manifest.get('author')}/{self.manifest.get('name')}/{provider}",
        )


def _tool_messages(answers: Generator[dict[str, Any], None, None]) -> Iterator[Message]:
    reader = MessageReader()
    with contextlib.closing(answers):
        for answer in answers:
            message = reader.read(answer)
            if message is not None:
                yield message
    reader.finish()
