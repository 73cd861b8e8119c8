"""The door through which everything leaves for Dify: masked, printable, and of a size it bears."""

import json
import math
import posixpath
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring

from dify.credentials import secrets_of
from webui.errors import InvalidCredentialsError
from webui.http.address import parse_address
from webui.report import Report
from webui.text import printable, shortened, without_markup
from webui.values import Fields, Json

# Of a message as JSON. The plugin daemon ends the process, with everybody's calls, at a line over
# 5 MiB, and Dify keeps each in its database.
MOST_BYTES = 1 << 20
# Of what people read.
LONGEST_WORDS = 20_000

_LONGEST_KEY = 200
_LONGEST_NAME = 200
_DEEPEST = 100
_BRIEF = 3
_LARGEST_NUMBER = 10**40
_MOST_PLACES = 8
# Bytes that a text or a list keeps before whole items are left out; an object keeps its keys.
_FEWEST, _FEWEST_OF_OBJECT = 60, 1000
# Hosts in our own words, beside the server's.
_OUR_HOSTS = ("host.docker.internal", "api", "localhost", "127.0.0.1")
_WARNINGS = "warnings"
_CONTAINERS = (list, dict)


@dataclass(frozen=True)
class Outgoing:
    """A report as it may leave."""

    json: Fields | None
    text: str
    variables: Fields


