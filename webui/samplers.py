"""Samplers and schedulers, which some servers want apart and others in one name.

AUTOMATIC1111 since 1.9 and its forks take "DPM++ 2M" and "Karras"; Forge Classic and older servers
take "DPM++ 2M Karras". Both spellings are understood here, and sent as the server wants them.
"""

from dataclasses import dataclass
from typing import Any

from webui import names
from webui.errors import InvalidParameterError
from webui.families import CLASSIC, SDCPP, SDNEXT
from webui.server import Server

_SAME = {"use same sampler", "use same scheduler"}
_AUTOMATIC = {"automatic", "default"}


@dataclass(frozen=True)
class _Fields:
    """The names of a sampler's field and its scheduler's."""

    sampler: str
    scheduler: str


def check(body: dict[str, Any], server: Server) -> None:
    """Put both passes' samplers and schedulers in the server's spelling.

    InvalidParameterError for one that the server does not have: it would use another.
    """
    only_old = "sampler_index" in body and "sampler_name" not in body
    if only_old and server.profile.family is SDNEXT:
        body["sampler_name"] = body.pop("sampler_index")  # The only one it reads.
    first = "sampler_name" if body.get("sampler_name") else "sampler_index"
    for fields in (_Fields(first, "scheduler"), _Fields("hr_sampler_name", "hr_scheduler")):
        for field in (fields.sampler, fields.scheduler):
            # The words of the user interface for "leave it out"; the API stumbles over them.
            if str(body.get(field, "")).strip().lower() in _SAME:
                del body[field]
        if body.get(fields.sampler) and server.profile.reads(fields.sampler):
            _sampler(body, server, fields)
        if body.get(fields.scheduler):
            _scheduler(body, server, fields)


def _sampler(body: dict[str, Any], server: Server, fields: _Fields) -> None:
    wanted = str(body[fields.sampler])
    known: list[str] = []
    for afresh in (False, True):
        entries = server.entries("samplers", afresh=afresh)
        if entries is None:
            return
        known = [str(entry["name"]) for entry in entries if entry.get("name")]
        if server.profile.family is SDNEXT:
            known.append("Default")  # Taken, but not listed.
        found = names.match(wanted, known) or _by_alias(wanted, entries)
        if found:
            body[fields.sampler] = found
            return
        if _split(wanted, known, body, server, fields):
            return
    raise server.missing(wanted, fields.sampler, "sampler", known)


def _by_alias(wanted: str, entries: list[dict[str, Any]]) -> str | None:
    alike = {
        str(entry["name"])
        for entry in entries
        if names.match(wanted, [str(alias) for alias in entry.get("aliases") or []])
    }
    return alike.pop() if len(alike) == 1 else None


def _split(
    wanted: str, known: list[str], body: dict[str, Any], server: Server, fields: _Fields
) -> bool:
    """Take "DPM++ 2M Karras" apart, if the server has both halves."""
    for scheduler in _schedulers(server) or {}:
        base = wanted.strip()[: -len(scheduler)].rstrip()
        found = names.match(base, known)
        if found is None or names.match(wanted.strip()[len(base) :], [scheduler]) is None:
            continue
        also = body.get(fields.scheduler)
        if also and names.match(str(also), [scheduler]) is None and not _is_automatic(also):
            raise InvalidParameterError(
                f"{fields.sampler}: {wanted!r} names the scheduler {scheduler}, but "
                f"{fields.scheduler} is {also!r}. Give one of them."
            )
        body[fields.sampler], body[fields.scheduler] = found, scheduler
        return True
    return False


def _scheduler(body: dict[str, Any], server: Server, fields: _Fields) -> None:
    wanted = str(body[fields.scheduler])
    if not server.profile.reads(fields.scheduler):
        _join(wanted, body, server, fields)
        return
    known: list[str] = []
    for afresh in (False, True):
        spellings = _schedulers(server, afresh=afresh)
        if spellings is None:
            return
        known = list(dict.fromkeys(spellings.values()))
        found = names.match(wanted, known) or spellings.get(names.match(wanted, spellings) or "")
        if found:
            body[fields.scheduler] = found
            return
    raise server.missing(wanted, fields.scheduler, "scheduler", known)


def _join(wanted: str, body: dict[str, Any], server: Server, fields: _Fields) -> None:
    """Make it one name where the samplers carry their schedulers; elsewhere it stays, unread."""
    if _is_automatic(wanted):
        del body[fields.scheduler]
        return
    entries = server.entries("samplers") or []
    known = [str(entry["name"]) for entry in entries if entry.get("name")]
    joined = f"{body.get(fields.sampler, '')} {wanted}".strip()
    found = names.match(joined, known)
    if found:
        body[fields.sampler] = found
        del body[fields.scheduler]
    elif server.profile.family is CLASSIC and known:
        raise server.missing(joined, fields.scheduler, "sampler", known)


def _schedulers(server: Server, *, afresh: bool = False) -> dict[str, str] | None:
    """Every spelling of a scheduler, label before name, and the one to send for it."""
    entries = server.entries("schedulers", afresh=afresh)
    if entries is None:
        return None
    found: dict[str, str] = {}
    for entry in entries:
        name, label = str(entry.get("name") or ""), str(entry.get("label") or "")
        sent = name if server.profile.family is SDCPP or not label else label
        found |= {spelling: sent for spelling in (label, name) if spelling}
    return found


def _is_automatic(scheduler: object) -> bool:
    return str(scheduler).strip().lower() in _AUTOMATIC
