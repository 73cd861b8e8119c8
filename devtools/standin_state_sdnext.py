"""What an SD.Next remembers between requests: it finds and loads models in a way of its own."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any

from devtools.catalogue import Checkpoint
from devtools.standin_state import State

_CHECKSUM = re.compile(r"\s*\[.*?\]")
_MODEL = "sd_model_checkpoint"


class SdNextState(State):
    """Every change of the model loads it at once, and back again when a generation is over."""

    @property
    def vae(self) -> str | None:
        name = str(self.options["sd_vae"])
        found = (one for one in (name, f"{name}.safetensors") if one in self.catalogue.vaes)
        return next(found, None)

    def select_checkpoint(self, spelling: object) -> Checkpoint | None:
        """The model as the options and a request's own field look for it: case is forgiven."""
        if not isinstance(spelling, str) or spelling == "None" or len(spelling) < 3:
            return None
        if exact := self.find_checkpoint(spelling):
            return exact
        wanted = spelling.lower()
        for matches in (
            [one for one in self.checkpoints if PurePosixPath(one.title).name.lower() == wanted],
            [one for one in self.checkpoints if _bare(one.title) == _bare(spelling)],
        ):
            if len(matches) == 1:
                return matches[0]
        return None

    @property
    def has_model(self) -> bool:
        return self._in_memory

    def load_checkpoint(self) -> None:
        """Bring the model of the options into memory; one that is unknown empties it."""
        wanted = self.select_checkpoint(self.options[_MODEL])
        if wanted is None:
            self._in_memory = False
            return
        if self._in_memory and wanted is self.loaded:
            return
        wanted.hashed = True
        self.loaded, self._in_memory = wanted, True
        self.loads.append(wanted.title)
        self.options[_MODEL] = wanted.title

    def set_option(self, name: str, value: object) -> None:
        """Unknown names go nowhere, without a word."""
        if name in self.options:
            self.options[name] = value

    def change_options(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        updated = []
        for name, value in changes.items():
            changed = name in self.options and self.options[name] != value
            updated.append({name: changed})
            if changed:
                self.set_option(name, value)
                if name == _MODEL:
                    with self.queue.turn():
                        self.load_checkpoint()
        return {"updated": updated}

    def choose_model(self, spelling: str) -> bool:
        """A request's own `sd_model_checkpoint`: for good, and for everyone."""
        if self.select_checkpoint(spelling) is None:
            return False
        self.options[_MODEL] = spelling
        self.load_checkpoint()
        return True

    @contextmanager
    def overriding(self, settings: Mapping[str, Any], *, restore: bool) -> Iterator[None]:
        """Options for one generation; what is so already is left alone."""
        wanted = {
            name: value
            for name, value in settings.items()
            if name not in self.options or not _is_now(self.options[name], value)
        }
        kept = {name: self.options[name] for name in wanted if name in self.options}
        if not self._in_memory:
            self.load_checkpoint()
        try:
            model = wanted.get(_MODEL)
            if model is not None and self.find_checkpoint(model) is None:
                del wanted[_MODEL]
                self.load_checkpoint()
            for name, value in wanted.items():
                self.set_option(name, value)
                if name == _MODEL:
                    self.load_checkpoint()
            yield
        finally:
            if restore:
                self.options.update(kept)
                if _MODEL in kept:
                    self.load_checkpoint()


def _is_now(current: object, value: object) -> bool:
    stem = current.rpartition(".")[0] if isinstance(current, str) else current
    return value in (current, stem)


def _bare(title: str) -> str:
    return _CHECKSUM.sub("", title).lower()
