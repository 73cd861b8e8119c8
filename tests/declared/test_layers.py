"""Which part may know which, by import and by meaning, read from the source itself."""

import ast
import graphlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

import webui

ROOT = Path(__file__).parent.parent.parent
LONGEST = 400
# What each side may know beside Python's own library.
MAY_KNOW = {
    "main": {"dify_plugin", "dify"},
    "tools": {"dify_plugin", "dify", "webui"},
    "provider": {"dify_plugin", "dify", "webui"},
    "dify": {"dify_plugin", "dify", "webui", "gevent", "requests", "urllib3", "yaml"},
    "webui": {"webui", "requests", "urllib3", "yarl", "ijson"},
}
# In the order of webui's map, where each may know those after it.
ROOMS = [f"webui.{name}" for name in re.findall(r"^    (\w+)/", webui.__doc__ or "", re.MULTILINE)]
# For every room: what goes in and what can go wrong, and what outlives a call.
SHARED = {
    f"webui.{name}" for name in ("call", "errors", "fields", "lasting", "said", "text", "values")
}
# Words of Dify's side, in names or texts.
DIFYS = re.compile(r"[Dd]ify|docker/\.env|PLUGIN_|FILES_URL")
WHO_IT_IS = re.compile(r"\bfamily\s*(?:is|is not|in|not in|==|!=)\s")


@dataclass(frozen=True)
class Source:
    path: str

    @cached_property
    def text(self) -> str:
        return (ROOT / self.path).read_text("utf-8")

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(ast.parse(self.text)))

    @property
    def module(self) -> str:
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def imported(self) -> Iterator[str]:
        """Dotted names of modules and of what is taken from them; relative ones begin with a dot.

        Wherever they stand: what only a type checker sees, or only a function, counts as well.
        """
        for node in self.nodes:
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                module = "." * node.level + (node.module or "")
                yield from (f"{module}.{alias.name}" for alias in node.names)

    @property
    def packages(self) -> set[str]:
        return {name.partition(".")[0] for name in self.imported}

    @property
    def words(self) -> Iterator[str]:
        """Names and texts, but for docstrings, which may name a source."""
        holders = (ast.Module, ast.ClassDef, ast.FunctionDef)
        documented = [node for node in self.nodes if isinstance(node, holders)]
        first = [one.body[0] for one in documented if one.body]
        docstrings = {id(one.value) for one in first if isinstance(one, ast.Expr)}
        for node in self.nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                if id(node) not in docstrings:
                    yield node.value
            else:
                yield from (v for _, v in ast.iter_fields(node) if isinstance(v, str))


def sources(*folders: str) -> list[Source]:
    found = [path for folder in folders for path in sorted((ROOT / folder).glob("**/*.py"))]
    return [Source(path.relative_to(ROOT).as_posix()) for path in found]


LOADED = sources("tools", "provider")
WEBUI = sources("webui")
PRODUCT = [Source("main.py"), *LOADED, *sources("dify"), *WEBUI]
ALL = [*PRODUCT, *sources("devtools")]


def room(module: str) -> str:
    """The room of webui that a dotted name leads to, "" if to none."""
    return next((one for one in ROOMS if f"{module}.".startswith(f"{one}.")), "")


def test_every_folder_of_the_product_is_looked_at() -> None:
    seen = {one.path.rpartition("/")[0] for one in PRODUCT}
    rooms = {one.replace(".", "/") for one in ROOMS}
    assert seen == {"", "tools", "provider", "dify", "webui"} | rooms


def test_each_side_knows_only_those_below() -> None:
    known = {one.path: MAY_KNOW[one.module.partition(".")[0]] for one in PRODUCT}
    beyond = {one.path: one.packages - known[one.path] - sys.stdlib_module_names for one in PRODUCT}
    assert {path: names for path, names in beyond.items() if names} == {}


def test_webui_says_no_word_of_dify() -> None:
    assert [(one.path, word) for one in WEBUI for word in one.words if DIFYS.search(word)] == []


def test_inside_webui_imports_go_down_the_rooms() -> None:
    offenders = []
    for one in WEBUI:
        below = ROOMS[ROOMS.index(room(one.module)) :] if room(one.module) else []
        for name in one.imported if below else []:
            known = room(name) in below or ".".join(name.split(".")[:2]) in SHARED
            if name.startswith("webui.") and not known:
                offenders.append((one.path, name))
    assert offenders == []


def test_no_import_goes_in_a_circle() -> None:
    modules = {one.module for one in ALL}
    graph: dict[str, set[str]] = {}
    for one in ALL:
        found = {n if n in modules else n.rpartition(".")[0] for n in one.imported}
        graph[one.module] = (found & modules) - {one.module}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_only_two_doors_lead_to_the_network() -> None:
    walls = [one for one in PRODUCT if not one.path.startswith(("webui/http/", "dify/files.py"))]
    assert [one.path for one in walls if one.packages & {"requests", "urllib3"}] == []
    other = ("http.", "urllib.request.", "ftplib", "smtplib")
    assert [one.path for one in walls if any(n.startswith(other) for n in one.imported)] == []


def test_what_the_sdk_loads_has_one_class_and_no_postponed_annotations() -> None:
    for one in LOADED:
        classes = [node for node in one.nodes if isinstance(node, ast.ClassDef)]
        assert len(classes) == (0 if one.path.endswith("__init__.py") else 1), one.path
        assert "__future__.annotations" not in one.imported, one.path


def test_every_tool_is_the_same_three_statements() -> None:
    for one in sources("tools"):
        functions = [node for node in one.nodes if isinstance(node, ast.FunctionDef)]
        assert [len(node.body) for node in functions] == [3] * (one.text != ""), one.path


def test_code_asks_what_a_family_does_and_never_who_it_is() -> None:
    elsewhere = [one for one in PRODUCT if one.path != "webui/server/families.py"]
    assert [one.path for one in elsewhere if WHO_IT_IS.search(one.text)] == []


def test_imports_are_absolute() -> None:
    assert [one.path for one in ALL if any(name.startswith(".") for name in one.imported)] == []


def test_nothing_prints_where_standard_output_is_the_protocol() -> None:
    assert [one.path for one in PRODUCT if {"print", "stdout"} & set(one.words)] == []


def test_a_file_stays_short_enough_to_be_read() -> None:
    assert [one.path for one in ALL if len(one.text.splitlines()) > LONGEST] == []
