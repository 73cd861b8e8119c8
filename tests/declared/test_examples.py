"""The workflow files under examples/, against Dify's import and the tools' declarations."""

import base64
import re
from itertools import pairwise
from typing import Any

import pytest

from support.declared import MANIFEST, PROVIDER, ROOT, TOOLS, load

EXAMPLES = {path.name: load(f"examples/{path.name}") for path in (ROOT / "examples").glob("*.yml")}
PLUGIN = f"{MANIFEST['author']}/{MANIFEST['name']}"

# Dify's word for a value by the JSON Schema type of an output, and by the kind of a start field.
KINDS = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean"}
START = {"text-input": "string", "paragraph": "string", "number": "number", "select": "string"}
CONSTANTS = {"number": int | float, "boolean": bool, "select": str}
LAST = {"workflow": "end", "advanced-chat": "answer"}

type Selectors = dict[tuple[str, ...], str]


def graph(example: str) -> dict[str, Any]:
    found: dict[str, Any] = EXAMPLES[example]["workflow"]["graph"]
    return found


def nodes(example: str) -> dict[str, dict[str, Any]]:
    """Return each node's data by its id."""
    return {node["id"]: node["data"] for node in graph(example)["nodes"]}


def outputs(data: dict[str, Any]) -> dict[str, str]:
    """Return what later nodes may refer to, by Dify's word for its type."""
    match data["type"]:
        case "start":
            return {one["variable"]: START[one["type"]] for one in data["variables"]}
        case "llm":
            return {"text": "string"}
        case "tool":
            declared = TOOLS[data["tool_name"]]["output_schema"]["properties"]
            named = {n: KINDS[s["type"]] for n, s in declared.items() if s["type"] in KINDS}
            return {"text": "string", "files": "array[file]", "json": "array[object]"} | named
        case _:
            return {}


def before(example: str, node: str) -> set[str]:
    """Return the nodes from which edges lead to this one."""
    found: set[str] = set()
    waiting = {node}
    while waiting:
        edges = graph(example)["edges"]
        waiting = {edge["source"] for edge in edges if edge["target"] in waiting} - found
        found |= waiting
    return found


def known(example: str, node: str) -> Selectors:
    """Return every selector that a node may use, with the type of its value."""
    found: Selectors = {}
    if EXAMPLES[example]["app"]["mode"] == "advanced-chat":
        found["sys", "query"] = "string"
    for one in before(example, node):
        found |= {(one, name): kind for name, kind in outputs(nodes(example)[one]).items()}
    return found


def inserted(text: str) -> list[tuple[str, ...]]:
    """Return the selectors within a text."""
    return [tuple(found.split(".")) for found in re.findall(r"\{\{#(.+?)#\}\}", text)]


CALLS = [
    (example, node)
    for example in EXAMPLES
    for node, data in nodes(example).items()
    if data["type"] == "tool"
]


def test_there_is_a_workflow_and_a_chatflow_and_each_draws() -> None:
    assert {one["app"]["mode"] for one in EXAMPLES.values()} == set(LAST)
    assert {example for example, _ in CALLS} == set(EXAMPLES)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_dify_that_runs_the_plugin_imports_it_without_a_question(example: str) -> None:
    found = EXAMPLES[example]
    # 0.4.0, a text, is the form of Dify 1.8; later ones take it as it is.
    assert (found["kind"], found["version"]) == ("app", "0.4.0")
    assert found["app"].keys() >= {"name", "mode", "icon", "icon_background", "description"}
    assert found["workflow"].keys() >= {"graph", "features"}
    # The package that is installed has a checksum that no file can foresee.
    assert found["dependencies"] == []


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_edges_lead_from_the_start_to_the_end_and_no_node_lies_on_another(
    example: str,
) -> None:
    kinds = {node: data["type"] for node, data in nodes(example).items()}
    assert len(kinds) == len(graph(example)["nodes"])
    for edge in graph(example)["edges"]:
        source, target = edge["source"], edge["target"]
        assert edge["id"] == f"{source}-source-{target}-target"
        assert (edge["sourceHandle"], edge["targetHandle"]) == ("source", "target")
        assert (edge["data"]["sourceType"], edge["data"]["targetType"]) == (
            kinds[source],
            kinds[target],
        )
    (last,) = [node for node, kind in kinds.items() if kind in LAST.values()]
    assert kinds[last] == LAST[EXAMPLES[example]["app"]["mode"]]
    assert before(example, last) == set(kinds) - {last}
    assert [kinds[node] for node in kinds if not before(example, node)] == ["start"]
    places = [node["position"]["x"] for node in graph(example)["nodes"]]
    assert all(right - left > 244 for left, right in pairwise(places))


