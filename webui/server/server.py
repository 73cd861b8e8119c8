"""What the connected server offers, asked once and kept a short while."""

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from types import UnionType
from typing import Self

from webui import lasting, said
from webui.errors import InvalidParameterError, WebUILateError, WebUINotFoundError
from webui.http.client import WebUIClient
from webui.http.endpoints import REFRESHED_BY, Endpoint
from webui.server.families import UNKNOWN
from webui.server.ledger import Ledger
from webui.server.names import find_model, match_name, suggest_names, titles_of
from webui.server.profile import Profile, read_profile
from webui.text import shortened
from webui.values import Fields, Json

_LIST_LIFETIME = 60.0
_LONGEST_QUOTE = 100

# What is read of a list's entries, whatever the list; a LoRA's metadata, for one, may have
# megabytes.
_KINDS: dict[str, type | UnionType] = {
    "name": str,
    "label": str,
    "alias": str,
    "aliases": list,
    "title": str,
    "model_name": str,
    "filename": str,
    "path": str,
    "hash": str,
    "sha256": str,
    "scale": int | float,
    "prompt": str,
    "negative_prompt": str,
    "is_alwayson": bool,
    "is_img2img": bool,
    "args": list,
}

# What could not be checked, where the API's word says too little.
_LATE = {
    "ad_model": "which detection models it has",
    "detailers": "which detection models it has",
    "options": "which options it has",
    "script-info": "which scripts it has",
    "samplers": "which samplers it has",
    "schedulers": "which schedulers it has",
    "sd-models": "which models it has",
    "models": "which models of that kind it has",
    "model_list": "which ControlNet models it has",
    "module_list": "which ControlNet preprocessors it has",
    "control_types": "which types of ControlNet it has",
}

type Entries = list[Fields]
# Gives names, looked up afresh or not; None where nobody can tell.
type Offered = Callable[[bool], list[str] | None]


@dataclass(frozen=True)
class _Search:
    """The spelling to send, None if there is none, and the names to suggest from."""

    found: str | None
    known: list[str]


