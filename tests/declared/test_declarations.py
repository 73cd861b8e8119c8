"""The YAML files, against what the SDK takes of them and what users rely on.

Whether the plugin daemon takes them is what devtools.check finds out.
"""

import re

import pytest
from dify_plugin import DifyPluginEnv
from dify_plugin.core.plugin_registration import PluginRegistration

from dify.credentials import SECRETS
from support.declared import MANIFEST, PROVIDER, ROOT, TOOLS, text_of
from webui.fields import FIELDS


def test_the_sdk_loads_every_declared_tool_with_its_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    registration = PluginRegistration(DifyPluginEnv())
    _, provider, tools = registration.tools_mapping["stable_diffusion"]
    assert provider.__name__ == "StableDiffusionProvider"
    assert set(tools) == set(TOOLS)


def test_names_and_author_are_the_ones_that_workflows_refer_to() -> None:
    assert (MANIFEST["author"], MANIFEST["name"]) == ("ai-illustration", "stable-diffusion-webui")
    assert PROVIDER["identity"]["name"] == "stable_diffusion"
    assert set(TOOLS) >= {"txt2img", "img2img", "upscale", "draw", "server_info", "png_info"}
    credentials = {"base_url", "model", "username", "password", "timeout", "verify_tls",
                   "parallel", "headers"}  # fmt: skip
    assert set(PROVIDER["credentials_for_provider"]) >= credentials


def test_the_credentials_are_checked_as_they_are_declared() -> None:
    for name, credential in PROVIDER["credentials_for_provider"].items():
        # Dify draws the help as the text of a link, and without one not at all.
        assert credential.keys() >= {"help", "url"}, name
        assert ("placeholder" in credential) is (credential["type"] != "boolean"), name
        assert ("secret" in credential["type"]) is (name in SECRETS)


def test_the_manifest_names_the_provider_and_the_provider_every_tool() -> None:
    assert MANIFEST["plugins"] == {"tools": ["provider/stable_diffusion.yaml"]}
    assert sorted(PROVIDER["tools"]) == [f"tools/{name}.yaml" for name in TOOLS]


def test_a_boolean_says_whether_it_is_on() -> None:
    # Without a declared default the form draws it as off.
    assert PROVIDER["credentials_for_provider"]["verify_tls"]["default"] is True
    for tool in TOOLS.values():
        for one in tool["parameters"]:
            if one["type"] == "boolean":
                assert isinstance(one.get("default"), bool), one["name"]
                # It is sent without being asked for: no word of a server that lacks it.
                assert FIELDS[one["name"]].own or FIELDS[one["name"]].is_neutral(one["default"])


@pytest.mark.parametrize("tool", TOOLS)
def test_no_output_has_the_name_of_one_that_dify_fills(tool: str) -> None:
    schema = TOOLS[tool]["output_schema"]
    assert schema["properties"].keys().isdisjoint({"text", "files", "json"})


@pytest.mark.parametrize("tool", TOOLS)
def test_an_output_is_described_and_can_be_bound_to_a_field(tool: str) -> None:
    for name, said in TOOLS[tool]["output_schema"]["properties"].items():
        assert len(said["description"]) >= 25, name
        # Dify's picker offers number alone to a number field.
        assert said["type"] in {"string", "number", "boolean", "array", "object"}, name


def test_the_version_is_the_changelog_s_newest() -> None:
    versions = re.findall(
        r"(?m)^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$", text_of("CHANGELOG.md")
    )
    assert versions[0] == MANIFEST["version"]


def test_the_privacy_statement_is_there() -> None:
    assert text_of(MANIFEST["privacy"]).strip()


def test_the_plugin_asks_for_no_permission_but_to_be_a_tool() -> None:
    assert MANIFEST["resource"]["permission"] == {"tool": {"enabled": True}}


def test_the_icons_are_small_square_drawings_without_fonts_scripts_or_links() -> None:
    icons = {MANIFEST["icon"], MANIFEST["icon_dark"]}
    assert {path.name for path in (ROOT / "_assets").glob("*.svg")} == icons
    for icon in icons:
        drawing = text_of(f"_assets/{icon}")
        width, height = re.findall(r'viewBox="0 0 (\d+) (\d+)"', drawing)[0]
        assert width == height
        assert len(drawing) < 4096
        assert (
            re.findall(r"<(?!/?(?:svg|path|circle|rect|g)\b)[^>]*>|href|url\(|font", drawing) == []
        )
