"""What a server is, does and offers, asked before anything is drawn there."""

import dataclasses
from typing import Any

from webui import listings
from webui.address import Address
from webui.client import Json, WebUIClient
from webui.credentials import Credentials
from webui.errors import WebUIAuthenticationError, WebUINotFoundError, WebUIResponseError
from webui.families import SDNEXT, UNKNOWN, Family
from webui.server import Server

_GIB = 2**30


def take(settings: Credentials, listing: str) -> dict[str, Any]:
    """One object that holds all there is to say, and no secret.

    listing: a key of `listings.READERS`, or "none". What the server does not tell is None: memory
    ({ram, cuda}, each {free, total} in GiB), running, waiting (how many in the queue), queue (both
    together), offered (whether it has such a list). Raises WebUIError where it cannot be reached,
    refuses the login, or is no WebUI.
    """
    with WebUIClient(settings) as client:
        options = client.options()
        server = Server(client)
        family = server.profile.family
        running, job = _work(client)
        waiting = _waiting(client)
        told = [int(number) for number in (running, waiting) if number is not None]
        items = None if listing == "none" else listings.read(listing, server, client)
        return {
            "family": "unknown" if family is UNKNOWN else family.label,
            "version": _version(client, family),
            "login": _wants_login(settings),
            "model": str(options.get("sd_model_checkpoint") or ""),
            "memory": _memory(client),
            "running": running,
            "job": job,
            "waiting": waiting,
            "queue": sum(told) if told else None,
            "list": listing,
            "offered": None if listing == "none" else items is not None,
            "names": list(dict.fromkeys(item["name"] for item in items or [])),
            "items": items or [],
        }


def _wants_login(settings: Credentials) -> bool:
    """Whether those without a login stay outside; those with it were let in a moment ago."""
    if not (settings.address.username or settings.address.password):
        return False
    stranger = dataclasses.replace(settings, address=Address(settings.address.url))
    try:
        with WebUIClient(stranger) as client:
            client.options()
    except (WebUIAuthenticationError, WebUINotFoundError, WebUIResponseError):
        # A proxy in between leads to its own login page rather than refuse.
        return True
    return False


def _version(client: WebUIClient, family: Family) -> str:
    """Only SD.Next says; elsewhere it stands among the command line's secrets, or nowhere."""
    if family is not SDNEXT:
        return ""
    found = _object(client.lookup("sdapi/v1/version"))
    parts = [str(found[key]) for key in ("updated", "commit") if found.get(key)]
    return " ".join(parts)


def _memory(client: WebUIClient) -> dict[str, Any] | None:
    found = _object(client.lookup("sdapi/v1/memory"))
    # Without a graphics card `cuda` holds an error's text.
    kinds = {"ram": found.get("ram"), "cuda": _object(found.get("cuda")).get("system")}
    memory = {kind: size for kind, entry in kinds.items() if (size := _size(_object(entry)))}
    return memory or None


def _size(entry: dict[str, Any]) -> dict[str, float]:
    return {
        key: round(entry[key] / _GIB, 2)
        for key in ("free", "total")
        if isinstance(entry.get(key), int | float)
    }


def _work(client: WebUIClient) -> tuple[bool | None, dict[str, Any] | None]:
    """Whether a job runs, and how far it is: {progress (0 to 1), seconds_left, step, steps}."""
    found = _object(client.lookup("sdapi/v1/progress", query={"skip_current_image": "true"}))
    if "progress" not in found:
        return None, None
    if not found["progress"]:
        return False, None
    state = _object(found.get("state"))
    values = {
        "progress": found["progress"],
        "seconds_left": found.get("eta_relative"),
        "step": state.get("sampling_step"),
        "steps": state.get("sampling_steps"),
    }
    return True, {
        name: round(value, 2) if isinstance(value, int | float) else None
        for name, value in values.items()
    }


def _waiting(client: WebUIClient) -> int | None:
    size = _object(client.lookup("internal/pending-tasks")).get("size")
    return size if isinstance(size, int) else None


def _object(found: Json) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}
