"""What the statuses and words of servers, and of proxies before them, mean, and what helps."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial

from webui.errors import (
    WebUIAuthenticationError,
    WebUIConnectionError,
    WebUIError,
    WebUIRequestError,
    WebUIServerError,
)


class Form(Enum):
    """How a body says what it says; a WebUI speaks JSON, a proxy mostly does not."""

    JSON = auto()
    PAGE = auto()
    TEXT = auto()


@dataclass(frozen=True)
class Meaning:
    """Of some statuses, in some forms. text: has {address}, {status} and {said}, ": words."."""

    statuses: frozenset[int]
    text: str
    error: Callable[[str], WebUIError]
    forms: frozenset[Form] = frozenset(Form)


_RAISE = (
    "raise its read timeout (HAProxy: timeout server, nginx: proxy_read_timeout), or set base_url "
    "to an address that goes around it, as you must with Cloudflare, whose 100 seconds are fixed"
)
_MEANINGS = (
    Meaning(
        frozenset({403}),
        "A proxy or firewall before {address} refuses the request (403), and not for its login"
        "{said} Let the plugin's machine through there, or set base_url to an address that goes "
        "around it.",
        WebUIAuthenticationError,
        frozenset({Form.PAGE}),
    ),
    Meaning(
        frozenset({407}),
        "The HTTP proxy of the plugin's environment wants a login before it asks {address} (407)"
        "{said}",
        partial(WebUIConnectionError, caller_setting="no_proxy"),
    ),
    Meaning(
        frozenset({413}),
        "A proxy before {address} takes no request as large as this ({status}){said} Raise its "
        "limit (nginx: client_max_body_size), or give smaller pictures.",
        WebUIRequestError,
    ),
    Meaning(
        frozenset({502, 503}),
        "A proxy before {address} got no answer from the WebUI ({status}){said} Look whether the "
        f"WebUI runs. If the proxy gave up waiting, {_RAISE}.",
        WebUIServerError,
        frozenset({Form.PAGE, Form.TEXT}),
    ),
    Meaning(
        frozenset({520, 521, 522, 523}),
        "Cloudflare, before {address}, got no answer from the WebUI ({status}){said} Look whether "
        f"the WebUI runs. If a proxy in between gave up waiting, {_RAISE}.",
        WebUIServerError,
    ),
    Meaning(
        frozenset({504, 524}),
        "A proxy before {address} gave up waiting for the WebUI ({status}){said} If the picture "
        f"takes longer than it waits, {_RAISE}.",
        WebUIServerError,
    ),
    Meaning(
        frozenset({525, 526}),
        "Cloudflare, before {address}, does not trust the WebUI's certificate or got none "
        "({status}){said} Give the WebUI a valid one, or set base_url to an address that goes "
        "around Cloudflare.",
        WebUIServerError,
    ),
)

# As torch, CUDA, Vulkan, DirectML, numpy and C++ say it, in the letters that `_plain` leaves.
_OUT_OF_MEMORY = re.compile(
    r"out ?of ?(device |host )?memory|outof(device|host)memory|memoryerror|bad alloc|alloc failed"
    r"|(not enough|insufficient) (\w+ ){0,3}memory|defaultcpuallocator"
    r"|(can ?t|cannot|could not|unable to|failed to) allocate"
)

# What a server's words mean that say too little themselves.
_WORDS = {
    # All that stable-diffusion.cpp says, whatever went wrong.
    "returned no results": (
        "Most often memory ran out: ask for a smaller width, height or batch_size."
    ),
    # SD.Next of mid 2026 fails at its own reply to every request to enlarge.
    "html_info": (
        "That is a mistake of this SD.Next itself, whatever it is asked to enlarge. Use img2img "
        "with a larger width and height, or another version."
    ),
    # SD.Next of mid 2026, by address and path.
    "rate limit exceeded": (
        "SD.Next allows each address 300 points a minute and counts 5 for a job, unless its "
        "setting server_rate_limit, 'API base rate limit rate' under Server Settings, says "
        "otherwise: raise it, or set 0 for no limit."
    ),
}


def meaning_of(status: int, form: Form) -> Meaning | None:
    """Return what a status means beyond the server's own words."""
    found = (row for row in _MEANINGS if status in row.statuses and form in row.forms)
    return next(found, None)


def explain(words: str) -> str:
    """Return " and what helps." after words that say too little, "" after others."""
    return next((f" {text}" for said, text in _WORDS.items() if said in words.lower()), "")


def tells_of_memory(words: str) -> bool:
    """Tell whether a failure's words say that memory ran out."""
    return _OUT_OF_MEMORY.search(_plain(words)) is not None


def _plain(words: str) -> str:
    return re.sub(r"[\W_]+", " ", words.lower())
