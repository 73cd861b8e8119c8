"""Ask a server what a stand-in's file holds, and say what differs from the last recording.

    uv run python -m devtools.record --base-url http://127.0.0.1:7860

It draws two tiny pictures, provokes a few errors and writes no option; record.json has every ask.
What it writes is fit for a bug report: no text but errors and the names of samplers and the like.
"""

import argparse
import itertools
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import requests

from devtools.standin.pictures import decode, texts_inside

type Json = Any
# Of each ask, the type at each place of the answer, and the status.
type Shapes = Mapping[str, Mapping[str, str]]
LAST = Path(__file__).parents[1] / "tests/recorded"
_ASKS: Json = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8"))
_PUBLIC = {"samplers", "schedulers", "upscalers", "latent-upscale-modes", "scripts"}
_TYPES = {bool: "boolean", int: "number", float: "number", str: "text", type(None): "null"}
_FOLDER = re.compile(r"(?:[A-Za-z]:)?(?:[\\/][^\\/\n,]+)+[\\/]")
_SCHEMA = re.compile(r'"requestBody": .*?/schemas/(\w+)"')
# Of one ask, that are told one by one; a server may have hundreds of options more or less.
_MOST_LINES = 20
_LABEL = re.compile(r"(?:^|\n|, )([A-Z][\w ()/-]*): ")


def record(session: requests.Session, base_url: str) -> dict[str, Json]:
    """Return {ask: {status, answer}}."""
    found = {}
    for ask, (path, *body) in _ASKS.items():
        given = {"json": body[0]} if body else {}
        reply = session.request("POST" if body else "GET", base_url + path, timeout=600, **given)
        answer = told(reply.json() if "json" in reply.headers.get("Content-Type", "") else "")
        is_public = ask in _PUBLIC or bool(body and not reply.ok)
        found[ask] = {"status": reply.status_code, "answer": neutral(answer, is_public=is_public)}
    return found


def told(answer: Json) -> Json:
    """Keep what matters: of a schema the fields of jobs, of pictures the labels in the texts."""
    kind = answer.keys() if isinstance(answer, dict) else set[str]()
    if "images" in kind:
        pictures = [one for one in map(decode, answer["images"]) if one]
        text = "\n".join(texts_inside(one).get("parameters", "") for one in pictures)
        labels = dict.fromkeys(_LABEL.findall(text), "")
        return {"info": json.loads(answer["info"] or "{}"), "labels": labels}
    if "components" in kind:
        bodies = [
            answer["paths"].get(path, {}).get("post") for path, *body in _ASKS.values() if body
        ]
        names, rules = _SCHEMA.findall(json.dumps(bodies)), answer["components"]["schemas"]
        return {name: dict.fromkeys(rules[name].get("properties", ()), "") for name in names}
    if "options" in kind:
        return {name: one["default"] for name, one in answer["options"].items()}
    # Embeddings, in some families by name.
    return {name: list(one) for name, one in answer.items()} if "loaded" in kind else answer


def neutral(value: Json, *, is_public: bool) -> Json:
    """Return the same without texts, or, where they are nobody's own, without folders."""
    if isinstance(value, dict):
        kept = value.keys() - {"metadata", "args"}
        return {one: neutral(value[one], is_public=is_public) for one in value if one in kept}
    if isinstance(value, list):
        return [neutral(one, is_public=is_public) for one in value]
    return _FOLDER.sub("", value) * is_public if isinstance(value, str) else value


def shapes_of(recording: Mapping[str, Json]) -> Shapes:
    """Names and types alone; a list's elements count as one."""
    found: dict[str, dict[str, str]] = {}
    for ask, one in recording.items():
        places = sorted(_places(one["answer"]), key=lambda place: place[1] != "null")
        found[ask] = {"status": str(one["status"]), **dict(places)}
    return found


def _places(value: Json, place: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict | list):
        named = value.items() if isinstance(value, dict) else (("*", one) for one in value)
        for name, one in named:
            yield from _places(one, f"{place}/{name}")
    else:
        yield place, _TYPES[type(value)]


def differences(new: Shapes, old: Shapes) -> Iterator[str]:
    """Lines with + for what is new, - for what is gone, ~ for another type; null is of any."""
    for ask in {**old, **new}:
        one, other = new.get(ask, {}), old.get(ask, {})
        for place in {**other, **one}:
            types = one.get(place), other.get(place)
            if types[0] != types[1] and "null" not in types:
                yield f"{'~' if all(types) else '+' if types[0] else '-'} {ask} {place}"


def folded(lines: list[str]) -> Iterator[str]:
    """Yield the lines, of a long run with one sign and ask the first only, and how many more."""
    for _, run in itertools.groupby(lines, lambda line: line.partition(" /")[0]):
        first, *more = run
        yield from (first, *more) if len(more) < _MOST_LINES else [f"{first}, and {len(more)} more"]


def main(arguments: list[str] | None = None) -> None:
    """Record into a file, and compare with the family that is closest."""
    parser = argparse.ArgumentParser(prog="devtools.record")
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--username", default="", help="its password is in SD_PASSWORD")
    parser.add_argument("--out", type=Path, default=Path("recording.json"), help="file to write")
    given = parser.parse_args(arguments)
    with requests.Session() as session:
        if given.username:
            session.auth = (given.username, os.environ.get("SD_PASSWORD", ""))
        recording = record(session, given.base_url.rstrip("/"))
    given.out.write_text(json.dumps(recording, ensure_ascii=False, indent=1), "utf-8")
    files = {file.stem: json.loads(file.read_text("utf-8")) for file in LAST.glob("*.json")}
    found = {name: [*differences(shapes_of(recording), one)] for name, one in files.items()}
    name = min(found, key=lambda one: len(found[one]))
    print(*folded(found[name]), f"Written: {given.out}; closest to {name}", sep="\n")


if __name__ == "__main__":
    main()