class Door:
    """The way out of one call, which knows what must not be shown."""

    def __init__(self, credentials: Mapping[str, object]) -> None:
        self._secrets = secrets_of(credentials)
        self._hosts = [*_OUR_HOSTS, *_own_host(credentials)]

    def words(self, text: str) -> str:
        """Return what people read: nothing to click, and no more than they would."""
        text = without_markup(printable(self._secrets.mask(text)), self._hosts)
        if len(text) <= LONGEST_WORDS:
            return text
        line_ends = text.rfind("\n", LONGEST_WORDS // 2, LONGEST_WORDS)
        kept = text[: line_ends if line_ends > 0 else LONGEST_WORDS]
        return f"{kept}\n\n… (cut: the first {len(kept)} of {len(text)} characters)"

    def file_name(self, name: str) -> str:
        """Return a name for a file in one folder, its ending whole."""
        # Not by pathlib, which keeps each part of a path for as long as the process lives.
        last = printable(self._secrets.mask(name)).replace("\n", " ").rstrip("/").rpartition("/")[2]
        stem, ending = posixpath.splitext(last)
        ending = ending[:_LONGEST_NAME]
        return stem[: _LONGEST_NAME - len(ending)] + ending

    def report(self, report: Report) -> Outgoing:
        """Return all that a report says, each message cut where it is too large, which it says."""
        cut: list[str] = []
        told, text, variables = report.json(), report.text(), report.variables()
        found = None if told is None else self._data(told, "", cut)
        outputs = {name: self._data(value, name, cut) for name, value in variables.items()}
        if cut:
            sentence = self.words(_what_was_cut(cut))
            text = f"Warning: {sentence}\n\n{text}"
            for place in (found, outputs if _WARNINGS in outputs else None):
                if place is not None:
                    place[_WARNINGS] = [*place.get(_WARNINGS, []), sentence]
        return Outgoing(found, self.words(text), outputs)

    def _data(self, value: Json, name: str, cut: list[str]) -> Json:
        """Return what programs read: to the letter, but for what cannot be sent."""
        cleaned = self._cleaned(value, name)
        if _bytes_of(cleaned) <= MOST_BYTES:
            return cleaned
        fitting = _Fitting(cleaned)
        fitted = fitting.fit(cleaned, MOST_BYTES, name)
        cut += fitting.cut
        return fitted

    def _cleaned(self, value: Json, name: str, level: int = 0) -> Json:
        if level < _BRIEF:
            # Others' calls go on meanwhile.
            time.sleep(0)
        match value:
            case None | bool():
                return value
            case int():
                return value if abs(value) < _LARGEST_NUMBER else "…"
            case float():
                return value if math.isfinite(value) else None
            case str() if name == _WARNINGS:
                return self.words(value)
            case str():
                return printable(self._secrets.mask(value))
            case Mapping() | list() | tuple() if level >= _DEEPEST:
                return "…"
            case Mapping():
                return {
                    self._key(key): self._cleaned(item, str(key), level + 1)
                    for key, item in value.items()
                }
            case list() | tuple():
                return [self._cleaned(item, name, level + 1) for item in value]
            case _:
                return printable(self._secrets.mask(str(value)))

    def _key(self, key: object) -> str:
        return shortened(printable(self._secrets.mask(str(key))), _LONGEST_KEY)


class _Fitting:
    """JSON data cut to a size: the largest give most, so that all the others stay whole.

    cut: the places, such as "images[].infotext".
    """

    def __init__(self, whole: Json) -> None:
        self.cut: list[str] = []
        # Of each list and object, which stands in the whole just once: bytes, and the fewest.
        self._sizes: dict[int, tuple[int, int]] = {}
        self._measure(whole)

    def fit(self, value: Json, most: int, place: str) -> Json:
        """Return the value in at most so many bytes of JSON, as far as numbers let it."""
        if self._size(value)[0] <= most:
            return value
        match value:
            case str():
                self._note(place)
                return _shortened_to(value, most)
            case list():
                shares = self._shares([1] * len(value), value, most, place)
                inside = f"{place}[]"
                return [
                    self.fit(item, share, inside)
                    for item, share in zip(value, shares, strict=False)
                ]
            case dict():
                beside = [_bytes_of(key) + 2 for key in value]
                shares = self._shares(beside, value.values(), most, place)
                before = f"{place}." if place else ""
                return {
                    key: self.fit(item, share, before + key)
                    for (key, item), share in zip(value.items(), shares, strict=False)
                }
        return value

    def _shares(
        self, beside: Sequence[int], items: Collection[Json], most: int, place: str
    ) -> list[int]:
        """Return how many bytes each may have; for the last ones there may be no room.

        beside: what each takes beside itself.
        """
        left = most - 2
        wishes: list[tuple[int, int]] = []
        for more, item in zip(beside, items, strict=True):
            size, fewest = self._size(item)
            left -= more + fewest
            if left < 0:
                self._note(f"{place} ({len(wishes)} of {len(items)})")
                left += more + fewest
                break
            wishes.append((size, fewest))
        fair = _fair([size - fewest for size, fewest in wishes], left)
        return [fewest + fair for _, fewest in wishes]

    def _note(self, place: str) -> None:
        if not self.cut or place != self.cut[-1]:
            self.cut.append(place)

    def _size(self, value: Json) -> tuple[int, int]:
        if isinstance(value, _CONTAINERS):
            return self._sizes[id(value)]
        size = _bytes_of(value)
        return size, min(size, _FEWEST) if isinstance(value, str) else size

    def _measure(self, value: Json) -> tuple[int, int]:
        if not isinstance(value, _CONTAINERS):
            return self._size(value)
        if isinstance(value, list):
            size = 2 + sum(1 + self._measure(item)[0] for item in value)
            fewest = min(size, _FEWEST)
        else:
            inside = [(_bytes_of(key) + 2, *self._measure(item)) for key, item in value.items()]
            size = 2 + sum(key + item for key, item, _ in inside)
            fewest = min(_FEWEST_OF_OBJECT, 2 + sum(key + item for key, _, item in inside))
        self._sizes[id(value)] = size, fewest
        return size, fewest


def _fair(wishes: list[int], room: int) -> int:
    """Return the most that each may have so that all find room; small wishes are fulfilled."""
    for place, wish in enumerate(sorted(wishes)):
        most = room // (len(wishes) - place)
        if wish > most:
            return most
        room -= wish
    return max(wishes, default=0)


def _shortened_to(text: str, most: int) -> str:
    """Return the beginning of a text in so many bytes of JSON, with how long it was."""
    ending = f"… ({len(text)} characters)"
    room = max(most - _bytes_of(ending), 0)
    kept = text.encode()[:room].decode(errors="ignore")
    while _bytes_of(kept) - 2 > room:
        # What must be escaped takes twice the room.
        kept = kept[: len(kept) // 2]
    return kept + ending


def _bytes_of(value: Json) -> int:
    """Return the size as the SDK writes it: compact, and not escaped to ASCII."""
    if isinstance(value, str):
        return len(encode_basestring(value).encode())
    if not isinstance(value, _CONTAINERS):
        # Which takes as many letters as in JSON.
        return len(repr(value))
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _what_was_cut(cut: list[str]) -> str:
    places = list(dict.fromkeys(cut))
    more = f" and {len(places) - _MOST_PLACES} more" if len(places) > _MOST_PLACES else ""
    listed = ", ".join(shortened(place, _LONGEST_KEY) for place in places[:_MOST_PLACES])
    return f"The report is too large for Dify and was cut: {listed}{more}."


def _own_host(credentials: Mapping[str, object]) -> list[str]:
    try:
        return [parse_address(str(credentials.get("base_url"))).host]
    except InvalidCredentialsError:
        return []
