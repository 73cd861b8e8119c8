"""Which part may know which, read from the source itself."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LONGEST = 400
# The network's only door, and the two that read what comes through it.
MAY_IMPORT_REQUESTS = {
    "webui/client.py": "sends",
    "webui/diagnosis.py": "tells requests' exceptions and responses apart",
    "webui/reply.py": "reads an open response",
    "webui/words.py": "reads the body of a response",
    "webui/files.py": "fetches what Dify hands over as links",
}


def sources(*folders: str) -> list[str]:
    return sorted(
        path.relative_to(ROOT).as_posix()
        for folder in folders
        for path in (ROOT / folder).glob("**/*.py")
    )


PRODUCT = ["main.py", *sources("webui", "tools", "provider")]


def tree(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text("utf-8"))


def imported(file: str) -> Iterator[str]:
    """Dotted names of the modules, with what is taken from them; relative ones begin with a dot."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from (f"{module}.{alias.name}" for alias in node.names)


def packages(file: str) -> set[str]:
    return {name.partition(".")[0] for name in imported(file)}


def test_every_folder_of_the_product_is_looked_at() -> None:
    assert {"main.py", "webui/client.py", "tools/txt2img.py"} <= set(PRODUCT)
    assert "provider/stable_diffusion.py" in PRODUCT


@pytest.mark.parametrize("file", sources("webui"))
def test_the_servers_side_knows_nothing_of_dify_or_its_tools(file: str) -> None:
    assert not packages(file) & {"dify_plugin", "tools", "provider", "main"}


@pytest.mark.parametrize("file", PRODUCT)
def test_only_those_named_know_requests(file: str) -> None:
    assert ("requests" in packages(file)) == (file in MAY_IMPORT_REQUESTS)


@pytest.mark.parametrize("file", PRODUCT)
def test_no_other_door_leads_to_the_network(file: str) -> None:
    doors = {"aiohttp", "http", "httpx", "urllib3", "websocket"}
    if file == "webui/diagnosis.py":
        # Not all that urllib3 raises is wrapped by requests, so its exceptions are known there.
        doors.remove("urllib3")
    assert not packages(file) & doors
    assert not [name for name in imported(file) if name.startswith("urllib.request")]


@pytest.mark.parametrize("file", sources("tools"))
def test_a_tool_imports_no_other_tool_and_no_provider(file: str) -> None:
    assert not packages(file) & {"tools", "provider"}


@pytest.mark.parametrize("file", sources("provider"))
def test_the_provider_imports_no_tool(file: str) -> None:
    assert not packages(file) & {"tools", "provider"}


@pytest.mark.parametrize("file", PRODUCT)
def test_the_product_imports_nothing_of_development(file: str) -> None:
    assert not packages(file) & {"devtools", "tests", "flask", "PIL", "pytest", "responses"}


@pytest.mark.parametrize("file", PRODUCT)
def test_imports_are_absolute(file: str) -> None:
    assert not [name for name in imported(file) if name.startswith(".")]


@pytest.mark.parametrize("file", sources("tools", "provider"))
def test_what_the_sdk_loads_does_not_postpone_annotations(file: str) -> None:
    assert "__future__.annotations" not in set(imported(file))


@pytest.mark.parametrize("file", sources("tools", "provider"))
def test_what_the_sdk_loads_defines_one_class_at_most(file: str) -> None:
    classes = [node.name for node in ast.walk(tree(file)) if isinstance(node, ast.ClassDef)]
    assert len(classes) == (0 if file.endswith("__init__.py") else 1)


@pytest.mark.parametrize("file", PRODUCT)
def test_nothing_prints_where_standard_output_is_the_protocol(file: str) -> None:
    names = {node.id for node in ast.walk(tree(file)) if isinstance(node, ast.Name)}
    attributes = {
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    assert "print" not in names
    assert "sys.stdout" not in attributes


@pytest.mark.parametrize("file", sources("webui", "tools", "provider", "devtools"))
def test_a_file_stays_short_enough_to_be_read_at_once(file: str) -> None:
    assert len((ROOT / file).read_text("utf-8").splitlines()) <= LONGEST
