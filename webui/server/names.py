"""Names as people type them, against names as the server has them; checkpoints have many."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence

from webui.text import in_plain_letters, shortened
from webui.values import Json

# What follows is compared letter by letter: of a longer name no other is a misspelling.
_LONGEST_COMPARED = 200
_HEX_DIGITS = set("0123456789abcdefABCDEF")
_ENDING = re.compile(r"\.(safetensors|ckpt|pt|pth|bin|gguf)$", re.IGNORECASE)

type Model = Mapping[str, Json]


def match_name(wanted: str, names: Iterable[str]) -> str | None:
    """Return the server's own spelling of a name.

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


def match_hashed(wanted: str, names: Iterable[str]) -> str | None:
    """As `match_name`, where either side may lack the short hash: "canny" is "canny [d14c016b]"."""
    known = list(dict.fromkeys(names))
    bare = _without_hash(wanted.strip())
    found = match_name(wanted, known) or match_name(bare, known)
    if found is None and bare == wanted.strip():
        alike = [name for name in known if match_name(bare, [_without_hash(name)])]
        found = alike[0] if len(alike) == 1 else None
    return found


def match_file(wanted: str, names: Iterable[str]) -> str | None:
    """As `match_name`, where either side may lack the ending: "face" is "face.pt"."""
    known = list(dict.fromkeys(names))
    bare = _ENDING.sub("", wanted.strip())
    alike = [name for name in known if match_name(bare, [_ENDING.sub("", name)])]
    return match_name(wanted, known) or (alike[0] if len(alike) == 1 else None)


def suggest_names(wanted: str, names: Iterable[str]) -> str:
    """Return a sentence with the closest names and how many there are, for the end of an error."""
    known = list(dict.fromkeys(names))
    if not known:
        return "The server has none."
    by_folded = {_fold(name[:_LONGEST_COMPARED]): name for name in reversed(known)}
    near = difflib.get_close_matches(_fold(wanted[:_LONGEST_COMPARED]), by_folded, n=3, cutoff=0.5)
    if near:
        return f"Closest of {len(known)}: {', '.join(by_folded[name] for name in near)}."
    few = ", ".join(shortened(name, _LONGEST_COMPARED) for name in known[:5])
    return f"The server has {few}." if len(known) <= 5 else f"Some of {len(known)}: {few}."


def spellings_of(model: Model) -> list[str]:
    """Return every name a server accepts for an entry of `GET /sd-models`, its title first.

    The alias dictionary of the AUTOMATIC1111 family (`CheckpointInfo.ids`), plus the file name
    with its ending, which means the same thing.
    """
    title = model.get("title") or model.get("model_name", "")
    path_in_folder = _without_hash(title)
    file_name = _last_part(model.get("filename") or path_in_folder)
    stem = _ENDING.sub("", file_name)
    found = [title, path_in_folder, model.get("model_name"), stem]
    # What people read off the folder, and what SD.Next writes of a model that is a folder.
    without_ending = _ENDING.sub("", path_in_folder)
    found += [without_ending, _last_part(without_ending)]
    short = model.get("hash")
    found += [short, model.get("sha256")]
    if short:
        found += [f"{path_in_folder} [{short}]", f"{stem} [{short}]"]
    return list(dict.fromkeys(name for name in found if name))


def find_model(wanted: str, models: Sequence[Model]) -> str | None:
    """Return the spelling to send for a model, or None if the server has no such model.

    That is its title, which every family takes, while SD.Next knows no bare file names. Case and
    blanks are forgiven. A spelling that several models share stays as it is: the server decides.
    """
    wanted = wanted.strip()
    exact = [model for model in models if wanted in spellings_of(model)]
    if len(exact) > 1:
        return wanted
    alike = exact or [
        model for model in models if match_name(wanted, [*spellings_of(model), _file_name(model)])
    ]
    return spellings_of(alike[0])[0] if len(alike) == 1 else None


def titles_of(models: Iterable[Model]) -> list[str]:
    """Return what to show of each model: its path in the server's folder, without the hash."""
    return [_without_hash(spellings_of(model)[0]) for model in models if spellings_of(model)]


def _without_hash(name: str) -> str:
    """Return "dream" of "dream [0123abcd]"."""
    before, bracket, after = name.rpartition("[")
    is_hash = bracket and after.endswith("]") and after[:-1] and set(after[:-1]) <= _HEX_DIGITS
    return before.rstrip() if is_hash else name


def _fold(name: str) -> str:
    return " ".join(in_plain_letters(name).split()).casefold()


def _squash(name: str) -> str:
    return "".join(_fold(name).replace("_", " ").split())


def _file_name(model: Model) -> str:
    return _last_part(model.get("filename", ""))


def _last_part(path: str) -> str:
    return re.split(r"[\\/]", path)[-1]
