"""The provider's credentials, read once."""

from collections.abc import Mapping

from webui import values
from webui.errors import InvalidCredentialsError
from webui.http.address import Address, parse_address
from webui.http.secrets import Secrets
from webui.http.settings import DEFAULT_TIMEOUT, LONGEST_TIMEOUT, Settings
from webui.text import printable


def read_credentials(given: Mapping[str, object]) -> Settings:
    """Check what Dify stored. InvalidCredentialsError names the field; no text shows a secret."""
    if values.is_unset(given.get("base_url")):
        raise InvalidCredentialsError(
            "base_url is empty. Give the WebUI's address, "
            "for example http://host.docker.internal:7860."
        )
    where = parse_address(str(given["base_url"]))
    username = _text(given, "username") or where.username
    password = _text(given, "password") or where.password
    if ":" in username:
        raise InvalidCredentialsError("username: a name for HTTP Basic cannot contain a colon.")
    where = Address(where.url, username, password)
    return Settings(where, values.tidy(_text(given, "model")), _timeout(given), _verify_tls(given))


def _text(given: Mapping[str, object], name: str) -> str:
    value = given.get(name)
    text = "" if values.is_unset(value) else str(value)
    if any(0xD800 <= ord(letter) <= 0xDFFF for letter in text):
        raise InvalidCredentialsError(f"{name} holds half a character, which cannot be sent.")
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
            f"timeout: {value!r} is not a number of seconds from 1 to {LONGEST_TIMEOUT:.0f}."
        )
    return seconds


def _verify_tls(given: Mapping[str, object]) -> bool:
    value = given.get("verify_tls")
    if values.is_unset(value):
        return True
    try:
        return values.boolean(value)
    except ValueError:
        raise InvalidCredentialsError(f"verify_tls: {value!r} is neither true nor false.") from None


def secrets_of(credentials: Mapping[str, object]) -> Secrets:
    """Return what no message may show, also of credentials that cannot be used."""
    try:
        where = read_credentials(credentials).address
    except InvalidCredentialsError:
        where = None
    found = [(where.username, where.password)] if where else []
    return Secrets(*found, (_given(credentials, "username"), _given(credentials, "password")))


def _given(credentials: Mapping[str, object], name: str) -> str:
    return printable(str(credentials.get(name) or ""))
