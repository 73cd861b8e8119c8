"""The examples, small and quick enough to be run as tests."""

import copy
from io import BytesIO
from pathlib import Path
from typing import Any

from graphon.file.models import File
from PIL import Image

from devtools.workflow import FileStore, Workflow
from support.declared import ROOT, load

NAMES = sorted(path.name for path in (ROOT / "examples").glob("*.yml"))


def example(name: str, **fixed: object) -> Workflow:
    """Return an example whose pictures are small and whose retries come at once.

    fixed: what its tool nodes that draw are given beside or instead of what is in the file.
    """
    said: dict[str, Any] = copy.deepcopy(load(f"examples/{name}"))
    for node in said["workflow"]["graph"]["nodes"]:
        data = node["data"]
        if data.get("tool_name") in ("txt2img", "img2img"):
            small = {"width": 64, "height": 96, "steps": 1} | fixed
            for field, value in small.items():
                given = data["tool_parameters"]
                if field in fixed or given.get(field, {}).get("type") == "constant":
                    given[field] = {"type": "constant", "value": value}
            data["retry_config"]["retry_interval"] = 0
    return Workflow(said)


def upload(store: FileStore, path: Path, content: bytes) -> File:
    path.write_bytes(content)
    return store.add(path)


def opened(store: FileStore, files: list[File]) -> list[Image.Image]:
    return [Image.open(BytesIO(store.path(one).read_bytes())) for one in files]


def sizes(store: FileStore, files: list[File]) -> list[tuple[int, int]]:
    return [one.size for one in opened(store, files)]
