"""declarations/matrix.yaml as calls to make: one for each row and family."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from PIL import Image

from devtools.standin import pictures

MATRIX: Mapping[str, Any] = yaml.safe_load(
    (Path(__file__).parents[2] / "declarations" / "matrix.yaml").read_bytes()
)
LABELS: Mapping[str, str] = MATRIX["families"]
FAMILIES = list(LABELS)
INFOTEXT = "a cat\nSteps: 20, Sampler: Euler, Seed: 5, Size: 512x768"
_HALVES = {"left half": (0, 0, 32, 64), "right half": (32, 0, 64, 64)}


@dataclass(frozen=True)
class Cell:
    """A call of one tool on one family, and what must come of it.

    given: parameters; a file is its bytes. phrase: what the warning or the error must hold.
    """

    tool: str
    row: str
    family: str
    given: Mapping[str, Any]
    asked: Mapping[str, Any]
    outcome: str
    phrase: str
    size: tuple[int, int]
    pictures: int
    kept: str
    leftover: str
    wrong_login: bool
    has_schema: bool

    def __str__(self) -> str:
        return f"{self.tool}-{self.row}-{self.family}"

    @property
    def is_refused(self) -> bool:
        return self.outcome.endswith("refused")

    @property
    def warns(self) -> bool:
        return self.outcome.endswith("warns")


def cells() -> Iterator[Cell]:
    """Every cell of the matrix; img2img has txt2img's too, but for those of a second pass."""
    shared = [row for row in MATRIX["txt2img"] if "enable_hr" not in row.get("given", {})]
    for tool in ("txt2img", "img2img", "upscale", "draw", "png_info"):
        for row in [*(shared if tool == "img2img" else []), *MATRIX[tool]]:
            for family in row.get("only", FAMILIES):
                yield _cell(tool, row, family)


def picture(width: int, height: int) -> Image.Image:
    return Image.new("RGB", (width, height), "teal")


def _cell(tool: str, row: Mapping[str, Any], family: str) -> Cell:
    there = row.get("elsewhere", {}).get(family, {})
    given = row.get("given", {}) | there.get("given", {})
    special = row.get("only", {}) | row.get("but", {})
    outcome = special[family] if family in special else row["outcome"]
    kind, phrase = (outcome, "") if isinstance(outcome, str) else next(iter(outcome.items()))
    width, height = row.get("size", (64, 64))
    return Cell(
        tool=tool,
        row=row["row"],
        family=family,
        given={
            name: _file(said) if isinstance(said, dict) else said for name, said in given.items()
        },
        asked=there.get("asked", row.get("asked", {})),
        outcome=kind,
        phrase=phrase,
        size=(width, height),
        pictures=row.get("pictures", 1),
        kept=row.get("kept", ""),
        leftover=row.get("leftover", ""),
        wrong_login=row.get("login") == "wrong",
        has_schema=row.get("schema", True),
    )


def _file(said: Mapping[str, Any]) -> bytes:
    if "text" in said:
        return str(said["text"]).encode()
    if "picture" in said:
        return written(picture(*said["picture"]), said.get("format", "png"), said.get("infotext"))
    mask = Image.new("L", (64, 64))
    mask.paste(255, _HALVES[said["mask"]])
    return written(mask)


def written(image: Image.Image, kind: str = "png", with_infotext: object = False) -> bytes:
    """Return the image as a file, with INFOTEXT inside if so wanted."""
    if with_infotext:
        return pictures.encode(image, kind, INFOTEXT)
    file = io.BytesIO()
    image.save(file, "JPEG" if kind == "jpg" else kind)
    return file.getvalue()
