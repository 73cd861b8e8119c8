"""Language models behind an OpenAI-style API, and an agent that calls tools with one."""

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, override

import requests
from graphon.entities.base_node_data import BaseNodeData
from graphon.enums import BuiltinNodeTypes, NodeType, WorkflowNodeExecutionStatus
from graphon.file.models import File
from graphon.model_runtime.entities import llm_entities as llm
from graphon.model_runtime.entities import message_entities as said
from graphon.model_runtime.entities.model_entities import AIModelEntity
from graphon.node_events.base import NodeEventPayload, NodeRunResult
from graphon.node_events.node import StreamChunkEvent, StreamCompletedEvent
from graphon.nodes.base.node import Node
from graphon.nodes.tool.exc import ToolNodeError
from graphon.variables.segments import ArrayFileSegment
from graphon.variables.template_resolution import convert_template

from devtools import command_words
from devtools.workflow.tools import Host

_SECONDS = 600


@dataclass
class ChatModel:
    """One model of the API at `base_url`, which ends in /v1."""

    base_url: str
    model_name: str
    parameters: Mapping[str, Any]
    provider: str = "openai_api_compatible"
    stop: Sequence[str] | None = None

    def deltas(
        self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]] = ()
    ) -> Iterator[dict[str, Any]]:
        """Yield what is new of the reply, as it streams; OSError if the API fails."""
        body = {"model": self.model_name, "messages": messages, "stream": True}
        body |= {"tools": tools} if tools else {}
        url = f"{self.base_url}/chat/completions"
        with requests.post(
            url, json=body | dict(self.parameters), stream=True, timeout=_SECONDS
        ) as reply:
            reply.raise_for_status()
            for line in reply.iter_lines():
                if line.startswith(b"data: {"):
                    yield json.loads(line.removeprefix(b"data: "))["choices"][0]["delta"]

    def invoke_llm(
        self, *, prompt_messages: Sequence[said.PromptMessage], **_: object
    ) -> Generator[llm.LLMResultChunk]:
        messages = [{"role": str(m.role), "content": m.get_text_content()} for m in prompt_messages]
        for delta in chain(self.deltas(messages), [{}]):
            message = said.AssistantPromptMessage(content=delta.get("content") or "")
            usage = None if delta else llm.LLMUsage.empty_usage()
            new = llm.LLMResultChunkDelta(index=0, message=message, usage=usage)
            yield llm.LLMResultChunk(model=self.model_name, delta=new)

    def get_model_schema(self) -> AIModelEntity:
        """Return one without features, such as vision."""
        return AIModelEntity.model_construct(model=self.model_name)


class AgentNodeData(BaseNodeData):
    """agent_parameters: model, tools, instruction, query and maximum_iterations, by type, value."""

    type: NodeType = BuiltinNodeTypes.AGENT
    agent_parameters: dict[str, dict[str, Any]]


class AgentNode(Node[AgentNodeData]):
    """The Agent node, which graphon leaves to Dify, by a strategy like Dify's FunctionCalling.

    It asks the model, calls the tools that are wanted, and asks again, until the model answers or
    the last round is over: what is wanted then is not called, and there is no answer.
    """

    node_type = BuiltinNodeTypes.AGENT
    host: Host

    @classmethod
    @override
    def version(cls) -> str:
        return "1"

    @override
    def _run(self) -> Generator[NodeEventPayload]:
        given = {name: one["value"] for name, one in self.node_data.agent_parameters.items()}
        chosen, pool = given["model"], self.runtime_state.variable_pool
        model = ChatModel(self.host.llm, chosen["model"], chosen["completion_params"])
        enabled = {one["tool_name"]: one for one in given["tools"] if one["enabled"]}
        messages: list[dict[str, Any]] = [
            {"role": role, "content": convert_template(pool, given[text]).text}
            for role, text in (("system", "instruction"), ("user", "query"))
        ]
        files: list[File] = []
        said = ""
        for left in reversed(range(given["maximum_iterations"])):
            calls: list[dict[str, Any]] = []
            for delta in model.deltas(messages, [_function(one) for one in enabled.values()]):
                for new in delta.get("tool_calls") or []:
                    if new["index"] == len(calls):
                        calls.append(new)
                    else:
                        function = calls[new["index"]]["function"]
                        function["arguments"] += new["function"]["arguments"]
                chunk = delta.get("content") or ""
                said += chunk
                yield StreamChunkEvent(selector=[self._node_id, "text"], chunk=chunk)
            if not calls or not left:
                break
            messages.append({"role": "assistant", "content": "", "tool_calls": calls})
            for one in calls:
                read = self._call(one["function"], enabled, files)
                messages.append({"role": "tool", "tool_call_id": one["id"], "content": read})
        yield StreamChunkEvent(selector=[self._node_id, "text"], chunk="", is_final=True)
        outputs = {"text": said, "files": ArrayFileSegment(value=files)}
        status = WorkflowNodeExecutionStatus.SUCCEEDED
        yield StreamCompletedEvent(node_run_result=NodeRunResult(status=status, outputs=outputs))

    def _call(
        self, function: Mapping[str, str], enabled: Mapping[str, Any], files: list[File]
    ) -> str:
        """Return what the model reads of the call; its pictures go to `files`."""
        name, read, keep = function["name"], "", self.host.files.create_file_by_raw
        if name not in enabled:
            return f"there is not a tool named {name}"
        settings = {key: one["value"]["value"] for key, one in enabled[name]["settings"].items()}
        try:
            for one in self.host.call(name, settings | json.loads(function["arguments"])):
                match one.type, one.message, one.meta:
                    case "text", {"text": text}, _:
                        read += text
                    case "json", {"json_object": found}, _:
                        read += f"tool response: {json.dumps(found, ensure_ascii=False)}."
                    case "blob", _, {"mime_type": kind, "filename": file}:
                        files.append(
                            keep(file_binary=one.blob or b"", mimetype=kind, filename=file)
                        )
                        read += "Generated file ... "
        except ToolNodeError as error:
            return f"tool invoke error: {error}"
        return read


def _function(tool: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the model is told of a tool: all that it can fill in."""
    declared = command_words.tools()[tool["tool_name"]]
    asked = {one["name"]: one for one in declared["parameters"] if one["form"] == "llm"}
    properties = {}
    for name, one in asked.items():
        options = [option["value"] for option in one.get("options", [])]
        kind = {"type": "string", "enum": options} if options else {"type": one["type"]}
        properties[name] = kind | {"description": one["llm_description"]}
    required = [name for name, one in asked.items() if one.get("required")]
    function = {
        "name": tool["tool_name"],
        "description": tool["extra"]["description"] or declared["description"]["llm"],
        "parameters": {"type": "object", "properties": properties, "required": required},
    }
    return {"type": "function", "function": function}
