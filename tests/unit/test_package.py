"""The package holds what Dify needs and nothing else, and is the same wherever it is made."""

import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from devtools.host import ROOT
from devtools.package import PackageError, build, main, package_files, unique_identifier

SAMPLE = {
    ".difyignore": ".*\n*.log\n!kept.log\n/notes/\n",
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
identity: {author: someone, name: sample, label: {en_US: Sample}, icon: icon.svg}
tools: [tools/echo.yaml]
extra: {python: {source: provider/sample.py}}
""",
    "requirements.txt": "dify_plugin\n",
    "tools/echo.py": "",
    "tools/echo.yaml": """\
identity: {author: someone, name: echo, label: {en_US: Echo}}
description: {human: {en_US: Says it again.}, llm: Says it again.}
extra: {python: {source: tools/echo.py}}
""",
}


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return root


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    return write(tmp_path / "sample", SAMPLE)


DEVELOPMENT = """
.ci/run .env .env.example .git/config .mypy_cache/x.json .venv/pyvenv.cfg CHANGELOG.md uv.lock
devtools/package.py dist/stable-1.difypkg examples/draw.yml old.difypkg out/1.png pyproject.toml
stable.egg-info/PKG-INFO tests/unit/test_package.py tools/.DS_Store webui/__pycache__/client.pyc
"""
KEPT = ["LICENSE", "tools/out.yaml", "webui/devtools.py", "webui/dist/tests.py"]


def test_development_and_nothing_else_stays_out(tmp_path: Path) -> None:
    write(tmp_path, dict.fromkeys([*DEVELOPMENT.split(), *KEPT], ""))
    write(tmp_path, {".difyignore": (ROOT / ".difyignore").read_text(encoding="utf-8")})
    assert list(package_files(tmp_path)) == KEPT


def test_the_command_says_what_it_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--out", str(tmp_path)]) == 0
    [package] = tmp_path.iterdir()
    with zipfile.ZipFile(package) as content:
        names = content.namelist()
    assert re.fullmatch(r"stable-diffusion-webui-\d+\.\d+\.\d+\.difypkg", package.name)
    size = f"{package.stat().st_size:,} bytes, {len(names)} files"
    assert capsys.readouterr().out == f"{package}\n{size}\n{unique_identifier(ROOT)}\n"
    assert {"main.py", "provider/stable_diffusion.yaml", "tools/draw.py"} <= set(names)
    assert {PurePosixPath(name).suffix for name in names} <= {
        *("", ".json", ".md", ".png", ".py", ".svg", ".txt", ".yaml")
    }


def test_copies_that_differ_in_order_time_and_mode_give_the_same_bytes(tmp_path: Path) -> None:
    first = write(tmp_path / "first", SAMPLE)
    second = write(tmp_path / "second", dict(reversed(SAMPLE.items())))
    for number, path in enumerate(sorted(second.rglob("*.*"))):
        path.chmod(0o700)
        os.utime(path, (number, number * 10**8))
    one, other = (build(root, root.with_name(f"{root.name}-out")) for root in (first, second))
    assert one.read_bytes() == other.read_bytes()
    with zipfile.ZipFile(one) as package:
        content = {entry: package.read(entry).decode() for entry in package.namelist()}
    assert list(content) == sorted(SAMPLE.keys() - {".difyignore"})
    assert content.items() <= SAMPLE.items()


def test_the_checksum_is_the_one_dify_computes(sample: Path) -> None:
    # As `dify plugin checksum` printed it for the same files.
    expected = "c13a238e4834174a7af10f6c6146e4b28a60567a4d538ff56e0c780fb1b3deee"
    assert unique_identifier(sample) == f"someone/sample:1.2.3@{expected}"


def test_a_negated_line_takes_nothing_back_in(sample: Path) -> None:
    write(sample, {"kept.log": "", "notes/a.txt": "", "tools/notes/a.txt": ""})
    assert set(package_files(sample)) - SAMPLE.keys() == {"tools/notes/a.txt"}


def change(name: str, old: str, new: str) -> Callable[[Path], None]:
    def damage(root: Path) -> None:
        text = (root / name).read_text(encoding="utf-8")
        assert old in text
        (root / name).write_text(text.replace(old, new), encoding="utf-8")

    return damage


@pytest.mark.parametrize("name", SAMPLE)
def test_a_missing_file_is_refused_by_name(sample: Path, tmp_path: Path, name: str) -> None:
    (sample / name).unlink()

    with pytest.raises(PackageError, match=rf"^{re.escape(name)}: no such file"):
        build(sample, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (change(".difyignore", "/notes/", "/tools/"), "tools/echo.yaml: left out by .difyignore"),
        (change("tools/echo.yaml", "extra", "other"), "tools/echo.yaml: lacks extra.python.source"),
        (change("tools/echo.yaml", "llm: ", "llm: {"), "tools/echo.yaml: while parsing"),
        (change("manifest.yaml", "meta:", "old:"), "manifest.yaml: lacks meta.runner.entrypoint"),
        (change("manifest.yaml", "author:", "by:"), "manifest.yaml: lacks author"),
    ],
)
def test_a_broken_file_is_refused_by_name(
    sample: Path, tmp_path: Path, damage: Callable[[Path], None], message: str
) -> None:
    damage(sample)

    with pytest.raises(PackageError, match=f"^{message}"):
        build(sample, tmp_path / "out")


def test_a_link_to_a_directory_is_refused(sample: Path) -> None:
    (sample / "linked").symlink_to(sample / "tools", target_is_directory=True)
    with pytest.raises(PackageError, match=r"^linked: neither a file nor a directory"):
        package_files(sample)
