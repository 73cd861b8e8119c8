"""A small plugin that breaks no rule, and ways to break one."""

from pathlib import Path

SAMPLE = {
    ".difyignore": ".*\n*.log\n!kept.log\n/notes/\n",
    "PRIVACY.md": "It keeps nothing.\n",
    "README.md": "# Sample\n\nIt says it again.\n",
    "_assets/icon.svg": "<svg/>\n",
    "_assets/night.svg": "<svg></svg>\n",
    "main.py": "",
    "manifest.yaml": """\
version: 1.2.3
type: plugin
author: someone
name: sample
label: {en_US: Sample}
description: {en_US: A plugin to package.}
icon: icon.svg
icon_dark: night.svg
privacy: PRIVACY.md
resource: {memory: 1}
plugins: {tools: [provider/sample.yaml]}
meta:
  version: 0.0.1
  arch: [amd64]
  runner: {language: python, version: "3.12", entrypoint: main}
created_at: 2026-01-01T00:00:00Z
""",
    "provider/sample.py": "",
    "provider/sample.yaml": """\
identity:
  author: someone
  name: sample
  label: {en_US: Sample}
  description: {en_US: Echoes.}
  icon: icon.svg
tools: [tools/echo.yaml]
extra: {python: {source: provider/sample.py}}
""",
    "requirements.txt": "dify_plugin>=0.10.1,<0.11\n",
    "tools/echo.py": "",
    "tools/echo.yaml": """\
identity: {author: someone, name: echo, label: {en_US: Echo}}
description: {human: {en_US: Says it again.}, llm: Says it again.}
parameters:
  - name: word
    type: string
    form: llm
    label: {en_US: Word}
    human_description: {en_US: What it says again.}
extra: {python: {source: tools/echo.py}}
""",
}


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return root


def change(root: Path, name: str, old: str, new: str) -> None:
    """Put `new` in the place of `old` in a plugin's file, or after its end if `old` is empty."""
    text = (root / name).read_text(encoding="utf-8")
    assert old in text
    write(root, {name: text.replace(old, new) if old else text + new})
