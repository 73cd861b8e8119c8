"""From a failed exchange to the error that names its remedy."""

import errno
import socket
import ssl
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

import requests
import urllib3

from webui.errors import (
    WebUIAuthenticationError,
    WebUIBusyError,
    WebUICertificateError,
    WebUIConnectionError,
    WebUIError,
    WebUINotFoundError,
    WebUIOutOfMemoryError,
    WebUIRequestError,
    WebUIResponseError,
    WebUIServerError,
    WebUITimeoutError,
)
from webui.http import body
from webui.http.address import Address

# What a request can end with; not all that urllib3 raises is wrapped by requests.
Broken = (requests.RequestException, urllib3.exceptions.HTTPError, OSError, UnicodeError)


# As torch and CUDA say it.
_OUT_OF_MEMORY = (
    "out of memory",
    "outofmemory",
    "can't allocate memory",
    "cublas_status_alloc_failed",
    "not enough memory",
)


# What a server's words mean that say too little themselves.
_MEANING = {
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


def diagnose_exception(error: BaseException, address: Address) -> WebUIError:
    """Say why no whole answer came. Timeouts first: ConnectTimeout is a ConnectionError too."""
    if isinstance(error, requests.ConnectTimeout):
        return WebUITimeoutError(
            f"{address} did not accept a connection in time. Is the machine on, the address right, "
            f"and port {address.url.port} open in its firewall?{_docker_hint(address)}"
        )
    causes = list(_causes(error))
    if any(isinstance(cause, urllib3.exceptions.ReadTimeoutError) for cause in causes):
        return WebUITimeoutError(f"{address} accepted the request but did not answer in time.")
    if isinstance(error, requests.exceptions.ProxyError):
        return WebUIConnectionError(
            f"The HTTP proxy of the plugin's environment could not reach {address}.",
            caller_setting="no_proxy",
        )
    if isinstance(error, requests.exceptions.SSLError):
        return _of_tls(causes, address)
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return _of_unknown_host(address)
    codes = {cause.errno for cause in causes if isinstance(cause, OSError)}
    if errno.ECONNREFUSED in codes:
        return WebUIConnectionError(
            f"{address} refused the connection: nothing listens on port {address.url.port} there. "
            "Start the WebUI with --api --listen and check the port." + _docker_hint(address)
        )
    if codes & {errno.EHOSTUNREACH, errno.ENETUNREACH}:
        return WebUIConnectionError(
            f"There is no route to {address.host}. Is the machine on and in this network?"
        )
    if isinstance(error, requests.exceptions.ContentDecodingError | urllib3.exceptions.DecodeError):
        return WebUIResponseError(f"The reply from {address} is not compressed as it says.")
    if any(isinstance(cause, urllib3.exceptions.IncompleteRead) for cause in causes):
        return WebUIConnectionError(f"{address} broke off the connection in the middle of a reply.")
    if isinstance(
        error,
        requests.exceptions.InvalidURL | urllib3.exceptions.LocationParseError | UnicodeError,
    ):
        return WebUIConnectionError(f"{address.host} cannot be the name of a host: check base_url.")
    if type(error) is OSError:
        # What requests says of a REQUESTS_CA_BUNDLE that is not there.
        return WebUICertificateError(f"No connection to {address}: {error}.")
    other = " If it speaks TLS, write https:// instead." if address.url.scheme == "http" else ""
    return WebUIConnectionError(
        f"{address} closed the connection without an answer. Did the WebUI crash or restart?{other}"
    )


def _of_unknown_host(address: Address) -> WebUIConnectionError:
    unresolved = f"The name {address.host} does not resolve."
    if address.host == "host.docker.internal":
        return WebUIConnectionError(unresolved, caller_setting="hosts")
    return WebUIConnectionError(
        f"{unresolved} Check the spelling, or use the machine's IP address."
    )


def never_connected(error: BaseException) -> bool:
    """Tell whether the exchange failed before there was a connection, as the next one would."""
    return any(
        isinstance(
            cause,
            urllib3.exceptions.ConnectTimeoutError
            | urllib3.exceptions.NewConnectionError
            | urllib3.exceptions.SSLError
            | urllib3.exceptions.ProxyError
            | urllib3.exceptions.LocationParseError
            | UnicodeError,
        )
        for cause in _causes(error)
    )


def diagnose_status(response: requests.Response, address: Address) -> WebUIError:
    """Say why the server answered with a status other than 2xx."""
    status, said = response.status_code, body.quoted_words(response, address)
    if response.is_redirect:
        return _of_redirect(response, address)
    if status in {401, 403}:
        return WebUIAuthenticationError(
            f"{address} refuses the login {address.username!r} ({status}){said} Set username and "
            "password as in the WebUI's --api-auth (SD.Next: --auth)."
            if address.username
            else f"{address} asks for a login ({status}){said} Set username and password in the "
            "plugin's settings, as in the WebUI's --api-auth (SD.Next: --auth)."
        )
    if status == requests.codes.not_found and _is_bare_not_found(response):
        return WebUINotFoundError(
            f"{address} answers, but has no {response.request.path_url} (404). "
            "Start the WebUI with --api, and check that the address is the WebUI's own."
        )
    meant = next((f" {remedy}" for words, remedy in _MEANING.items() if words in said), "")
    if status == requests.codes.too_many_requests:
        return WebUIBusyError(
            f"{address} takes no more for now ({status}){said}{meant}",
            retry_after=_retry_after(response),
        )
    if status < requests.codes.server_error:
        return WebUIRequestError(f"{address} refused the request ({status}){said}")
    if any(words in said.lower() for words in _OUT_OF_MEMORY):
        return WebUIOutOfMemoryError(
            f"The graphics memory of {address} does not suffice{said} Ask for a smaller width, "
            "height, batch_size or hr_scale."
        )
    return WebUIServerError(f"{address} failed ({status}){said}{meant}")


def not_a_webui(response: requests.Response, address: Address) -> WebUIResponseError:
    """Say that a 2xx answer does not come from a WebUI's API."""
    kind = "a web page" if body.is_web_page(response) else "something else"
    return WebUIResponseError(
        f"{address} answers {response.request.path_url} with {kind}, not as a Stable Diffusion "
        "WebUI does. Check host and port, and that the WebUI runs with --api."
    )


def _retry_after(response: requests.Response) -> float | None:
    """Seconds, by the header in either of its forms (RFC 9110, section 10.2.3)."""
    said = response.headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdigit():
        return float(said)
    try:
        return max(parsedate_to_datetime(said).timestamp() - time.time(), 0.0)
    except (ValueError, OverflowError):
        return None


def _is_bare_not_found(response: requests.Response) -> bool:
    """Return a 404 of the router, not one with words of its own such as "Sampler not found"."""
    try:
        said = body.parsed(response)
    except ValueError:
        return True
    return not isinstance(said, dict) or body.words_of(said) in {"", "Not Found"}


def _of_redirect(response: requests.Response, address: Address) -> WebUINotFoundError:
    target = response.headers.get("Location", "").rsplit("@", 1)[-1]
    return WebUINotFoundError(
        f"{address} redirects to {target.split('/sdapi')[0] or '/'}. Set base_url to the address "
        "that answers itself: a redirected request would be drawn twice or not at all."
    )


def _of_tls(causes: list[BaseException], address: Address) -> WebUIConnectionError:
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return WebUICertificateError(
                f"The TLS certificate of {address} is not trusted: "
                f"{cause.verify_message or cause.reason}. For a certificate of your own, turn off "
                "verify_tls in the plugin's settings."
            )
    return WebUIConnectionError(
        f"{address} does not answer with TLS. If the WebUI has no certificate, use http://."
    )


def _docker_hint(address: Address) -> str:
    if not address.is_this_machine:
        return ""
    return (
        f" Inside Docker, {address.host} is the container itself: use "
        f"http://host.docker.internal:{address.url.port}."
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error, what caused it, and what urllib3 wraps in `reason` or in arguments."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        current = waiting.pop()
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting += [current.__cause__, current.__context__, getattr(current, "reason", None)]
        waiting += current.args
