"""The workflow files under examples/, against Dify's import and the tools' declarations."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
EXAMPLES: dict[str, dict[str, Any]] = {
    path.name: yaml.safe_load(path.read_bytes()) for path in sorted((ROOT / "examples").glob("*"))
}
MANIFEST: dict[str, Any] = yaml.safe_load((ROOT / "manifest.yaml").read_bytes())
PROVIDER: dict[str, Any] = yaml.safe_load((ROOT / "provider/stable_diffusion.yaml").read_bytes())
PLUGIN = f"{MANIFEST['author']}/{MANIFEST['name']}"

# Dify's word for a value by the JSON Schema type of an output, and for a parameter's variable.
KINDS = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean"}
START = {"text-input": "string", "paragraph": "string", "number": "number", "select": "string"}
CONSTANTS = {"string": str, "number": int | float, "boolean": bool, "select": str}
LAST = {"workflow": "end", "advanced-chat": "answer"}


def tool(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / f"tools/{name}.yaml").read_bytes())
    return loaded


def nodes(example: str) -> dict[str, dict[str, Any]]:
    """Each node's data by its id."""
    return {node["id"]: node["data"] for node in EXAMPLES[example]["workflow"]["graph"]["nodes"]}


def outputs(data: dict[str, Any]) -> dict[str, str]:
    """What later nodes may refer to, by Dify's word for its type."""
    match data["type"]:
        case "start":
            return {v["variable"]: START[v["type"]] for v in data["variables"]}
        case "llm":
            return {"text": "string"}
        case "tool":
            declared = tool(data["tool_name"])["output_schema"]["properties"]
            named = {n: KINDS[s["type"]] for n, s in declared.items() if s["type"] in KINDS}
            return {"text": "string", "files": "array[file]", "json": "array[object]"} | named
        case _:
            return {}


def before(example: str, node: str) -> set[str]:
    """The nodes from which edges lead to this one."""
    edges = EXAMPLES[example]["workflow"]["graph"]["edges"]
    found: set[str] = set()
    waiting = {node}
    while waiting:
        waiting = {e["source"] for e in edges if e["target"] in waiting} - found
        found |= waiting
    return found


def known(example: str, node: str) -> dict[tuple[str, ...], str]:
    """Every selector that a node may use, with the type of its value."""
    found: dict[tuple[str, ...], str] = {}
    if EXAMPLES[example]["app"]["mode"] == "advanced-chat":
        found["sys", "query"] = "string"
    for one in before(example, node):
        found |= {(one, name): kind for name, kind in outputs(nodes(example)[one]).items()}
    return found


def inserted(text: str) -> list[tuple[str, ...]]:
    """The selectors within a text."""
    return [tuple(found.split(".")) for found in re.findall(r"\{\{#(.+?)#\}\}", text)]


CALLS = [
    (example, node)
    for example in EXAMPLES
    for node, data in nodes(example).items()
    if data["type"] == "tool"
]


def test_there_is_a_workflow_and_a_chatflow() -> None:
    assert {e["app"]["mode"] for e in EXAMPLES.values()} == {"workflow", "advanced-chat"}
    assert all(name.endswith(".yml") for name in EXAMPLES)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_dify_that_runs_the_plugin_imports_it_without_a_question(example: str) -> None:
    found = EXAMPLES[example]
    assert found["kind"] == "app"
    # A text; 0.4.0 is the form of Dify 1.8 and later ones take it as it is.
    assert found["version"] == "0.4.0"
    assert found["app"].keys() >= {"name", "mode", "icon", "icon_background", "description"}
    assert found["workflow"].keys() >= {"graph", "features"}
    # The package that is installed has a checksum that no file can foresee.
    assert found["dependencies"] == []


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_edges_lead_from_the_start_to_the_end(example: str) -> None:
    graph = EXAMPLES[example]["workflow"]["graph"]
    kinds = {node: data["type"] for node, data in nodes(example).items()}
    assert len(kinds) == len(graph["nodes"])
    for edge in graph["edges"]:
        source, target = edge["source"], edge["target"]
        assert edge["id"] == f"{source}-source-{target}-target"
        assert (edge["sourceHandle"], edge["targetHandle"]) == ("source", "target")
        assert edge["data"]["sourceType"] == kinds[source]
        assert edge["data"]["targetType"] == kinds[target]
    (start,) = [node for node, kind in kinds.items() if kind == "start"]
    (last,) = [n for n, kind in kinds.items() if kind == LAST[EXAMPLES[example]["app"]["mode"]]]
    assert before(example, last) == set(kinds) - {last}
    assert before(example, start) == set()


@pytest.mark.parametrize("example", EXAMPLES)
def test_no_node_lies_on_another(example: str) -> None:
    places = [n["position"]["x"] for n in EXAMPLES[example]["workflow"]["graph"]["nodes"]]
    assert all(right - left > 244 for left, right in pairwise(places))


@pytest.mark.parametrize(("example", "node"), CALLS)
def test_a_tool_node_names_this_plugins_tool(example: str, node: str) -> None:
    data = nodes(example)[node]
    provider = f"{PLUGIN}/{PROVIDER['identity']['name']}"
    assert (data["provider_id"], data["provider_name"]) == (provider, provider)
    assert (data["provider_type"], data["plugin_id"]) == ("builtin", PLUGIN)
    assert f"tools/{data['tool_name']}.yaml" in PROVIDER["tools"]
    declared = tool(data["tool_name"])
    assert data["tool_label"] == declared["identity"]["label"]["en_US"]
    assert data["tool_description"] == declared["description"]["human"]["en_US"]
    assert data["tool_node_version"] == "2"


@pytest.mark.parametrize(("example", "node"), CALLS)
def test_a_tool_node_fills_in_declared_parameters(example: str, node: str) -> None:
    data = nodes(example)[node]
    declared = {p["name"]: p for p in tool(data["tool_name"])["parameters"]}
    required = {name for name, p in declared.items() if p.get("required")}
    assert required <= data["tool_parameters"].keys() | data["tool_configurations"].keys()
    for form, given in (
        ("llm", data["tool_parameters"]),
        ("form", data["tool_configurations"]),
    ):
        assert {declared[name]["form"] for name in given} <= {form}
        for name, binding in given.items():
            check_binding(binding, declared[name], known(example, node))


def check_binding(
    binding: dict[str, Any], parameter: dict[str, Any], selectors: dict[tuple[str, ...], str]
) -> None:
    kind, value = parameter["type"], binding["value"]
    match binding["type"]:
        case "mixed":
            assert kind == "string"
            assert all(selectors[one] in {"string", "number"} for one in inserted(value))
        case "variable":
            assert selectors[tuple(value)] == kind
        case "constant":
            assert kind != "string"
            assert isinstance(value, CONSTANTS[kind])
            if kind == "number":
                assert parameter["min"] <= value <= parameter["max"]
        case other:
            pytest.fail(f"{other} is no kind of value")


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_comes_out_exists(example: str) -> None:
    for node, data in nodes(example).items():
        selectors = known(example, node)
        for output in data.get("outputs", []):
            assert selectors[tuple(output["value_selector"])] == output["value_type"]
        texts = [data.get("answer", ""), *(m["text"] for m in data.get("prompt_template", []))]
        for text in texts:
            assert all(one in selectors for one in inserted(text))


def test_an_answer_shows_the_pictures() -> None:
    for example, node in CALLS:
        for data in nodes(example).values():
            if data["type"] == "answer":
                assert (node, "files") in inserted(data["answer"])
            if data["type"] == "end":
                assert [node, "files"] in [o["value_selector"] for o in data["outputs"]]
