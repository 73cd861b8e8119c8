"""Samplers and schedulers, which some servers want apart and others in one name.

AUTOMATIC1111 since 1.9 and its forks take "DPM++ 2M" and "Karras"; Forge Classic and older servers
take "DPM++ 2M Karras". Both spellings are understood here, and sent as the server wants them.
"""

from dataclasses import dataclass

from webui import said
from webui.errors import InvalidParameterError
from webui.http.endpoints import Endpoint
from webui.request.request import Request
from webui.server.names import match_name
from webui.server.server import Entries, Server
from webui.values import Fields, Json

_SAME = {"use same sampler", "use same scheduler"}
_AUTOMATIC = {"automatic", "default"}


@dataclass(frozen=True)
class _Names:
    """The names of a sampler's field and its scheduler's."""

    sampler: str
    scheduler: str


def check_samplers(request: Request, server: Server) -> None:
    """Put both passes' samplers and schedulers in the server's spelling.

    InvalidParameterError for one that the server does not have: it would use another.
    """
    fields = request.fields
    only_old = "sampler_index" in fields and "sampler_name" not in fields
    if only_old and not server.family.sampler_by_index:
        fields["sampler_name"] = fields.pop("sampler_index")
    first = "sampler_name" if fields.get("sampler_name") else "sampler_index"
    for names in (_Names(first, "scheduler"), _Names("hr_sampler_name", "hr_scheduler")):
        for name in (names.sampler, names.scheduler):
            # The words of the user interface for "leave it out"; the API stumbles over them.
            if str(fields.get(name, "")).strip().lower() in _SAME:
                del fields[name]
        if fields.get(names.sampler) and server.reads(names.sampler):
            _check_sampler(fields, server, names)
        if fields.get(names.scheduler):
            _check_scheduler(fields, server, names)


def _check_sampler(fields: Fields, server: Server, names: _Names) -> None:
    wanted = str(fields[names.sampler])
    known: list[str] = []
    for afresh in (False, True):
        entries = server.entries(Endpoint.SAMPLERS, afresh=afresh)
        if entries is None:
            return
        known = [*_names_in(entries), *server.family.unlisted_samplers]
        alias = server.family.sampler_aliases.get(wanted.strip().lower(), "")
        found = match_name(wanted, known) or _by_alias(wanted, entries) or match_name(alias, known)
        if found:
            fields[names.sampler] = found
            return
        if _split(wanted, known, fields, server, names):
            return
    raise server.missing(wanted, names.sampler, "sampler", known)


def _names_in(entries: Entries) -> list[str]:
    return [entry["name"] for entry in entries if entry.get("name")]


def _by_alias(wanted: str, entries: Entries) -> str | None:
    alike = {
        entry["name"] for entry in entries if match_name(wanted, said.texts(entry.get("aliases")))
    }
    return alike.pop() if len(alike) == 1 else None


def _split(wanted: str, known: list[str], fields: Fields, server: Server, names: _Names) -> bool:
    """Take "DPM++ 2M Karras" apart, if the server has both halves."""
    for scheduler in _schedulers(server) or {}:
        base = wanted.strip()[: -len(scheduler)].rstrip()
        found = match_name(base, known)
        if found is None or match_name(wanted.strip()[len(base) :], [scheduler]) is None:
            continue
        also = fields.get(names.scheduler)
        if also and match_name(str(also), [scheduler]) is None and not _is_automatic(also):
            raise InvalidParameterError(
                f"{names.sampler}: {wanted!r} names the scheduler {scheduler}, but "
                f"{names.scheduler} is {also!r}. Give one of them."
            )
        fields[names.sampler], fields[names.scheduler] = found, scheduler
        return True
    return False


def _check_scheduler(fields: Fields, server: Server, names: _Names) -> None:
    wanted = str(fields[names.scheduler])
    if not server.reads(names.scheduler):
        _join(wanted, fields, server, names)
        return
    known: list[str] = []
    for afresh in (False, True):
        spellings = _schedulers(server, afresh=afresh)
        if spellings is None:
            return
        known = list(dict.fromkeys(spellings.values()))
        found = match_name(wanted, known) or spellings.get(match_name(wanted, spellings) or "")
        if found is None and _is_automatic(wanted):
            found = next((name for name in known if _is_automatic(name)), None)
        if found:
            fields[names.scheduler] = found
            return
    raise server.missing(wanted, names.scheduler, "scheduler", known)


def _join(wanted: str, fields: Fields, server: Server, names: _Names) -> None:
    """Make it one name where the samplers carry their schedulers; elsewhere it stays, unread."""
    if _is_automatic(wanted):
        del fields[names.scheduler]
        return
    known = _names_in(server.entries(Endpoint.SAMPLERS) or [])
    joined = f"{fields.get(names.sampler, '')} {wanted}".strip()
    found = match_name(joined, known)
    if found:
        fields[names.sampler] = found
        del fields[names.scheduler]
    elif server.family.joins_scheduler and known:
        raise server.missing(joined, names.scheduler, "sampler", known)


def _schedulers(server: Server, *, afresh: bool = False) -> dict[str, str] | None:
    """Return every spelling of a scheduler, label before name, and the one to send for it."""
    entries = server.entries(Endpoint.SCHEDULERS, afresh=afresh)
    if entries is None:
        return None
    found: dict[str, str] = {}
    for entry in entries:
        name, label = entry.get("name", ""), entry.get("label", "")
        sent = label if label and server.family.scheduler_by_label else name
        found |= {spelling: sent for spelling in (label, name) if spelling}
    return found


def _is_automatic(scheduler: Json) -> bool:
    return str(scheduler).strip().lower() in _AUTOMATIC
