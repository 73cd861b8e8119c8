"""Run a workflow or chatflow from its DSL file, as a Dify would run it.

    uv run python -m devtools.workflow examples/text-to-image.yml prompt="a lighthouse" width=640
    uv run python -m devtools.workflow examples/restyle-a-photo.yml "as watercolour" files=photo.png

Without --base-url a stand-in WebUI draws placeholder pictures; without --llm a stand-in speaks.
"""

import argparse
import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from graphon.file.models import File
from graphon.variables.segments import ArrayFileSegment

from devtools.generate import ProgressBar, add_server, credentials_of
from devtools.host import FileServer, PluginProcess
from devtools.standin.chat import ChatStandIn
from devtools.workflow import FileStore, Host, Workflow, WorkflowError


def main(argv: Sequence[str] | None = None) -> int:
    """Return 0 when done, 1 for an error (its sentence on stderr), 2 for wrong usage."""
    parser = argparse.ArgumentParser(
        prog="python -m devtools.workflow",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("workflow", type=Path, help="a DSL file, such as one of examples/")
    words = (
        "the form's fields as name=value; in a chat also, in quotes, what is said, and files=…; "
        "several files are separated by commas"
    )
    add("words", nargs="*", metavar="word", help=words)
    add_server(parser)
    add("--llm", help="address of an OpenAI-style API, such as http://127.0.0.1:1234/v1")
    options = parser.parse_intermixed_args(argv)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        _run(Workflow.read(options.workflow), options)
    except (WorkflowError, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _run(workflow: Workflow, options: argparse.Namespace) -> None:
    with contextlib.ExitStack() as stack:
        store = FileStore(options.out, stack.enter_context(FileServer()))
        given = _read(options.words, workflow, store)
        credentials = stack.enter_context(credentials_of(options))
        llm = options.llm or stack.enter_context(ChatStandIn()).base_url
        with ProgressBar(sys.stderr) as bar:
            bar.say("starting the plugin")
            plugin = stack.enter_context(PluginProcess())
            bar.say("running")
            came = workflow.run(Host(plugin, credentials, store, llm), **given, say=bar.say)

    def said(value: Any) -> str:  # noqa: ANN401 - whatever a node gives
        if isinstance(value, list | ArrayFileSegment):
            return "\n".join(map(said, getattr(value, "value", value)))
        return str(store.path(value)) if isinstance(value, File) else str(value)

    for name, value in came.outputs.items():
        print(said(value) if name in ("answer", "files") else f"{name}: {said(value)}")


def _read(words: Sequence[str], workflow: Workflow, store: FileStore) -> dict[str, Any]:
    """Return what is given, said and uploaded, as Workflow.run takes it."""
    given: dict[str, object] = {}
    query, uploads = "", list[File]()
    for word in words:
        name, has_value, value = word.partition("=")
        if has_value and name in workflow.asked:
            match workflow.asked[name]["type"]:
                case "file":
                    given[name] = store.add(Path(value))
                case "file-list":
                    given[name] = _files(value, store)
                case _:
                    given[name] = value
        elif has_value and name == "files":
            uploads += _files(value, store)
        elif query or has_value:
            fields = ", ".join([*workflow.asked, "files"])
            raise ValueError(f"{word!r} is none of its fields, which are: {fields}")
        else:
            query = word
    return {"given": given, "query": query, "uploads": uploads}


def _files(value: str, store: FileStore) -> list[File]:
    return [store.add(Path(one)) for one in value.split(",")]


if __name__ == "__main__":
    raise SystemExit(main())
