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
from devtools.workflow import FileStore, Host, Run, Workflow, WorkflowError

_UPLOADS = "files"


def main(argv: Sequence[str] | None = None) -> int:
    """Return 0 when done, 1 for an error (its sentence on stderr), 2 for wrong usage."""
    parser = argparse.ArgumentParser(
        prog="python -m devtools.workflow",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("workflow", type=Path, help="a DSL file, such as one of examples/")
    add(
        "words",
        nargs="*",
        metavar="word",
        help="the start node's fields as name=value; for a chatflow also what the user says, in "
        f"quotes, and what is uploaded with it, as {_UPLOADS}=one.png,two.png",
    )
    add_server(parser)
    add("--llm", help="address of an OpenAI-style API, such as http://127.0.0.1:1234/v1")
    options = parser.parse_intermixed_args(argv)
    try:
        workflow = Workflow.read(options.workflow)
        options.out.mkdir(parents=True, exist_ok=True)
        _print(*_run(workflow, options))
    except (WorkflowError, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _run(workflow: Workflow, options: argparse.Namespace) -> tuple[Run, FileStore]:
    with contextlib.ExitStack() as stack:
        store = FileStore(options.out, stack.enter_context(FileServer()))
        given, query, uploads = _read(options.words, workflow, store)
        credentials = stack.enter_context(credentials_of(options))
        llm = options.llm or stack.enter_context(ChatStandIn()).base_url
        bar = stack.enter_context(ProgressBar(sys.stderr))
        bar.say("starting the plugin")
        plugin = stack.enter_context(PluginProcess())
        bar.say("running")
        host = Host(plugin, credentials, store, llm)
        return workflow.run(host, given, query=query, uploads=uploads, say=bar.say), store


def _read(
    words: Sequence[str], workflow: Workflow, store: FileStore
) -> tuple[dict[str, object], str, list[File]]:
    """Return the start node's fields, what the user says, and the files that come with it."""
    given: dict[str, object] = {}
    query, uploads = "", list[File]()
    for word in words:
        name, has_value, value = word.partition("=")
        if has_value and name in workflow.asked:
            is_file = workflow.asked[name]["type"] == "file"
            given[name] = store.add(Path(value)) if is_file else value
        elif has_value and name == _UPLOADS:
            uploads += [store.add(Path(one)) for one in value.split(",")]
        elif query or has_value:
            fields = ", ".join([*workflow.asked, _UPLOADS])
            raise ValueError(f"{word!r} is none of its fields, which are: {fields}")
        else:
            query = word
    return given, query, uploads


def _print(came: Run, store: FileStore) -> None:
    """Print each output by its name, an answer without one; files as their paths."""

    def said(value: Any) -> str:  # noqa: ANN401 - whatever a node gives
        if isinstance(value, ArrayFileSegment):
            value = value.value
        if isinstance(value, list):
            return "\n".join(map(said, value))
        return str(store.path(value)) if isinstance(value, File) else str(value)

    for name, value in came.outputs.items():
        print(said(value) if name in ("answer", "files") else f"{name}: {said(value)}")


if __name__ == "__main__":
    raise SystemExit(main())
