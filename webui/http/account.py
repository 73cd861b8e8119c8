"""The account of a run that a server sends beside the pictures: the reply's `info`."""

import json
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(frozen=True)
class Account:
    """What a server says of a run; false where it says nothing (SD.Next at times, old sd.cpp).

    seeds, subseeds: of the drawn pictures. infotexts: of all pictures. first: how many pictures
    stand before the drawn ones, as a grid does. sampler, model, model_hash: "" if not told.
    raw: the whole of it, as sent.
    """

    raw: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Self:
        """From the JSON text of `info`; anything else counts as nothing."""
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return cls()
        return cls(found) if isinstance(found, dict) else cls()

    def __bool__(self) -> bool:
        return bool(self.raw)

    @property
    def seeds(self) -> list[Any]:
        return self._listed("all_seeds")

    @property
    def subseeds(self) -> list[Any]:
        return self._listed("all_subseeds")

    @property
    def infotexts(self) -> list[Any]:
        return self._listed("infotexts")

    @property
    def first(self) -> int:
        index = self.raw.get("index_of_first_image")
        return index if isinstance(index, int) and index > 0 else 0

    @property
    def model(self) -> str:
        return str(self.raw.get("sd_model_name") or "")

    @property
    def model_hash(self) -> str:
        return str(self.raw.get("sd_model_hash") or "")

    @property
    def sampler(self) -> str:
        return chosen_sampler(str(self.raw.get("sampler_name") or ""))

    def _listed(self, name: str) -> list[Any]:
        found = self.raw.get(name)
        return found if isinstance(found, list) else []


def chosen_sampler(name: str) -> str:
    """Leave out NONE, which stable-diffusion.cpp writes for its default, with any scheduler."""
    return "" if name.partition(" ")[0] == "NONE" else name
