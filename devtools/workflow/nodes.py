"""The nodes of a graph, each with what it needs of Dify."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, override

import jinja2
from graphon.entities.graph_config import NodeConfigDict
from graphon.enums import NodeExecutionType
from graphon.nodes.answer.answer_node import AnswerNode
from graphon.nodes.base.node import Node
from graphon.nodes.end.end_node import EndNode
from graphon.nodes.if_else.if_else_node import IfElseNode
from graphon.nodes.iteration.iteration_node import IterationNode
from graphon.nodes.iteration.iteration_start_node import IterationStartNode
from graphon.nodes.list_operator.node import ListOperatorNode
from graphon.nodes.llm import LLMNode, LLMNodeData
from graphon.nodes.start import StartNode
from graphon.nodes.template_transform.template_transform_node import TemplateTransformNode
from graphon.nodes.tool.tool_node import ToolNode
from graphon.runtime.init_params import InitParams
from graphon.runtime.runtime_state import RuntimeState
from graphon.template_rendering import Jinja2TemplateRenderer

from devtools.host.conversation import Conversation
from devtools.workflow.agent import AgentNode
from devtools.workflow.files import FileStore
from devtools.workflow.models import ChatModel
from devtools.workflow.tools import Tools


@dataclass(frozen=True)
class Host:
    """What stands for a Dify. llm: the address of an OpenAI-style API, which ends in /v1."""

    plugin: Conversation
    credentials: Mapping[str, Any]
    files: FileStore
    llm: str = ""
    timeout: float | None = None

    @property
    def tools(self) -> Tools:
        return Tools(self.plugin, self.credentials, self.files, self.timeout)


class _Renderer(Jinja2TemplateRenderer):
    @override
    def render_template(self, template: str, variables: Mapping[str, Any]) -> str:
        return jinja2.Environment(autoescape=False).from_string(template).render(variables)  # noqa: S701


class _Serializer:
    def serialize(self, *, prompt_messages: object, **_: object) -> object:
        """As they are: they are only kept beside the node's result."""
        return prompt_messages


def _needs_tools(host: Host, _: object) -> dict[str, Any]:
    return {"runtime": host.tools, "tool_file_manager": host.files}


def _needs_model(host: Host, data: LLMNodeData) -> dict[str, Any]:
    model = ChatModel(host.llm, data.model.name, data.model.completion_params)
    return {
        "model_instance": model,
        "llm_file_saver": None,
        "prompt_message_serializer": _Serializer(),
        "default_query_selector": ("sys", "query"),
    }


_NEEDS: dict[type[Node[Any]], Callable[[Host, Any], dict[str, Any]]] = {
    StartNode: lambda *_: {},
    EndNode: lambda *_: {},
    AnswerNode: lambda *_: {},
    IfElseNode: lambda *_: {},
    IterationNode: lambda *_: {},
    IterationStartNode: lambda *_: {},
    ListOperatorNode: lambda *_: {},
    TemplateTransformNode: lambda *_: {"jinja2_template_renderer": _Renderer()},
    ToolNode: _needs_tools,
    LLMNode: _needs_model,
    AgentNode: lambda host, _: {"tools": host.tools, "llm": host.llm},
}
_CLASSES = {str(one.node_type): one for one in _NEEDS}


@dataclass(frozen=True)
class Nodes:
    """Makes the nodes of one graph, or of one round of an iteration in it."""

    host: Host
    init_params: InitParams
    runtime_state: RuntimeState
    graph_config: Mapping[str, Any] = field(default_factory=dict)

    def with_runtime_state(self, runtime_state: RuntimeState) -> "Nodes":
        return replace(self, runtime_state=runtime_state)

    def with_graph_config(self, graph_config: Mapping[str, Any]) -> "Nodes":
        params = self.init_params.model_copy(update={"graph_config": graph_config})
        return replace(self, init_params=params, graph_config=graph_config)

    def validate_node(self, node_config: NodeConfigDict) -> NodeExecutionType:
        kind = _class(node_config)
        kind.validate_node_data(node_config["data"])
        return kind.execution_type

    def create_node(self, node_config: NodeConfigDict) -> Node[Any]:
        kind = _class(node_config)
        data = kind.validate_node_data(node_config["data"])
        return kind(
            node_id=node_config["id"],
            data=data,
            init_params=self.init_params,
            runtime_state=self.runtime_state,
            **_NEEDS[kind](self.host, data),
        )


def _class(node_config: NodeConfigDict) -> type[Node[Any]]:
    kind = str(node_config["data"].type)
    if kind not in _CLASSES:
        raise ValueError(f"nodes of type {kind!r} cannot be run here")
    return _CLASSES[kind]
