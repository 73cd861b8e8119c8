"""Bodies, errors, login and compression in the form that each family gives them."""

import base64
import binascii
import gzip
import json
from collections.abc import Callable, Mapping
from typing import Any

from flask import Request, Response
from werkzeug.exceptions import MethodNotAllowed

from devtools.standin_errors import CrashError, RefusalError
from devtools.standin_family import Family
from devtools.standin_queue import ClosingError
from devtools.standin_schema import InvalidRequestError

_PAGE = "<!DOCTYPE html><html><head><title>{}</title></head><body></body></html>"


def json_reply(value: object, status: int = 200) -> Response:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status, content_type="application/json")


def page(title: str) -> Response:
    return Response(_PAGE.format(title), content_type="text/html; charset=utf-8")


def json_or_none(request: Request) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.loads(request.get_data())
    except ValueError:
        return None


def logins_in(api_auth: str | None) -> dict[str, str]:
    """Passwords by user, from the form `user:pass,user2:pass2`."""
    return dict(login.split(":") for login in (api_auth or "").split(",") if login)


def check_login(request: Request, logins: Mapping[str, str], family: Family) -> None:
    """RefusalError unless the request carries one of the logins."""
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
        wrong = "Unauthorized" if family.name == "sdnext" else "Incorrect username or password"
        raise RefusalError(401, wrong)


def compress(request: Request, response: Response, family: Family) -> None:
    """Compress as much as the real servers do: long, at level 9, if the client takes it."""
    body = response.get_data()
    if family.compresses_from is None or len(body) < family.compresses_from:
        return
    if "gzip" not in request.headers.get("Accept-Encoding", ""):
        return
    response.set_data(gzip.compress(body, compresslevel=9))
    response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"


def error_handlers(family: Family) -> Mapping[type[Exception], Callable[[Any], Response]]:
    """What becomes of each exception on its way out."""

    def invalid(error: InvalidRequestError) -> Response:
        return json_reply({"detail": error.detail}, 422)

    def refused(error: RefusalError) -> Response:
        return _refusal(family, error)

    def crashed(error: CrashError) -> Response:
        return _crash(family, error)

    def closing(_error: ClosingError) -> Response:
        return Response(status=503)

    def not_allowed(_error: MethodNotAllowed) -> Response:
        if family.framework is None:
            return Response(status=404)
        return json_reply({"detail": "Method Not Allowed"}, 405)

    return {
        InvalidRequestError: invalid,
        RefusalError: refused,
        CrashError: crashed,
        ClosingError: closing,
        MethodNotAllowed: not_allowed,
    }


def _refusal(family: Family, error: RefusalError) -> Response:
    if family.framework is None:
        return json_reply({"error": error.detail}, error.status)
    if family.plain_refusals:
        response = json_reply({"detail": error.detail}, error.status)
        if error.status == 401:
            response.headers["WWW-Authenticate"] = "Basic"
        return response
    # Elsewhere the header that asks for a login is lost on the way.
    body: dict[str, Any] = {
        "error": "HTTPException",
        "detail": error.detail,
        "body": "",
        "errors": "",
    }
    if family.name == "sdnext":
        body |= {"code": error.status, "errors": f"{error.status}: {error.detail}"}
    return json_reply(body, error.status)


def _crash(family: Family, error: CrashError) -> Response:
    if family.framework is None:
        return json_reply({"error": error.name, "message": str(error)}, 500)
    body: dict[str, Any] = {
        "error": error.name,
        "detail": "",
        "body": "",
        family.crashes: str(error),
    }
    if family.name == "sdnext":
        body["code"] = 500
    return json_reply(body, 500)