@pytest.mark.parametrize(("example", "node"), CALLS)
def test_a_tool_node_names_this_plugin_s_tool(example: str, node: str) -> None:
    data = nodes(example)[node]
    provider = f"{PLUGIN}/{PROVIDER['identity']['name']}"
    assert (data["provider_id"], data["provider_name"]) == (provider, provider)
    assert (data["provider_type"], data["plugin_id"]) == ("builtin", PLUGIN)
    declared = TOOLS[data["tool_name"]]
    assert data["tool_label"] == declared["identity"]["label"]["en_US"]
    assert data["tool_description"] == declared["description"]["human"]["en_US"]
    assert data["tool_node_version"] == "2"
    kind, _, icon = data["provider_icon"].partition(",")
    assert kind == "data:image/svg+xml;base64"
    assert base64.b64decode(icon) == (ROOT / "_assets" / MANIFEST["icon"]).read_bytes()


@pytest.mark.parametrize(("example", "node"), CALLS)
def test_a_tool_node_fills_in_declared_parameters(example: str, node: str) -> None:
    data = nodes(example)[node]
    declared = {one["name"]: one for one in TOOLS[data["tool_name"]]["parameters"]}
    required = {name for name, one in declared.items() if one.get("required")}
    assert required <= data["tool_parameters"].keys() | data["tool_configurations"].keys()
    for form, given in (("llm", "tool_parameters"), ("form", "tool_configurations")):
        for name, binding in data[given].items():
            assert declared[name]["form"] == form
            check_binding(binding, declared[name], known(example, node))


def check_binding(binding: dict[str, Any], declared: dict[str, Any], selectors: Selectors) -> None:
    kind, value = declared["type"], binding["value"]
    match binding["type"]:
        case "mixed":
            assert kind == "string"
            assert all(selectors[one] in {"string", "number"} for one in inserted(value))
        case "variable":
            assert selectors[tuple(value)] == kind
        case "constant":
            assert isinstance(value, CONSTANTS[kind])
            if kind == "number":
                assert declared["min"] <= value <= declared["max"]
        case other:
            pytest.fail(f"{other} is no kind of value")


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_comes_out_exists_and_holds_the_pictures(example: str) -> None:
    shown = set()
    for node, data in nodes(example).items():
        selectors = known(example, node)
        for output in data.get("outputs", []):
            assert selectors[tuple(output["value_selector"])] == output["value_type"]
            shown.add(tuple(output["value_selector"]))
        for text in (data.get("answer", ""), *(m["text"] for m in data.get("prompt_template", []))):
            assert selectors.keys() >= set(inserted(text))
        shown |= set(inserted(data.get("answer", "")))
    assert {(node, "files") for name, node in CALLS if name == example} <= shown


@pytest.mark.parametrize(("example", "node"), CALLS)
def test_an_example_fills_what_a_dropped_node_would_have_and_a_chat_shows_progress(
    example: str, node: str
) -> None:
    filled = nodes(example)[node]["tool_parameters"]
    assert filled.keys() >= {"width", "height", "steps", "cfg_scale", "seed"}
    answers = [data["answer"] for data in nodes(example).values() if "answer" in data]
    assert all((node, "progress") in inserted(answer) for answer in answers)
