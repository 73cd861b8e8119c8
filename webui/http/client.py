"""One WebUI server: the only door to its network, a method for each endpoint."""

import contextlib
import math
import os
import time
from collections.abc import Collection, Mapping
from typing import Self

import requests
import urllib3
from requests.auth import HTTPBasicAuth

from webui.errors import (
    WebUIConnectionError,
    WebUIError,
    WebUILateError,
    WebUIResponseError,
    WebUITimeoutError,
)
from webui.http import body, diagnosis, headers, stream, wires
from webui.http.endpoints import REFRESHED_BY, Endpoint
from webui.http.reply import Reply
from webui.http.rows import read_rows
from webui.http.settings import Settings
from webui.pictures.picture import Picture
from webui.text import printable, shortened
from webui.values import Json

CONNECT_TIMEOUT = 10.0
LOOKUP_TIMEOUT = 30.0
LOOKUP_PATIENCE = 5.0

# Bytes of a look-up, unpacked. Schemas and lists of a thousand models have two million, and
# Python's objects of hostile JSON are thirty times its size.
LARGEST_LOOKUP = 16 << 20
# Of a list that is read as it comes, of which little is held.
LARGEST_LIST = 1 << 30
# Of what goes with an error's status, which is quoted in a few hundred characters.
LARGEST_ERROR = 1 << 20

_OF_A_LORA = {"name", "alias", "path"}

# As examples/pool has it, and what any proxy may send.
_TELL_WHO_ANSWERS = ("X-Server", "Via")
_LONGEST_NAME = 80

_WITHOUT_PICTURE = {"skip_current_image": "true"}


