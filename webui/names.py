"""Names as people type them, against names as the server has them."""

import difflib
from collections.abc import Iterable


def match(wanted: str, names: Iterable[str]) -> str | None:
    """The server's own spelling of a name, forgiving case and blanks where that is unambiguous."""
    known = list(dict.fromkeys(names))
    wanted = wanted.strip()
    if wanted in known:
        return wanted
    alike = [name for name in known if _fold(name) == _fold(wanted)]
    return alike[0] if len(alike) == 1 else None


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
