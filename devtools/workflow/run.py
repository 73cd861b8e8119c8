"""A DSL file, its nodes, and what came of running it."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml
from graphon.engine import Engine
from graphon.engine.filter import (
    EngineEventFilterContext,
    ResponseStreamFilter,
    filter_engine_events,
)
from graphon.engine_events.base import EngineEvent
from graphon.engine_events.graph import GraphRunPartialSucceededEvent, GraphRunSucceededEvent
from graphon.engine_events.node import NodeRunRetryEvent, NodeRunStreamChunkEvent
from graphon.entities.graph_config import NodeConfigDict
from graphon.enums import NodeExecutionType
from graphon.file.models import File
from graphon.graph.graph import Graph
from graphon.nodes.answer.answer_node import AnswerNode
from graphon.nodes.base.node import Node
from graphon.nodes.end.end_node import EndNode
from graphon.nodes.iteration import IterationNode, IterationStartNode
from graphon.nodes.list_operator import ListOperatorNode
from graphon.nodes.llm import LLMNode
from graphon.nodes.start import StartNode
from graphon.nodes.tool.tool_node import ToolNode
from graphon.runtime.init_params import InitParams
from graphon.runtime.runtime_state import RuntimeState
from graphon.runtime.variable_pool import VariablePool

from devtools.workflow.models import AgentNode, ChatModel
from devtools.workflow.tools import Host

_NODES: tuple[type[Node[Any]], ...] = (
    *(StartNode, EndNode, AnswerNode, ToolNode, LLMNode, AgentNode),
    *(IterationNode, IterationStartNode, ListOperatorNode),
)
_CLASSES = {str(one.node_type): one for one in _NODES}


class WorkflowError(Exception):
    """A run that cannot begin or that failed; the text is what Dify shows."""


@dataclass
class Run:
    """What came of a run.

    outputs: those of the end node, or a chat's answer and files. shown: the pieces in which the
    answer, or the texts among the outputs, arrived. progress: the tools' lines of progress.
    retries: the errors after which a node was run again.
    """

    outputs: dict[str, Any] = field(default_factory=dict)
    shown: list[str] = field(default_factory=list)
    progress: list[str] = field(default_factory=list)
    retries: list[str] = field(default_factory=list)


class Workflow:
    """An app of mode workflow or advanced-chat, as its DSL describes it."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        self._graph: dict[str, Any] = said["workflow"]["graph"]
        nodes = {one["id"]: one["data"] for one in self._graph["nodes"]}
        (self._start,) = [one for one, data in nodes.items() if data["type"] == "start"]
        # What the form asks for before a run: each field by its name.
        self.asked = {one["variable"]: one for one in nodes[self._start]["variables"]}

    @classmethod
    def read(cls, path: Path) -> "Workflow":
        return cls(yaml.safe_load(path.read_text(encoding="utf-8")))

    def run(
        self,
        host: Host,
        given: Mapping[str, object],
        *,
        query: str = "",
        uploads: Sequence[File] = (),
        say: Callable[[str], None] = lambda _: None,
    ) -> Run:
        """Run to the end, or to a WorkflowError; `say` gets the lines of progress as they come."""
        pool, came = VariablePool(), Run()
        for name, asked in self.asked.items():
            pool.add((self._start, name), _started(asked, given.get(name)))
        pool.add(("sys", "query"), query)
        pool.add(("sys", "files"), list(uploads))
        state = RuntimeState(variable_pool=pool, start_at=time.time(), workflow_id="")
        nodes = _Nodes(host, state, self._graph)
        graph = Graph.init(graph_config=self._graph, node_factory=nodes, root_node_id=self._start)
        engine = Engine(graph, state, file_runtime=host.files)  # type: ignore[arg-type]
        events = filter_engine_events(
            _noted(engine.run(), came, say),
            context=EngineEventFilterContext.from_engine(engine),
            filters=[ResponseStreamFilter()],
        )
        try:
            chunks = [one.chunk for one in events if isinstance(one, NodeRunStreamChunkEvent)]
        except RuntimeError as error:
            raise WorkflowError(str(error)) from error
        return replace(came, shown=chunks)


@dataclass(frozen=True)
class _Nodes:
    """Makes the nodes of a graph, or of one round of an iteration in it."""

    host: Host
    runtime_state: RuntimeState
    graph_config: Mapping[str, Any]

    def with_runtime_state(self, runtime_state: RuntimeState) -> "_Nodes":
        return replace(self, runtime_state=runtime_state)

    def with_graph_config(self, graph_config: Mapping[str, Any]) -> "_Nodes":
        return replace(self, graph_config=graph_config)

    def validate_node(self, node_config: NodeConfigDict) -> NodeExecutionType:
        return _class(node_config).execution_type

    def create_node(self, node_config: NodeConfigDict) -> Node[Any]:
        kind, host = _class(node_config), self.host
        needs: dict[str, Any] = {}
        data = kind.validate_node_data(node_config["data"])
        if kind is ToolNode:
            needs = {"runtime": host, "tool_file_manager": host.files}
        elif kind is LLMNode:
            model = ChatModel(host.llm, data.model.name, data.model.completion_params)
            # What the model read would be kept beside the result, where nobody looks here.
            record = SimpleNamespace(serialize=lambda **_: [])
            needs = {"model_instance": model, "prompt_message_serializer": record}
            needs["llm_file_saver"] = None
        needs |= {"init_params": self._params(), "runtime_state": self.runtime_state}
        node = kind(node_config["id"], data, **needs)
        if isinstance(node, AgentNode):
            node.host = host
        return node

    def _params(self) -> InitParams:
        return InitParams(
            workflow_id="", graph_config=self.graph_config, run_context={}, call_depth=0
        )


def _class(node_config: NodeConfigDict) -> type[Node[Any]]:
    kind = str(node_config["data"].type)
    if kind not in _CLASSES:
        raise WorkflowError(f"nodes of type {kind!r} cannot be run here")
    return _CLASSES[kind]


def _noted(
    events: Iterable[EngineEvent], came: Run, say: Callable[[str], None]
) -> Iterator[EngineEvent]:
    """Note what the filter, which orders what a chat shows, does not let through."""
    for event in events:
        match event:
            case NodeRunStreamChunkEvent(selector=[_, "progress"], chunk=text) if text:
                came.progress.append(text)
                say(text)
            case NodeRunRetryEvent():
                came.retries.append(event.error)
            # Dify calls a run in which anything had to be run again a partial success.
            case GraphRunSucceededEvent() | GraphRunPartialSucceededEvent():
                came.outputs = dict(event.outputs)
        yield event


def _started(asked: Mapping[str, Any], value: object) -> object:
    """Return a field's value as Dify makes it of what the form or the API sent."""
    value = asked.get("default") if value is None else value
    if value in (None, "") and asked["required"]:
        raise WorkflowError(f"{asked['variable']} is required in input form")
    if asked["type"] == "number" and isinstance(value, str):
        return (float(value) if "." in value else int(value)) if value.strip() else None
    return value
