"""A stand-in for an OpenAI-style API, such as those of LM Studio and Ollama: it streams."""

import json
import re
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

from flask import Flask, Response, request

from devtools.standin.server import Server

type Reply = str | tuple[str, Mapping[str, object]]


class ChatStandIn:
    """Answers inside this process, from `with` to its end.

    replies: what the model says, one after the other: a text, or the name and the arguments of a
    tool that it wants called. When they have run out, a model with tools calls `draw` once, and
    any other says what the user said. `received` holds the requests.
    """

    def __init__(self, replies: Iterable[Reply] = ()) -> None:
        self.received: list[dict[str, Any]] = []
        self._replies = deque(replies)
        self._app = Flask(__name__, static_folder=None)
        self._app.post("/v1/chat/completions")(self._complete)

    def __enter__(self) -> Self:
        self._server = Server("127.0.0.1", 0, self._app, verbose=False)
        self.base_url = f"http://127.0.0.1:{self._server.port}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.hang_up()
        self._thread.join()

    def _complete(self) -> Response:
        asked = request.get_json()
        self.received.append(asked)
        reply = self._replies.popleft() if self._replies else _fitting(asked)
        return Response(_events(reply), content_type="text/event-stream")


def _fitting(asked: Mapping[str, Any]) -> Reply:
    messages = asked["messages"]
    wish = [one["content"] for one in messages if one["role"] == "user"][-1]
    has_called = messages[-1]["role"] == "tool"
    return ("draw", {"prompt": wish}) if asked.get("tools") and not has_called else wish


def _events(reply: Reply) -> Iterator[str]:
    """Yield a text word by word; a call of a tool as one, as local servers send it."""
    if isinstance(reply, str):
        deltas: list[dict[str, Any]] = [
            {"content": word} for word in re.findall(r"\s*\S+\s*$|\s*\S+", reply)
        ]
    else:
        function = {"name": reply[0], "arguments": json.dumps(reply[1])}
        call = {"index": 0, "id": "call_1", "type": "function", "function": function}
        deltas = [{"role": "assistant", "content": None, "tool_calls": [call]}]
    for delta in deltas:
        yield f"data: {json.dumps({'choices': [{'index': 0, 'delta': delta}]})}\n\n"
    yield "data: [DONE]\n\n"
