"""The WebUI's address as people paste it, made into one to build requests from."""

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import unquote

from yarl import URL

from webui import values
from webui.errors import InvalidCredentialsError
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
_LOCAL_NAMES = (".internal", ".local", ".lan", ".home.arpa", ".localhost")
_AT_SIGNS = re.compile("[@\uff20\ufe6b]")
_EXAMPLE = "http://host.docker.internal:7860"
_LONGEST_QUOTE = 80


@dataclass(frozen=True)
class Address:
    """Where the server is (scheme, host, port and path prefix, never a login) and who logs in."""

    url: URL
    username: str = ""
    password: str = field(default="", repr=False)

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
    text = _written_out(text.strip(_PASTED))
    scheme_and_rest = _SCHEME.fullmatch(text)
    if scheme_and_rest is None:
        raise InvalidCredentialsError(
            f"base_url: {_without_login(text)} is not a URL. "
            f"Write it with http:// or https:// and the port, for example {_EXAMPLE}."
        )
    scheme, rest = scheme_and_rest[1].lower(), scheme_and_rest[2]
    if scheme not in {"http", "https"}:
        raise InvalidCredentialsError(
            f"base_url: the scheme {scheme}:// is not supported. Use http:// or https://, "
            f"for example {_EXAMPLE}."
        )
    username, password, rest = _split_login(rest)
    try:
        url = URL(f"{scheme}://{rest}")
        has_two_schemes = re.match(r"https?:/", rest, re.IGNORECASE)
        if not url.host or has_two_schemes or re.search(r"[\s\\]", url.host) or url.port == 0:
            raise ValueError
        segments = [part for part in url.raw_path.split("/") if part]
        if "sdapi" in segments:
            segments = segments[: segments.index("sdapi")]
        while segments and segments[-1].lower() in _PAGES:
            segments.pop()
        url = url.with_path("/" + "/".join(segments), encoded=True)
    except ValueError:
        # Whatever the parser says may quote the text, and with it a password.
        raise InvalidCredentialsError(
            f"base_url: {_without_login(text)} is not a URL with a host and a port "
            f"from 1 to 65535, for example {_EXAMPLE}."
        ) from None
    return Address(url, username, password)


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
    """Return the text for an error, without anything that may be a login."""
    if _AT_SIGNS.search(text):
        text = "***@" + _AT_SIGNS.split(text)[-1]
    return repr(shortened(text, _LONGEST_QUOTE))
