"""Ask a server what a stand-in's file holds, and say what differs from the last recording.

    uv run python -m devtools.record --base-url http://127.0.0.1:7860

It draws two tiny pictures, provokes a few errors and writes no option; record.json has every ask.
What it writes is fit for a bug report: no text but errors and the names of samplers and the like.
"""

import argparse
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

from devtools.standin.pictures import decode, texts_inside
from dify.credentials import read_credentials
from webui.http.client import WebUIClient
from webui.http.endpoints import Endpoint
from webui.server.server import Server

type Json = Any
LAST = Path(__file__).parents[1] / "tests/recorded"
_ASKS: Json = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8"))
_PUBLIC = {"samplers", "schedulers", "upscalers", "latent-upscale-modes", "scripts"}
_EMPTY: Json = {"integer": 0, "number": 0, "boolean": False, "array": [], "object": {}}
_TYPES = {bool: "boolean", int: "number", float: "number", str: "text", type(None): "null"}
_FOLDER = re.compile(r"(?:[A-Za-z]:)?(?:[\\/][^\\/\n,]+)+[\\/]")
_LABEL = re.compile(r"(?:^|\n|, )([A-Z][\w ()/-]*): ")


def record(session: requests.Session, base_url: str) -> dict[str, Json]:
    """Return {ask: {status: answer}}."""
    found = {}
    for ask, (path, *body) in _ASKS.items():
        given = {"json": body[0]} if body else {}
        reply = session.request("POST" if body else "GET", base_url + path, timeout=600, **given)
        answer = told(reply.json() if "json" in reply.headers.get("Content-Type", "") else "")
        is_public = ask in _PUBLIC or bool(body and not reply.ok)
        found[ask] = {str(reply.status_code): neutral(answer, is_public=is_public)}
    return found


def told(answer: Json) -> Json:
    """What matters: of a schema the fields that jobs read, of pictures their texts' labels."""
    kind = answer.keys() if isinstance(answer, dict) else set[str]()
    if "images" in kind:
        texts = [
            texts_inside(one).get("parameters", "") for one in map(decode, answer["images"]) if one
        ]
        labels = {label: "" for one in texts for label in _LABEL.findall(one)}
        return {**answer, "info": json.loads(answer["info"] or "null"), "labels": labels}
    if "components" in kind:
        bodies = {path: answer["paths"].get(path, {}) for path, *body in _ASKS.values() if body}
        return {path: _fields(answer, one["post"]) for path, one in bodies.items() if one}
    # Embeddings, in some families by name.
    return {name: list(one) for name, one in answer.items()} if "loaded" in kind else answer


def _fields(schema: Json, post: Json) -> dict[str, Json]:
    """Of each field an empty value of its type."""
    name = post["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    rules = schema["components"]["schemas"][name]["properties"]
    kinds = {name: rule.get("anyOf", [rule])[0].get("type") for name, rule in rules.items()}
    return {name: _EMPTY.get(kind, "") for name, kind in kinds.items()}


def neutral(value: Json, *, is_public: bool) -> Json:
    """The same without texts, or, where they are nobody's own, without folders."""
    if isinstance(value, dict):
        kept = {name: one for name, one in value.items() if name != "metadata"}
        return {name: neutral(one, is_public=is_public) for name, one in kept.items()}
    if isinstance(value, list):
        return [neutral(one, is_public=is_public) for one in value]
    return _FOLDER.sub("", value) * is_public if isinstance(value, str) else value


def shape(value: Json) -> Json:
    """Names and types alone; a list's elements count as one."""
    if isinstance(value, dict):
        return {name: shape(one) for name, one in value.items()}
    if not isinstance(value, list):
        return _TYPES[type(value)]
    if value and all(isinstance(one, dict) for one in value):
        pairs = sorted(
            (pair for one in value for pair in one.items()), key=lambda p: p[1] is not None
        )
        return [shape(dict(pairs))]
    return [shape(one) for one in value[:1]]


def differences(new: Json, old: Json, place: str = "") -> Iterator[str]:
    """Lines with + for what is new, - for what is gone, ~ for another type; null is of any."""
    if isinstance(new, dict) and isinstance(old, dict):
        for name in sorted(new.keys() | old.keys()):
            here = f"{place}/{name}"
            if name in new and name in old:
                yield from differences(new[name], old[name], here)
            else:
                yield f"{'+' if name in new else '-'} {here}"
    elif isinstance(new, list) and isinstance(old, list):
        for one, other in zip(new, old, strict=False):
            yield from differences(one, other, place)
    elif new != old and "null" not in (new, old):
        yield f"~ {place}: {new}, was {old}"


def main(arguments: list[str] | None = None) -> None:
    """Record into a file and print the differences."""
    parser = argparse.ArgumentParser(prog="devtools.record", description=record.__doc__)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--username", default="", help="its password is in SD_PASSWORD")
    parser.add_argument("--out", type=Path, default=Path("recording.json"), help="file to write")
    given = parser.parse_args(arguments)
    login = {"username": given.username, "password": os.environ.get("SD_PASSWORD", "")}
    settings = read_credentials({"base_url": given.base_url, **login})
    with WebUIClient(settings) as client, requests.Session() as session:
        session.auth = (login["username"], login["password"]) if given.username else None
        family = Server.ask(client, Endpoint.TXT2IMG).family.key
        recording = record(session, str(settings.address))
    given.out.write_text(json.dumps(recording, ensure_ascii=False, indent=1), "utf-8")
    last = json.loads((LAST / f"{family}.json").read_text("utf-8"))
    print(*differences(shape(recording), last), f"Written: {given.out} ({family})", sep="\n")


if __name__ == "__main__":
    main()
