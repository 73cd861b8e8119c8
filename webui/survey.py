"""What a server is, does and offers, asked before anything is drawn there."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from webui import said
from webui.call import Call
from webui.errors import (
    InvalidCredentialsError,
    WebUIAuthenticationError,
    WebUILateError,
    WebUINotFoundError,
    WebUIResponseError,
)
from webui.http.client import WebUIClient
from webui.http.endpoints import Endpoint
from webui.http.settings import Settings
from webui.report import Event
from webui.server import listings
from webui.server.names import find_model, suggest_names, titles_of
from webui.server.server import Server, read_entries
from webui.text import shortened
from webui.values import Fields, Json

_GIB = 2**30
_LONGEST_CELL = 400
_WRITTEN = {"vaes": "VAEs", "loras": "LoRAs"}
_KINDS_OF_MEMORY = {"ram": "Memory", "cuda": "Graphics memory"}


@dataclass(frozen=True)
class Work:
    """How far the server's running job is. progress: 0 to 1. What it does not tell is None."""

    progress: float | None
    seconds_left: float | None
    step: float | None
    steps: float | None

    def __str__(self) -> str:
        parts = ["one job"]
        if self.progress is not None:
            parts.append(f"{self.progress:.0%}")
        if self.steps:
            parts.append(f"step {self.step} of {self.steps}")
        if (self.seconds_left or 0) > 0:
            parts.append(f"about {self.seconds_left:.0f} s left")
        return ", ".join(parts)


@dataclass(frozen=True)
class Survey:
    """What a server tells of itself, and no secret. What it does not tell is None.

    memory: {ram, cuda}, each {free, total} in GiB. waiting: how many jobs are in the queue.
    answered_by: who answered, where a balancer tells; it may have more servers.
    listing: the list that was asked for, a key of `listings.READERS`, or "none". items: None where
    the server has no such list.
    """

    family: str
    version: str
    login: bool
    model: str
    memory: Mapping[str, Mapping[str, float]] | None
    running: bool | None
    work: Work | None
    waiting: int | None
    answered_by: list[str]
    listing: str
    items: listings.Items | None = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys(item["name"] for item in self.items or []))

    @property
    def queue(self) -> int | None:
        """Jobs running and waiting."""
        told = [int(number) for number in (self.running, self.waiting) if number is not None]
        return sum(told) if told else None

    @property
    def offered(self) -> bool | None:
        """Whether the server has the list that was asked for, if one was."""
        return None if self.listing == "none" else self.items is not None

    def json(self) -> Fields:
        return {
            "family": self.family,
            "version": self.version,
            "login": self.login,
            "answered_by": self.answered_by,
            "model": self.model,
            "memory": self.memory,
            "running": self.running,
            "job": dataclasses.asdict(self.work) if self.work else None,
            "waiting": self.waiting,
            "queue": self.queue,
            "list": self.listing,
            "offered": self.offered,
            "names": self.names,
            "items": self.items or [],
        }

    def text(self) -> str:
        """In Markdown: a table of the server's state and, if asked for, one of a list."""
        running = "nothing" if self.running is False else "not told"
        state = {
            "Family": self.family,
            "Version": self.version or "not told",
            "Login": "needed" if self.login else "not needed",
            **self._named(),
            "Model": self.model or "none",
            **{label: self._free(kind) for kind, label in _KINDS_OF_MEMORY.items()},
            "Running": str(self.work) if self.work else running,
            "Waiting": _told(self.waiting),
        }
        rows = [{"server": label, "": value} for label, value in state.items()]
        return "\n\n".join(filter(None, [_table(rows), self._listed()]))

    def variables(self) -> Fields:
        return {
            "names": self.names,
            "family": self.family,
            "version": self.version,
            "model": self.model,
            "login": self.login,
            "queue": -1 if self.queue is None else self.queue,
        }

    def _named(self) -> dict[str, str]:
        """Return a row that only balancers have."""
        names = ", ".join(self.answered_by)
        return {"Answered by": f"{names}; there may be others behind this address"} if names else {}

    def _free(self, kind: str) -> str:
        size = (self.memory or {}).get(kind)
        if not size:
            return "not told"
        return f"{_told(size.get('free'))} of {_told(size.get('total'))} GiB free"

    def _listed(self) -> str:
        name = _WRITTEN.get(self.listing, self.listing)
        if self.offered is None:
            return ""
        if self.items is None:
            return f"The server does not offer a list of {name}."
        if not self.items:
            return f"The server has no {name}."
        return f"{name[0].upper()}{name[1:]} ({len(self.names)}):\n\n{_table(self.items)}"


