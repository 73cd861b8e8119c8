"""From a failed exchange to the error that names its remedy."""

import math
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

import requests
import urllib3
from yarl import URL

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
)
from webui.http import body, faults, remedies
from webui.http.address import Address
from webui.text import shortened

# What a request can end with; not all that urllib3 raises is wrapped by requests.
Broken = (requests.RequestException, urllib3.exceptions.HTTPError, OSError, UnicodeError)

_LONGEST_WAIT = 86400.0
_LONGEST_NAME = 80
_LONGEST_LOCATION = 200


def diagnose_exception(error: BaseException, address: Address) -> WebUIError:
    """Say why no whole answer came."""
    if type(error) is OSError:
        # What requests says of a REQUESTS_CA_BUNDLE that is not there.
        return WebUICertificateError(
            f"No connection to {address}{body.quoted(str(error), address)}"
        )
    causes = list(_causes(error))
    for fault in faults.FAULTS:
        cause = fault.cause(causes, address)
        if cause is not None:
            return fault.error(_filled(fault.text, address, cause))
    return WebUIConnectionError(_filled(faults.HANG_UP, address, error))


def _filled(text: str, address: Address, cause: BaseException) -> str:
    why = getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or str(cause)
    return text.format(
        address=address,
        host=address.host,
        port=address.url.port,
        why=address.secrets.quoted(str(why)).rstrip("."),
        docker=_docker_hint(address),
        tls=" If it speaks TLS, write https:// instead." if address.url.scheme == "http" else "",
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
    status, heard = response.status_code, body.read_words(response)
    said, meant = body.quoted(heard.words, address), remedies.explain(heard.words)
    if response.is_redirect:
        return _of_redirect(response, address)
    wait = _retry_after(response)
    if status == requests.codes.too_many_requests or (
        status == requests.codes.service_unavailable and wait is not None
    ):
        again = "" if wait is None else f" Try again in {math.ceil(wait)} seconds."
        text = f"{address} takes no more for now ({status}){said}{meant}{again}"
        return WebUIBusyError(text, retry_after=wait)
    if status >= requests.codes.server_error and remedies.tells_of_memory(heard.words):
        return _of_memory(address, said)
    if meaning := remedies.meaning_of(status, heard.form):
        return meaning.error(meaning.text.format(address=address, status=status, said=said))
    if status in {requests.codes.unauthorized, requests.codes.forbidden}:
        return _of_login(address, f"({status}){said}")
    if status == requests.codes.not_found and _is_bare_not_found(heard):
        return WebUINotFoundError(
            f"{address} answers, but has no {response.request.path_url} (404). "
            "Start the WebUI with --api, and check that the address is the WebUI's own."
        )
    if status < requests.codes.server_error:
        return WebUIRequestError(f"{address} refused the request ({status}){said}")
    return WebUIServerError(f"{address} failed ({status}){said}{meant}")


def without_result(wanted: str, words: str, address: Address) -> WebUIError:
    """Say that a reply of status 2xx holds words instead of what was wanted, such as "images"."""
    said = body.quoted(words, address)
    if remedies.tells_of_memory(words):
        return _of_memory(address, said)
    return WebUIResponseError(f"{address} answered without {wanted}{said}{remedies.explain(words)}")


def not_a_webui(response: requests.Response, address: Address) -> WebUIResponseError:
    """Say that a 2xx answer does not come from a WebUI's API."""
    kind = "a web page" if body.is_web_page(response) else "something else"
    if not response.raw.tell():
        kind = "an empty reply"
    return WebUIResponseError(
        f"{address} answers {response.request.path_url} with {kind}, not as a Stable Diffusion "
        "WebUI does. Check host and port, and that the WebUI runs with --api."
    )


def _retry_after(response: requests.Response) -> float | None:
    """Seconds, by the header in either of its forms (RFC 9110, section 10.2.3)."""
    said = response.headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdigit():
        return min(float(said), _LONGEST_WAIT)
    try:
        seconds = parsedate_to_datetime(said).timestamp() - time.time()
        return min(max(seconds, 0.0), _LONGEST_WAIT)
    except (ValueError, OverflowError):
        return None


def _is_bare_not_found(heard: body.Said) -> bool:
    """Tell a 404 of the router from one with words of its own such as "Sampler not found"."""
    return heard.form is not remedies.Form.JSON or heard.words.strip() in {"", "Not Found"}


def _of_login(address: Address, said: str) -> WebUIAuthenticationError:
    if address.username:
        name = shortened(repr(address.username), _LONGEST_NAME)
        return WebUIAuthenticationError(
            f"{address} refuses the login {name} {said} Set username and password as in the "
            "WebUI's --api-auth (SD.Next: --auth)."
        )
    return WebUIAuthenticationError(
        f"{address} asks for a login {said} Set username and password in the plugin's settings, "
        "as in the WebUI's --api-auth (SD.Next: --auth)."
    )


def _of_memory(address: Address, said: str) -> WebUIOutOfMemoryError:
    return WebUIOutOfMemoryError(
        f"The graphics memory of {address} does not suffice{said} Ask for a smaller width, "
        "height, batch_size or hr_scale."
    )


def _of_redirect(response: requests.Response, address: Address) -> WebUINotFoundError:
    try:
        target = address.url.join(URL(response.headers.get("Location", "")))
        shown = str(target.with_user(None).with_query(None).with_fragment(None))
        shown = shown.split("/sdapi")[0]
        is_at_home = target.host == address.host
    except ValueError:
        shown, is_at_home = "what is no address", True
    # Only a link to the server's own host may be followed with a click.
    where = address.secrets.mask(shown) if is_at_home else address.secrets.quoted(shown)
    where = shortened(where, _LONGEST_LOCATION)
    gateway = "" if is_at_home else " If that is a gateway's login page, give its token as headers."
    return WebUINotFoundError(
        f"{address} redirects to {where}. Set base_url to the address that answers itself: a "
        f"redirected request would be drawn twice or not at all.{gateway}"
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
