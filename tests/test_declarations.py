"""The YAML files, against what the SDK and the plugin daemon take and against each other."""

import copy
import re
from pathlib import Path
from typing import Any

import daemon_rules
import pytest
import yaml
from dify_plugin import DifyPluginEnv
from dify_plugin.core.plugin_registration import PluginRegistration

ROOT = Path(__file__).parent.parent
TOOL_FILES = sorted((ROOT / "tools").glob("*.yaml"))


def load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(path.read_bytes())
    return loaded


MANIFEST = load(ROOT / "manifest.yaml")
PROVIDER = load(ROOT / "provider" / "stable_diffusion.yaml")
TOOLS = {path.stem: load(path) for path in TOOL_FILES}


def test_the_sdk_loads_every_declared_tool_with_its_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    registration = PluginRegistration(DifyPluginEnv())
    assert set(registration.tools_mapping) == {"stable_diffusion"}
    _, provider_class, tools = registration.tools_mapping["stable_diffusion"]
    assert provider_class.__name__ == "StableDiffusionProvider"
    assert set(tools) == set(TOOLS)


def test_the_daemon_takes_the_manifest() -> None:
    assert daemon_rules.problems(daemon_rules.MANIFEST, MANIFEST) == []


def test_the_daemon_takes_the_provider() -> None:
    assert daemon_rules.problems(daemon_rules.PROVIDER, PROVIDER) == []


@pytest.mark.parametrize("tool", TOOLS)
def test_the_daemon_takes_the_tool(tool: str) -> None:
    assert daemon_rules.problems(daemon_rules.TOOL, TOOLS[tool]) == []


@pytest.mark.parametrize(
    ("where", "value", "problem"),
    [
        (("maximum",), 5, ".parameters[0].maximum: unknown key"),
        (("type",), "integer", ".parameters[0].type: 'integer' is none of"),
        (("min",), "8", ".parameters[0].min: '8' is not a number"),
        (("label", "en_US"), "", ".parameters[0].label.en_US: '' does not match"),
        (("label", "en_US"), True, ".parameters[0].label.en_US: True does not match"),
        (("label", "fr_FR"), "Prompt", ".parameters[0].label.fr_FR: unknown key"),
        (("label", "ja_JP"), "長" * 1024, ".parameters[0].label.ja_JP: longer than 1023"),
        (("form",), "from", ".parameters[0].form: 'from' is none of"),
    ],
)
def test_a_slip_in_a_parameter_is_noticed(
    where: tuple[str, ...], value: object, problem: str
) -> None:
    tool = copy.deepcopy(TOOLS["txt2img"])
    target = tool["parameters"][0]
    for step in where[:-1]:
        target = target[step]
    target[where[-1]] = value
    found = daemon_rules.problems(daemon_rules.TOOL, tool)
    assert len(found) == 1
    assert found[0].startswith(problem)


@pytest.mark.parametrize(
    ("key", "value"), [("author", "Somebody"), ("version", "1.0"), ("tags", ["art"])]
)
def test_a_slip_in_the_manifest_is_noticed(key: str, value: object) -> None:
    found = daemon_rules.problems(daemon_rules.MANIFEST, {**MANIFEST, key: value})
    assert [problem.split(":")[0].split("[")[0] for problem in found] == [f".{key}"]


def test_a_missing_label_is_noticed() -> None:
    tool = copy.deepcopy(TOOLS["txt2img"])
    del tool["parameters"][0]["label"]
    assert daemon_rules.problems(daemon_rules.TOOL, tool) == [".parameters[0].label: missing"]


def test_names_and_author_are_the_ones_that_workflows_refer_to() -> None:
    assert (MANIFEST["author"], MANIFEST["name"]) == (
        "dify-ai-illustration",
        "stable-diffusion-webui",
    )
    assert PROVIDER["identity"]["name"] == "stable_diffusion"
    assert set(TOOLS) == {"txt2img", "img2img", "upscale", "draw", "server_info", "png_info"}
    authors = {declared["identity"]["author"] for declared in (PROVIDER, *TOOLS.values())} | {
        MANIFEST["author"]
    }
    assert authors == {"dify-ai-illustration"}


