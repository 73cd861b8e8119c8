"""One WebUI server: the only door to its network, a method for each endpoint."""

import os
import socket
from collections.abc import Mapping
from typing import Self

import requests
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth

from webui.errors import (
    WebUIConnectionError,
    WebUILateError,
    WebUIResponseError,
    WebUITimeoutError,
)
from webui.http import body, diagnosis
from webui.http.endpoints import REFRESHED_BY, Endpoint
from webui.http.reply import Reply
from webui.http.settings import Settings
from webui.pictures.picture import Picture
from webui.values import Json

CONNECT_TIMEOUT = 10.0
LOOKUP_TIMEOUT = 30.0
LOOKUP_PATIENCE = 5.0

# A dead peer is noticed after about two minutes of silence, where TCP can tell.
_KEEPALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}
_WITHOUT_PICTURE = {"skip_current_image": "true"}


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
    """Talks to one server; methods are named after endpoints.

    Those that a call stands or falls with raise WebUIError. The others say what a call can do
    without: parsed JSON, or None for any failure but a server that cannot be reached at all, which
    raises WebUIConnectionError; a server that hangs costs them LOOKUP_PATIENCE seconds. Lists and
    the schema tell the two apart: None is not offered, WebUILateError not in time.

    Nothing is retried here: a POST that is sent twice draws twice. Redirects are not followed, for
    the same reason. Making a client opens no connection.
    """

    def __init__(self, settings: Settings) -> None:
        self.address = settings.address
        self._session = requests.Session()
        # The environment may hold a proxy and a .netrc that have no business between the plugin
        # and the user's own machine; what is wanted of it is taken by hand.
        self._session.trust_env = False
        if not self.address.is_local:
            self._session.proxies = dict(requests.utils.get_environ_proxies(str(self.address)))
        self._session.verify = settings.verify_tls and (
            os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
        )
        if self.address.username or self.address.password:
            self._session.auth = HTTPBasicAuth(
                self.address.username.encode(), self.address.password.encode()
            )
        # These servers gzip base64 at the highest level: seconds of their CPU for nothing.
        self._session.headers.update(
            {"User-Agent": "ai-illustration-stable-diffusion-webui", "Accept-Encoding": "identity"}
        )
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _Adapter(max_retries=0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close idle connections."""
        self._session.close()

    # What a call stands or falls with.

    def options(self) -> dict[str, Json]:
        """`GET /options`: the server-wide settings; WebUIResponseError unless a WebUI's."""
        response = self._exchange("GET", Endpoint.OPTIONS)
        found = self._json(response)
        known = isinstance(found, dict) and {"sd_model_checkpoint", "samples_format"} & set(found)
        # A fresh SD.Next lists only the options that were ever set.
        if not known and not (isinstance(found, dict) and self._says_its_version()):
            raise diagnosis.not_a_webui(response, self.address)
        return dict(found)

    def sd_models(self) -> list[dict[str, Json]]:
        """`GET /sd-models`: {title, model_name, hash, sha256, filename, config} each."""
        response = self._exchange("GET", Endpoint.SD_MODELS)
        found = self._json(response)
        if not isinstance(found, list):
            raise diagnosis.not_a_webui(response, self.address)
        return [entry for entry in found if isinstance(entry, dict)]

    def png_info(self, picture: Picture) -> dict[str, Json]:
        """`POST /png-info`: {info, items, …}, where `info` is a text, perhaps empty."""
        request = {"image": picture.base64()}
        with self._exchange("POST", Endpoint.PNG_INFO, request) as response:
            self._read(response)
            try:
                answer = body.parsed(response)
            except ValueError:
                answer = None
            if not isinstance(answer, dict) or not isinstance(answer.get("info"), str):
                raise diagnosis.not_a_webui(response, self.address)
            return answer

    def generate(
        self, endpoint: Endpoint, request: Mapping[str, Json], *, timeout: float, largest: int
    ) -> Reply:
        """Post a job and return the open reply, for the caller to read and close.

        timeout: seconds until the first byte of the reply, which comes when all is drawn.
        largest: bytes above which a picture is not decoded.
        """
        response = self._exchange("POST", endpoint, request, timeout=timeout)
        return Reply(response, self.address, largest)

    # What a call can do without.

    def schema(self) -> Json:
        """`GET /openapi.json`."""
        return self._look_up("GET", Endpoint.SCHEMA, tells_late=True)

    def answers(self, endpoint: Endpoint) -> bool:
        """Tell whether `GET` of an endpoint that one family alone has gives JSON."""
        return self._look_up("GET", endpoint) is not None

    def version(self) -> Json:
        """`GET /version`, which SD.Next alone has: {updated, commit, …}."""
        return self._look_up("GET", Endpoint.VERSION)

    def options_info(self) -> Json:
        """`GET /options-info`, which SD.Next alone has: {options: {name: {type, default, …}}}."""
        return self._look_up("GET", Endpoint.OPTIONS_INFO)

    def checkpoint(self) -> Json:
        """`GET /checkpoint`, which SD.Next alone has: {title, …} of the loaded model."""
        return self._look_up("GET", Endpoint.CHECKPOINT)

    def option_values(self) -> Json:
        """`GET /options`, where a call can do without."""
        return self._look_up("GET", Endpoint.OPTIONS, tells_late=True)

    def entries(self, listing: Endpoint) -> Json:
        """`GET` a list of objects, such as SAMPLERS."""
        return self._look_up("GET", listing, tells_late=True)

    def controlnet(self, listing: Endpoint, *, aliases: bool = False) -> Json:
        """`GET` {model_list} or {module_list}: names, or the page's own names for them."""
        return self._look_up("GET", listing, query={"alias_names": "true"} if aliases else None)

    def refresh(self, listing: Endpoint) -> Json:
        """Have the server look at the folder behind a list again: a key of REFRESHED_BY."""
        return self._look_up("POST", REFRESHED_BY[listing], {})

    def scripts(self) -> Json:
        """`GET /scripts`: {txt2img, img2img}, lists of names in lower case."""
        return self._look_up("GET", Endpoint.SCRIPTS, tells_late=True)

    def embeddings(self) -> Json:
        """`GET /embeddings`: {loaded, skipped}."""
        return self._look_up("GET", Endpoint.EMBEDDINGS)

    def memory(self) -> Json:
        """`GET /memory`: {ram, cuda}, in bytes."""
        return self._look_up("GET", Endpoint.MEMORY)

    def pending_tasks(self) -> Json:
        """`GET /internal/pending-tasks`: {size, tasks}."""
        return self._look_up("GET", Endpoint.PENDING_TASKS)

    def progress(self) -> Json:
        """`GET /progress`: {progress, eta_relative, state} of the one job that runs."""
        return self._look_up("GET", Endpoint.PROGRESS, query=_WITHOUT_PICTURE)

    def task_progress(self, task_id: str) -> Json:
        """`POST /internal/progress`: {active, queued, completed, progress, eta, textinfo}."""
        request = {"id_task": task_id, "live_preview": False}
        return self._look_up("POST", Endpoint.TASK_PROGRESS, request)

    def interrupt(self) -> Json:
        """`POST /interrupt`: end the job that runs, whosever it is."""
        return self._look_up("POST", Endpoint.INTERRUPT, {})

    def _says_its_version(self) -> bool:
        version = self.version()
        return isinstance(version, dict) and "app" in version

    def _look_up(
        self,
        method: str,
        endpoint: Endpoint,
        request: Mapping[str, Json] | None = None,
        query: Mapping[str, str] | None = None,
        *,
        tells_late: bool = False,
    ) -> Json:
        try:
            response = self._send(method, endpoint, request, timeout=LOOKUP_PATIENCE, query=query)
            with response:
                self._read(response)
                return body.parsed(response) if _is_success(response) else None
        except WebUIConnectionError as error:
            if diagnosis.never_connected(error):
                raise
            if tells_late and isinstance(error, WebUITimeoutError):
                raise WebUILateError(str(error)) from error
            return None
        except (WebUIResponseError, ValueError):
            return None

    def _json(self, response: requests.Response) -> Json:
        try:
            return body.parsed(response)
        except ValueError:
            raise diagnosis.not_a_webui(response, self.address) from None

    def _exchange(
        self,
        method: str,
        endpoint: Endpoint,
        request: Mapping[str, Json] | None = None,
        *,
        timeout: float | None = None,
    ) -> requests.Response:
        response = self._send(method, endpoint, request, timeout=timeout or LOOKUP_TIMEOUT)
        if not _is_success(response):
            with response:
                self._read(response)
                raise diagnosis.diagnose_status(response, self.address)
        if request is None:
            with response:
                self._read(response)
        return response

    def _send(
        self,
        method: str,
        endpoint: Endpoint,
        request: Mapping[str, Json] | None = None,
        *,
        timeout: float,
        query: Mapping[str, str] | None = None,
    ) -> requests.Response:
        url = str(self.address.endpoint(endpoint).with_query(query))
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
            raise diagnosis.diagnose_exception(error, self.address) from error

    def _read(self, response: requests.Response) -> None:
        """Load the body; the connection can break off in it too."""
        try:
            response.content  # noqa: B018 - reading it is the effect
        except diagnosis.Broken as error:
            raise diagnosis.diagnose_exception(error, self.address) from error


def _is_success(response: requests.Response) -> bool:
    return 200 <= response.status_code < 300
