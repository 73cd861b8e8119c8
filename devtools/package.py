"""Write the plugin's package: `uv run python -m devtools.package [--out DIR]`.

The package is what `dify plugin package` makes, with the same files and the same checksum.
"""

import argparse
import hashlib
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pathspec
import yaml

ROOT = Path(__file__).parent.parent
# The oldest moment a zip file can express.
EPOCH = (1980, 1, 1, 0, 0, 0)


class PackageError(ValueError):
    """The plugin cannot be packaged as it is; the text says which file to mend."""


def package_files(root: Path) -> dict[str, Path]:
    """Return every file that belongs in the package, by its path within (with "/"), sorted.

    A file stays out when any one line of .difyignore matches it or a directory above it: that is
    Dify's rule, under which a "!" line takes nothing back in.
    """
    ignore = root / ".difyignore"
    if not ignore.is_file():
        raise PackageError(".difyignore: no such file, so nothing would be left out")
    lines = (line.strip() for line in ignore.read_text(encoding="utf-8").splitlines())
    # One by one, since within a GitIgnoreSpec the last match would decide.
    patterns = [pathspec.GitIgnoreSpec.from_lines([line]) for line in lines]
    return dict(sorted(_walk(root, root, patterns)))


def checksum(files: Mapping[str, Path]) -> str:
    """Return the daemon's: SHA-256, in hex, over the digests of each path and each content."""
    digests = hashlib.sha256()
    for name in sorted(files):
        digests.update(hashlib.sha256(name.encode()).digest())
        digests.update(hashlib.sha256(files[name].read_bytes()).digest())
    return digests.hexdigest()


def unique_identifier(root: Path) -> str:
    """Return `author/name:version@checksum`, under which Dify knows this very package."""
    plugin = "{author}/{name}:{version}".format_map(_yaml(root, "manifest.yaml"))
    return f"{plugin}@{checksum(package_files(root))}"


def build(root: Path, out: Path) -> Path:
    """Write the package of the plugin in `root` into the directory `out` and return its path.

    The bytes depend on the files' names and contents and on the compressor (zlib) alone. A
    PackageError comes before anything is written.
    """
    files = package_files(root)
    for name, reason in _needed(root):
        if not (root / name).is_file():
            raise PackageError(f"{name}: no such file, but {reason}")
        if name not in files:
            raise PackageError(f"{name}: left out by .difyignore, but {reason}")
    out.mkdir(parents=True, exist_ok=True)
    path = out / "{name}-{version}.difypkg".format_map(_yaml(root, "manifest.yaml"))
    with zipfile.ZipFile(path, "w") as package:
        for name, file in files.items():
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, whatever this machine is
            entry.external_attr = 0o100644 << 16
            package.writestr(entry, file.read_bytes(), compresslevel=9)
    return path


def main(arguments: list[str] | None = None) -> int:
    """Build the package, print what it is, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m devtools.package", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="where it goes (dist)")
    try:
        path = build(ROOT, parser.parse_args(arguments).out)
    except PackageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(path)
    print(f"{path.stat().st_size:,} bytes, {len(package_files(ROOT))} files")
    print(unique_identifier(ROOT))
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


def _needed(root: Path) -> Iterator[tuple[str, str]]:
    """The files without which Dify installs or runs nothing, each with the reason."""
    yield "manifest.yaml", "every plugin needs it"
    yield "requirements.txt", "Dify installs the plugin's dependencies from it"
    manifest = _yaml(root, "manifest.yaml")
    for key in ("author", "name", "version"):
        _at(manifest, "manifest.yaml", key)
    entrypoint = _at(manifest, "manifest.yaml", "meta", "runner", "entrypoint")
    yield f"{entrypoint}.py", "manifest.yaml starts it"
    yield from _icons(manifest, "manifest.yaml")
    for provider in _at(manifest, "manifest.yaml", "plugins", "tools"):
        yield provider, "manifest.yaml names it"
        declared = _yaml(root, provider)
        yield from _icons(_at(declared, provider, "identity"), provider)
        yield _at(declared, provider, "extra", "python", "source"), f"{provider} names it"
        for tool in _at(declared, provider, "tools"):
            yield tool, f"{provider} names it"
            yield _at(_yaml(root, tool), tool, "extra", "python", "source"), f"{tool} names it"


def _icons(owner: Mapping[str, str], declared_in: str) -> Iterator[tuple[str, str]]:
    for key in ("icon", "icon_dark"):
        if owner.get(key):
            yield f"_assets/{owner[key]}", f"{declared_in} names it as {key}"


def _yaml(root: Path, name: str) -> dict[str, Any]:
    try:
        content = yaml.safe_load((root / name).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise PackageError(f"{name}: {reason}") from error
    if not isinstance(content, dict):
        raise PackageError(f"{name}: holds no mapping")
    return content


def _at(content: Any, name: str, *keys: str) -> Any:  # noqa: ANN401 - whatever the file holds
    for key in keys:
        if not isinstance(content, dict) or key not in content:
            raise PackageError(f"{name}: lacks {'.'.join(keys)}")
        content = content[key]
    return content


if __name__ == "__main__":
    sys.exit(main())
