"""The plugin as a function or pod that answers over HTTP, asked as the plugin daemon does.

Source: dify-plugin-daemon, internal/core/serverless_runtime/io.go.
"""

import json
import subprocess
import sys
import threading
import time
from typing import Self

import requests

from devtools.host import ROOT, PluginGoneError, plugin_environment
from devtools.host.conversation import Conversation
from devtools.host.process import MAX_LINE_BYTES, START_SECONDS
from support.raw_server import free_port


class ServerlessPlugin(Conversation):
    """Runs in the `with` block, with these environment variables; each call is a request."""

    def __init__(self, **environment: str) -> None:
        super().__init__()
        self.manifest = {"author": "a", "name": "n"}
        port = free_port()
        self._url = f"http://127.0.0.1:{port}"
        told = {"INSTALL_METHOD": "serverless", "SERVERLESS_HOST": "127.0.0.1"}
        self._environment = plugin_environment(
            told | {"SERVERLESS_PORT": str(port)} | dict(environment)
        )

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "main"],
            cwd=ROOT,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + START_SECONDS
        while not self._is_up():
            assert self.process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def _is_up(self) -> bool:
        try:
            return requests.get(f"{self._url}/health", timeout=5).text == "OK"
        except requests.ConnectionError:
            return False

    def _send(self, line: bytes) -> None:
        threading.Thread(target=self._ask_over_http, args=(line,), daemon=True).start()

    def _ask_over_http(self, line: bytes) -> None:
        session = json.loads(line)["session_id"]
        headers = {"Content-Type": "application/json", "Dify-Plugin-Session-ID": session}
        url = f"{self._url}/invoke?action=invoke_tool"
        try:
            with requests.post(url, line, headers=headers, stream=True, timeout=60) as reply:
                reply.raise_for_status()
                for said in filter(None, reply.iter_lines()):
                    assert len(said) < MAX_LINE_BYTES
                    self._receive(said)
        except requests.RequestException as error:
            self._lose(PluginGoneError(str(error)))
            return
        # Whatever comes to an end without saying so is complete to the daemon.
        end = {"event": "session", "session_id": session, "data": {"type": "end", "data": {}}}
        self._receive(json.dumps(end).encode())
