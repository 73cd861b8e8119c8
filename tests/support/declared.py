"""The plugin's declarations as they are written, and the catalogue that they are written from."""

from pathlib import Path
from typing import Any

import yaml

from devtools.declare import Catalogue

ROOT = Path(__file__).parents[2]
CATALOGUE = Catalogue.read(ROOT)


def load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load((ROOT / name).read_bytes(), yaml.CSafeLoader)
    return loaded


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


MANIFEST = load("manifest.yaml")
PROVIDER = load("provider/stable_diffusion.yaml")
TOOLS = {path.stem: load(f"tools/{path.name}") for path in sorted((ROOT / "tools").glob("*.yaml"))}
