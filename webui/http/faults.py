"""What a connection can fail with, and what helps."""

import errno
import http.client
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import requests
import urllib3

from webui.errors import (
    WebUICertificateError,
    WebUIConnectionError,
    WebUIError,
    WebUIResponseError,
    WebUITimeoutError,
)
from webui.http.address import Address


@dataclass(frozen=True)
class Fault:
    """Why no whole answer came, told by one of these among the causes, or by an error number.

    text: has {address}, {host}, {port}, {why}, and what {docker} and {tls} may have to do with it.
    outermost: only the error itself counts, not what caused it. host: the only one meant.
    """

    kinds: tuple[type[BaseException], ...]
    text: str
    error: Callable[[str], WebUIError] = WebUIConnectionError
    codes: frozenset[int] = frozenset()
    outermost: bool = False
    host: str = ""

    def cause(self, causes: list[BaseException], address: Address) -> BaseException | None:
        """Return the cause that tells it, None if this is not the fault."""
        if self.host not in {"", address.host}:
            return None
        for cause in causes[:1] if self.outermost else causes:
            if isinstance(cause, self.kinds) or getattr(cause, "errno", None) in self.codes:
                return cause
        return None


HANG_UP = "{address} closed the connection without an answer. Did the WebUI crash or restart?{tls}"
# The first that fits counts; ConnectTimeout is a ConnectionError too.
FAULTS = (
    Fault(
        (requests.ConnectTimeout,),
        "{address} did not accept a connection in time. Is the machine on, the address right, and "
        "port {port} open in its firewall?{docker}",
        WebUITimeoutError,
    ),
    Fault(
        (urllib3.exceptions.ReadTimeoutError,),
        "{address} accepted the request but did not answer in time.",
        WebUITimeoutError,
    ),
    Fault(
        (requests.exceptions.ProxyError, requests.exceptions.InvalidProxyURL),
        "The HTTP proxy of the plugin's environment could not reach {address}.",
        partial(WebUIConnectionError, caller_setting="no_proxy"),
    ),
    Fault(
        (ssl.SSLCertVerificationError,),
        "The TLS certificate of {address} is not trusted: {why}. For a certificate of your own, "
        "turn off verify_tls in the plugin's settings.",
        WebUICertificateError,
    ),
    Fault(
        (requests.exceptions.SSLError,),
        "{address} does not answer with TLS. If the WebUI has no certificate, use http://.",
    ),
    Fault(
        (socket.gaierror,),
        "The name {host} does not resolve.",
        partial(WebUIConnectionError, caller_setting="hosts"),
        host="host.docker.internal",
    ),
    Fault(
        (socket.gaierror,),
        "The name {host} does not resolve. Check the spelling, or use the machine's IP address.",
    ),
    Fault(
        (ConnectionRefusedError,),
        "{address} refused the connection: nothing listens on port {port} there. Start the WebUI "
        "with --api --listen and check the port.{docker}",
    ),
    Fault(
        (),
        "There is no route to {host}. Is the machine on and in this network?",
        codes=frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH}),
    ),
    Fault(
        (requests.exceptions.ContentDecodingError, urllib3.exceptions.DecodeError),
        "The reply from {address} is not compressed as it says.",
        WebUIResponseError,
    ),
    Fault(
        # While sending, requests wraps what urllib3 raises in an error of its own.
        (
            requests.exceptions.ChunkedEncodingError,
            urllib3.exceptions.ProtocolError,
            urllib3.exceptions.SSLError,
            ConnectionError,
        ),
        "{address} broke off the connection in the middle of a reply. Did the WebUI stop, or did "
        "a proxy's time end?",
        outermost=True,
    ),
    Fault(
        (
            requests.exceptions.InvalidURL,
            urllib3.exceptions.LocationParseError,
            UnicodeError,
        ),
        "{host} cannot be the name of a host: check base_url.",
    ),
    Fault((http.client.RemoteDisconnected,), HANG_UP),
    Fault(
        (http.client.HTTPException,),
        "{address} does not answer with HTTP. Check host and port.{tls}",
    ),
)
