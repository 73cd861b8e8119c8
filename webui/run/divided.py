"""One drawing as several jobs side by side, which looks like one job to whoever waits for it."""

import time
from collections.abc import Iterator, Sequence
from threading import Thread

from webui.call import Call
from webui.errors import WebUITimeoutError
from webui.http.account import Account
from webui.http.endpoints import Endpoint
from webui.pictures.picture import Picture
from webui.request.division import Part
from webui.run.job import Job
from webui.run.progress import Looking, Progress
from webui.values import Fields

# What an account has for each picture.
_OF_EACH = ("all_prompts", "all_negative_prompts", "all_seeds", "all_subseeds", "infotexts")
# Seconds; a part's pictures also wake the one who takes them.
_LOOK_UP = 60.0


class DividedJob(Job):
    """Parts of a drawing, of which as many run at once as the settings allow.

    Their pictures come in order, and no more than one for each that runs waits in memory. A part
    that fails loses its own pictures alone: `error` is there only if all failed. fields, key: of
    the whole, by which a later call finds it.
    """

    def __init__(
        self, call: Call, endpoint: Endpoint, fields: Fields, parts: Sequence[Part]
    ) -> None:
        super().__init__(call, endpoint, fields)
        self.fields = fields
        self._at_once = call.settings.parallel
        self._parts = [_Running(part, Job(call, endpoint, part.fields)) for part in parts]

    @property
    def task_ids(self) -> Sequence[str]:
        return [one.job.task_id for one in self._parts]

    @property
    def replying(self) -> bool:
        return all(one.job.replying for one in self._parts if one.job.ended is None)

    def warnings(self) -> list[str]:
        told = [warning for one in self._parts for warning in one.job.warnings()]
        return [*dict.fromkeys(told), *filter(None, (one.loss() for one in self._parts))]

    def drop(self) -> None:
        super().drop()
        for one in self._parts:
            one.job.drop()

    def lookout(self) -> Looking:
        return _Lookouts(self._parts)

    def interrupt(self, within: float) -> str:
        """Stop what certainly runs, and withdraw what does not draw yet; begin nothing more."""
        self._unwanted.set()
        until = time.monotonic() + within
        asked = [one for one in self._parts if one.is_drawing]
        asking = [Thread(target=one.interrupt, args=(within,), daemon=True) for one in asked]
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join(max(until - time.monotonic(), 0.0))
        stopped = [one for one in asked if not one.withdrawn]
        return "" if stopped or not asked else asked[0].withdrawn

    def _work(self) -> None:
        for place, one in enumerate(self._parts):
            for near in self._parts[place : place + self._at_once]:
                if not self._unwanted.is_set():
                    near.begin()
            if not one.has_begun:
                break
            is_last = one is self._parts[-1]
            for picture in one.pictures(with_extras=is_last):
                self.pictures.put(picture)
            # Where the first all fail and nothing has come, the others would, too.
            if place + 1 == self._at_once and not any(one.came for one in self._parts):
                break
        self._conclude()

    def _conclude(self) -> None:
        first = 0
        for one in self._parts:
            self.too_large += [(first + number, size) for number, size in one.job.too_large]
            first += one.part.count
        self.account = _joined([(one.job.account, one.came) for one in self._parts if one.came])
        failed = [one for one in self._parts if one.error is not None]
        if failed and not any(one.came or one.job.too_large for one in self._parts):
            self.error = failed[0].error


class _Running:
    """A part and its job. came: how many of its pictures did. withdrawn: why it was, or ""."""

    def __init__(self, part: Part, job: Job) -> None:
        self.part = part
        self.job = job
        self.came = 0
        self.withdrawn = ""
        self.has_begun = False

    @property
    def is_drawing(self) -> bool:
        return self.has_begun and self.job.ended is None and not self.job.replying

    @property
    def error(self) -> BaseException | None:
        """What it failed with."""
        return WebUITimeoutError(self.withdrawn) if self.withdrawn else self.job.error

    def begin(self) -> None:
        if not self.has_begun:
            self.has_begun = True
            self.job.start()

    def pictures(self, *, with_extras: bool) -> Iterator[Picture]:
        """Yield them as they come; what extensions add, if wanted: each part has the same."""
        while not self.job.pictures.is_empty:
            picture = self.job.pictures.take(_LOOK_UP)
            if picture is None or (self.came == self.part.count and not with_extras):
                continue
            self.came = min(self.came + 1, self.part.count)
            yield picture

    def interrupt(self, within: float) -> None:
        self.withdrawn = self.job.interrupt(within)
        if self.withdrawn:
            # A balancer that holds it in its queue never hands it on.
            self.job.drop()

    def loss(self) -> str:
        """Name the pictures that did not come, and why; "" if none is missing."""
        missing = self.part.seeds[self.came :]
        if not missing or self.job.too_large:
            return ""
        which, numbers = "seed", missing
        if len(set(self.part.seeds)) < len(self.part.seeds):
            which, numbers = "variation seed", self.part.subseeds[self.came :]
        named = ", ".join(map(str, numbers))
        rest = "The server sent fewer." if self.has_begun else "There was no time left to begin."
        return f"Missing: {which}{'s' if len(numbers) > 1 else ''} {named}. {self.error or rest}"


class _Lookouts:
    """Asks after each part that runs, and adds up."""

    def __init__(self, parts: Sequence[_Running]) -> None:
        self._asked = [(one, one.job.lookout()) for one in parts]

    def look(self) -> Progress:
        """Return the share of the whole; the first part's place while all wait."""
        total = sum(one.part.count for one, _ in self._asked)
        done, waiting, is_ours = 0.0, Progress(), True
        for one, lookout in self._asked:
            if one.job.ended is not None:
                done += one.part.count
            elif one.has_begun:
                found = lookout.look()
                done += (found.share or 0.0) * one.part.count
                is_ours = is_ours and found.is_ours
                waiting = waiting or found
        return Progress(share=done / total, is_ours=is_ours) if done else waiting

    def end(self) -> None:
        for _, lookout in self._asked:
            lookout.end()


def _joined(accounts: Sequence[tuple[Account, int]]) -> Account:
    """Return the account of the whole, from those of parts and how many pictures came of each."""
    raw: Fields = {}
    for account, came in accounts:
        for name, said in account.raw.items():
            if name in _OF_EACH and isinstance(said, list):
                raw[name] = [*raw.get(name, []), *said[:came]]
            else:
                raw.setdefault(name, said)
    return Account(raw)
