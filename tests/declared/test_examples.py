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
START = dict.fromkeys(("text-input", "paragraph", "select"), "string")
START |= {"number": "number", "file-list": "array[file]"}
# What nodes give whose outputs are always the same.
OUTPUTS = {"llm": {"text": "string"}, "agent": {"text": "string", "files": "array[file]"}}
# Which other kinds of values a field takes: a list of files also one, any choice also a text.
TAKES = {"files": {"file", "array[file]"}, "select": {"string"}}
# The tools that give words and no files.
WORDS_ONLY = {"caption", "server_info"}
# The fields whose values a node has that was dropped, and not imported, by its tool.
DROPPED = {
    "txt2img": {"width", "height", "steps", "cfg_scale", "seed"},
    "img2img": {"steps", "cfg_scale", "seed", "denoising_strength"},
}
# A package cannot hold its own checksum, and without any Dify says "Failed to create app".
NO_CHECKSUM = "0" * 32
# Of other authors, by the kind of node that needs one: what Dify asks the marketplace for.
OTHERS = {
    "llm": (
        "langgenius/openai_api_compatible:0.0.64"
        "@e5a30fbe1e81f6ba97c27a77102f797a14953f50fddffecd09af11c9eda1ae7e"
    ),
    "agent": (
        "langgenius/agent:0.0.40@d00a70e81bfb28fadd52cba7fd7a1f7c344c67b051e4a2e356a06c690736a7c4"
    ),
}
# Of the plugin daemon, which looks whether all of them are installed, or refuses to look.
IDENTIFIER = r"([a-z0-9_-]+/)?[a-z0-9_-]+:\d+(\.\d+){1,3}(-\w+)?@[a-f0-9]{32,64}"
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
        case "tool":
            declared = TOOLS[data["tool_name"]]["output_schema"]["properties"]
            named = {n: KINDS[s["type"]] for n, s in declared.items() if s["type"] in KINDS}
            lists = {n: f"array[{s['items']['type']}]" for n, s in declared.items() if "items" in s}
            always = {"text": "string", "files": "array[file]", "json": "array[object]"}
            return always | named | lists
        case "list-operator":
            first = dict.fromkeys(("first_record", "last_record"), data["item_var_type"])
            return {"result": data["var_type"]} | first
        case "iteration":
            return {"output": data["output_type"]}
        case kind:
            return OUTPUTS.get(kind, {})


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
        found |= {("sys", "query"): "string", ("sys", "files"): "array[file]"}
    earlier = before(example, node)
    if container := nodes(example)[node].get("iteration_id"):
        earlier |= before(example, container)
        items = nodes(example)[container]["iterator_input_type"]
        found[container, "item"] = items.removeprefix("array[").removesuffix("]")
    for one in earlier:
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


def pictures(example: str) -> set[tuple[str, ...]]:
    """Return what must be shown: the files of each node that draws, or of the list they end in."""
    found: set[tuple[str, ...]] = set()
    for node, data in nodes(example).items():
        if data["type"] == "agent" or data.get("tool_name") not in {None, *WORDS_ONLY}:
            container = data.get("iteration_id")
            found.add((container, "output") if container else (node, "files"))
    return found


def test_there_is_a_workflow_and_a_chatflow_and_each_draws() -> None:
    assert {one["app"]["mode"] for one in EXAMPLES.values()} == set(LAST)
    assert all(map(pictures, EXAMPLES))


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_dify_that_runs_the_plugin_imports_it_without_a_question(example: str) -> None:
    found = EXAMPLES[example]
    # 0.4.0, a text, is the form of Dify 1.8; later ones take it as it is.
    assert (found["kind"], found["version"]) == ("app", "0.4.0")
    assert found["app"].keys() >= {"name", "mode", "icon", "icon_background", "description"}
    assert found["workflow"].keys() >= {"graph", "features"}


@pytest.mark.parametrize("example", EXAMPLES)
def test_dify_offers_to_install_what_its_nodes_need(example: str) -> None:
    kinds = {data["type"] for data in nodes(example).values()}
    # An agent needs a model, too.
    kinds |= {"llm"} if "agent" in kinds else set()
    needed = {f"{PLUGIN}:{MANIFEST['version']}@{NO_CHECKSUM}"}
    needed |= {OTHERS[kind] for kind in kinds if kind in OTHERS}
    assert all(re.fullmatch(IDENTIFIER, one) for one in needed)
    assert EXAMPLES[example]["dependencies"] == [
        {
            "current_identifier": None,
            "type": "marketplace",
            "value": {"marketplace_plugin_unique_identifier": one},
        }
        for one in sorted(needed)
    ]
    agents = [data for data in nodes(example).values() if data["type"] == "agent"]
    assert all(one["plugin_unique_identifier"] == OTHERS["agent"] for one in agents)


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
    inside = {one["id"]: one["parentId"] for one in graph(example)["nodes"] if "parentId" in one}
    (last,) = [node for node, kind in kinds.items() if kind in LAST.values()]
    assert kinds[last] == LAST[EXAMPLES[example]["app"]["mode"]]
    assert before(example, last) == set(kinds) - {last} - set(inside)
    first = [node for node in kinds if not before(example, node)]
    assert [kinds[one] for one in first if one not in inside] == ["start"]
    for container in set(inside.values()):
        begin = nodes(example)[container]["start_node_id"]
        assert [one for one in first if inside.get(one) == container] == [begin]
        assert nodes(example)[container]["output_selector"][0] in inside
    outside = [one for one in graph(example)["nodes"] if one["id"] not in inside]
    for left, right in pairwise(outside):
        assert right["position"]["x"] - left["position"]["x"] > left["width"]


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
            assert selectors[tuple(value)] in TAKES.get(kind, {kind})
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
    assert pictures(example) <= shown


@pytest.mark.parametrize(("example", "node"), CALLS)
def test_an_example_fills_what_a_dropped_node_would_have_and_a_chat_shows_progress(
    example: str, node: str
) -> None:
    data = nodes(example)[node]
    assert data["tool_parameters"].keys() >= DROPPED.get(data["tool_name"], set())
    answers = [data["answer"] for data in nodes(example).values() if "answer" in data]
    assert all((node, "progress") in inserted(answer) for answer in answers)


@pytest.mark.parametrize(
    "tool",
    [
        tool
        for example in EXAMPLES
        for data in nodes(example).values()
        if data["type"] == "agent"
        for tool in data["agent_parameters"]["tools"]["value"]
    ],
    ids=lambda one: one["tool_name"],
)
def test_an_agent_s_tool_leaves_each_of_its_fields_to_the_model(tool: dict[str, Any]) -> None:
    assert tool["provider_name"] == f"{PLUGIN}/{PROVIDER['identity']['name']}"
    declared = TOOLS[tool["tool_name"]]
    by_form: dict[str, dict[str, Any]] = {"llm": {}, "form": {}}
    for one in declared["parameters"]:
        by_form[one["form"]][one["name"]] = one
    assert tool["parameters"] == {name: {"auto": 1, "value": None} for name in by_form["llm"]}
    # What the console fills in when a tool is chosen, in the two wrappings that it uses.
    assert tool["settings"] == {
        name: {"value": {"type": "constant", "value": one["default"]}}
        for name, one in by_form["form"].items()
        if "default" in one
    }
