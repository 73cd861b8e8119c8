"""A stand-in for an OpenAI-style API, such as those of LM Studio and Ollama: it streams."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

from flask import Flask, Response, request

from devtools.standin.server import Server

type Reply = str | tuple[str, Mapping[str, object]]


class ChatStandIn:
    """Answers inside this process, from `with` to its end.

    replies: what the model says, one after the other: a text, or the name and the arguments of a
    tool that it wants called. After them, a model with tools calls `draw` once, and any other says
    what the user said. `received` holds the requests.
    """

    def __init__(self, replies: Iterable[Reply] = ()) -> None:
        self.received: list[dict[str, Any]] = []
        self._replies = list(replies)
        self._app = Flask(__name__, static_folder=None)
        self._app.post("/v1/chat/completions")(self._complete)

    def __enter__(self) -> Self:
        self._server = Server("127.0.0.1", 0, self._app, verbose=False)
        self.base_url = f"http://127.0.0.1:{self._server.port}/v1"
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def _complete(self) -> Response:
        asked = request.get_json()
        self.received.append(asked)
        wish = [one["content"] for one in asked["messages"] if one["role"] == "user"][-1]
        draws = asked.get("tools") and asked["messages"][-1]["role"] != "tool"
        fitting: Reply = ("draw", {"prompt": wish}) if draws else wish
        reply = self._replies.pop(0) if self._replies else fitting
        return Response(_events(reply), content_type="text/event-stream")


def _events(reply: Reply) -> Iterator[str]:
    """Yield a text word by word; a call of a tool by its name, then its arguments in two halves."""
    if isinstance(reply, str):
        deltas: list[dict[str, Any]] = [{"content": word} for word in re.findall(r"\s*\S+", reply)]
    else:
        said, begun = json.dumps(reply[1]), {"name": reply[0], "arguments": ""}
        call: dict[str, Any] = {"index": 0, "id": "call_1", "type": "function", "function": begun}
        rest = [{"index": 0, "function": {"arguments": one}} for one in (said[:9], said[9:])]
        deltas = [{"tool_calls": [one]} for one in (call, *rest)]
    for delta in deltas:
        yield f"data: {json.dumps({'choices': [{'index': 0, 'delta': delta}]})}\n\n"
    yield "data: [DONE]\n\n"
