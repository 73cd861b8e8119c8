"""Bodies, errors, login and compression in the form that A1111's web framework gives them."""

import base64
import binascii
import gzip
import json
from collections.abc import Callable, Mapping
from typing import Any

from flask import Request, Response
from werkzeug.exceptions import MethodNotAllowed

from devtools.standin_fields import InvalidRequestError, read_json
from devtools.standin_queue import ClosingError
from devtools.standin_state import CrashError, RefusalError

_GZIP_FROM = 1000
_PAGE = "<!DOCTYPE html><html><head><title>{}</title></head><body></body></html>"


def json_reply(value: object, status: int = 200) -> Response:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status, content_type="application/json")


def page(title: str) -> Response:
    return Response(_PAGE.format(title), content_type="text/html; charset=utf-8")


def body_of(request: Request) -> Any:  # noqa: ANN401 - any JSON value
    return read_json(request.get_data(), request.headers.get("Content-Type", ""))


def json_or_none(request: Request) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.loads(request.get_data())
    except ValueError:
        return None


def logins_in(api_auth: str | None) -> dict[str, str]:
    """Passwords by user, from the form `user:pass,user2:pass2`."""
    return dict(login.split(":") for login in (api_auth or "").split(",") if login)


def check_login(request: Request, logins: Mapping[str, str]) -> None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        raise RefusalError(401, "Not authenticated")
    try:
        name, colon, password = base64.b64decode(token).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        colon = ""
    if not colon:
        raise RefusalError(401, "Invalid authentication credentials")
    if logins.get(name) != password:
        raise RefusalError(401, "Incorrect username or password")


def compress(request: Request, response: Response) -> None:
    """Compress as much as the real servers do: long, at level 9, if the client takes it."""
    body = response.get_data()
    if len(body) < _GZIP_FROM or "gzip" not in request.headers.get("Accept-Encoding", ""):
        return
    response.set_data(gzip.compress(body, compresslevel=9))
    response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"


def _invalid(error: InvalidRequestError) -> Response:
    return json_reply({"detail": error.detail}, 422)


def _refused(error: RefusalError) -> Response:
    # The header that asks for a login is lost on the way, as it is on the real server.
    body = {"error": "HTTPException", "detail": error.detail, "body": "", "errors": ""}
    return json_reply(body, error.status)


def _crashed(error: CrashError) -> Response:
    body = {"error": error.name, "detail": "", "body": "", "errors": str(error)}
    return json_reply(body, 500)


def _closing(_error: ClosingError) -> Response:
    return Response(status=503)


def _not_allowed(_error: MethodNotAllowed) -> Response:
    return json_reply({"detail": "Method Not Allowed"}, 405)


ERRORS: Mapping[type[Exception], Callable[[Any], Response]] = {
    InvalidRequestError: _invalid,
    RefusalError: _refused,
    CrashError: _crashed,
    ClosingError: _closing,
    MethodNotAllowed: _not_allowed,
}
