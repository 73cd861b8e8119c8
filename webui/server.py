"""What the connected server offers, asked once and kept a short while."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from webui import families, models, names
from webui.cache import Shelves
from webui.client import Json, WebUIClient
from webui.errors import InvalidParameterError
from webui.families import Family

_SHELVES = Shelves()
_SCHEMA_LIFETIME = 600.0
_LIST_LIFETIME = 60.0
_API = "/sdapi/v1/"

# What to ask of a server before its list is read again, so that a file copied a moment ago counts.
_REFRESH = {
    "sd-models": "refresh-checkpoints",
    "sd-vae": "refresh-vae",
    "sd-modules": "refresh-vae",
    "loras": "refresh-loras",
}

# The spelling to send, if there is one, and the names to suggest from.
_Found = tuple[str | None, list[str]]


@dataclass(frozen=True)
class Profile:
    """Who the server is, as far as one of its endpoints goes.

    fields: what the endpoint reads, None where the server has no schema and no table says.
    paths: all its endpoints, None without a schema.
    """

    family: Family
    fields: frozenset[str] | None = None
    paths: frozenset[str] | None = None

    def reads(self, field: str) -> bool:
        """Whether the endpoint takes notice of a request field; true where nobody knows."""
        return field not in self.family.ignores if self.fields is None else field in self.fields


class Server:
    """One server's profile and lists. A list it does not offer, or not in time, is None.

    endpoint: what is to be done there, "txt2img" or "img2img".
    """

    def __init__(self, client: WebUIClient, endpoint: str = "txt2img") -> None:
        self._client = client
        self._endpoint = endpoint
        address = client.address
        self._shelf = _SHELVES.of(str(address), address.username, address.password)

    @property
    def profile(self) -> Profile:
        """Family and fields, from `/openapi.json` or, without one, from a fingerprint."""
        profile = f"profile of {self._endpoint}"
        return self._shelf.get(profile, self._read_profile)

    def entries(self, name: str, *, afresh: bool = False) -> list[dict[str, Any]] | None:
        """`GET /sdapi/v1/<name>`, a list of objects.

        afresh: after asking the server to look at its folders again.
        """
        paths = self.profile.paths
        if paths is not None and _API + name not in paths:
            return None
        refresh = _REFRESH.get(name)
        if afresh and refresh and (paths is None or _API + refresh in paths):
            self._client.lookup(f"sdapi/v1/{refresh}", {})
        return self._shelf.get(name, lambda: self._read_entries(name), afresh=afresh)

    def scripts(self, *, afresh: bool = False) -> list[str] | None:
        """The names of the scripts the endpoint can run, in lower case as the server has them."""
        paths = self.profile.paths
        if paths is not None and _API + "scripts" not in paths:
            return None
        listing = f"scripts of {self._endpoint}"
        return self._shelf.get(listing, self._read_scripts, afresh=afresh)

    def option_names(self) -> list[str] | None:
        """The options that override_settings can set."""
        return self._shelf.get("options", self._read_option_names)

    def broke_off(self) -> bool:
        """Whether the last job was broken off, by somebody or by an error; asked anew each time."""
        found = self._client.lookup("sdapi/v1/progress", query={"skip_current_image": "true"})
        state = found.get("state") if isinstance(found, dict) else None
        return isinstance(state, dict) and bool(state.get("interrupted"))

    def find(
        self, wanted: str, parameter: str, noun: str, offered: Callable[[bool], list[str] | None]
    ) -> str:
        """A name in the server's own spelling, looked up afresh before it is refused.

        offered: gives the names, afresh or not; None means that nobody can tell, and the name
        passes. InvalidParameterError with the closest names if the server does not have it.
        """

        def search(afresh: bool) -> _Found | None:
            listed = offered(afresh)
            return None if listed is None else (names.match(wanted, listed), listed)

        return self._looked_up(wanted, parameter, noun, search)

    def checkpoint(self, wanted: str, parameter: str) -> str:
        """A checkpoint in a spelling that the server matches; errors as in `find`."""

        def search(afresh: bool) -> _Found | None:
            listed = self.entries("sd-models", afresh=afresh)
            return None if listed is None else (models.find(wanted, listed), models.titles(listed))

        return self._looked_up(wanted, parameter, "model", search)

    def _looked_up(
        self, wanted: str, parameter: str, noun: str, search: Callable[[bool], _Found | None]
    ) -> str:
        known: list[str] = []
        for afresh in (False, True):
            result = search(afresh)
            if result is None:
                return wanted
            found, known = result
            if found is not None:
                return found
        raise self.missing(wanted, parameter, noun, known)

    def missing(
        self, wanted: str, parameter: str, noun: str, known: list[str]
    ) -> InvalidParameterError:
        """The error for a name that the server does not have."""
        return InvalidParameterError(
            f"{parameter}: {self.profile.family.label} has no {noun} named {wanted!r}. "
            + names.suggestion(wanted, known)
        )

    def _read_profile(self) -> tuple[Profile, float]:
        schema = self._client.lookup("openapi.json")
        paths = schema.get("paths") if isinstance(schema, dict) else None
        if isinstance(paths, dict) and _API + "txt2img" in paths:
            family = families.recognise(paths, _fields(schema, "txt2img") or ())
            return (
                Profile(family, _fields(schema, self._endpoint), frozenset(paths)),
                _SCHEMA_LIFETIME,
            )
        if self._client.lookup("sdcpp/v1/capabilities") is not None:
            reads = families.SDCPP.reads.get(self._endpoint)
            return Profile(families.SDCPP, reads), _SCHEMA_LIFETIME
        if self._client.lookup("sdapi/v1/version") is not None:
            return Profile(families.SDNEXT), _SCHEMA_LIFETIME
        return Profile(families.UNKNOWN), _LIST_LIFETIME

    def _read_entries(self, name: str) -> tuple[list[dict[str, Any]] | None, float]:
        found = self._client.lookup(f"sdapi/v1/{name}")
        if not isinstance(found, list):
            return None, _LIST_LIFETIME
        return [entry for entry in found if isinstance(entry, dict)], _LIST_LIFETIME

    def _read_option_names(self) -> tuple[list[str] | None, float]:
        found = self._client.lookup("sdapi/v1/options")
        return list(found) if isinstance(found, dict) else None, _LIST_LIFETIME

    def _read_scripts(self) -> tuple[list[str] | None, float]:
        found = self._client.lookup("sdapi/v1/scripts")
        listed = found.get(self._endpoint) if isinstance(found, dict) else None
        return listed if isinstance(listed, list) else None, _LIST_LIFETIME


def _fields(schema: Json, endpoint: str) -> frozenset[str] | None:
    """The properties of an endpoint's request body, found by the reference in its path."""
    try:
        content = schema["paths"][_API + endpoint]["post"]["requestBody"]["content"]
        name = content["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
        return frozenset(schema["components"]["schemas"][name]["properties"])
    except (KeyError, TypeError, IndexError):
        return None
