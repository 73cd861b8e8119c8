"""The plugin's tools for Tool nodes, with what Dify does around a call, and the run's files."""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphon.file.enums import FileTransferMethod
from graphon.file.models import File
from graphon.model_runtime.entities.llm_entities import LLMUsage
from graphon.nodes.tool.exc import ToolNodeError
from graphon.nodes.tool_runtime_entities import (
    ToolRuntimeHandle,
    ToolRuntimeMessage,
    ToolRuntimeParameter,
)

from devtools import command_words
from devtools.generate import save
from devtools.host import FileServer, Message, PluginError, PluginGoneError, ProtocolError
from devtools.host.conversation import Conversation


class FileStore:
    """What graphon asks of Dify's storage: files on disk, which tools fetch by link."""

    multimodal_send_format = "base64"

    def __init__(self, out: Path, server: FileServer) -> None:
        self._out, self._server = out, server
        self._paths: dict[str, Path] = {}
        self._files: dict[str, File] = {}

    def add(self, path: Path, name: str = "", mime_type: str = "") -> File:
        """Return what stands for a file on disk, which a tool gave that name and type."""
        said = self._server.add(path)
        said |= {"filename": name or path.name, "mime_type": mime_type or said["mime_type"]}
        key, method = said["url"], FileTransferMethod.TOOL_FILE
        self._paths[key] = path
        self._files[key] = File(
            **said, file_id=key, reference=key, remote_url=key, transfer_method=method
        )
        return self._files[key]

    def path(self, file: File) -> Path:
        return self._paths[str(file.reference)]

    def file(self, key: str) -> File:
        return self._files[key]

    def create_file_by_raw(self, *, file_binary: bytes, mimetype: str, filename: str) -> File:
        return self.add(save(self._out, filename, file_binary), filename, mimetype)

    def resolve_file_url(self, *, file: File, for_external: bool = True) -> str:
        """Return an address that lasts, or the one that the plugin fetches from."""
        return self.path(file).absolute().as_uri() if for_external else str(file.remote_url)


@dataclass(frozen=True)
class Host:
    """What stands for a Dify; Tool nodes call the plugin through it.

    llm: the address of an OpenAI-style API, which ends in /v1. timeout: Dify's own limit on one
    call of a tool, in seconds.
    """

    plugin: Conversation
    credentials: Mapping[str, Any]
    files: FileStore
    llm: str = ""
    timeout: float | None = None

    def call(self, tool: str, given: Mapping[str, Any]) -> Iterator[Message]:
        """Call a tool as Dify would; ToolNodeError holds the sentence that Dify shows."""
        kinds = {one["name"]: one["type"] for one in command_words.tools()[tool]["parameters"]}
        sent = {name: _cast(kinds[name], value) for name, value in given.items() if name in kinds}
        try:
            yield from self.plugin.invoke(tool, sent, self.credentials, self.timeout)
        except PluginError as error:
            # Of those that Dify knows it shows the message alone.
            known = error.error_type.startswith("Invoke")
            raise ToolNodeError(error.message if known else str(error)) from error
        except (PluginGoneError, ProtocolError, TimeoutError) as error:
            raise ToolNodeError(str(error)) from error

    def get_runtime(self, *, node_data: object, **_: object) -> ToolRuntimeHandle:
        return ToolRuntimeHandle(raw=node_data)

    def get_runtime_parameters(self, tool_runtime: Any) -> list[ToolRuntimeParameter]:  # noqa: ANN401
        declared = command_words.tools()[tool_runtime.raw.tool_name]["parameters"]
        return [ToolRuntimeParameter(one["name"], bool(one.get("required"))) for one in declared]

    def invoke(
        self,
        tool_runtime: Any,  # noqa: ANN401 - a handle around a Tool node's data
        tool_parameters: Mapping[str, Any],
        **_: object,
    ) -> Generator[ToolRuntimeMessage]:
        node = tool_runtime.raw
        settings = {name: one["value"] for name, one in node.tool_configurations.items()}
        for one in self.call(node.tool_name, settings | dict(tool_parameters)):
            message = {"blob": one.blob} if one.type == "blob" else one.message
            said = {"type": one.type, "message": message, "meta": one.meta}
            yield ToolRuntimeMessage.model_validate(said)

    def get_usage(self, **_: object) -> LLMUsage:
        return LLMUsage.empty_usage()

    def build_file_reference(self, *, mapping: Mapping[str, Any]) -> File:
        return self.files.file(mapping["tool_file_id"])


def _cast(kind: str, value: Any) -> Any:  # noqa: ANN401 - whatever a form or variable holds
    """Return a value as Dify makes it for that type, before the plugin sees it."""
    match kind, value:
        case "string" | "select", _:
            return "" if value is None else str(value)
        case "boolean", str():
            return value.lower() not in ("", "false", "no", "n", "0")
        case "boolean", _:
            return bool(value)
        case "number", str():
            return (float(value) if "." in value else int(value)) if value else None
        case "files", _:
            return list(map(_sent, value if isinstance(value, list) else [value]))
        case "file", [*several] if len(several) != 1:
            raise ToolNodeError("This parameter only accepts one file but got multiple files.")
    return _sent(value[0] if isinstance(value, list) else value)


def _sent(value: Any) -> Any:  # noqa: ANN401 - a file or a plain value
    return value.to_plugin_parameter() if isinstance(value, File) else value