def check_server(settings: Settings) -> None:
    """Whether a usable WebUI answers and has the model, by one or two cheap requests.

    WebUIError, or InvalidCredentialsError for the model.
    """
    with WebUIClient(settings) as client:
        client.options()
        if settings.model:
            offered = read_entries(client.sd_models())
            if find_model(settings.model, offered) is None:
                raise InvalidCredentialsError(
                    f"model: the server has no model {settings.model!r}. "
                    + suggest_names(settings.model, titles_of(offered))
                )


def survey(call: Call) -> Iterator[Event]:
    """Look around; `list` in the call names a key of `listings.READERS`, or "none".

    WebUIError where the server cannot be reached, refuses the login, or is no WebUI.
    """
    listing = call.asked["list"]
    with WebUIClient(call.settings) as client:
        options = client.options()
        server = Server.ask(client, Endpoint.TXT2IMG)
        items = [] if listing == "none" else listings.read_listing(listing, server, client)
        if items is None and server.late:
            raise WebUILateError(
                f"{client.address} did not give its list of {listing} in time. It is busy: try "
                "again."
            )
        running, work = _work(client)
        yield Survey(
            family=server.family.label if server.family.is_known else "unknown",
            version=_version(client) if server.family.tells_version else "",
            login=_wants_login(call.settings),
            model=_model(options, server, client),
            memory=_memory(client),
            running=running,
            work=work,
            waiting=_waiting(client),
            answered_by=client.answered_by,
            listing=listing,
            items=items,
        )


def _wants_login(settings: Settings) -> bool:
    """Tell whether those without a login stay outside; those with it were let in a moment ago."""
    if not (settings.address.username or settings.address.password):
        return False
    address = dataclasses.replace(settings.address, username="", password="")
    stranger = dataclasses.replace(settings, address=address)
    try:
        with WebUIClient(stranger) as client:
            client.options()
    except (WebUIAuthenticationError, WebUINotFoundError, WebUIResponseError):
        # A proxy in between leads to its own login page rather than refuse.
        return True
    return False


def _model(options: Fields, server: Server, client: WebUIClient) -> str:
    if "sd_model_checkpoint" not in options and server.family.lists_set_options:
        return said.text(said.an_object(client.checkpoint()).get("title"))
    return said.text(options.get("sd_model_checkpoint"))


def _version(client: WebUIClient) -> str:
    found = said.an_object(client.version())
    return " ".join(filter(None, (said.text(found.get(key)) for key in ("updated", "commit"))))


def _memory(client: WebUIClient) -> dict[str, dict[str, float]] | None:
    found = said.an_object(client.memory())
    # Without a graphics card `cuda` holds an error's text.
    kinds = {"ram": found.get("ram"), "cuda": said.an_object(found.get("cuda")).get("system")}
    memory = {kind: size for kind, entry in kinds.items() if (size := _size(said.an_object(entry)))}
    return memory or None


def _size(entry: Fields) -> dict[str, float]:
    return {
        key: round(size / _GIB, 2)
        for key in ("free", "total")
        if (size := said.number(entry.get(key))) is not None
    }


def _work(client: WebUIClient) -> tuple[bool | None, Work | None]:
    """Tell whether a job runs, and how far it is."""
    found = said.an_object(client.progress())
    if "progress" not in found:
        return None, None
    if not found["progress"]:
        return False, None
    state = said.an_object(found.get("state"))
    told = (
        found["progress"],
        found.get("eta_relative"),
        state.get("sampling_step"),
        state.get("sampling_steps"),
    )
    known = map(said.number, told)
    return True, Work(*(None if value is None else round(value, 2) for value in known))


def _waiting(client: WebUIClient) -> int | None:
    return said.whole(said.an_object(client.pending_tasks()).get("size"))


def _table(rows: Sequence[Mapping[str, Json]]) -> str:
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
    return shortened(shown, _LONGEST_CELL)


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
