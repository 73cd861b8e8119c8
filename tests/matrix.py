"""How a call and what it comes to on each family of servers are declared."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

LABELS = {
    "a1111": "AUTOMATIC1111",
    "forge": "Forge",
    "neo": "Forge Neo",
    "reforge": "reForge",
    "classic": "Forge Classic",
    "sdnext": "SD.Next",
    "sdcpp": "stable-diffusion.cpp",
}
FAMILIES = list(LABELS)
MODULES = ("forge", "neo")


@dataclass(frozen=True)
class Outcome:
    """`phrase` stands in the warning or the error and names the cause or the remedy.

    `shown` is what the table says of it.
    """

    kind: Literal["drawn", "warned", "refused"]
    phrase: str = ""
    shown: str = ""


# A picture exactly as asked, and not a word of warning.
DRAWN = Outcome("drawn", shown="works")


def warned(phrase: str) -> Outcome:
    """A picture, and a warning."""
    return Outcome("warned", phrase, "warns")


def refused(phrase: str) -> Outcome:
    """No picture, but an error."""
    return Outcome("refused", phrase, "refused")


def lacking(phrase: str, kind: Literal["warned", "refused"] = "warned") -> Outcome:
    """The server has no such thing at all."""
    words = {"warned": "warns", "refused": "refused"}
    return Outcome(kind, phrase, f"not offered, {words[kind]}")


def everywhere(outcome: Outcome, **but: Outcome) -> Mapping[str, Outcome]:
    """The same on all families but some."""
    return {family: but.get(family, outcome) for family in FAMILIES}


@dataclass(frozen=True)
class Row:
    """A call: the node's values, what a picture must then show, and the outcome per family.

    `asked` names attributes of the stand-in's record of what it really applied. `elsewhere` has
    values, and what they ask for, on families whose names are other ones.
    """

    label: str
    given: Mapping[str, Any]
    outcomes: Mapping[str, Outcome]
    asked: Mapping[str, Any] = field(default_factory=dict)
    elsewhere: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = field(
        default_factory=dict
    )
    size: tuple[int, int] = (64, 64)
    images: int = 1
    # What is left of a picture for which the memory did not suffice; a wrong login; no schema.
    leftover: str = ""
    login: bool = False
    docs: bool = True
