"""The families of servers, each as one JSON file of what its servers say.

`recorded/<family>.json` holds:

- `line`: which code plays it: "a1111" for AUTOMATIC1111 and its forks, "sdnext", "sdcpp".
- `version`: what it writes into pictures. `traits`: see `Traits`.
- `replies`: its answers to GET by path, served as they are; what changes is put in by code. The one
  of `POST /internal/progress` is that to an unknown task.
- `statuses`: of replies that are errors.

Fields, samplers, schedulers, latent modes and scripts were recorded from real servers of 2026,
without descriptions and choices; checkpoints and other files are an invented stock.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

API = "/sdapi/v1/"
_FOLDER = "/Stable-diffusion/"


@dataclass(frozen=True)
class Traits:
    """What tells the families of one line apart in what they do."""

    # Refusals come as {"detail": …} alone, and a refused login asks for one.
    plain_refusals: bool = False
    # The key that holds a crash's text.
    crash_key: str = "errors"
    # The words for a login that is none of the server's.
    wrong_login: str = "Incorrect username or password"
    # VAEs and text encoders are modules, and a second pass must say which.
    modules: bool = False
    # An unknown sampler is refused, not replaced, and its scheduler is part of its name.
    joined_samplers: bool = False
    # Without a switch point the refiner is never used, elsewhere at once.
    refiner_waits: bool = False
    tells_time: bool = True
    # Bytes of a reply; None for never.
    compresses_from: int | None = 1000
    # Options that the settings file, written by an older version, lacks: an override of one stays.
    unsaved_options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Family:
    """One family, as its file tells."""

    name: str
    line: str
    version: str
    traits: Traits
    replies: Mapping[str, Any]
    statuses: Mapping[str, int]

    def names(self, listing: str) -> list[str]:
        """What a list has by name, from the end of its path: "samplers", "sd-vae", "embeddings"."""
        found = self.replies.get(API + listing, [])
        if isinstance(found, dict):
            return list(found["loaded"])
        return [one.get("name", one.get("model_name")) for one in found]

    def offers(self, method: str, path: str) -> bool:
        """Whether its schema has this; where there is none, whatever is played is offered."""
        schema = self.replies.get("/openapi.json")
        return schema is None or method.lower() in schema["paths"].get(path, ())


class Checkpoint:
    """A model file, by its entry in the server's list.

    Like a real server, it learns the file's hash only when the model is first loaded, unless the
    list already tells it.
    """

    def __init__(self, listing: Mapping[str, Any]) -> None:
        self.listing = dict(listing)
        # The path below the folder of models.
        self.name: str = listing["filename"].partition(_FOLDER)[2] or listing["filename"]
        self.name_for_extra = PurePosixPath(self.name).stem

    @property
    def title(self) -> str:
        return str(self.listing["title"])

    @property
    def shorthash(self) -> str | None:
        found: str | None = self.listing["hash"]
        return found

    @property
    def sha256(self) -> str | None:
        found: str | None = self.listing["sha256"]
        return found

    def learn_hash(self) -> None:
        """Take the file's hash into the list's entry, unless it is there."""
        if not self.shorthash:
            digest = hashlib.sha256(self.name.encode()).hexdigest()
            title = f"{self.title} [{digest[:10]}]"
            self.listing |= {"title": title, "hash": digest[:10], "sha256": digest}

    def goes_by(self, spelling: object) -> bool:
        """Whether AUTOMATIC1111 takes this for the model; case counts."""
        names = [self.title, self.name, self.name_for_extra, self.listing["model_name"]]
        hashes = [self.shorthash, self.sha256, f"{self.name_for_extra} [{self.shorthash}]"]
        return spelling in names or (self.shorthash is not None and spelling in hashes)


def without_hash(title: str) -> str:
    """A title without the hash in brackets at its end."""
    return re.sub(r"\s*\[[^\]]*\]\s*$", "", title)


def _read(file: Path) -> Family:
    found = json.loads(file.read_text("utf-8"))
    traits = found["traits"]
    unsaved = tuple(traits.get("unsaved_options", ()))
    return Family(
        name=file.stem,
        line=found["line"],
        version=found["version"],
        traits=Traits(**{**traits, "unsaved_options": unsaved}),
        replies=found["replies"],
        statuses=found.get("statuses", {}),
    )


_FILES = (Path(__file__).parent / "recorded").glob("*.json")
FAMILIES: Mapping[str, Family] = {file.stem: _read(file) for file in sorted(_FILES)}
