"""The declaration, as computed here, equals what the plugin daemon stored of the same files."""

import hashlib
import json
from pathlib import Path

import pytest

from devtools.declaration import DeclarationError, declaration, declaration_json, tool_sizes

MANIFEST = """\
version: 0.1.0
type: plugin
author: me
name: odd
label: {en_US: Odd <b> & "q", ja_JP: 些細, pt_BR: ""}
description:
  en_US: "A\\ttool\\x01 \\u2028 \\u007f é \\\\ / \\b\\f"
icon: icon.svg
icon_dark: dark.svg
resource:
  memory: 268435456
  permission: {tool: {enabled: true}, storage: {enabled: true, size: 1048576}}
plugins: {tools: [provider/p.yaml]}
meta:
  version: 0.0.1
  arch: [amd64, arm64]
  runner: {language: python, version: "3.12", entrypoint: main}
tags: [image, design]
created_at: 2026-11-21T00:00:00.120Z
privacy: PRIVACY.md
nobody_knows: this
"""

PROVIDER = """\
identity: {author: me, name: prov, label: {en_US: Prov}, icon: icon.svg}
credentials_for_provider:
  url: {type: text-input, required: yes, label: {en_US: U}, placeholder: {en_US: "http://x?a&b"}}
  on: {type: boolean, label: {en_US: On}, help: {en_US: h}, default: true, options: []}
  kind: {type: select, label: {en_US: K}, options: [{value: a, label: {en_US: A}}], url: "http://u"}
tools: [tools/t.yaml]
"""

TOOL = """\
identity: {name: t, author: me, label: {en_US: T}}
description: {human: {en_US: human, zh_Hans: 人}, llm: llm <lora:x:1>}
parameters:
  - &number
    name: a
    type: number
    form: llm
    default: 7
    min: 0
    max: 9007199254740991
    precision: 0
    label: {en_US: 5}
    human_description: {en_US: on}
    llm_description: "two
      lines"
  - {<<: *number, default: -0.0, min: -0.00001, max: 1e25, precision: 3, options: []}
  - {<<: *number, default: 0.25, min: 1.5e-9, max: 16384.5, show_on: [], required: true}
  - {<<: *number, type: boolean, default: False, min: null, scope: all}
  - {<<: *number, type: string, default: "1", template: {enabled: true}}
  - {<<: *number, type: string, default: [yes, {z: 1, B: ~}], auto_generate: {type: x}, max: ~}
  - name: s
    options: [{value: on, label: {en_US: "On"}}, {value: 1, icon: i, label: {en_US: X}}]
output_schema:
  type: object
  properties: {seed: {type: integer}, a: {type: array, items: {type: string}}}
"""


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    for name in ("_assets", "provider", "tools"):
        (tmp_path / name).mkdir()
    (tmp_path / "manifest.yaml").write_text(MANIFEST, encoding="utf-8")
    (tmp_path / "provider/p.yaml").write_text(PROVIDER, encoding="utf-8")
    (tmp_path / "tools/t.yaml").write_text(TOOL, encoding="utf-8")
    (tmp_path / "_assets/icon.svg").write_bytes(b"<svg/>")
    (tmp_path / "_assets/dark.svg").write_bytes(b"<svg></svg>")
    return tmp_path


def test_the_text_is_the_one_in_the_daemons_database(odd: Path) -> None:
    # Written by plugin daemon 0.6.10 on installing a package of these files.
    stored = Path(__file__).with_name("declaration_stored.json").read_bytes()
    assert declaration_json(odd) == stored


def test_icons_carry_the_digest_of_content_and_name(odd: Path) -> None:
    digest = hashlib.sha256(b"<svg/>icon.svg").hexdigest()
    assert declaration(odd)["icon"] == f"{digest}.svg"


def test_the_size_of_a_tool_is_that_of_its_part_of_the_text(odd: Path) -> None:
    (odd / "tools/u.yaml").write_text(TOOL.replace("name: t,", "name: other,"), encoding="utf-8")
    whole = declaration_json(odd)
    listed = PROVIDER.replace("tools/t.yaml", "tools/t.yaml, tools/u.yaml")
    (odd / "provider/p.yaml").write_text(listed, encoding="utf-8")
    sizes = tool_sizes(odd)
    assert list(sizes) == ["t", "other"]
    # The second tool also brings the comma before it.
    assert len(declaration_json(odd)) == len(whole) + sizes["other"] + 1
    assert sizes["other"] == sizes["t"] + len("other") - len("t")


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("2026-11-21T01:02:03Z", "2026-11-21T01:02:03Z"),
        ("2026-11-21", "2026-11-21T00:00:00Z"),
        ("2026-11-21T01:02:03.500+08:00", "2026-11-21T01:02:03.5+08:00"),
    ],
)
def test_times_are_written_as_go_writes_them(odd: Path, written: str, stored: str) -> None:
    changed = MANIFEST.replace("2026-11-21T00:00:00.120Z", written)
    (odd / "manifest.yaml").write_text(changed, encoding="utf-8")
    assert json.loads(declaration_json(odd))["created_at"] == stored


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("tools/t.yaml", "min: 0\n", "min: low\n", "tools/t.yaml: line 9: a number expected"),
        ("tools/t.yaml", "precision: 0", "precision: 0.5", "line 11: a whole number expected"),
        ("tools/t.yaml", "required: true", "required: maybe", "line 17: true or false expected"),
        (
            "tools/t.yaml",
            "parameters:",
            "parameters: {",
            "tools/t.yaml: line 4: expected the node content",
        ),
        ("provider/p.yaml", "[tools/t.yaml]", "[tools/x.yaml]", "tools/x.yaml: no such file"),
        ("provider/p.yaml", "[tools/t.yaml]", "tools/t.yaml", "line 6: a list expected"),
        ("manifest.yaml", "meta:", "meta: 1\nold:", "manifest.yaml: line 14: a mapping expected"),
        ("manifest.yaml", "[provider/p.yaml]", "[a, b]", "must name exactly one provider"),
        ("manifest.yaml", "2026-11-21T", "soon", "manifest.yaml: a time expected"),
        ("manifest.yaml", "icon: icon.svg", "icon: no.svg", "_assets/no.svg: no such file"),
    ],
)
def test_what_the_daemon_could_not_read_is_named(
    odd: Path, name: str, old: str, new: str, message: str
) -> None:
    text = (odd / name).read_text(encoding="utf-8")
    assert old in text
    (odd / name).write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(DeclarationError) as raised:
        declaration(odd)
    assert message in str(raised.value)
