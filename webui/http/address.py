"""The WebUI's address as people paste it, made into one to build requests from."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import unquote

from yarl import URL

from webui import values
from webui.errors import InvalidCredentialsError
from webui.http.headers import secrets_in
from webui.http.secrets import Secrets
from webui.text import shortened

_PASTED = " \t\r\n\"'<>\u00a0\u200b\ufeff"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://+(.*)", re.DOTALL)
_HOST_AND_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]*)(:\d*)?")
# A host that cannot be a mere word: with a port, or dots. Without a scheme it is http.
_BARE = re.compile(
    r"(localhost|[\w-]+(\.[\w-]+)+|[\w.-]+:\d+|\[[0-9A-Fa-f:.]+\](:\d+)?)(:\d+)?([/?#].*)?",
    re.ASCII | re.IGNORECASE,
)
_PAGES = {"docs", "redoc", "openapi.json", "index.html", "login"}
# `.svc` is a service of a Kubernetes cluster.
_LOCAL_NAMES = (".internal", ".local", ".lan", ".home.arpa", ".localhost", ".svc")
_AT_SIGNS = re.compile("[@\uff20\ufe6b]")
# A text up to what may be the colon between a name and a password, which the scheme's is not.
_BEFORE_COLON = re.compile(r"(\W{0,3}https?:/+)?[^:%]*", re.IGNORECASE)
# Underscores are in the names of many containers.
_NAME = re.compile(r"(?=.{1,254}$)[\w-]{1,63}(\.[\w-]{1,63})*\.?", re.ASCII)
_EXAMPLE = "http://host.docker.internal:7860"
_LONGEST = 1000
_LONGEST_QUOTE = 80


@dataclass(frozen=True)
class Address:
    """Where the server is (scheme, host, port and path prefix, never a login) and who logs in.

    headers: sent with every request, for a gateway before the server. Their values are secrets.
    """

    url: URL
    username: str = ""
    password: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)

    def __str__(self) -> str:
        return str(self.url).rstrip("/")

    def endpoint(self, path: str) -> URL:
        """Return the URL of a path such as "sdapi/v1/txt2img", with never a double slash."""
        return self.url.joinpath(*path.split("/"))

    @property
    def host(self) -> str:
        """The host name or IP address, without brackets."""
        return self.url.host or ""

    @property
    def secrets(self) -> Secrets:
        """What no text about this server may show."""
        return Secrets((self.username, self.password), *secrets_in(self.headers.items()))

    @property
    def identity(self) -> str:
        """The same for the same server, login and headers; none of these can be read from it."""
        sent = sorted((name.lower(), value) for name, value in self.headers.items())
        identity = (str(self), self.username, self.password, sent)
        return hashlib.sha256(repr(identity).encode()).hexdigest()

    @property
    def is_this_machine(self) -> bool:
        """Whether the host is the loopback, which inside Docker is the container itself."""
        try:
            ip = ip_address(self.host)
        except ValueError:
            return (
                self.host == "localhost" or re.fullmatch(r"127(\.\d+){1,2}", self.host) is not None
            )
        return ip.is_loopback or ip.is_unspecified

    @property
    def is_local(self) -> bool:
        """Whether the host is in this network, where an HTTP proxy has no business."""
        try:
            return not ip_address(self.host).is_global
        except ValueError:
            return self.is_this_machine or "." not in self.host or self.host.endswith(_LOCAL_NAMES)


def parse_address(text: str) -> Address:
    """Take an address apart: blanks, trailing slashes, pages and API paths fall away.

    Without a scheme it is http. `http://user:pass@host/` gives a login. InvalidCredentialsError,
    which never shows one, for anything that is not an http or https URL.
    """
    if len(text) > _LONGEST:
        raise InvalidCredentialsError(
            f"base_url has {len(text)} characters, which no address has: {_LONGEST} are the most. "
            f"Write it with host and port, for example {_EXAMPLE}."
        )
    text = _written_out(text.strip(_PASTED))
    scheme_and_rest = _SCHEME.fullmatch(text)
    if scheme_and_rest is None:
        raise InvalidCredentialsError(
            f"base_url{_without_login(text)} is not a URL. "
            f"Write it with http:// or https:// and the port, for example {_EXAMPLE}."
        )
    scheme, rest = scheme_and_rest[1].lower(), scheme_and_rest[2]
    if scheme not in {"http", "https"}:
        raise InvalidCredentialsError(
            f"base_url: the scheme {shortened(scheme, _LONGEST_QUOTE)}:// is not supported. "
            f"Use http:// or https://, for example {_EXAMPLE}."
        )
    username, password, rest = _split_login(rest)
    try:
        text.encode()  # Half a character cannot be sent.
        url = URL(f"{scheme}://{rest}")
        has_two_schemes = re.match(r"https?:/", rest, re.IGNORECASE)
        # Either form of the host may be none: "xn--" is the code of no letters.
        if not url.host or not _is_host(url.raw_host or "") or has_two_schemes or url.port == 0:
            raise ValueError
        url = url.with_path(_prefix(url), encoded=True)
    except ValueError:
        # Whatever the parser says may quote the text, and with it a password.
        raise InvalidCredentialsError(
            f"base_url{_without_login(text)} is not a URL with a host (between dots 1 to 63 "
            f"letters, digits and hyphens) and a port from 1 to 65535, for example {_EXAMPLE}."
        ) from None
    return Address(url, username, password)


def _prefix(url: URL) -> str:
    """Return the path before the API and the pages that people copy."""
    segments = [part for part in url.raw_path.split("/") if part]
    if "sdapi" in segments:
        segments = segments[: segments.index("sdapi")]
    while segments and segments[-1].lower() in _PAGES:
        segments.pop()
    return "/" + "/".join(segments)


def _is_host(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return _NAME.fullmatch(name) is not None
    return True


def _written_out(text: str) -> str:
    """Write the address in plain letters and with a scheme, unless it holds a login."""
    if _AT_SIGNS.search(text):
        return text
    text = values.folded(text)
    return f"http://{text}" if _BARE.fullmatch(text) else text


def _split_login(rest: str) -> tuple[str, str, str]:
    """Part "user:pass@host…" even where the password holds / ? # or @ that should be escaped."""
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        end = authority.rindex("@")
    elif "@" in rest and not _HOST_AND_PORT.fullmatch(authority):
        end = rest.rindex("@")
    elif "@" in rest and ":" in authority:
        raise InvalidCredentialsError(
            "base_url holds an @ after host and port. If that is a login, give it as username and "
            "password, or write / as %2F, ? as %3F and # as %23 in it."
        )
    else:
        return "", "", rest
    username, _, password = rest[:end].partition(":")
    return unquote(username), unquote(password), rest[end + 1 :]


def _without_login(text: str) -> str:
    """Return the text for an error after "base_url", without anything that may be a login."""
    if _AT_SIGNS.search(text):
        return " (not shown, as it seems to hold a login)"
    shown = _BEFORE_COLON.match(text)
    kept = shown[0] if shown else ""
    return f": {shortened(kept if kept == text else f'{kept}:***', _LONGEST_QUOTE)!r}"
