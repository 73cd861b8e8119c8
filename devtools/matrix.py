"""declarations/matrix.yaml as calls to make: one for each row and family."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from PIL import Image

from devtools.host import ROOT
from devtools.standin import pictures

_FILE = ROOT / "declarations/matrix.yaml"
MATRIX: Mapping[str, Any] = yaml.load(_FILE.read_bytes(), yaml.CSafeLoader)
LABELS: Mapping[str, str] = MATRIX["families"]
FAMILIES = list(LABELS)
INFOTEXT = "a cat\nSteps: 20, Sampler: Euler, Seed: 5, Size: 512x768"
_HALVES = {"left half": (0, 0, 32, 64), "right half": (32, 0, 64, 64)}
# What differs from family to family is settled for a cell; the rest is the row's own word.
_SETTLED = {"given", "asked", "elsewhere", "outcome", "but", "only"}


@dataclass(frozen=True)
class Cell:
    """A call of one tool on one family, and what must come of it.

    given: parameters; a file is its bytes. phrase: what the warning or the error must hold. The
    others are described in matrix.yaml.
    """

    tool: str
    family: str
    given: Mapping[str, Any]
    asked: Mapping[str, Any]
    outcome: str
    phrase: str
    row: str
    size: Sequence[int] = (64, 64)
    pictures: int = 1
    kept: str = ""
    leftover: str = ""
    login: str = ""
    schema: bool = True
    extensions: Sequence[str] = ()

    def __str__(self) -> str:
        return f"{self.tool}-{self.row}-{self.family}"

    @property
    def result(self) -> str:
        """What comes of the call: works, warns or refused."""
        last = self.outcome.split()[-1]
        return last if last in ("warns", "refused") else "works"


def cells() -> Iterator[Cell]:
    """Yield every cell of the matrix; img2img has txt2img's too, but for those of a second pass."""
    shared = [row for row in MATRIX["txt2img"] if "enable_hr" not in row.get("given", {})]
    for tool in MATRIX["usual"]:
        for row in [*(shared if tool == "img2img" else []), *MATRIX[tool]]:
            for family in row.get("only", FAMILIES):
                yield _cell(tool, row, family)


def _cell(tool: str, row: Mapping[str, Any], family: str) -> Cell:
    there = row.get("elsewhere", {}).get(family, {})
    usual = MATRIX["usual"][tool] | MATRIX["usual_elsewhere"].get(family, {}).get(tool, {})
    given = usual | row.get("given", {}) | there.get("given", {})
    special = row.get("only", {}) | row.get("but", {})
    outcome = special[family] if family in special else row["outcome"]
    kind, phrase = (outcome, "") if isinstance(outcome, str) else next(iter(outcome.items()))
    return Cell(
        tool,
        family,
        {name: _file(said) if isinstance(said, dict) else said for name, said in given.items()},
        there.get("asked", row.get("asked", {})),
        kind,
        phrase,
        **{name: said for name, said in (row | there).items() if name not in _SETTLED},
    )


def picture(width: int, height: int) -> Image.Image:
    return Image.new("RGB", (width, height), "teal")


def _file(said: Mapping[str, Any]) -> bytes:
    if "text" in said:
        return str(said["text"]).encode()
    if "mask" in said:
        image = Image.new("L", (64, 64))
        image.paste(255, _HALVES[said["mask"]])
    else:
        image = picture(*said["picture"]).convert(said.get("mode"))
    infotext = INFOTEXT if "infotext" in said else None
    return pictures.encode(image, said.get("format", "png"), infotext)
