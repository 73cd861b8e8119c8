"""The account of a run that a server sends beside the pictures: the reply's `info`."""

from dataclasses import dataclass, field
from typing import Any, Self

from webui import said


@dataclass(frozen=True)
class Account:
    """What a server says of a run; false where it says nothing (SD.Next at times, old sd.cpp).

    seeds, subseeds: of the drawn pictures. infotexts: of all pictures. first: how many pictures
    stand before the drawn ones, as a grid does. sampler, model, model_hash: "" if not told.
    raw: the whole of it, as sent. text: a picture put into words, where that was asked for.
    """

    raw: dict[str, Any] = field(default_factory=dict)
    text: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """From the JSON text of `info`; anything else counts as nothing."""
        try:
            return cls(said.an_object(said.parse(text)))
        except ValueError:
            return cls()

    def __bool__(self) -> bool:
        return bool(self.raw)

    @property
    def seeds(self) -> list[int | None]:
        return self._numbers("all_seeds")

    @property
    def subseeds(self) -> list[int | None]:
        return self._numbers("all_subseeds")

    @property
    def infotexts(self) -> list[str]:
        return [said.text(one) for one in said.listed(self.raw.get("infotexts"))]

    @property
    def first(self) -> int:
        return max(said.whole(self.raw.get("index_of_first_image")) or 0, 0)

    @property
    def model(self) -> str:
        return said.text(self.raw.get("sd_model_name"))

    @property
    def model_hash(self) -> str:
        return said.text(self.raw.get("sd_model_hash"))

    @property
    def sampler(self) -> str:
        return chosen_sampler(said.text(self.raw.get("sampler_name")))

    def _numbers(self, name: str) -> list[int | None]:
        return [said.whole(one) for one in said.listed(self.raw.get(name))]


def chosen_sampler(name: str) -> str:
    """Leave out NONE, which stable-diffusion.cpp writes for its default, with any scheduler."""
    return "" if name.partition(" ")[0] == "NONE" else name