class WebUIClient:
    """Talks to one server; methods are named after endpoints.

    Those that a call stands or falls with raise WebUIError. The others say what a call can do
    without: parsed JSON, or None for any failure but a server that cannot be reached at all, which
    raises WebUIConnectionError; a server that hangs or drips costs them LOOKUP_PATIENCE seconds in
    all. Lists and the schema tell the two apart: None is not offered, WebUILateError not in time.

    Nothing is retried here: a POST that is sent twice draws twice. Redirects are not followed, for
    the same reason. Making a client opens no connection.

    until: the time.monotonic() after which nothing but a job is waited for. task_id: the job that
    all is about, if any, named to a balancer, which so finds the server that has it. answered_by:
    the names of those that answered so far, where a balancer tells.
    """

    def __init__(self, settings: Settings, *, until: float = math.inf, task_id: str = "") -> None:
        self.address = settings.address
        self.forgives = False
        self.answered_by: list[str] = []
        self._until = until
        # The environment may hold a proxy and a .netrc that have no business between the plugin
        # and the user's own machine; what is wanted of it is taken by hand.
        self._session = wires.Session()
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
        self._session.headers.update(self.address.headers)
        if task_id:
            self.turn_to(task_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def turn_to(self, task_id: str) -> None:
        """Be from now on about this job."""
        self._session.headers[headers.TASK_ID] = headers.of_task(task_id)

    def close(self) -> None:
        """Close idle connections."""
        self._session.close()

    def abort(self) -> None:
        """End what is being read, by any thread, with a WebUIConnectionError; and what follows."""
        self._session.wires.cut()

    # What a call stands or falls with.

    def options(self) -> dict[str, Json]:
        """`GET /options`: the server-wide settings; WebUIResponseError unless a WebUI's."""
        response = self._ask("GET", Endpoint.OPTIONS)
        found = self._json(response)
        known = isinstance(found, dict) and {"sd_model_checkpoint", "samples_format"} & set(found)
        # A fresh SD.Next lists only the options that were ever set.
        if not known and not (isinstance(found, dict) and self._says_its_version()):
            raise diagnosis.not_a_webui(response, self.address)
        return dict(found)

    def sd_models(self) -> list[dict[str, Json]]:
        """`GET /sd-models`: {title, model_name, hash, sha256, filename, config} each."""
        response = self._ask("GET", Endpoint.SD_MODELS)
        found = self._json(response)
        if not isinstance(found, list):
            raise diagnosis.not_a_webui(response, self.address)
        return [entry for entry in found if isinstance(entry, dict)]

    def png_info(self, picture: Picture) -> dict[str, Json]:
        """`POST /png-info`: {info, items, …}, where `info` is a text, perhaps empty."""
        response = self._ask("POST", Endpoint.PNG_INFO, {"image": picture.base64()})
        answer = self._json(response)
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
        patience = (min(CONNECT_TIMEOUT, timeout), timeout)
        response = self._send("POST", endpoint, request, patience=patience)
        if not _is_success(response):
            raise self._refusal(response, time.monotonic() + LOOKUP_TIMEOUT)
        return Reply(response, self.address, largest, endpoint.says)

    # What a call can do without.

    def schema(self) -> Json:
        """`GET /openapi.json`."""
        return self._look_up("GET", Endpoint.SCHEMA, tells_late=True)

    def answers(self, endpoint: Endpoint) -> bool:
        """Tell whether `GET` of an endpoint that one family alone has gives JSON."""
        return self._look_up("GET", endpoint) is not None

    def lacks(self, endpoint: Endpoint) -> bool:
        """Tell whether there is no such path: of one that takes POST alone, `GET` is a 405."""
        until = min(time.monotonic() + LOOKUP_PATIENCE, self._until)
        with (
            contextlib.suppress(WebUIConnectionError),
            self._send_in_time("GET", endpoint, None, until) as response,
        ):
            return bool(response.status_code == requests.codes.not_found)
        return False

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
        """`GET` a list of objects, such as SAMPLERS; of LoRAs what they are called."""
        wanted = _OF_A_LORA if listing is Endpoint.LORAS else ()
        return self._look_up("GET", listing, tells_late=True, wanted=wanted)

    def controlnet(self, listing: Endpoint, *, aliases: bool = False) -> Json:
        """`GET` {model_list}, {module_list} or {control_types}, or SD.Next's lists of the kind.

        aliases: modules by the page's own names.
        """
        query = {"alias_names": "true"} if aliases else None
        return self._look_up("GET", listing, query=query, tells_late=True)

    def adetailer_models(self) -> Json:
        """`GET /adetailer/v1/ad_model`, which the extension has: {ad_model}, names of files."""
        return self._look_up("GET", Endpoint.ADETAILER_MODELS, tells_late=True)

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
        wanted: Collection[str] = (),
    ) -> Json:
        until = min(time.monotonic() + LOOKUP_PATIENCE, self._until)
        try:
            with self._send_in_time(method, endpoint, request, until, query) as response:
                if not _is_success(response):
                    return None
                if wanted:
                    pieces = stream.told_pieces(
                        response, self.address, most=LARGEST_LIST, until=until
                    )
                    return read_rows(pieces, wanted)
                self._load(response, until)
                return body.parsed(response)
        except WebUIConnectionError as error:
            if diagnosis.never_connected(error) and not self.forgives:
                raise
            if tells_late and (self.forgives or isinstance(error, WebUITimeoutError)):
                raise WebUILateError(str(error)) from error
            return None
        except (WebUIResponseError, ValueError):
            return None

    def _ask(
        self, method: str, endpoint: Endpoint, request: Mapping[str, Json] | None = None
    ) -> requests.Response:
        """Return a loaded answer of 2xx; anything else is a WebUIError."""
        until = min(time.monotonic() + LOOKUP_TIMEOUT, self._until)
        with self._send_in_time(method, endpoint, request, until) as response:
            if not _is_success(response):
                raise self._refusal(response, until)
            self._load(response, until)
            return response

    def _json(self, response: requests.Response) -> Json:
        try:
            return body.parsed(response)
        except ValueError:
            raise diagnosis.not_a_webui(response, self.address) from None

    def _refusal(self, response: requests.Response, until: float) -> WebUIError:
        """Return what a status other than 2xx means, with as much of its body as there is."""
        with response:
            said = bytearray()
            with contextlib.suppress(WebUIError):
                for piece in stream.told_pieces(
                    response, self.address, most=LARGEST_ERROR, until=until
                ):
                    said += piece
            stream.hold(response, bytes(said))
        return diagnosis.diagnose_status(response, self.address)

    def _load(self, response: requests.Response, until: float) -> None:
        """Read the body; the connection can break off in it too."""
        pieces = stream.told_pieces(response, self.address, most=LARGEST_LOOKUP, until=until)
        stream.hold(response, b"".join(pieces))

    def _send_in_time(
        self,
        method: str,
        endpoint: Endpoint,
        request: Mapping[str, Json] | None,
        until: float,
        query: Mapping[str, str] | None = None,
    ) -> requests.Response:
        seconds = until - time.monotonic()
        if seconds <= 0:
            raise WebUITimeoutError(f"There was no time left to ask {self.address}.")
        patience = urllib3.Timeout(connect=min(CONNECT_TIMEOUT, seconds), total=seconds)
        return self._send(method, endpoint, request, query, patience=patience)

    def _send(
        self,
        method: str,
        endpoint: Endpoint,
        request: Mapping[str, Json] | None,
        query: Mapping[str, str] | None = None,
        *,
        patience: urllib3.Timeout | tuple[float, float],
    ) -> requests.Response:
        url = str(self.address.endpoint(endpoint).with_query(query))
        try:
            response = self._session.request(
                method,
                url,
                json=request,
                timeout=patience,  # type: ignore[arg-type] # requests takes urllib3's own, too
                allow_redirects=False,
                stream=True,
            )
        except diagnosis.Broken as error:
            raise diagnosis.diagnose_exception(error, self.address) from error
        told = next(filter(None, map(response.headers.get, _TELL_WHO_ANSWERS)), "")
        name = shortened(printable(told), _LONGEST_NAME)
        if name and name not in self.answered_by:
            self.answered_by.append(name)
        return response


def _is_success(response: requests.Response) -> bool:
    return 200 <= response.status_code < 300
