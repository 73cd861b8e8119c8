"""What servers said, kept a short while, fetched once however many calls ask at the same time."""

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from webui.errors import WebUITimeoutError
from webui.http.address import Address

_MOST_SERVERS = 64


class Shelf:
    """One server's answers by name, each kept as long as its fetcher says."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._answers: dict[str, tuple[float, float, object]] = {}
        self._late: dict[str, tuple[float, type[WebUITimeoutError], str]] = {}
        self._locks: dict[str, Lock] = {}

    def get[T](self, name: str, fetch: Callable[[], tuple[T, float]], *, afresh: bool = False) -> T:
        """Return the kept answer, or a new one from `fetch`, which gives it with its lifetime (s).

        afresh: an answer older than this call does not count; one that another call fetches
        meanwhile does. What `fetch` raises is raised and not kept; but those who waited for it
        are late with it, instead of waiting one after the other.
        """
        asked = self._clock()
        with self._locks.setdefault(name, Lock()):
            if name in self._answers:
                fetched, expires, answer = self._answers[name]
                if fetched > asked or (not afresh and self._clock() < expires):
                    return answer  # type: ignore[return-value] # a name always has one type
            failed, kind, text = self._late.get(name, (asked, WebUITimeoutError, ""))
            if failed > asked:
                raise kind(text)
            try:
                answer, lifetime = fetch()
            except WebUITimeoutError as error:
                self._late[name] = self._clock(), type(error), str(error)
                raise
            now = self._clock()
            self._answers[name] = (now, now + lifetime, answer)
            return answer

    def last(self, name: str) -> object:
        """Return the answer as it was last fetched, however old; None if it never was."""
        return self._answers[name][2] if name in self._answers else None


class Shelves:
    """A shelf for each server and login; the least recently used goes when there are many."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._shelves: OrderedDict[str, Shelf] = OrderedDict()

    def of_server(self, address: Address) -> Shelf:
        """Return the shelf of one server and login, of which only a digest is kept."""
        shelf = self._shelves.setdefault(address.identity, Shelf(self._clock))
        self._shelves.move_to_end(address.identity)
        while len(self._shelves) > _MOST_SERVERS:
            self._shelves.popitem(last=False)
        return shelf

    def clear(self) -> None:
        """Know no server."""
        self._shelves.clear()
