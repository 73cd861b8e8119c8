"""The package holds what Dify needs and nothing else, and is the same wherever it is made."""

import os
import re
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from devtools.content import PackageError, package_files
from devtools.host import ROOT
from devtools.package import build, main, unique_identifier
from support.sample_plugin import SAMPLE, change, write

DEVELOPMENT = """
.ci/run .env .env.example .git/config .mypy_cache/x.json .venv/pyvenv.cfg CHANGELOG.md uv.lock
devtools/package.py dist/stable-1.difypkg examples/pool/x.cfg old.difypkg out/1.png pyproject.toml
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
    assert "_assets/examples/text-to-image.yml" in names
    assert {PurePosixPath(name).suffix for name in names} <= {
        *("", ".json", ".md", ".png", ".py", ".svg", ".txt", ".yaml", ".yml")
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
    expected = "fdca140ed00698e6c9322265a91a4f8d979692083d66893db45445de58279af4"
    assert unique_identifier(sample) == f"someone/sample:1.2.3@{expected}"


def test_a_negated_line_takes_nothing_back_in(sample: Path) -> None:
    write(sample, {"kept.log": "", "notes/a.txt": "", "tools/notes/a.txt": ""})
    assert set(package_files(sample)) - SAMPLE.keys() == {"tools/notes/a.txt"}


def test_what_the_check_calls_an_error_is_refused_before_anything_is_written(
    sample: Path, tmp_path: Path
) -> None:
    change(sample, "manifest.yaml", "author: someone", "author: Someone")
    with pytest.raises(PackageError) as refused:
        build(sample, tmp_path / "out")
    assert [line.split(":")[1] for line in str(refused.value).splitlines()] == [" manifest.yaml"]
    assert not (tmp_path / "out").exists()


def test_a_link_to_a_directory_is_refused(sample: Path) -> None:
    (sample / "linked").symlink_to(sample / "tools", target_is_directory=True)
    with pytest.raises(PackageError, match=r"^linked: neither a file nor a directory"):
        package_files(sample)
