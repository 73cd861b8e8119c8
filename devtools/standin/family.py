"""The families of servers, each as one JSON file of what its servers say.

`recorded/<family>.json` holds:

- `line`: which code plays it: "a1111" for AUTOMATIC1111 and its forks, "sdnext", "sdcpp".
- `version`: what it writes into pictures; `traits`: see `Traits`.
- `errors`: their forms, by `kind`. `infotext`, `info`: what it tells of a picture. Each name has
  the name of the fact that it stands for, in `facts`; after `=` comes a text.
- `mistakes`: values that a request must not have, each with the end of its path and its error;
  `out_of_memory`: the error where the card's does not suffice, `extras_fail` that of every picture
  to enlarge.
- `replies`: its answers to GET by path, served as they are; what changes is put in by code. The
  one of `POST /internal/progress` is that to an unknown task; other POSTs are answered so where
  code has nothing to say. `statuses`: of errors among them.
- `tables`: what only its line's code reads, such as a request's defaults where no schema has them.

`recorded/extensions/<name>.json` has the replies that an extension brings to any of AUTOMATIC1111's
line, or what it adds to lists among them; ADetailer's is written after its source.

Fields, samplers, schedulers, latent modes and scripts were recorded from real servers of 2026,
without descriptions and, but for X/Y/Z plot's axes, choices; checkpoints and other files are an
invented stock.
"""

import dataclasses
import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

API = "/sdapi/v1/"


class FailureError(Exception):
    """What is answered with an error, by the family's form for its kind."""

    def __init__(self, kind: str, status: int, **facts: object) -> None:
        super().__init__(facts)
        self.kind = kind
        self.facts: Mapping[str, Any] = {"status": status, **facts}


class CrashError(FailureError):
    """What the real server did not catch: the class name and text of its own exception."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__("crash", 500, name=name, text=text)


class RefusalError(FailureError):
    """A refusal that the server words itself; `detail` may be a list of invalid fields."""

    def __init__(self, status: int, detail: object, *, kind: str = "refusal") -> None:
        super().__init__(kind, status, detail=detail, text=f"{status}: {detail}")


@dataclass(frozen=True)
class Traits:
    """What tells the families of one line apart in what they do."""

    drops_skipped: bool = False  # pictures, and the rest of the job
    says_204: bool = False  # where there is nothing to say
    guarded: str = r"/sdapi/v1/(?!.*loras$)"  # paths, by a login; LoRAs' extension forgets it
    wrong_login: str = "Incorrect username or password"
    modules: bool = False  # instead of VAEs; a second pass must say which
    joined_samplers: bool = False  # name their schedulers; an unknown one is refused, not replaced
    refiner_waits: bool = False  # without a switch point for ever, elsewhere not at all
    forgives_scripts: bool = False  # an unknown one that can be chosen is left out in silence
    writes_template: bool = False  # into an infotext, after a negative prompt that may be empty
    turns_by_exif: bool = True  # the pictures that it is sent
    lora_aliases: bool = True  # a tag may hold the alias that is inside the file
    infotext_field: str = "works"  # or "crashes", or "poisons" every job after it
    compresses_from: int | None = 1000  # bytes of a reply; None for never
    unsaved_options: Collection[str] = ()  # not in the settings file: an override of one stays


@dataclass(frozen=True)
class Family:
    """One family, as its file tells."""

    name: str
    line: str
    version: str
    traits: Traits
    errors: Mapping[str, Mapping[str, str]]
    infotext: Mapping[str, str]
    info: Mapping[str, str]
    replies: Mapping[str, Any]
    out_of_memory: Sequence[Any] = ()
    extras_fail: Sequence[Any] = ()
    mistakes: Sequence[Sequence[Any]] = ()
    statuses: Mapping[str, int] = field(default_factory=dict)
    tables: Mapping[str, Any] = field(default_factory=dict)

    @property
    def options(self) -> dict[str, Any]:
        """All options as they are at the start; SD.Next lists only those that were ever set."""
        every = self.replies.get(f"{API}options-info", {"options": {}})["options"]
        defaults = {name: one["default"] for name, one in every.items()}
        return {**defaults, **self.replies[f"{API}options"]}

    def names(self, listing: str) -> list[str]:
        """Return what a list has by name, from the end of its path: "samplers", "sd-vae", …"""
        found = self.replies.get(API + listing, [])
        if isinstance(found, dict):
            return list(found["loaded"])
        return [one.get("name", one.get("model_name")) for one in found]

    def extended(self, names: Collection[str]) -> "Family":
        """Return it with some of its extensions."""
        replies = dict(self.replies)
        for path, more in (added for name in names for added in EXTENSIONS[name].items()):
            replies[path] = _joined(replies.get(path), more)
        return dataclasses.replace(self, replies=replies)

    def failure(self, kind: str, *facts: Any) -> FailureError:  # noqa: ANN401 - from the file
        """Return an error as it stands in the file."""
        return CrashError(*facts) if kind == "crash" else RefusalError(*facts, kind=kind)

    def scripts(self) -> dict[str, bool]:
        """Of each script, by its title in lower case, whether it is always on."""
        entries = self.replies[f"{API}script-info"]
        return {one["name"].lower(): one["is_alwayson"] for one in entries}

    def arguments(self, kind: str) -> dict[str, Sequence[Any]]:
        """Return what each script of txt2img or img2img takes."""
        entries = self.replies[f"{API}script-info"]
        of_kind = (one for one in entries if one["is_img2img"] == (kind == "img2img"))
        return {one["name"].lower(): one["args"] for one in of_kind}

    def argument_counts(self, kind: str) -> dict[str, int]:
        """Return how many arguments each script of txt2img or img2img takes."""
        return {name: len(taken) for name, taken in self.arguments(kind).items()}

    def offers(self, method: str, path: str) -> bool:
        """Tell whether it has this: what it answers, and what its schema shows, if it has one."""
        schema = self.replies.get("/openapi.json", {"paths": {path: method.lower()}})
        known = {path, f"{method} {path}"} & self.replies.keys()
        return bool(known) or method.lower() in schema["paths"].get(path, ())

    def control_names(self, what: str) -> list[str]:
        """Return the names of ControlNet's "model" or "module", the page's own among them."""
        path, key = f"/controlnet/{what}_list", f"{what}_list"
        told = [self.replies.get(one, {key: []}) for one in (path, f"{path}?alias_names=true")]
        return [name for one in told for name in one[key]]


def filled(form: Mapping[str, str], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return a form of the family's file with facts in it, None for those that are missing."""
    return {name: one[1:] if one.startswith("=") else facts.get(one) for name, one in form.items()}


