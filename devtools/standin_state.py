"""What a stand-in WebUI remembers between requests."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from devtools.catalogue import Catalogue, Checkpoint
from devtools.standin_queue import Queue, Task

_CHECKSUM = re.compile(r"\s*\[[^\]]*\]\s*$")


class CrashError(Exception):
    """What the real server did not catch: the class name and text of its own exception."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name


class RefusalError(Exception):
    """A refusal that the server words itself."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class State:
    """`checkpoint` is the title of the model in memory, `loads` every title loaded so far."""

    def __init__(
        self, catalogue: Catalogue, *, delay: float, image_format: str, noise: bool
    ) -> None:
        self.catalogue = catalogue
        self.delay = delay
        self.noise = noise
        self.queue = Queue()
        self.checkpoints = [dataclasses.replace(one) for one in catalogue.checkpoints]
        self.options: dict[str, Any] = {**catalogue.options, "samples_format": image_format}
        self.loads: list[str] = []
        self.memory_failures = 0
        self._unsaved = set(catalogue.unsaved_options)
        self.loaded = self.checkpoints[0]
        self.options["sd_model_checkpoint"] = self.loaded.title

    @property
    def checkpoint(self) -> str:
        return self.loaded.title

    @property
    def running(self) -> Task | None:
        return self.queue.running

    @property
    def queued(self) -> list[Task]:
        return list(self.queue.waiting)

    def find_checkpoint(self, spelling: object) -> Checkpoint | None:
        """The model of exactly this spelling; the last of several."""
        found = [one for one in self.checkpoints if spelling in one.aliases]
        return found[-1] if found else None

    def closest_checkpoint(self, search: str) -> Checkpoint | None:
        """As the server looks for a refiner: a part of a title will do as well."""
        if exact := self.find_checkpoint(search):
            return exact
        for part in (search, _CHECKSUM.sub("", search)):
            if matches := [one for one in self.checkpoints if part in one.title]:
                return min(matches, key=lambda one: len(one.title))
        return None

    def load_checkpoint(self) -> None:
        """Bring the model that the options name into memory, unless it is there."""
        wanted = self.find_checkpoint(self.options["sd_model_checkpoint"])
        if wanted is None or wanted is self.loaded:
            return
        wanted.hashed = True
        self.loaded = wanted
        self.loads.append(wanted.title)
        self.options["sd_model_checkpoint"] = wanted.title

    def set_option(self, name: str, value: object) -> None:
        """As an API request may: unknown names crash, `api_*` stay as they are."""
        if name not in self.options:
            raise CrashError("KeyError", repr(name))
        if not name.startswith("api_"):
            self.options[name] = value
            self._unsaved.discard(name)

    def change_options(self, changes: Mapping[str, Any]) -> None:
        """POST /sdapi/v1/options: for everyone, at once."""
        model = changes.get("sd_model_checkpoint")
        if model is not None and self.find_checkpoint(model) is None:
            raise CrashError("RuntimeError", f"model {model!r} not found")
        for name, value in changes.items():
            self.set_option(name, value)
        with self.queue.turn():
            self.load_checkpoint()

    @contextmanager
    def overriding(self, settings: Mapping[str, Any], *, restore: bool) -> Iterator[None]:
        """Options for one generation.

        A model that does not exist is dropped without a word. Options are put back afterwards,
        unless they never were in the settings file, but the model stays in memory until the
        next generation needs another.
        """
        known = self.options.keys() - self._unsaved
        kept = {name: self.options[name] for name in settings if name in known}
        wanted = dict(settings)
        try:
            if self.find_checkpoint(wanted.get("sd_model_checkpoint")) is None:
                wanted.pop("sd_model_checkpoint", None)
                self.load_checkpoint()
            for name, value in wanted.items():
                self.set_option(name, value)
                if name == "sd_model_checkpoint":
                    self.load_checkpoint()
            yield
        finally:
            if restore:
                self.options.update(kept)

    @property
    def vae(self) -> str | None:
        """The VAE in use; an unknown name means none, without a word."""
        name = self.options["sd_vae"]
        return name if name in self.catalogue.vaes else None
