"""A survey as Markdown, for people and language models."""

from collections.abc import Mapping, Sequence
from typing import Any

_LONGEST_CELL = 400
_WRITTEN = {"vaes": "VAEs", "loras": "LoRAs"}


def text(survey: Mapping[str, Any]) -> str:
    """What `survey.take` gave: a table of the server's state and, if asked for, one of a list."""
    state = [
        {"server": "Family", "": survey["family"]},
        {"server": "Version", "": survey["version"] or "not told"},
        {"server": "Login", "": "needed" if survey["login"] else "not needed"},
        {"server": "Model", "": survey["model"] or "none"},
        *_memory(survey["memory"]),
        {"server": "Running", "": _running(survey)},
        {"server": "Waiting", "": _told(survey["waiting"])},
    ]
    return "\n\n".join(filter(None, [_table(state), _listing(survey)]))


def _memory(memory: Mapping[str, Any] | None) -> list[dict[str, str]]:
    labels = {"ram": "Memory", "cuda": "Graphics memory"}
    return [
        {
            "server": label,
            "": f"{_told(size.get('free'))} of {_told(size.get('total'))} GiB free"
            if (size := (memory or {}).get(kind))
            else "not told",
        }
        for kind, label in labels.items()
    ]


def _running(survey: Mapping[str, Any]) -> str:
    job = survey["job"]
    if job is None:
        return "not told" if survey["running"] is None else "nothing"
    parts = ["one job"]
    if job["progress"] is not None:
        parts.append(f"{job['progress']:.0%}")
    if job["steps"]:
        parts.append(f"step {job['step']} of {job['steps']}")
    if (job["seconds_left"] or 0) > 0:
        parts.append(f"about {job['seconds_left']:.0f} s left")
    return ", ".join(parts)


def _listing(survey: Mapping[str, Any]) -> str:
    name, items = _WRITTEN.get(survey["list"], survey["list"]), survey["items"]
    if survey["offered"] is None:
        return ""
    if not survey["offered"]:
        return f"The server does not offer a list of {name}."
    if not items:
        return f"The server has no {name}."
    return f"{name[0].upper()}{name[1:]} ({len(survey['names'])}):\n\n{_table(items)}"


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Columns that are empty throughout are left out."""
    heads = [head for head in rows[0] if any(row[head] not in (None, "", []) for row in rows)]
    lines = [
        [head.replace("_", " ") for head in heads],
        ["---"] * len(heads),
        *([_cell(row[head]) for head in heads] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: object) -> str:
    shown = " ".join(_shown(value).split()).replace("|", "\\|")
    return shown if len(shown) <= _LONGEST_CELL else shown[: _LONGEST_CELL - 1] + "…"


def _shown(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(_shown(item) for item in value)
        case {"label": label, "value": default}:
            return f"{label or '(no label)'} = {_shown(default) or 'empty'}"
        case _:
            return str(value)


def _told(value: object) -> str:
    return "not told" if value is None else f"{value}"
