"""The plugin attaches to a Dify by TCP, describes itself and draws."""

import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from devtools.host import ROOT, DebugServer, PluginError, plugin_environment
from devtools.standin import StandIn

KEY = "c0ffee00-0000-4000-8000-000000000000"


@contextmanager
def plugin_with(key: str, server: DebugServer, log: Path) -> Iterator[None]:
    """The plugin's process, told by its environment to attach to `server`; prints into `log`."""
    host, port = server.address
    environment = plugin_environment(
        {
            "INSTALL_METHOD": "remote",
            "REMOTE_INSTALL_URL": f"{host}:{port}",
            "REMOTE_INSTALL_KEY": key,
        }
    )
    command = [sys.executable, "-m", "main"]
    with (
        log.open("wb") as output,
        subprocess.Popen(  # noqa: S603 - runs the plugin
            command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            yield
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def attached(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DebugServer]:
    log = tmp_path_factory.mktemp("plugin") / "log"
    with DebugServer(key=KEY) as server, plugin_with(KEY, server, log):
        server.wait_for_plugin(60)
        yield server


def declared(path: str) -> dict[str, Any]:
    content = yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


def test_the_manifest_arrives(attached: DebugServer) -> None:
    manifest = declared("manifest.yaml")

    assert {name: attached.manifest[name] for name in ("author", "name", "version", "type")} == {
        name: manifest[name] for name in ("author", "name", "version", "type")
    }


def test_every_tool_arrives_with_its_parameters(attached: DebugServer) -> None:
    [provider] = attached.tools
    arrived = {
        tool["identity"]["name"]: [parameter["name"] for parameter in tool["parameters"]]
        for tool in provider["tools"]
    }

    assert provider["identity"]["name"] == "stable_diffusion"
    assert arrived == {
        tool["identity"]["name"]: [parameter["name"] for parameter in tool["parameters"]]
        for tool in map(declared, declared("provider/stable_diffusion.yaml")["tools"])
    }


def test_the_icons_arrive_whole(attached: DebugServer) -> None:
    manifest = declared("manifest.yaml")

    for name in (manifest["icon"], manifest["icon_dark"]):
        assert attached.assets[name.replace("/", os.sep)] == (ROOT / "_assets" / name).read_bytes()


def test_an_attached_plugin_draws(attached: DebugServer) -> None:
    with StandIn() as standin:
        parameters = {"prompt": "a lighthouse at dawn", "width": 192, "height": 128}
        messages = list(
            attached.invoke("txt2img", parameters, {"base_url": standin.base_url}, timeout=60)
        )

    [picture] = [message for message in messages if message.type == "blob"]
    assert picture.blob is not None
    assert picture.meta is not None
    assert picture.meta["mime_type"] == "image/png"
    with Image.open(io.BytesIO(picture.blob)) as image:
        assert image.size == (192, 128)


def test_an_attached_plugin_checks_credentials(attached: DebugServer) -> None:
    with StandIn(api_auth="ali:sesame") as standin:
        login = {"base_url": standin.base_url, "username": "ali"}
        attached.validate(login | {"password": "sesame"}, timeout=60)
        with pytest.raises(PluginError, match="--api-auth"):
            attached.validate(login | {"password": "barley"}, timeout=60)


def test_a_wrong_key_is_refused_and_told(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with DebugServer(key=KEY) as server, plugin_with("wrong", server, log):
        deadline = time.monotonic() + 60
        while b"handshake failed, invalid key" not in log.read_bytes():
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)

        assert server.tools == []