class Server:
    """One server's profile and lists. A list it does not offer, or not in time, is None."""

    def __init__(self, client: WebUIClient, profile: Profile) -> None:
        self._client = client
        self._shelf = lasting.ANSWERS.of_server(client.address)
        self.profile = profile
        self.family = profile.family
        # What did not come in time and was never known, so that nothing could be checked by it.
        self.late: set[str] = set()

    @classmethod
    def ask(cls, client: WebUIClient, endpoint: Endpoint) -> Self:
        """Look who answers, by `/openapi.json` or, without one, by a fingerprint.

        endpoint: what is to be done there.
        """
        shelf, name = lasting.ANSWERS.of_server(client.address), f"profile of {endpoint.job}"
        try:
            return cls(client, shelf.get(name, lambda: read_profile(client, endpoint)))
        except WebUILateError:
            known = shelf.last(name)
        server = cls(
            client, known if isinstance(known, Profile) else Profile(endpoint.job, UNKNOWN)
        )
        if known is None:
            server.late.add("what it is and which fields it reads")
        return server

    def reads(self, field: str) -> bool:
        """Tell whether it takes notice of a request field; true where nobody knows."""
        return self.profile.reads(field)

    def require(self, endpoint: Endpoint, work: str, remedy: str) -> None:
        """WebUINotFoundError for work that it has no endpoint for, before it is asked to do any."""
        if self.profile.paths is None and not self._client.lacks(endpoint):
            return
        if self.profile.paths is None and self.late:
            raise WebUILateError(
                f"{self._client.address} did not say in time {' and '.join(sorted(self.late))}. It "
                "is busy: try again."
            )
        if self.profile.paths is None or not self.profile.offers(endpoint):
            raise WebUINotFoundError(
                f"{self.family.label} at {self._client.address} cannot {work}: it has no "
                f"{endpoint.path}. {remedy}"
            )

    def unchecked(self) -> list[str]:
        """Return a warning for each look-up that could not be waited for."""
        return [
            f"The server did not say in time {_LATE.get(late, late)}, so that was not checked."
            for late in sorted(self.late)
        ]

    def leaves_turned(self, name: str) -> str:
        """Return the warning for a picture whose orientation mark it does not honour."""
        return f"{name}: {self.family.label} does not turn it as its EXIF data says."

    def entries(self, listing: Endpoint, *, afresh: bool = False) -> Entries | None:
        """Return a list of objects.

        afresh: after asking the server to look at its folders again.
        """
        if not self.profile.offers(listing):
            return None
        refresh = REFRESHED_BY.get(listing)
        if afresh and refresh and self.profile.offers(refresh):
            self._client.refresh(listing)
        return self._in_time(listing, lambda: self._read_entries(listing), afresh=afresh)

    def named(self, listing: Endpoint, *keys: str) -> Offered:
        """Return what `find` asks for: the values of some keys of a list's entries."""

        def offered(afresh: bool) -> list[str] | None:
            entries = self.entries(listing, afresh=afresh)
            if entries is None:
                return None
            return [entry[key] for entry in entries for key in keys if entry.get(key)]

        return offered

    def loras(self, afresh: bool) -> list[str] | None:
        """File names and the aliases inside the files, which count as well."""
        return self.named(Endpoint.LORAS, "name", "alias")(afresh)

    def lora_as_sent(self, name: str) -> str:
        """Return a LoRA's name, in place of its alias where the server knows none."""
        if self.family.lora_by_alias:
            return name
        entries = self.entries(Endpoint.LORAS) or []
        named = [e["name"] for e in entries if e.get("name") and e.get("alias") == name]
        return named[0] if named and name not in {e.get("name") for e in entries} else name

    def scripts(self, *, always_on: bool) -> Offered:
        """Name the selectable or the always-on scripts, or both where none can tell.

        Scripts without controls are in the plain list alone, which is asked only when a name is
        not found.
        """

        def offered(afresh: bool) -> list[str] | None:
            entries = self.entries(Endpoint.SCRIPT_INFO, afresh=afresh)
            if entries is None:
                return self._all_scripts(afresh=afresh)
            every = [e for e in entries if e.get("name")]
            named = [e["name"] for e in every if e.get("is_alwayson", False) is always_on]
            if not afresh:
                return named
            told = {entry["name"].casefold() for entry in every}
            plain = self._all_scripts(afresh=afresh) or []
            return [*named, *(name for name in plain if name.casefold() not in told)]

        return offered

    def controlnet(self, listing: Endpoint) -> Offered:
        """Name what ControlNet's models or preprocessors are, with aliases if afresh."""

        def offered(afresh: bool) -> list[str] | None:
            if not self.family.control:
                return None
            return self._in_time(
                listing, lambda: self._read_controlnet(listing, aliases=afresh), afresh=afresh
            )

        return offered

    def control_types(self, *, afresh: bool = False) -> Fields | None:
        """Return what ControlNet says of each type of map: {type: {module_list, …}}."""
        listing = Endpoint.CONTROLNET_TYPES
        if not self.family.control or not self.family.control.takes_units:
            return None
        return self._in_time(listing, self._read_control_types, afresh=afresh)

    def adetailer_models(self, afresh: bool) -> list[str] | None:
        """Name what the extension ADetailer finds things with."""
        return self._in_time(Endpoint.ADETAILER_MODELS, self._read_adetailer, afresh=afresh)

    @property
    def ledger(self) -> Ledger:
        """Which options it puts back after a job."""
        return self._shelf.get("ledger", lambda: (Ledger(), math.inf))

    def options(self, *, afresh: bool = False) -> Fields | None:
        """Return the options that can be overridden, each with the value it has, or by default."""
        return self._in_time("options", self._read_options, afresh=afresh)

    def is_idle(self) -> bool:
        """Tell whether it says that nobody draws; asked anew each time."""
        return said.an_object(self._client.progress()).get("progress") == 0

    def turned_to(self, task_id: str) -> Self:
        """Return it, asking from now on the one that had this job, if it is several."""
        self._client.turn_to(task_id)
        return self

    def broke_off(self) -> bool:
        """Tell whether the last job was broken off, by anybody or an error; asked each time."""
        return bool(self.last_state().get("interrupted"))

    def last_state(self) -> Fields:
        """Return what it says of its last job: {skipped, interrupted, …}; asked each time."""
        return said.an_object(said.an_object(self._client.progress()).get("state"))

    def has_no_model(self) -> bool:
        """Tell whether it says that no model is loaded; asked anew each time."""
        if not self.profile.offers(Endpoint.CHECKPOINT):
            return False
        return said.an_object(self._client.checkpoint()).get("type", "") is None

    def saved_model(self) -> str:
        """Return the model that its settings name, "" for none; asked anew each time."""
        found = None
        with contextlib.suppress(WebUILateError):
            found = self._client.option_values()
        return said.text(said.an_object(found).get("sd_model_checkpoint"))

    def find(
        self,
        wanted: str,
        parameter: str,
        noun: str,
        offered: Offered,
        match: Callable[[str, list[str]], str | None] = match_name,
    ) -> str:
        """Return a name in the server's own spelling, looked up afresh before it is refused.

        A name that nobody can check passes. InvalidParameterError with the closest names if the
        server does not have it.
        """

        def search(afresh: bool) -> _Search | None:
            listed = offered(afresh)
            return None if listed is None else _Search(match(wanted, listed), listed)

        return self._looked_up(wanted, parameter, noun, search)

    def checkpoint(self, wanted: str, parameter: str) -> str:
        """Return a checkpoint in a spelling that the server matches; errors as in `find`."""

        def search(afresh: bool) -> _Search | None:
            listed = self.entries(Endpoint.SD_MODELS, afresh=afresh)
            return (
                None if listed is None else _Search(find_model(wanted, listed), titles_of(listed))
            )

        return self._looked_up(wanted, parameter, "model", search)

    def missing(
        self, wanted: str, parameter: str, noun: str, known: list[str]
    ) -> InvalidParameterError:
        """Return the error for a name that the server does not have."""
        shown = shortened(repr(wanted), _LONGEST_QUOTE)
        return InvalidParameterError(
            f"{parameter}: {self.family.label} has no {noun} named {shown}. "
            + suggest_names(wanted, known)
        )

    def _in_time[T](
        self, name: str, read: Callable[[], tuple[T | None, float]], *, afresh: bool
    ) -> T | None:
        """Return an answer; a busy server's last one, as stale is better than none."""
        told = name.rpartition("/")[2]
        if told not in self.late:
            try:
                return self._shelf.get(name, read, afresh=afresh)
            except WebUILateError:
                pass
        known = self._shelf.last(name)
        if known is None:
            self.late.add(told)
        return known  # type: ignore[return-value] # a name always has one type

    def _looked_up(
        self, wanted: str, parameter: str, noun: str, search: Callable[[bool], _Search | None]
    ) -> str:
        known: list[str] = []
        for afresh in (False, True):
            result = search(afresh)
            if result is None:
                return wanted
            if result.found is not None:
                return result.found
            known = result.known
        raise self.missing(wanted, parameter, noun, known)

    def _all_scripts(self, *, afresh: bool) -> list[str] | None:
        if not self.profile.offers(Endpoint.SCRIPTS):
            return None
        name = f"scripts of {self.profile.job}"
        return self._in_time(name, self._read_scripts, afresh=afresh)

    def _read_entries(self, listing: Endpoint) -> tuple[Entries | None, float]:
        found = self._client.entries(listing)
        if not isinstance(found, list):
            return None, _LIST_LIFETIME
        return read_entries(found), _LIST_LIFETIME

    def _read_controlnet(
        self, listing: Endpoint, *, aliases: bool
    ) -> tuple[list[str] | None, float]:
        """Add the page's words for modules, which some servers list by short names only."""
        answers = [self._client.controlnet(listing, aliases=a) for a in sorted({False, aliases})]
        # SD.Next sends bare lists, of names or of objects.
        listed = [one.get(listing.job) if isinstance(one, dict) else one for one in answers]
        listed = [one for one in listed if isinstance(one, list)]
        names = [name for one in listed for name in said.texts(one)]
        names += said.texts([entry.get("name") for one in listed for entry in said.objects(one)])
        return (list(dict.fromkeys(names)) if listed else None), _LIST_LIFETIME

    def _read_control_types(self) -> tuple[Fields | None, float]:
        answer = said.an_object(self._client.controlnet(Endpoint.CONTROLNET_TYPES))
        found = answer.get("control_types")
        return found if isinstance(found, dict) else None, _LIST_LIFETIME

    def _read_adetailer(self) -> tuple[list[str] | None, float]:
        listed = said.an_object(self._client.adetailer_models()).get("ad_model")
        return said.texts(listed) if isinstance(listed, list) else None, _LIST_LIFETIME

    def _read_options(self) -> tuple[Fields | None, float]:
        found = self._client.option_values()
        if isinstance(found, dict) and self.family.lists_set_options:
            every = said.an_object(self._client.options_info()).get("options")
            if not isinstance(every, dict):
                return None, _LIST_LIFETIME
            found = {
                name: said.an_object(one).get("default") for name, one in every.items()
            } | found
        return found if isinstance(found, dict) else None, _LIST_LIFETIME

    def _read_scripts(self) -> tuple[list[str] | None, float]:
        listed = said.an_object(self._client.scripts()).get(self.profile.job)
        return said.texts(listed) if isinstance(listed, list) else None, _LIST_LIFETIME


def read_entries(found: Json) -> Entries:
    """Return a list's entries with what is read of them."""
    return [said.typed(entry, _KINDS) for entry in said.objects(found)]
