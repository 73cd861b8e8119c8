"""The provider's credentials, read once."""

from collections.abc import Mapping

from webui import values
from webui.errors import InvalidCredentialsError
from webui.http.address import Address, parse_address
from webui.http.headers import parse_headers, secrets_in, split_headers
from webui.http.secrets import Secrets
from webui.http.settings import DEFAULT_TIMEOUT, LONGEST_TIMEOUT, MOST_PARALLEL, Settings
from webui.text import shortened, without_markup

SECRETS = ("password", "headers")
_LONGEST = 1000
# Some gateways' tokens have three thousand characters.
_LONGEST_HEADERS = 4000
_LONGEST_QUOTE = 60


def read_credentials(given: Mapping[str, object]) -> Settings:
    """Check what Dify stored. InvalidCredentialsError names the field; no text shows a secret."""
    if values.is_unset(given.get("base_url")):
        raise InvalidCredentialsError(
            "base_url is empty. Give the WebUI's address, "
            "for example http://host.docker.internal:7860."
        )
    where = parse_address(_text(given, "base_url"))
    username = _text(given, "username") or where.username
    password = _text(given, "password") or where.password
    if ":" in username:
        raise InvalidCredentialsError("username: a name for HTTP Basic cannot contain a colon.")
    headers = parse_headers(_text(given, "headers", _LONGEST_HEADERS))
    if (username or password) and any(name.lower() == "authorization" for name in headers):
        raise InvalidCredentialsError(
            "headers: Authorization cannot be sent beside username and password, which are sent "
            "in the same header. Leave one of them out."
        )
    return Settings(
        Address(where.url, username, password, headers),
        model=values.tidy(_text(given, "model")),
        timeout=_timeout(given),
        verify_tls=_verify_tls(given),
        parallel=_parallel(given),
    )


def secrets_of(given: Mapping[str, object]) -> Secrets:
    """Return what no text may show of these credentials, however broken they are."""
    username, passwords = _as_given(given, "username"), [_as_given(given, "password")]
    headers = split_headers(_as_given(given, "headers", _LONGEST_HEADERS))
    try:
        where = parse_address(_as_given(given, "base_url"))
    except InvalidCredentialsError:
        # Which shows no login, and nothing goes to such an address.
        pass
    else:
        username = username or where.username
        passwords.append(where.password)
    return Secrets(*((username, password) for password in passwords), *secrets_in(headers))


def _as_given(given: Mapping[str, object], name: str, most: int = _LONGEST) -> str:
    """Return a text, "" for one that `read_credentials` refuses."""
    try:
        return _text(given, name, most)
    except InvalidCredentialsError:
        return ""


def _text(given: Mapping[str, object], name: str, most: int = _LONGEST) -> str:
    value = given.get(name)
    if values.is_unset(value):
        return ""
    try:
        text = values.text(value)
    except ValueError:
        raise InvalidCredentialsError(f"{name} is not text.") from None
    if any(0xD800 <= ord(letter) <= 0xDFFF for letter in text):
        raise InvalidCredentialsError(f"{name} holds half a character, which cannot be sent.")
    if len(text) > most:
        raise InvalidCredentialsError(f"{name} has {len(text)} characters; {most} are the most.")
    return text


def _timeout(given: Mapping[str, object]) -> float:
    value = given.get("timeout")
    if values.is_unset(value):
        return DEFAULT_TIMEOUT
    try:
        seconds = float(values.number(value))
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= LONGEST_TIMEOUT:
        raise InvalidCredentialsError(
            f"timeout: {_shown(value)} is not a number of seconds from 1 to {LONGEST_TIMEOUT:.0f}."
        )
    return seconds


def _parallel(given: Mapping[str, object]) -> int:
    value = given.get("parallel")
    if values.is_unset(value):
        return 1
    try:
        number = values.integer(value)
    except ValueError:
        number = 0
    if not 1 <= number <= MOST_PARALLEL:
        raise InvalidCredentialsError(
            f"parallel: {_shown(value)} is not a whole number from 1 to {MOST_PARALLEL}."
        )
    return number


def _verify_tls(given: Mapping[str, object]) -> bool:
    value = given.get("verify_tls")
    if values.is_unset(value):
        return True
    try:
        return values.boolean(value)
    except ValueError:
        raise InvalidCredentialsError(
            f"verify_tls: {_shown(value)} is neither true nor false."
        ) from None


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        text = "what it holds"
    return shortened(without_markup(text), _LONGEST_QUOTE)
