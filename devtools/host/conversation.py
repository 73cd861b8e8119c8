"""Calls to a plugin over its line protocol, whatever carries the lines."""

import contextlib
import json
import queue
import threading
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

from devtools.host import messages
from devtools.host.messages import Message, PluginError, PluginGoneError, ProtocolError

PROVIDER = "stable_diffusion"

type Inbox = queue.Queue[dict[str, Any] | PluginGoneError]


class Conversation(ABC):
    """Many calls at once over one connection to a plugin.

    `heartbeats` holds the `time.monotonic()` of each, `stray_lines` what the plugin wrote that is
    no part of the protocol: the daemon drops those.
    """

    def __init__(self) -> None:
        self.manifest: dict[str, Any] = {}
        self.heartbeats: list[float] = []
        self.stray_lines: list[str] = []
        self._inboxes: dict[str, Inbox] = {}
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._gone: PluginGoneError | None = None

    def invoke(
        self,
        tool: str,
        parameters: Mapping[str, Any],
        credentials: Mapping[str, Any],
        timeout: float | None = None,
    ) -> Iterator[Message]:
        """Call a tool at once; the iterator yields its messages as they arrive.

        It raises PluginError for an exception of the tool's, PluginGoneError, ProtocolError, and
        TimeoutError after `timeout` seconds in all. Leaving it early tells the plugin nothing, as
        under Dify.
        """
        request = {
            "action": "invoke_tool",
            "tool": tool,
            "tool_parameters": dict(parameters),
            "credentials": dict(credentials),
            "credential_type": "api-key",
        }
        return messages.tool_messages(self._ask(request, timeout))

    def validate(self, credentials: Mapping[str, Any], timeout: float | None = None) -> None:
        """Have the provider check credentials; raise as `invoke` does."""
        request = {"action": "validate_tool_credentials", "credentials": dict(credentials)}
        answers = list(self._ask(request, timeout))
        if answers != [{"result": True}]:
            raise ProtocolError(f"credentials were answered with {answers!r}")

    @abstractmethod
    def _send(self, line: bytes) -> None:
        """Write one line."""

    def _receive(self, line: bytes) -> None:
        """Take one line of the plugin's."""
        try:
            event = json.loads(line)
        except ValueError:
            event = None
        match event:
            case {"event": "session", "session_id": str(session_id), "data": dict(data)}:
                # Without an inbox the caller has left: the daemon drops such messages too.
                if (inbox := self._inboxes.get(session_id)) is not None:
                    inbox.put(data)
            case {"event": "heartbeat"}:
                self.heartbeats.append(time.monotonic())
            case {"event": "log" | "error"}:
                pass  # For the daemon's own log.
            case dict() if "event" not in event and not self.manifest:
                self.manifest = event
            case _:
                self.stray_lines.append(line.decode(errors="replace").rstrip())

    def _lose(self, error: PluginGoneError) -> None:
        """End every call, running or to come, with `error`."""
        with self._lock:
            self._gone = error
            for inbox in self._inboxes.values():
                inbox.put(error)

    def _ask(self, request: dict[str, Any], timeout: float | None) -> Iterator[dict[str, Any]]:
        deadline = None if timeout is None else time.monotonic() + timeout
        session_id = str(uuid.uuid4())
        inbox: Inbox = queue.Queue()
        with self._lock:
            if self._gone is not None:
                raise PluginGoneError(*self._gone.args)
            self._inboxes[session_id] = inbox
        line = {
            "session_id": session_id,
            **dict.fromkeys(["conversation_id", "message_id", "app_id", "endpoint_id", "context"]),
            "event": "request",
            "data": {"type": "tool", "user_id": "somebody", "provider": PROVIDER, **request},
        }
        # A broken pipe or connection shows when it is read from: that tells all callers.
        with self._writing, contextlib.suppress(OSError):
            self._send(json.dumps(line).encode() + b"\n")
        return self._answers(session_id, inbox, deadline)

    def _answers(
        self, session_id: str, inbox: Inbox, deadline: float | None
    ) -> Iterator[dict[str, Any]]:
        name = "{author}/{name}/".format_map(self.manifest) + PROVIDER
        try:
            while True:
                remaining = None if deadline is None else max(0.0, deadline - time.monotonic())
                match inbox.get(timeout=remaining):
                    case {"type": "stream", "data": data}:
                        yield data
                    case {"type": "end"}:
                        return
                    case {"type": "error", "data": data}:
                        raise PluginError(name, data)
                    case PluginGoneError() as gone:
                        # A fresh one: a shared one would collect the tracebacks of its raisers.
                        raise PluginGoneError(*gone.args)
                    case other:
                        raise ProtocolError(f"neither a message nor an end: {other}")
        except queue.Empty:
            raise TimeoutError("killed by timeout") from None
        finally:
            with self._lock:
                del self._inboxes[session_id]
