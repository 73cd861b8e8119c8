"""Checkpoints and the many ways to name one."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from webui import names

_HASH_SUFFIX = re.compile(r"\s*\[[0-9a-fA-F]+\]$")


def spellings(model: Mapping[str, Any]) -> list[str]:
    """Every name a server accepts for an entry of `GET /sd-models`, its title first.

    The alias dictionary of the AUTOMATIC1111 family (`CheckpointInfo.ids`), plus the file name
    with its ending, which means the same thing.
    """
    title = str(model.get("title") or model.get("model_name") or "")
    path_in_folder = _HASH_SUFFIX.sub("", title)
    file_name = re.split(r"[\\/]", str(model.get("filename") or path_in_folder))[-1]
    stem = re.sub(r"\.[A-Za-z0-9]+$", "", file_name)
    found = [title, path_in_folder, model.get("model_name"), stem]
    short = model.get("hash")
    found += [short, model.get("sha256")]
    if short:
        found += [f"{path_in_folder} [{short}]", f"{stem} [{short}]"]
    return list(dict.fromkeys(str(name) for name in found if name))


def find(wanted: str, models: Sequence[Mapping[str, Any]]) -> str | None:
    """The spelling to send for a model, or None if the server has no such model.

    That is its title, which every family takes, while SD.Next knows no bare file names. Case and
    blanks are forgiven. A spelling that several models share stays as it is: the server decides.
    """
    wanted = wanted.strip()
    exact = [model for model in models if wanted in spellings(model)]
    if len(exact) > 1:
        return wanted
    alike = exact or [
        model for model in models if names.match(wanted, [*spellings(model), _file_name(model)])
    ]
    return spellings(alike[0])[0] if len(alike) == 1 else None


def titles(models: Iterable[Mapping[str, Any]]) -> list[str]:
    """What to show of each model: its path in the server's folder, without the hash."""
    return [_HASH_SUFFIX.sub("", spellings(model)[0]) for model in models if spellings(model)]


def _file_name(model: Mapping[str, Any]) -> str:
    return re.split(r"[\\/]", str(model.get("filename") or ""))[-1]
