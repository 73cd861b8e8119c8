"""Calls to a stand-in WebUI, as short as the tests want them."""

import io
import json
from base64 import b64decode, b64encode
from typing import Any

import requests
from PIL import Image

from devtools.standin import StandIn, pictures

SMALL = {"width": 64, "height": 64, "steps": 2}


def get(standin: StandIn, path: str, auth: tuple[str, str] | None = None) -> requests.Response:
    return requests.get(standin.base_url + path, timeout=10, auth=auth)


def post(standin: StandIn, path: str, json: object = None) -> requests.Response:
    return requests.post(standin.base_url + path, json=json, timeout=30)


def ask(standin: StandIn, name: str, /, **fields: object) -> requests.Response:
    """A small picture from txt2img or img2img, or whatever else `name` does."""
    size = SMALL if name.endswith("2img") else {}
    return post(standin, f"/sdapi/v1/{name}", {**size, **fields})


def draw(standin: StandIn, kind: str = "txt2img", /, **fields: object) -> dict[str, Any]:
    """The reply of a picture that succeeds, with `info` parsed and `images` opened."""
    response = ask(standin, kind, **fields)
    assert response.status_code == 200, response.text
    reply: dict[str, Any] = response.json()
    reply["info"] = json.loads(reply["info"])
    reply["images"] = [Image.open(io.BytesIO(b64decode(one))) for one in reply["images"]]
    return reply


def base64_picture(width: int, height: int, text: str | None = None) -> str:
    """A red picture, with this infotext inside."""
    picture = Image.new("RGB", (width, height), "red")
    return b64encode(pictures.encode(picture, "png", text)).decode()
