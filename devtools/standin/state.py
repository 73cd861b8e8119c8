"""What a stand-in remembers between requests."""

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, TypedDict

from devtools.standin.family import API, Checkpoint, CrashError, Family, without_hash
from devtools.standin.queue import Queue

MODEL = "sd_model_checkpoint"


@dataclass(frozen=True)
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
    controlnet: str = ""
    detailers: tuple[str, ...] = ()


class Start(TypedDict, total=False):
    """How a server is started.

    port: 0 for any. delay: seconds that one image takes. cards: how many generations are drawn at
    the same time, 1 unless set; 0 is any number. docs: off on an SD.Next that hides its schema.
    noise: pictures as large as photographs. rate_limit: how many jobs of a kind an SD.Next takes
    within how many seconds; the real one 60 in 60. extensions: those that are installed.
    """

    host: str
    port: int
    verbose: bool
    api_auth: str | None
    delay: float
    image_format: str | None
    api: bool
    docs: bool
    noise: bool
    cards: int
    rate_limit: tuple[int, float]
    extensions: Collection[str]


class State:
    """`loaded` is the model in memory, `loads` every title loaded so far.

    `has_model` is false once an SD.Next saved one that does not exist, or could not load any.
    `drawn` is the truth about every picture so far, `memory_failures` what the generations that
    will run out of memory leave behind.
    """

    def __init__(self, family: Family, start: Start) -> None:
        self.family = family
        self.delay, self.noise = start.get("delay", 0.0), start.get("noise", False)
        self.queue = Queue(start.get("cards", 1))
        self.checkpoints = [Checkpoint(one) for one in family.replies[f"{API}sd-models"]]
        self.options: dict[str, Any] = family.options
        if file_format := start.get("image_format"):
            self.options["samples_format"] = file_format
        self.loads: list[str] = []
        self.drawn: list[Applied] = []
        self.memory_failures: deque[str] = deque()
        self.loaded, self.has_model = self.checkpoints[0], True
        self.options[MODEL] = self.options.get(MODEL) and self.loaded.title
        self._loaded_modules: tuple[str, ...] = ()
        self._unsaved = set(family.traits.unsaved_options)
        # What GET /options shows.
        self.listed = dict.fromkeys(family.replies[f"{API}options"])
        if file_format:
            self.listed["samples_format"] = None
        # What every job ends with from now on.
        self.poison: CrashError | None = None

    def find_checkpoint(self, spelling: object) -> Checkpoint | None:
        """Return the model of exactly this spelling; the last of several."""
        found = [one for one in self.checkpoints if one.goes_by(spelling)]
        return found[-1] if found else None

    def closest_checkpoint(self, search: str) -> Checkpoint:
        """As the server looks for a refiner: a part of a title will do as well."""
        found = [one for one in self.checkpoints if without_hash(search) in one.title]
        exact = self.find_checkpoint(search)
        if not exact and not found:
            raise CrashError("Exception", f"Could not find checkpoint with name {search}")
        return exact or min(found, key=lambda one: len(one.title))

    def vae(self, options: Mapping[str, Any]) -> str | None:
        """Return the VAE in use; an unknown name means none, without a word."""
        name = options.get("sd_vae")
        return name if name in self.family.names("sd-vae") else None

    def modules(self, options: Mapping[str, Any]) -> tuple[str, ...]:
        """VAEs and text encoders in use, by file name; unknown ones fall away without a word."""
        wanted = options.get("forge_additional_modules") or []
        names = (PurePosixPath(str(one)).name for one in wanted)
        return tuple(name for name in names if name in self.family.names("sd-modules"))

    def settings(self, overrides: Mapping[str, Any], *, restore: bool) -> dict[str, Any]:
        """Return the options that one generation is drawn with; the model that they name is loaded.

        A model that does not exist is dropped without a word. For everyone, the options stay as
        they were, unless they never were in the settings file or are not to be put back; the model
        stays in memory until the next generation needs another.
        """
        wanted = {name: one for name, one in overrides.items() if not name.startswith("api_")}
        if self.find_checkpoint(wanted.get(MODEL)) is None:
            wanted.pop(MODEL, None)
        self._look_up(wanted)
        options = {**self.options, **wanted}
        self._load(options)
        stay = wanted.keys() & self._unsaved if restore else wanted.keys()
        self.options.update({name: options[name] for name in stay})
        self._unsaved -= wanted.keys()
        if self.poison or self.has_wrong_type(options):
            raise self.poison or CrashError("TypeError", "bad operand type for unary -: 'str'")
        return options

    def save(self, given: Mapping[str, Any]) -> object:
        """Take options for good, of whatever type, and return the reply."""
        self._look_up(given)
        if MODEL in given and not self.find_checkpoint(given[MODEL]):
            raise CrashError("RuntimeError", f"model {given[MODEL]!r} not found")
        self.options.update(given)
        self._unsaved -= given.keys()
        self._load(self.options)
        return None

    def _look_up(self, given: Mapping[str, Any]) -> None:
        for name in given:
            if name not in self.options:
                raise CrashError("KeyError", repr(name))
        self.listed |= dict.fromkeys(given)

    def has_wrong_type(self, options: Mapping[str, Any]) -> bool:
        """Tell whether a number's place holds a text, which breaks jobs and the list of options."""
        defaults = self.family.options
        return any(
            isinstance(one, str) and isinstance(defaults.get(name), int | float)
            for name, one in options.items()
        )

    def _load(self, options: Mapping[str, Any]) -> None:
        """Where there are modules, they are loaded with the model, and again with every choice."""
        wanted, modules = self.find_checkpoint(options[MODEL]), self.modules(options)
        if wanted in (self.loaded, None) and modules == self._loaded_modules:
            return
        self.loaded, self._loaded_modules = wanted or self.loaded, modules
        self.loaded.learn_hash()
        self.loads.append(self.loaded.title)
