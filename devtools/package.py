"""Write the plugin's package: `uv run python -m devtools.package [--root DIR] [--out DIR]`.

The package is what `dify plugin package` makes, with the same files and the same checksum.
"""

import argparse
import hashlib
import re
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pathspec
import yaml

from devtools.declaration import (
    LIMIT,
    DeclarationError,
    declaration,
    declaration_json,
    tool_sizes,
)

MAX_SIZE = 50 * 1024 * 1024
"""Bytes that the files of a package may have together, unpacked, by Dify's default setting."""

_IDENTIFIER = re.compile(
    r"[a-z0-9_-]{1,64}/[a-z0-9_-]{1,128}:\d{1,4}(\.\d{1,4}){2}(-\w{1,16})?@[a-f0-9]{64}", re.ASCII
)
# The oldest moment a zip file can express.
_EPOCH = (1980, 1, 1, 0, 0, 0)


class PackageError(ValueError):
    """The plugin cannot be packaged as it is; the text says which file to mend."""


def package_files(root: Path) -> dict[str, Path]:
    """Every file that belongs in the package, by its path within (with "/"), sorted.

    A file stays out when any one line of .difyignore matches it or a directory above it: that is
    Dify's rule, under which a "!" line takes nothing back in. Raises PackageError.
    """
    ignore = root / ".difyignore"
    if not ignore.is_file():
        raise PackageError(f"{ignore}: no such file, so nothing would be left out of the package")
    lines = (line.strip() for line in ignore.read_text(encoding="utf-8").splitlines())
    # One by one, since within a GitIgnoreSpec the last match would decide.
    patterns = [pathspec.GitIgnoreSpec.from_lines([line]) for line in lines]
    return dict(sorted(_walk(root, root, patterns)))


def checksum(files: Mapping[str, Path]) -> str:
    """The daemon's checksum: SHA-256, in hex, over the digests of each path and each content."""
    digests = hashlib.sha256()
    for name in sorted(files):
        digests.update(hashlib.sha256(name.encode()).digest())
        digests.update(hashlib.sha256(files[name].read_bytes()).digest())
    return digests.hexdigest()


def unique_identifier(root: Path) -> str:
    """`author/name:version@checksum`, under which Dify knows this very package.

    Raises DeclarationError or PackageError.
    """
    manifest = declaration(root)
    plugin = f"{manifest['author']}/{manifest['name']}:{manifest['version']}"
    identifier = f"{plugin}@{checksum(package_files(root))}"
    if not _IDENTIFIER.fullmatch(identifier):
        raise PackageError(f"manifest.yaml: Dify accepts no plugin named {plugin}")
    return identifier


def build(root: Path, out: Path) -> Path:
    """Write the package of the plugin in `root` into the directory `out` and return its path.

    The bytes depend on the files' names and contents and on the compressor (zlib) alone. Raises
    DeclarationError or PackageError, and writes nothing then.
    """
    # First, since it reads every YAML file and refuses a misshapen one.
    manifest = declaration(root)
    files = package_files(root)
    _refuse_missing(root, files)
    _refuse_large(root, files)
    unique_identifier(root)
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{manifest['name']}-{manifest['version']}.difypkg"
    with zipfile.ZipFile(path, "w") as package:
        for name, file in files.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, whatever this machine is
            entry.external_attr = 0o100644 << 16
            package.writestr(entry, file.read_bytes(), compresslevel=9)
    return path


def main(arguments: list[str] | None = None) -> int:
    """Build the package, print what it is, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m devtools.package", description=__doc__)
    here = Path(__file__).parent.parent
    parser.add_argument("--root", type=Path, default=here, help="the plugin (default: this one)")
    parser.add_argument("--out", type=Path, help="where the package goes (default: ROOT/dist)")
    options = parser.parse_args(arguments)
    root: Path = options.root
    try:
        path = build(root, options.out or root / "dist")
        _print_facts(root, path)
    except (DeclarationError, PackageError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _walk(
    root: Path, directory: Path, patterns: list[pathspec.GitIgnoreSpec]
) -> Iterator[tuple[str, Path]]:
    for path in directory.iterdir():
        name = path.relative_to(root).as_posix()
        is_directory = path.is_dir() and not path.is_symlink()
        tested = f"{name}/" if is_directory else name
        if any(pattern.match_file(tested) for pattern in patterns):
            continue
        if is_directory:
            yield from _walk(root, path, patterns)
        elif path.is_file():
            yield name, path
        else:
            raise PackageError(f"{name}: neither a file nor a directory, cannot be packaged")


def _refuse_missing(root: Path, files: Mapping[str, Path]) -> None:
    for name, reason in _needed(root):
        if not (root / name).is_file():
            raise PackageError(f"{name}: no such file, but {reason}")
        if name not in files:
            raise PackageError(f"{name}: left out by .difyignore, but {reason}")


def _needed(root: Path) -> Iterator[tuple[str, str]]:
    yield "manifest.yaml", "every plugin needs it"
    yield "requirements.txt", "Dify installs the plugin's dependencies from it"
    yield f"{declaration(root)['meta']['runner']['entrypoint']}.py", "manifest.yaml starts it"
    manifest = _yaml(root, "manifest.yaml")
    yield from _icons(manifest, "manifest.yaml")
    for provider in manifest["plugins"]["tools"]:
        declared = _yaml(root, provider)
        yield provider, "manifest.yaml names it"
        yield from _icons(declared["identity"], provider)
        for file in (provider, *declared["tools"]):
            if file != provider:
                yield file, f"{provider} names it"
            try:
                source = _yaml(root, file)["extra"]["python"]["source"]
            except (KeyError, TypeError) as error:
                raise PackageError(f"{file}: extra.python.source names no Python file") from error
            yield source, f"{file} names it"


def _yaml(root: Path, name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((root / name).read_text(encoding="utf-8"))
    return content


def _icons(owner: Mapping[str, str], declared_in: str) -> Iterator[tuple[str, str]]:
    for key in ("icon", "icon_dark"):
        if owner.get(key):
            yield f"_assets/{owner[key]}", f"{declared_in} names it as {key}"


def _refuse_large(root: Path, files: Mapping[str, Path]) -> None:
    sizes = {name: file.stat().st_size for name, file in files.items()}
    if sum(sizes.values()) > MAX_SIZE:
        largest = max(sizes, key=lambda name: sizes[name])
        raise PackageError(
            f"the files have {sum(sizes.values()):,} bytes unpacked, Dify accepts {MAX_SIZE:,};"
            f" the largest is {largest} with {sizes[largest]:,}"
        )
    stored = len(declaration_json(root))
    if stored > LIMIT:
        tools = ", ".join(f"{name} {size:,}" for name, size in tool_sizes(root).items())
        raise PackageError(
            f"the declaration has {stored:,} bytes as JSON, a Dify on MySQL holds {LIMIT:,}:"
            f" shorten the tools' YAML ({tools})"
        )


def _print_facts(root: Path, path: Path) -> None:
    with zipfile.ZipFile(path) as package:
        count = len(package.namelist())
    print(path)
    print(f"{path.stat().st_size:,} bytes, {count} files")
    print(unique_identifier(root))
    print(f"declaration {len(declaration_json(root)):,} of {LIMIT:,} bytes")
    for name, size in tool_sizes(root).items():
        print(f"  {name} {size:,}")


if __name__ == "__main__":
    sys.exit(main())
