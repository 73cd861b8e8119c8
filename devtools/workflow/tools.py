"""The plugin's tools for a Tool node, with what Dify does around a call."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphon.file.models import File
from graphon.model_runtime.entities.llm_entities import LLMUsage
from graphon.nodes.tool.entities import ToolNodeData
from graphon.nodes.tool.exc import ToolNodeError
from graphon.nodes.tool_runtime_entities import (
    ToolRuntimeHandle,
    ToolRuntimeMessage,
    ToolRuntimeParameter,
)

from devtools import command_words
from devtools.host import Message, PluginError, PluginGoneError, ProtocolError
from devtools.host.conversation import Conversation
from devtools.workflow.files import FileStore

# The types of errors of which Dify shows the text alone, but for CredentialsValidateFailedError.
_KNOWN = "Invoke"
_YES, _NO = ("true", "yes", "y", "1"), ("false", "no", "n", "0")


@dataclass(frozen=True)
class Tools:
    """What a Tool node of graphon calls.

    timeout: Dify's own limit on one call, in seconds, if there is to be one.
    """

    plugin: Conversation
    credentials: Mapping[str, Any]
    files: FileStore
    timeout: float | None = None

    def call(self, tool: str, given: Mapping[str, Any]) -> Iterator[Message]:
        """Call a tool as Dify would; ToolNodeError holds the sentence that Dify shows."""
        kinds = {one["name"]: one["type"] for one in command_words.tools()[tool]["parameters"]}
        sent = {name: _cast(kinds[name], value) for name, value in given.items() if name in kinds}
        try:
            yield from self.plugin.invoke(tool, sent, self.credentials, self.timeout)
        except PluginError as error:
            known = error.error_type.startswith(_KNOWN)
            raise ToolNodeError(error.message if known else str(error)) from error
        except (PluginGoneError, ProtocolError, TimeoutError) as error:
            raise ToolNodeError(str(error)) from error

    def get_runtime(self, *, node_data: ToolNodeData, **_: object) -> ToolRuntimeHandle:
        if node_data.tool_name not in command_words.tools():
            raise ToolNodeError(f"{node_data.provider_id} has no tool {node_data.tool_name!r} here")
        return ToolRuntimeHandle(raw=node_data)

    def get_runtime_parameters(
        self, *, tool_runtime: ToolRuntimeHandle
    ) -> Sequence[ToolRuntimeParameter]:
        declared = command_words.tools()[_node(tool_runtime).tool_name]["parameters"]
        return [ToolRuntimeParameter(one["name"], bool(one.get("required"))) for one in declared]

    def invoke(
        self, *, tool_runtime: ToolRuntimeHandle, tool_parameters: Mapping[str, Any], **_: object
    ) -> Generator[ToolRuntimeMessage]:
        node = _node(tool_runtime)
        settings = {name: one["value"] for name, one in node.tool_configurations.items()}
        for one in self.call(node.tool_name, settings | dict(tool_parameters)):
            message = {"blob": one.blob} if one.blob is not None else one.message
            # By its type: graphon's union would take some kinds for others.
            yield ToolRuntimeMessage.model_validate(
                {"type": one.type, "message": message, "meta": one.meta}
            )

    def get_usage(self, **_: object) -> LLMUsage:
        return LLMUsage.empty_usage()

    def build_file_reference(self, *, mapping: Mapping[str, Any]) -> File:
        return self.files.file(mapping["tool_file_id"])


def _node(handle: ToolRuntimeHandle) -> ToolNodeData:
    return ToolNodeData.model_validate(handle.raw)


def _cast(kind: str, value: Any) -> Any:  # noqa: ANN401 - whatever a form or variable holds
    """Return a value as Dify makes it for that type, before the plugin sees it."""
    match kind, value:
        case "string" | "select", _:
            return "" if value is None else str(value)
        case "boolean", str() if value.lower() in _YES + _NO:
            return value.lower() in _YES
        case "boolean", _:
            return bool(value)
        case "number", str():
            return (float(value) if "." in value else int(value)) if value else None
        case "files", _:
            return [_sent(one) for one in (value if isinstance(value, list) else [value])]
        case "file", [one]:
            return _sent(one)
        case "file", [*_]:
            raise ValueError("This parameter only accepts one file but got multiple files.")
    return _sent(value)


def _sent(value: Any) -> Any:  # noqa: ANN401 - a file or a plain value
    return value.to_plugin_parameter() if isinstance(value, File) else value
