"""Headers of every request: a person's own, for gateways, and the one that names a job."""

import base64
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from webui.errors import InvalidCredentialsError

TASK_ID = "X-Task-Id"

_MOST = 16
# What the plugin's own HTTP rests on.
_OURS = (
    TASK_ID, "Host", "Content-Length", "Content-Type", "Content-Encoding", "Transfer-Encoding",
    "Accept-Encoding", "Connection", "Proxy-Connection", "Keep-Alive", "TE", "Trailer", "Upgrade",
    "Expect",
)  # fmt: skip
# RFC 9110, section 5.6.2, but for the bar that parts our lines.
_NAME = re.compile(r"[\w!#$%&'*+.^`~-]+", re.ASCII)
_VALUE = re.compile(r"[\t\x20-\x7e]+")
# A bar is in some tokens, too: it parts lines only where another name follows.
_BREAK = re.compile(rf"\r\n|[\r\n]|\|(?=[ \t]*{_NAME.pattern}[ \t]*:)", re.ASCII)
# A field of one line drops the line breaks of what is pasted there.
_ANOTHER_LINE = re.compile(r"\w:[ \t]")
_LONGEST_TASK_ID = 200
# Some gateways look only whether a header is there; these words are in many prompts.
_NO_SECRETS = {"true", "false"}


def parse_headers(text: str) -> dict[str, str]:
    """Read lines of `Name: value`, which may also stand on one line with | between them.

    InvalidCredentialsError, which names a line by its number alone, for what cannot be sent.
    """
    found: dict[str, str] = {}
    for number, (name, value) in enumerate(split_headers(text), 1):
        if not name and not value:
            continue
        if problem := _problem(name, value, found):
            raise InvalidCredentialsError(f"headers, line {number}: {problem}")
        found[name] = value
    if len(found) > _MOST:
        raise InvalidCredentialsError(f"headers: {len(found)} lines; {_MOST} are the most.")
    return found


def split_headers(text: str) -> list[tuple[str, str]]:
    """Return (name, value) of each line, however broken; all is value without a colon."""
    lines = [line if ":" in line else f":{line}" for line in _BREAK.split(text)]
    parted = [line.partition(":") for line in lines]
    return [(name.strip(), value.strip()) for name, _, value in parted]


def secrets_in(headers: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield (name, secret) as `Secrets` takes them: each value, and what it is a wrapping of."""
    for name, value in headers:
        if value.lower() in _NO_SECRETS:
            continue
        yield "", value
        scheme, _, token = value.partition(" ")
        yield "", token.strip()
        if scheme.lower() == "basic":
            yield _login(token)
        if name.lower() == "cookie":
            for cookie in value.split(";"):
                yield "", cookie.partition("=")[2].strip()


def of_task(task_id: str) -> str:
    """Return a job's name as a header carries it, whatever a person called it."""
    plain = quote(task_id, safe="!#$&'()*+,/:;=?@[]", errors="surrogatepass")
    return plain[:_LONGEST_TASK_ID]


def _problem(name: str, value: str, before: Iterable[str]) -> str:
    """Say why a line cannot be sent, without a word of it; "" if it can."""
    ours = {one.lower(): one for one in _OURS}.get(name.lower())
    if not _NAME.fullmatch(name):
        return "it is not of the form Name: value, with a name of letters, digits and hyphens."
    if not value:
        return "it has no value."
    if ours:
        return f"{ours} is set by the plugin itself. Leave it out."
    if not _VALUE.fullmatch(value):
        return "its value holds characters other than those of plain ASCII text."
    if _ANOTHER_LINE.search(value):
        return "there seem to be two in it. Write | between them: Name: value | Name: value"
    if name.lower() in {one.lower() for one in before}:
        return "it sets a header that a line before it sets."
    return ""


def _login(token: str) -> tuple[str, str]:
    """Return the name and password of HTTP Basic."""
    try:
        text = base64.b64decode(token).decode()
    except ValueError:
        return "", ""
    name, _, password = text.partition(":")
    return name, password
