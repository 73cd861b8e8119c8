"""What goes into the package, by .difyignore."""

from collections.abc import Iterator
from pathlib import Path

import pathspec


class PackageError(ValueError):
    """The plugin cannot be packaged as it is; the text says which files to mend."""


def package_files(root: Path) -> dict[str, Path]:
    """Return every file that belongs in the package, by its path within (with "/"), sorted.

    A file stays out when any one line of .difyignore matches it or a directory above it: that is
    Dify's rule, under which a "!" line takes nothing back in. Only the workflows of examples/ come
    along, under _assets/, for those who have the package and nothing else.
    """
    ignore = root / ".difyignore"
    if not ignore.is_file():
        raise PackageError(".difyignore: no such file, so nothing would be left out")
    lines = (line.strip() for line in ignore.read_text(encoding="utf-8").splitlines())
    # One by one, since within a GitIgnoreSpec the last match would decide.
    patterns = [pathspec.GitIgnoreSpec.from_lines([line]) for line in lines]
    examples = {f"_assets/examples/{one.name}": one for one in root.glob("examples/*.yml")}
    return dict(sorted([*_walk(root, root, patterns), *examples.items()]))


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
