"""Names as people type them, against names as the server has them."""

import difflib
from collections.abc import Iterable


def match(wanted: str, names: Iterable[str]) -> str | None:
    """The server's own spelling of a name.

    Case, blanks and underscores are forgiven where just one name is meant, so that "Euler a" finds
    stable-diffusion.cpp's "euler_a".
    """
    known = list(dict.fromkeys(names))
    wanted = wanted.strip()
    if wanted in known:
        return wanted
    for alike in (_fold, _squash):
        found = [name for name in known if alike(name) == alike(wanted)]
        if len(found) == 1:
            return found[0]
    return None


def suggestion(wanted: str, names: Iterable[str]) -> str:
    """A sentence with the closest names and how many there are, for the end of an error."""
    known = list(dict.fromkeys(names))
    if not known:
        return "The server has none."
    by_folded = {_fold(name): name for name in reversed(known)}
    near = difflib.get_close_matches(_fold(wanted), by_folded, n=3, cutoff=0.5)
    if near:
        return f"Closest of {len(known)}: {', '.join(by_folded[name] for name in near)}."
    few = ", ".join(known[:5])
    return f"The server has {few}." if len(known) <= 5 else f"Some of {len(known)}: {few}."


def _fold(name: str) -> str:
    return " ".join(name.split()).casefold()


def _squash(name: str) -> str:
    return "".join(_fold(name).replace("_", " ").split())
