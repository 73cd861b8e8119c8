"""One call of a tool in the plugin's own process."""

from collections.abc import Iterable
from typing import Any

from devtools.host import Message, PluginProcess


class Called:
    """A call's messages, sorted by what Dify makes of them. progress: what was streamed."""

    def __init__(self, messages: Iterable[Message]) -> None:
        self.files: list[tuple[bytes, dict[str, Any]]] = []
        self.json: list[dict[str, Any]] = []
        self.text = ""
        self.variables: dict[str, Any] = {}
        self.progress: list[str] = []
        for one in messages:
            match one.type, one.message:
                case "blob", _:
                    self.files.append((one.blob or b"", one.meta or {}))
                case "json", {"json_object": found}:
                    self.json.append(found)
                case "text", {"text": text}:
                    self.text += text
                case "variable", {"variable_name": "progress", "stream": True, **rest}:
                    self.progress.append(rest["variable_value"])
                case "variable", {"variable_name": name, "variable_value": value}:
                    assert name not in self.variables
                    self.variables[name] = value
                case kind:
                    raise AssertionError(f"no tool sends {kind}")


def call(process: PluginProcess, base_url: str, tool: str, **given: object) -> Called:
    """Wait for all of it; raise as `PluginProcess.invoke` does."""
    return Called(process.invoke(tool, given, {"base_url": base_url}, timeout=60))
