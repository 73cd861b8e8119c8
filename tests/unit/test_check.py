"""The rules of plugin daemon and marketplace, each with a plugin that breaks it."""

from pathlib import Path

import pytest

from devtools import check
from devtools.host import ROOT
from support.sample_plugin import SAMPLE, change, write

REPO = "https://example.com/sample"


def errors(root: Path) -> list[str]:
    return [str(one) for one in check.findings(root) if not one.is_note]


def test_only_a_publisher_is_left_with_something_to_fill_in(sample: Path) -> None:
    notes = [(one.file, one.is_note) for one in check.findings(sample)]
    assert sorted(notes) == [("README.md", True), ("manifest.yaml", True)]

    change(sample, "manifest.yaml", "", f"repo: {REPO}\n")
    change(sample, "README.md", "", "\nContact: someone@example.com\n")
    assert errors(sample) == [f"error: README.md: must link to where the source is, {REPO}"]
    change(sample, "README.md", "", f"\nThe source: {REPO}\n")
    assert list(check.findings(sample)) == []


def test_this_plugin_breaks_no_rule() -> None:
    assert errors(ROOT) == []


@pytest.mark.parametrize("name", SAMPLE)
def test_a_missing_file_is_told_with_who_wants_it(sample: Path, name: str) -> None:
    (sample / name).unlink()
    assert f"error: {name}: no such file, " in "\n".join(errors(sample))


def test_a_file_that_is_left_out_is_missing_too(sample: Path) -> None:
    change(sample, ".difyignore", "/notes/", "/tools/")
    [told] = errors(sample)
    assert told == (
        "error: tools/echo.yaml: left out by .difyignore, but provider/sample.yaml names it"
    )


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("manifest.yaml", "someone", "Someone", "author is 'Someone', must be [a-z0-9_-]{1,64}"),
        ("manifest.yaml", "someone", "dify-fan", "line 3: author must be no UUID, and hold"),
        ("manifest.yaml", "name: sample", "name: my sample", "name is 'my sample', must be"),
        ("manifest.yaml", "1.2.3", "1.2", "version is 1.2, must be"),
        ("manifest.yaml", "type: plugin", "type: tool", "type is 'tool', must be plugin"),
        ("manifest.yaml", "{memory: 1}", "{memory: 1GB}",
         "resource.memory is '1GB', must be <int>"),
        ("manifest.yaml", "{memory: 1}", "{}", "resource lacks memory"),
        ("manifest.yaml", "[amd64]", "[x86]", "meta.arch[0] is 'x86', must be amd64|arm64"),
        ("manifest.yaml", '"3.12"', "3.12", "meta.runner.version is 3.12, must be .{1,128}"),
        ("manifest.yaml", "T00:00:00Z", "", "created_at is datetime.date(2026, 1, 1), must be"),
        ("manifest.yaml", "privacy: PRIVACY.md\n", "", "lacks privacy"),
        ("manifest.yaml", "created_at", "tags: [picture]\ncreated_at",
         "tags[0] is 'picture', must"),
        ("manifest.yaml", "created_at", "repo: sample\ncreated_at",
         "repo is 'sample', must be http"),
        ("manifest.yaml", "sample.yaml]", "sample.yaml, a.yaml]", "plugins.tools must name one"),
        ("provider/sample.yaml", "  description: {en_US: Echoes.}\n", "",
         "identity lacks description"),
        ("tools/echo.yaml", "name: echo", "name: e c", "identity.name is 'e c', must be"),
        ("tools/echo.yaml", "llm: ", "llm: {", "while parsing a flow mapping"),
        ("tools/echo.yaml", "extra", "other", "has other, which the daemon drops: remove or"),
        ("tools/echo.yaml", "type: string", "type: integer",
         "parameters[0].type is 'integer', must"),
        ("tools/echo.yaml", "form: llm", "form: llm\n    min: true",
         "parameters[0].min is True, must"),
        ("tools/echo.yaml", "{en_US: Word}", "{en_US: ''}",
         "parameters[0].label.en_US is '', must"),
        ("tools/echo.yaml", "{en_US: Word}", "Word",
         "parameters[0].label is 'Word', must be <dict>"),
        ("tools/echo.yaml", "form: llm",
         "form: llm\n    options: [{value: on, label: {en_US: On}}]",
         "parameters[0].options[0].value is True, must be .{1,127}"),
        ("README.md", "again", "又", "line 3: must be in English; translations go to readme/"),
        ("README.md", SAMPLE["README.md"], "\n", "is empty: the marketplace wants it filled"),
        ("PRIVACY.md", SAMPLE["PRIVACY.md"], "\n", "is empty: the marketplace wants it filled"),
        ("requirements.txt", "<0.11", "<0.11\nyarl", "line 2: each line must be bounded"),
        ("requirements.txt", "<0.11", "<0.11\na @ https://b.c/d.whl", "line 2: each line must be"),
        ("requirements.txt", "dify_plugin>=0.10.1,<0.11", "dify_plugin>=0.8,<1", "must name dify_"),
        ("main.py", "", "KEY = 'sk-" + "a1" * 10 + "'", "line 1: holds what looks like a secret"),
        ("README.md", "again", "again\n-----BEGIN PRIVATE KEY-----",
         "line 4: holds what looks like"),
        ("_assets/icon.svg", "", "DIFY_MARKETPLACE_TEMPLATE_ICON_DO_NOT_USE",
         "line 2: is the icon"),
    ],
)  # fmt: skip
def test_a_breach_is_told_with_file_and_remedy(
    sample: Path, file: str, old: str, new: str, told: str
) -> None:
    change(sample, file, old, new)
    assert f"error: {file}: {told}" in "\n".join(errors(sample))


def test_a_parameter_that_is_declared_twice_is_told(sample: Path) -> None:
    [parameter] = [SAMPLE["tools/echo.yaml"].partition("parameters:\n")[2].partition("extra")[0]]
    change(sample, "tools/echo.yaml", "extra", f"{parameter}extra")
    assert errors(sample) == ["error: tools/echo.yaml: word is declared twice"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("tools/__pycache__/echo.pyc", "is no part of the plugin: rename it, or name it"),
        ("dist.difypkg", "is no part of the plugin"),
        ("server.pem", "may hold a secret"),
        ("tools/fast.so", "is a binary, which the marketplace refuses"),
        ("pyproject.toml", "would be installed from, in the place of requirements.txt"),
        ("readme/README.ja.md", "is never shown, unlike readme/README_ja_JP.md"),
    ],
)
def test_a_file_that_the_package_must_not_hold_is_told(sample: Path, name: str, told: str) -> None:
    write(sample, {"readme/README_ja_JP.md": "サンプル\n", name: ""})
    [error] = errors(sample)
    assert error.startswith(f"error: {name}: {told}")


def test_more_than_the_daemon_takes_is_told(sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "MOST_BYTES", 100)
    assert errors(sample) == ["error: .difyignore: must leave out more: Dify takes 100 bytes"]


def test_a_plugin_that_does_not_start_without_a_daemon_is_told(sample: Path) -> None:
    write(sample, {"main.py": "raise SystemExit('no such tool')"})
    [told] = check.start(sample)
    assert str(told) == "error: main.py: gives no answer in serverless mode: no such tool "


@pytest.mark.slow
def test_this_plugin_starts_without_a_daemon(capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main() == 0
    assert all(line.startswith("note: ") for line in capsys.readouterr().out.splitlines())
