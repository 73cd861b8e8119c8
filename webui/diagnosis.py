"""From a failed exchange to the error that names its remedy."""

import errno
import socket
import ssl
from collections.abc import Iterator

import requests

from webui.address import Address
from webui.errors import (
    WebUIAuthenticationError,
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

_LONGEST_QUOTE = 300


def of_exception(error: requests.RequestException, address: Address) -> WebUIError:
    """Say why no whole answer came. Timeouts first: ConnectTimeout is a ConnectionError too."""
    if isinstance(error, requests.ConnectTimeout):
        return WebUITimeoutError(
            f"{address} did not accept a connection in time. Is the machine on, the address right, "
            f"and port {address.url.port} open in its firewall?{_docker_hint(address)}"
        )
    if isinstance(error, requests.ReadTimeout):
        return WebUITimeoutError(f"{address} accepted the request but did not answer in time.")
    causes = list(_causes(error))
    if isinstance(error, requests.exceptions.ProxyError):
        return WebUIConnectionError(
            f"The HTTP proxy of the plugin's environment could not reach {address}. "
            f"Add {address.host} to NO_PROXY of the plugin daemon."
        )
    if isinstance(error, requests.exceptions.SSLError):
        return _of_tls(causes, address)
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        hint = (
            " On Linux, give the plugin_daemon service extra_hosts: "
            '"host.docker.internal:host-gateway".'
            if address.host == "host.docker.internal"
            else " Check the spelling, or use the machine's IP address."
        )
        return WebUIConnectionError(f"The name {address.host} does not resolve.{hint}")
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
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return WebUIConnectionError(f"{address} broke off the connection in the middle of a reply.")
    if isinstance(error, requests.exceptions.InvalidURL):
        return WebUIConnectionError(f"{address} is not an address that can be called.")
    other = " If it speaks TLS, write https:// instead." if address.url.scheme == "http" else ""
    return WebUIConnectionError(
        f"{address} closed the connection without an answer. Did the WebUI crash or restart?{other}"
    )


def of_status(response: requests.Response, address: Address) -> WebUIError:
    """Say why the server answered with a status other than 2xx."""
    status, words = response.status_code, quoted(response)
    if response.is_redirect:
        return _of_redirect(response, address)
    if status in {401, 403}:
        return WebUIAuthenticationError(
            f"{address} refuses the login {address.username!r} ({status}{words}). Set username and "
            "password as in the WebUI's --api-auth."
            if address.username
            else f"{address} asks for a login ({status}{words}). Set username and password in the "
            "plugin's settings, as in the WebUI's --api-auth."
        )
    if status == requests.codes.not_found and _is_bare_not_found(response):
        return WebUINotFoundError(
            f"{address} answers, but has no {response.request.path_url} (404). "
            "Start the WebUI with --api, and check that the address is the WebUI's own."
        )
    if status < requests.codes.server_error:
        return WebUIRequestError(f"{address} refused the request ({status}){words or '.'}")
    if "outofmemory" in words.lower().replace(" ", ""):
        return WebUIOutOfMemoryError(
            f"The graphics memory of {address} does not suffice{words} Ask for a smaller width, "
            "height, batch_size or hr_scale."
        )
    return WebUIServerError(f"{address} failed ({status}){words or '.'}")


def not_a_webui(response: requests.Response, address: Address) -> WebUIResponseError:
    """Say that a 2xx answer does not come from a WebUI's API."""
    kind = "a web page" if "html" in response.headers.get("Content-Type", "") else "something else"
    return WebUIResponseError(
        f"{address} answers {response.request.path_url} with {kind}, not as a Stable Diffusion "
        "WebUI does. Check host and port, and that the WebUI runs with --api."
    )


def quoted(response: requests.Response) -> str:
    """The server's own words in any of the shapes these servers use, as ": words." or ""."""
    try:
        body = response.json()
    except requests.exceptions.JSONDecodeError:
        body = "" if "html" in response.headers.get("Content-Type", "") else response.text
    words = words_of(body)
    return f": {words.rstrip('.')}." if words else ""


def words_of(body: object) -> str:
    """What an error body says, at most 300 characters, line breaks folded."""
    words = body if isinstance(body, str) else ""
    if isinstance(body, dict):
        parts = [body.get("error"), body.get("detail"), body.get("errors"), body.get("message")]
        words = ": ".join(dict.fromkeys(text for part in parts if (text := _flat(part))))
        words = words.removeprefix("HTTPException: ")
    words = " ".join(words.split())
    return words if len(words) <= _LONGEST_QUOTE else words[: _LONGEST_QUOTE - 1] + "…"


def _flat(part: object) -> str:
    """A `detail` is text, or pydantic's list of {loc, msg}, told as "field: reason"."""
    if isinstance(part, str):
        return part.strip()
    if isinstance(part, list):
        return "; ".join(_flat(item) for item in part)
    if isinstance(part, dict) and "msg" in part:
        field = ".".join(str(step) for step in part.get("loc", ()) if step != "body")
        return f"{field}: {part['msg']}" if field else str(part["msg"])
    if isinstance(part, dict):
        return words_of(part)
    return ""


def _is_bare_not_found(response: requests.Response) -> bool:
    """A 404 of the router, not one with words of its own such as "Sampler not found"."""
    try:
        body = response.json()
    except requests.exceptions.JSONDecodeError:
        return True
    return not isinstance(body, dict) or body.get("detail", "Not Found") == "Not Found"


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
        f"http://host.docker.internal:{address.url.port}, and start the WebUI with --listen."
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, what caused it, and what urllib3 wraps in `reason` or in arguments."""
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