def test_manifest_and_provider_list_exactly_the_files_there_are() -> None:
    assert MANIFEST["plugins"] == {"tools": ["provider/stable_diffusion.yaml"]}
    assert sorted(PROVIDER["tools"]) == [f"tools/{path.name}" for path in TOOL_FILES]


@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_is_named_like_its_files(tool: str) -> None:
    assert TOOLS[tool]["identity"]["name"] == tool
    assert TOOLS[tool]["extra"]["python"]["source"] == f"tools/{tool}.py"
    assert (ROOT / "tools" / f"{tool}.py").is_file()


def test_the_provider_is_named_like_its_files() -> None:
    assert PROVIDER["extra"]["python"]["source"] == "provider/stable_diffusion.py"
    assert (ROOT / "provider" / "stable_diffusion.py").is_file()


@pytest.mark.parametrize("tool", TOOLS)
def test_every_parameter_is_written_in_the_same_order_of_keys(tool: str) -> None:
    order = [key.removesuffix("?") for key in daemon_rules.PARAMETER_KEYS]
    for parameter in TOOLS[tool]["parameters"]:
        assert list(parameter) == [key for key in order if key in parameter], parameter["name"]


@pytest.mark.parametrize("tool", TOOLS)
def test_no_parameter_is_declared_twice(tool: str) -> None:
    names = [parameter["name"] for parameter in TOOLS[tool]["parameters"]]
    assert len(names) == len(set(names))


def test_the_version_is_the_changelogs_newest() -> None:
    versions = re.findall(r"(?m)^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$", read("CHANGELOG.md"))
    assert versions
    assert MANIFEST["version"] == versions[0]


def test_the_privacy_statement_exists() -> None:
    assert MANIFEST["privacy"] == "PRIVACY.md"
    assert read("PRIVACY.md").strip()


def test_the_plugin_asks_for_no_permission_but_to_be_a_tool() -> None:
    assert MANIFEST["resource"]["permission"] == {"tool": {"enabled": True}}


@pytest.mark.parametrize("key", ["icon", "icon_dark"])
def test_the_icon_is_a_small_square_drawing_without_fonts_scripts_or_links(key: str) -> None:
    assert MANIFEST[key] == PROVIDER["identity"][key]
    drawing = read(f"_assets/{MANIFEST[key]}")
    width, height = re.findall(r'viewBox="0 0 (\d+) (\d+)"', drawing)[0]
    assert width == height
    assert len(drawing) < 4096
    assert re.findall(r"<(?!/?(?:svg|path|circle|rect|g)\b)[^>]*>|href|url\(|font", drawing) == []


def test_both_icons_differ_and_nothing_else_is_packed_with_them() -> None:
    assert {path.name for path in (ROOT / "_assets").iterdir()} == {"icon.svg", "icon-dark.svg"}
    assert read("_assets/icon.svg") != read("_assets/icon-dark.svg")


def test_the_credentials_are_these_in_this_order() -> None:
    declared = {
        name: (credential["type"], credential["required"], credential.get("default"))
        for name, credential in PROVIDER["credentials_for_provider"].items()
    }
    assert list(declared.items()) == [
        ("base_url", ("text-input", True, None)),
        ("model", ("text-input", False, None)),
        ("username", ("text-input", False, None)),
        ("password", ("secret-input", False, None)),
        ("timeout", ("text-input", False, "3600")),
        ("verify_tls", ("boolean", False, True)),
    ]


def test_every_credential_says_what_to_enter() -> None:
    for name, credential in PROVIDER["credentials_for_provider"].items():
        assert "help" in credential, name
        assert ("placeholder" in credential) is (credential["type"] != "boolean"), name


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")