class Checkpoint:
    """A model file, by its entry in the server's list.

    Like a real server, it learns the file's hash only when the model is first loaded, unless the
    list already tells it.
    """

    def __init__(self, listing: Mapping[str, Any]) -> None:
        self.listing = dict(listing)
        # The path below the folder of models.
        self.name: str = listing["filename"].rpartition("/Stable-diffusion/")[2]
        if listing.get("type") == "diffusers":
            self.name = listing["model_name"]
        self.name_for_extra = PurePosixPath(self.name).stem
        self.title: str = listing["title"]
        self.shorthash: str | None = listing["hash"]
        self.sha256: str | None = listing["sha256"]

    def learn_hash(self) -> None:
        """Take the file's hash into the list's entry, unless it is there."""
        if not self.shorthash:
            self.sha256 = hashlib.sha256(self.name.encode()).hexdigest()
            self.shorthash = self.sha256[:10]
            self.title += f" [{self.shorthash}]"
            self.listing |= {"title": self.title, "hash": self.shorthash, "sha256": self.sha256}

    def goes_by(self, spelling: object) -> bool:
        """Tell whether AUTOMATIC1111 takes this for the model; case counts."""
        names = [self.title, self.name, self.name_for_extra, self.listing["model_name"]]
        hashes = [self.shorthash, self.sha256, f"{self.name_for_extra} [{self.shorthash}]"]
        return spelling is not None and spelling in names + hashes


def _joined(one: Any, more: Any) -> Any:  # noqa: ANN401 - any reply
    if isinstance(one, dict):
        return {**one, **{name: _joined(one.get(name), found) for name, found in more.items()}}
    return more if one is None else [*one, *more]


def without_hash(title: str) -> str:
    """Return a title without the hash in brackets at its end."""
    return re.sub(r"\s*\[[^\]]*\]\s*$", "", title)


def read_family(file: Path) -> Family:
    found = json.loads(file.read_text("utf-8"))
    return Family(file.stem, **{**found, "traits": Traits(**found["traits"])})


_FOLDER = Path(__file__).parent / "recorded"
FAMILIES = {file.stem: read_family(file) for file in sorted(_FOLDER.glob("*.json"))}
EXTENSIONS: Mapping[str, Mapping[str, Any]] = {
    file.stem: json.loads(file.read_text("utf-8")) for file in _FOLDER.glob("extensions/*.json")
}
