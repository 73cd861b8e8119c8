"""Write the plugin's package: `uv run python -m devtools.package [--out DIR]`.

The package is what `dify plugin package` makes, by the same rules and with the same checksum, once
`devtools.check` finds no error; the examples are in it too.
"""

import argparse
import hashlib
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import yaml

from devtools.check import findings
from devtools.content import PackageError, package_files

ROOT = Path(__file__).parent.parent
# The oldest moment a zip file can express.
EPOCH = (1980, 1, 1, 0, 0, 0)


def checksum(files: Mapping[str, Path]) -> str:
    """Return the daemon's: SHA-256, in hex, over the digests of each path and each content."""
    digests = hashlib.sha256()
    for name in sorted(files):
        digests.update(hashlib.sha256(name.encode()).digest())
        digests.update(hashlib.sha256(files[name].read_bytes()).digest())
    return digests.hexdigest()


def unique_identifier(root: Path) -> str:
    """Return `author/name:version@checksum`, under which Dify knows this very package."""
    return _filled("{author}/{name}:{version}@", root) + checksum(package_files(root))


def build(root: Path, out: Path) -> Path:
    """Write the package of the plugin in `root` into the directory `out` and return its path.

    The bytes depend on the files' names and contents and on the compressor (zlib) alone. What
    devtools.check calls an error is a PackageError, before anything is written.
    """
    files = package_files(root)
    if errors := [str(finding) for finding in findings(root) if not finding.is_note]:
        raise PackageError("\n".join(errors))
    out.mkdir(parents=True, exist_ok=True)
    path = out / _filled("{name}-{version}.difypkg", root)
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
        print(error, file=sys.stderr)
        return 1
    print(path)
    print(f"{path.stat().st_size:,} bytes, {len(package_files(ROOT))} files")
    print(unique_identifier(ROOT))
    return 0


def _filled(text: str, root: Path) -> str:
    return text.format_map(yaml.safe_load((root / "manifest.yaml").read_bytes()))


if __name__ == "__main__":
    sys.exit(main())
