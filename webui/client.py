"""One WebUI server: the only door to the network."""

import os
import socket
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import requests
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth

from webui import diagnosis, words
from webui.address import Address
from webui.credentials import Credentials
from webui.errors import WebUIConnectionError, WebUIResponseError

CONNECT_TIMEOUT = 10.0
LOOKUP_TIMEOUT = 30.0
LOOKUP_PATIENCE = 5.0

Json = Any

# A dead peer is noticed after about two minutes of silence, where TCP can tell.
_KEEPALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}


class _Adapter(HTTPAdapter):
    """Opens connections that notice when the other side is gone."""

    def init_poolmanager(self, *arguments: Json, **options: Json) -> None:
        # urllib3's own option, which giving any would take away, and ours.
        sockets = [
            (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
            (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        ]
        sockets += [
            (socket.IPPROTO_TCP, getattr(socket, name), value)
            for name, value in _KEEPALIVE.items()
            if hasattr(socket, name)  # Not every system has them all.
        ]
        super().init_poolmanager(*arguments, socket_options=sockets, **options)


class WebUIClient:
    """Talks to one server; methods are named after endpoints and raise WebUIError.

    Nothing is retried: a POST that is sent twice draws twice. Redirects are not followed, for the
    same reason. Making a client opens no connection.
    """

    def __init__(self, credentials: Credentials) -> None:
        self.address: Address = credentials.address
        self._session = requests.Session()
        # The environment may hold a proxy and a .netrc that have no business between Dify and the
        # user's own machine; what is wanted of it is taken by hand.
        self._session.trust_env = False
        if not self.address.is_local:
            self._session.proxies = dict(requests.utils.get_environ_proxies(str(self.address)))
        self._session.verify = credentials.verify_tls and (
            os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
        )
        if self.address.username or self.address.password:
            self._session.auth = HTTPBasicAuth(
                self.address.username.encode(), self.address.password.encode()
            )
        # These servers gzip base64 at the highest level: seconds of their CPU for nothing.
        self._session.headers.update(
            {"User-Agent": "dify-stable-diffusion-webui", "Accept-Encoding": "identity"}
        )
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _Adapter(max_retries=0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close idle connections."""
        self._session.close()

    def options(self) -> dict[str, Json]:
        """`GET /options`: the server-wide settings; WebUIResponseError unless a WebUI's."""
        response = self._exchange("GET", "sdapi/v1/options")
        found = self._json(response)
        if not isinstance(found, dict) or not {"sd_model_checkpoint", "samples_format"} & set(
            found
        ):
            raise diagnosis.not_a_webui(response, self.address)
        return found

    def sd_models(self) -> list[dict[str, Json]]:
        """`GET /sd-models`: {title, model_name, hash, sha256, filename, config} each."""
        return self._list("sdapi/v1/sd-models")

    def lookup(
        self,
        path: str,
        request: Mapping[str, Json] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Json:
        """What an endpoint says that a call can do without: parsed JSON, or None.

        GET, or POST of `request`. None for any failure but a server that cannot be reached at all,
        which raises; a server that hangs costs LOOKUP_PATIENCE seconds.
        """
        method = "GET" if request is None else "POST"
        try:
            response = self._send(method, path, request, timeout=LOOKUP_PATIENCE, query=query)
            with response:
                self._read(response)
                return words.parsed(response) if _is_success(response) else None
        except WebUIConnectionError as error:
            if diagnosis.never_connected(error):
                raise
            return None
        except (WebUIResponseError, ValueError):
            return None

    def generate(
        self, path: str, request: Mapping[str, Json], *, timeout: float
    ) -> requests.Response:
        """Post a job, for example to "sdapi/v1/txt2img", and return the open reply.

        timeout: seconds until the first byte of the reply, which comes when all is drawn. The
        caller reads the body and closes the response.
        """
        return self._exchange("POST", path, request, timeout=timeout)

    def _list(self, path: str) -> list[dict[str, Json]]:
        response = self._exchange("GET", path)
        found = self._json(response)
        if not isinstance(found, list):
            raise diagnosis.not_a_webui(response, self.address)
        return [entry for entry in found if isinstance(entry, dict)]

    def _json(self, response: requests.Response) -> Json:
        try:
            return words.parsed(response)
        except ValueError:
            raise diagnosis.not_a_webui(response, self.address) from None

    def _exchange(
        self,
        method: str,
        path: str,
        request: Mapping[str, Json] | None = None,
        *,
        timeout: float | None = None,
    ) -> requests.Response:
        response = self._send(method, path, request, timeout=timeout or LOOKUP_TIMEOUT)
        if not _is_success(response):
            with response:
                self._read(response)
                raise diagnosis.of_status(response, self.address)
        if request is None:
            with response:
                self._read(response)
        return response

    def _send(
        self,
        method: str,
        path: str,
        request: Mapping[str, Json] | None = None,
        *,
        timeout: float,
        query: Mapping[str, str] | None = None,
    ) -> requests.Response:
        url = str(self.address.endpoint(path).with_query(query))
        try:
            return self._session.request(
                method,
                url,
                json=request,
                timeout=(min(CONNECT_TIMEOUT, timeout), timeout),
                allow_redirects=False,
                stream=True,
            )
        except diagnosis.Broken as error:
            raise diagnosis.of_exception(error, self.address) from error

    def _read(self, response: requests.Response) -> None:
        """Load the body; the connection can break off in it too."""
        try:
            response.content  # noqa: B018 - reading it is the effect
        except diagnosis.Broken as error:
            raise diagnosis.of_exception(error, self.address) from error


def _is_success(response: requests.Response) -> bool:
    return 200 <= response.status_code < 300
