"""A DSL file, and what came of running it."""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from graphon.engine import Engine
from graphon.engine.filter import (
    EngineEventFilterContext,
    ResponseStreamFilter,
    filter_engine_events,
)
from graphon.engine_events.base import EngineEvent
from graphon.engine_events.graph import GraphRunSucceededEvent
from graphon.engine_events.node import NodeRunRetryEvent, NodeRunStreamChunkEvent
from graphon.file.models import File
from graphon.graph.graph import Graph
from graphon.runtime.init_params import InitParams
from graphon.runtime.runtime_state import RuntimeState
from graphon.runtime.variable_pool import VariablePool

from devtools.workflow.nodes import Host, Nodes

_KINDS_OF_FILES = ("file", "file-list")


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
    """An app of mode workflow or advanced-chat."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        self._graph: dict[str, Any] = said["workflow"]["graph"]
        (self._start,) = [
            one for one in self._graph["nodes"] if one["data"]["type"] == "start"
        ]

    @classmethod
    def read(cls, path: Path) -> "Workflow":
        return cls(yaml.safe_load(path.read_text(encoding="utf-8")))

    @property
    def asked(self) -> dict[str, dict[str, Any]]:
        """What the form asks for before a run: each field by its name, as the DSL has it."""
        return {one["variable"]: one for one in self._start["data"]["variables"]}

    def run(
        self,
        host: Host,
        given: Mapping[str, object],
        *,
        query: str = "",
        uploads: Sequence[File] = (),
        say: Callable[[str], None] = lambda _: None,
    ) -> Run:
        """Run to the end; `say` gets the lines of progress as they come.

        WorkflowError when it fails.
        """
        pool = VariablePool()
        for name, field_ in self.asked.items():
            pool.add((self._start["id"], name), _started(field_, given.get(name)))
        pool.add(("sys", "query"), query)
        pool.add(("sys", "files"), list(uploads))
        identity = str(uuid.uuid4())
        state = RuntimeState(variable_pool=pool, start_at=time.time(), workflow_id=identity)
        params = InitParams(
            workflow_id=identity, graph_config=self._graph, run_context={}, call_depth=0
        )
        graph = Graph.init(
            graph_config=self._graph,
            node_factory=Nodes(host, params, state),
            root_node_id=self._start["id"],
        )
        engine = Engine(graph, state, file_runtime=host.files)  # type: ignore[arg-type]
        came = Run()
        events = filter_engine_events(
            _noticed(engine.run(), came, say),
            context=EngineEventFilterContext.from_engine(engine),
            filters=[ResponseStreamFilter()],
        )
        try:
            for event in events:
                if isinstance(event, NodeRunStreamChunkEvent):
                    came.shown.append(event.chunk)
        except RuntimeError as error:
            raise WorkflowError(str(error)) from error
        return came


def _noticed(
    events: Iterable[EngineEvent], came: Run, say: Callable[[str], None]
) -> Iterator[EngineEvent]:
    """Note what the response filter would not let through."""
    for event in events:
        match event:
            case NodeRunStreamChunkEvent(selector=[_, "progress"], chunk=text) if text:
                came.progress.append(text)
                say(text)
            case NodeRunRetryEvent():
                came.retries.append(event.error)
            case GraphRunSucceededEvent():
                came.outputs = dict(event.outputs)
        yield event


def _started(asked: Mapping[str, Any], value: object) -> object:
    """Return a field's value as Dify makes it of what the form or the API sent."""
    if value is None:
        value = asked.get("default")
    if value in (None, "") and asked["required"]:
        raise WorkflowError(f"{asked['variable']} is required in input form")
    if asked["type"] == "number" and isinstance(value, str):
        return (float(value) if "." in value else int(value)) if value.strip() else None
    if asked["type"] in _KINDS_OF_FILES and value == "":
        return None
    return value
