"""Connections that end in time, and when they are told to, whatever the other side does.

A socket's own timeout is for one piece: a server that sends a byte now and then never meets it.
"""

import contextlib
import math
import socket
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError, Future, InvalidStateError
from functools import partial
from threading import Lock, Thread, Timer
from typing import Any
from weakref import WeakSet

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import allowed_gai_family

# A dead peer is noticed after about two minutes of silence, where TCP can tell.
_KEEPALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}


class Wires:
    """The connections of one session. `cut`, from any thread, ends them and those to come."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._connections: WeakSet[Connection] = WeakSet()
        self._are_cut = False

    def add(self, connection: "Connection") -> None:
        """Take on a connection that is being opened."""
        with self._lock:
            self._connections.add(connection)
            if self._are_cut:
                connection.cut()

    def cut(self) -> None:
        """End them: whoever waits on one sees it broken off at once."""
        with self._lock:
            self._are_cut = True
            for connection in self._connections:
                connection.cut()


class Connection(HTTPConnection):
    """Has its timeout for all of the connecting, and again for all of an answer's headers."""

    def __init__(self, wires: Wires, *arguments: Any, **options: Any) -> None:  # noqa: ANN401
        super().__init__(*arguments, **options)
        self._wires = wires
        self._wire: socket.socket | None = None
        self._name: Future[list[Any]] = Future()
        self.is_cut = False
        self.is_late = False

    def cut(self, *, late: bool = False) -> None:
        """End it, from any thread. late: because its time is over."""
        self.is_cut, self.is_late = True, late
        self._name.cancel()
        if self._wire is not None:
            # By a handle of its own: TLS would take its state away from under the reader.
            with (
                contextlib.suppress(OSError),
                socket.fromfd(self._wire.fileno(), self._wire.family, self._wire.type) as handle,
            ):
                handle.shutdown(socket.SHUT_RDWR)

    def connect(self) -> None:
        """As urllib3 does, with TLS and a proxy's answer, in time."""
        # A pool opens the same one again.
        self.is_cut = self.is_late = False
        self._name = Future()
        self._wires.add(self)
        self._refuse_cut()
        with self._in_time():
            try:
                super().connect()
            finally:
                handle, self._wire = self._wire, self.sock
                if handle is not None:
                    handle.close()

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override] # as urllib3's own
        """As urllib3 does, in time."""
        with self._in_time():
            return super().getresponse()

    def _new_conn(self) -> socket.socket:
        name, addresses = self._dns_host, self._addresses()
        try:
            # One by one, or urllib3 would ask for the name again.
            while True:
                self.host = addresses.pop(0)
                try:
                    opened = super()._new_conn()
                    break
                except (NewConnectionError, ConnectTimeoutError):
                    if not addresses or self.is_cut:
                        raise
        finally:
            self.host = name
        # TLS takes the socket itself away while it shakes hands.
        self._wire = opened.dup()
        return opened

    def _addresses(self) -> list[str]:
        """Wait for those of its name, at which nothing but a thread of its own can be left."""
        Thread(target=self._look_up, args=(self._name,), daemon=True).start()
        try:
            found = self._name.result()
        except CancelledError:
            # What is late tells more than that it is late.
            self.is_cut = not self.is_late
            late = socket.gaierror(socket.EAI_AGAIN, "No name server answered in time.")
            raise NameResolutionError(self.host, self, late) from late
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except (OSError, UnicodeError):
            found = []
        # Without any, urllib3 meets the same again and says what it is.
        return [_address(*where) for *_, where in found] or [self._dns_host]

    def _look_up(self, found: "Future[list[Any]]") -> None:
        kinds = allowed_gai_family(), socket.SOCK_STREAM
        with contextlib.suppress(InvalidStateError):
            try:
                found.set_result(socket.getaddrinfo(self._dns_host, self.port, *kinds))
            except (OSError, UnicodeError) as error:
                found.set_exception(error)

    @contextlib.contextmanager
    def _in_time(self) -> Iterator[None]:
        seconds = self.timeout if isinstance(self.timeout, int | float) else math.inf
        until = time.monotonic() + seconds
        with watched(self, until), contextlib.ExitStack() as ending:
            ending.push(self._tell_cut)
            yield

    def _tell_cut(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Say that it was cut, whatever that looks like: any error, or headers that seem whole."""
        if not isinstance(error, TimeoutError | urllib3.exceptions.TimeoutError):
            self._refuse_cut()

    def _refuse_cut(self) -> None:
        if self.is_cut:
            self.close()
            raise TimeoutError if self.is_late else ConnectionAbortedError


def _address(host: str, _port: int, _flow: int = 0, scope: int = 0) -> str:
    """Return a socket's address, of a link-local one with its link."""
    return f"{host}%{scope}" if scope else host


class SecureConnection(Connection, HTTPSConnection):
    """The same with TLS."""


_KINDS = {"http": Connection, "https": SecureConnection}


@contextlib.contextmanager
def watched(connection: object, until: float) -> Iterator[None]:
    """Cut a connection of this kind, if it is one, at a time.monotonic(), unless it is left."""
    if not isinstance(connection, Connection) or until == math.inf:
        yield
        return
    watch = Timer(max(until - time.monotonic(), 0.0), connection.cut, kwargs={"late": True})
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


class _Adapter(HTTPAdapter):
    """Opens connections that notice when the other side is gone, and can be cut."""

    def __init__(self, wires: Wires) -> None:
        super().__init__(max_retries=0)
        self._wires = wires

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401
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

    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,
        verify: bool | str | None,
        proxies: Mapping[str, str] | None = None,
        cert: Any = None,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Return the pool of the server or its proxy, which opens our kind of connections."""
        pool: Any = super().get_connection_with_tls_context(request, verify, proxies, cert)
        pool.ConnectionCls = partial(_KINDS[pool.scheme], self._wires)
        return pool


class Session(requests.Session):
    """A session that follows no redirects, nor reads their bodies, and whose `wires` can be cut.

    It takes nothing from the environment: neither a proxy nor a .netrc.
    """

    def __init__(self) -> None:
        super().__init__()
        self.wires = Wires()
        self.trust_env = False
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter(self.wires))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Know none: requests would read all of a redirect's body, however large, to follow it."""
