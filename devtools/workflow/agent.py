"""The Agent node, which graphon leaves to Dify, by a strategy like Dify's FunctionCalling."""

import json
from collections.abc import Generator, Mapping, Sequence
from typing import Any, override

from graphon.entities.base_node_data import BaseNodeData
from graphon.enums import BuiltinNodeTypes, NodeType, WorkflowNodeExecutionStatus
from graphon.file.models import File
from graphon.node_events.base import NodeEventPayload, NodeRunResult
from graphon.node_events.node import StreamChunkEvent, StreamCompletedEvent
from graphon.nodes.base.node import Node
from graphon.nodes.tool.exc import ToolNodeError
from graphon.runtime.init_params import InitParams
from graphon.runtime.runtime_state import RuntimeState
from graphon.variables.segments import ArrayFileSegment
from graphon.variables.template_resolution import convert_template

from devtools import command_words
from devtools.workflow.models import ChatModel
from devtools.workflow.tools import Tools

_JSON_TYPES = {"select": "string", "file": None, "files": None}


class AgentNodeData(BaseNodeData):
    """agent_parameters: model, tools, instruction, query and maximum_iterations, by type, value."""

    type: NodeType = BuiltinNodeTypes.AGENT
    agent_parameters: dict[str, dict[str, Any]]


class AgentNode(Node[AgentNodeData]):
    """Asks the model, calls the tools it asks for, and asks again, until it answers."""

    node_type = BuiltinNodeTypes.AGENT

    def __init__(
        self,
        node_id: str,
        data: AgentNodeData,
        *,
        init_params: InitParams,
        runtime_state: RuntimeState,
        tools: Tools,
        llm: str,
    ) -> None:
        super().__init__(node_id, data, init_params=init_params, runtime_state=runtime_state)
        self._tools, self._llm = tools, llm

    @classmethod
    @override
    def version(cls) -> str:
        return "1"

    @override
    def _run(self) -> Generator[NodeEventPayload]:
        given = {name: one["value"] for name, one in self.node_data.agent_parameters.items()}
        model = ChatModel(self._llm, given["model"]["model"], given["model"]["completion_params"])
        enabled = {one["tool_name"]: one for one in given["tools"] if one["enabled"]}
        pool = self.runtime_state.variable_pool
        messages: list[dict[str, Any]] = [
            {"role": "system", "content": convert_template(pool, given["instruction"]).text},
            {"role": "user", "content": convert_template(pool, given["query"]).text},
        ]
        files: list[File] = []
        text = ""
        for left in reversed(range(given["maximum_iterations"])):
            # In the last round the model has no tools, so that it can but answer.
            offered = [_function(one) for one in enabled.values()] if left else []
            said, calls = "", list[dict[str, Any]]()
            for delta in model.deltas(messages, offered):
                calls += delta.get("tool_calls") or []
                if content := delta.get("content"):
                    said += content
                    yield StreamChunkEvent(selector=[self._node_id, "text"], chunk=content)
            text += said
            if not calls:
                break
            messages.append({"role": "assistant", "content": said, "tool_calls": calls})
            for one in calls:
                answer = self._call(one["function"], enabled, files)
                messages.append({"role": "tool", "tool_call_id": one["id"], "content": answer})
        yield StreamChunkEvent(selector=[self._node_id, "text"], chunk="", is_final=True)
        yield StreamCompletedEvent(
            node_run_result=NodeRunResult(
                status=WorkflowNodeExecutionStatus.SUCCEEDED,
                outputs={"text": text, "files": ArrayFileSegment(value=files), "json": []},
            )
        )

    def _call(
        self, function: Mapping[str, str], enabled: Mapping[str, Any], files: list[File]
    ) -> str:
        """Return what the model reads of the call; its pictures go to `files`."""
        name, said = function["name"], ""
        if name not in enabled:
            return f"there is not a tool named {name}"
        settings = {key: one["value"] for key, one in enabled[name]["settings"].items()}
        try:
            for one in self._tools.call(name, settings | json.loads(function["arguments"])):
                match one.type, one.message:
                    case "text", {"text": text}:
                        said += text
                    case "json", {"json_object": found}:
                        said += f"tool response: {json.dumps(found, ensure_ascii=False)}."
                    case "blob", _:
                        meta = one.meta or {}
                        key = {"mimetype": meta["mime_type"], "filename": meta["filename"]}
                        store = self._tools.files
                        files.append(store.create_file_by_raw(file_binary=one.blob or b"", **key))
        except ToolNodeError as error:
            return f"tool invoke error: {error}"
        return said


def _function(tool: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the model is told of a tool: the parameters of form llm that it can fill in."""
    declared = command_words.tools()[tool["tool_name"]]
    parameters: Sequence[Mapping[str, Any]] = [
        one
        for one in declared["parameters"]
        if one["form"] == "llm" and _JSON_TYPES.get(one["type"], one["type"])
    ]
    properties = {
        one["name"]: {
            "type": _JSON_TYPES.get(one["type"], one["type"]),
            "description": one["llm_description"],
        }
        | ({"enum": [o["value"] for o in one["options"]]} if one["type"] == "select" else {})
        for one in parameters
    }
    required = [one["name"] for one in parameters if one.get("required")]
    return {
        "type": "function",
        "function": {
            "name": tool["tool_name"],
            "description": tool["extra"]["description"] or declared["description"]["llm"],
            "parameters": {"type": "object", "properties": properties, "required": required},
        },
    }
