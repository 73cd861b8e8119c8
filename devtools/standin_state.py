"""What a stand-in WebUI remembers between requests."""

import dataclasses
import re
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any

from devtools.catalogue import Catalogue, Checkpoint
from devtools.standin_errors import CrashError
from devtools.standin_family import Family
from devtools.standin_queue import Queue, Task

_CHECKSUM = re.compile(r"\s*\[[^\]]*\]\s*$")


@dataclasses.dataclass(frozen=True)
class Applied:
    """What one picture was really drawn with, whatever the reply says of it."""

    model: str
    sampler: str
    scheduler: str = ""
    vae: str | None = None
    modules: tuple[str, ...] = ()
    loras: tuple[str, ...] = ()
    clip_skip: int = 1
    styles: tuple[str, ...] = ()
    refiner: str = ""
    script: str = ""
    # Of the second pass.
    upscaler: str = ""
    hires_sampler: str = ""
    hires_scheduler: str = ""


class State:
    """`checkpoint` is the title of the model in memory, `loads` every title loaded so far.

    `drawn` is the truth about every picture so far.
    """

    def __init__(self, family: Family, *, delay: float, image_format: str, noise: bool) -> None:
        self.family = family
        self.catalogue: Catalogue = family.catalogue
        self.delay = delay
        self.noise = noise
        self.queue = Queue()
        self.checkpoints = [dataclasses.replace(one) for one in self.catalogue.checkpoints]
        self.options: dict[str, Any] = {**self.catalogue.options, "samples_format": image_format}
        self.loads: list[str] = []
        self.drawn: list[Applied] = []
        # Generations that will run out of memory, and what each leaves behind.
        self.memory_failures: deque[str] = deque()
        self._unsaved = set(self.catalogue.unsaved_options)
        self.loaded = self.checkpoints[0]
        self._loaded_modules: tuple[str, ...] = ()
        self._in_memory = True
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

    @property
    def vae(self) -> str | None:
        """The VAE in use; an unknown name means none, without a word."""
        name = self.options.get("sd_vae")
        return name if name in self.catalogue.vaes else None

    @property
    def modules(self) -> tuple[str, ...]:
        """VAEs and text encoders in use, by file name; unknown ones fall away without a word."""
        wanted = self.options.get("forge_additional_modules") or []
        names = (PurePosixPath(str(one)).name for one in wanted)
        return tuple(name for name in names if name in self.catalogue.modules)

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
        """Bring the model that the options name into memory, unless it is there.

        Where there are modules, they are loaded with it and again with every other choice.
        """
        wanted = self.find_checkpoint(self.options["sd_model_checkpoint"]) or self.loaded
        if self._in_memory and wanted is self.loaded and self.modules == self._loaded_modules:
            return
        wanted.hashed = True
        self.loaded, self._loaded_modules, self._in_memory = wanted, self.modules, True
        self.loads.append(wanted.title)
        if not self.family.modules:
            self.options["sd_model_checkpoint"] = wanted.title

    def unload_checkpoint(self) -> None:
        """Free the card's memory; the next picture loads the model again."""
        with self.queue.turn():
            self._in_memory = False

    def set_option(self, name: str, value: object) -> None:
        """As an API request may: unknown names crash, `api_*` stay as they are."""
        if name not in self.options:
            raise CrashError("KeyError", repr(name))
        if not name.startswith("api_"):
            self.options[name] = value
            self._unsaved.discard(name)

    def change_options(self, changes: Mapping[str, Any]) -> Any:  # noqa: ANN401 - the reply's JSON
        """POST /sdapi/v1/options: for everyone, at once; returns the reply."""
        model = changes.get("sd_model_checkpoint")
        if model is not None and self.find_checkpoint(model) is None:
            raise CrashError("RuntimeError", f"model {model!r} not found")
        for name, value in changes.items():
            self.set_option(name, value)
        if not self.family.modules:
            # The forks with modules load when the next picture needs it.
            with self.queue.turn():
                self.load_checkpoint()
        return None

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
                if not self.family.modules:
                    self.load_checkpoint()
            for name, value in wanted.items():
                self.set_option(name, value)
                if name == "sd_model_checkpoint" and not self.family.modules:
                    self.load_checkpoint()
            if self.family.modules:
                self.load_checkpoint()
            yield
        finally:
            if restore:
                self.options.update(kept)
