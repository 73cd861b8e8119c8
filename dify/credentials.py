"""The provider's credentials, read once."""

from collections.abc import Mapping

from webui import values
from webui.errors import InvalidCredentialsError
from webui.http.address import Address, parse_address
from webui.http.secrets import Secrets
from webui.http.settings import DEFAULT_TIMEOUT, LONGEST_TIMEOUT, Settings
from webui.text import shortened, without_markup

SECRETS = ("password",)
_LONGEST = 1000
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
    where = Address(where.url, username, password)
    return Settings(where, values.tidy(_text(given, "model")), _timeout(given), _verify_tls(given))


def secrets_of(given: Mapping[str, object]) -> Secrets:
    """Return what no text may show of these credentials, however broken they are."""
    username, passwords = _as_given(given, "username"), [_as_given(given, name) for name in SECRETS]
    try:
        where = parse_address(_as_given(given, "base_url"))
    except InvalidCredentialsError:
        # Which shows no login, and nothing goes to such an address.
        pass
    else:
        username = username or where.username
        passwords.append(where.password)
    return Secrets(*((username, password) for password in passwords))


def _as_given(given: Mapping[str, object], name: str) -> str:
    """Return a text, "" for one that `read_credentials` refuses."""
    try:
        return _text(given, name)
    except InvalidCredentialsError:
        return ""


def _text(given: Mapping[str, object], name: str) -> str:
    value = given.get(name)
    if values.is_unset(value):
        return ""
    try:
        text = values.text(value)
    except ValueError:
        raise InvalidCredentialsError(f"{name} is not text.") from None
    if any(0xD800 <= ord(letter) <= 0xDFFF for letter in text):
        raise InvalidCredentialsError(f"{name} holds half a character, which cannot be sent.")
    if len(text) > _LONGEST:
        raise InvalidCredentialsError(
            f"{name} has {len(text)} characters; {_LONGEST} are the most."
        )
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
