"""The plugin as the plugin daemon runs it: a process that talks over stdin and stdout."""

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from devtools.host.conversation import Conversation
from devtools.host.messages import PluginGoneError

ROOT = Path(__file__).resolve().parents[2]
# A longer line makes the daemon kill the plugin (PLUGIN_STDIO_MAX_BUFFER_SIZE).
MAX_LINE_BYTES = 5 * 1024 * 1024
# As much of stderr as the daemon keeps for its error texts.
STDERR_BYTES = 1024
# The daemon's patience until the first heartbeat.
START_SECONDS = 120
# How long an ending process may take before it is killed.
END_SECONDS = 5


def plugin_environment(additions: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment without proxies, which would catch calls to loopback.

    Pipes are UTF-8 in it: on Windows the plugin could not even write its manifest otherwise.
    """
    proxies = {name for name in os.environ if name.lower().endswith("_proxy")}
    inherited = {name: os.environ[name] for name in os.environ.keys() - proxies}
    return inherited | {"PYTHONIOENCODING": "utf-8"} | dict(additions or {})


class PluginProcess(Conversation):
    """Runs `python -m main` in `root`, ready for calls inside the `with` block."""

    def __init__(self, *, root: Path = ROOT, environment: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._root = root
        self._environment = plugin_environment(environment) | {"INSTALL_METHOD": "local"}
        self._settled = threading.Event()
        self._stderr = b""

    def __enter__(self) -> Self:
        """Return after the first heartbeat; PluginGoneError when the process ends before that."""
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            [sys.executable, "-m", "main"],
            cwd=self._root,
            env=self._environment,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            # Ctrl-C on the terminal is for this process, which then ends the plugin itself.
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._stderr_keeper = threading.Thread(target=self._keep_stderr, daemon=True)
        self._stderr_keeper.start()
        self._listener.start()
        try:
            if not self._settled.wait(START_SECONDS):
                raise TimeoutError("failed to start plugin as no heartbeat received")
            if self._gone is not None and not self.heartbeats:
                raise PluginGoneError(*self._gone.args)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        # Closing stdin would not do: at its end the SDK spins instead of leaving.
        self._process.terminate()
        self._wait()
        self._listener.join(END_SECONDS)
        # Closes the pipes, of which the plugin has left its own end.
        with contextlib.suppress(OSError), self._process:
            pass

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def stderr(self) -> str:
        """The last 1024 bytes that the plugin wrote to stderr."""
        return self._stderr.decode(errors="replace")

    def _send(self, line: bytes) -> None:
        assert self._process.stdin is not None  # noqa: S101 - for the type checker: it is a pipe
        self._process.stdin.write(line)
        self._process.stdin.flush()

    def _receive(self, line: bytes) -> None:
        super()._receive(line)
        if self.manifest and self.heartbeats:
            self._settled.set()

    def _listen(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - for the type checker: it is a pipe
        reason = ""
        while line := self._process.stdout.readline(MAX_LINE_BYTES):
            if len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
                reason = f"was killed: a line on its stdout was longer than {MAX_LINE_BYTES} bytes"
                self._process.kill()
                break
            if line.strip():
                self._receive(line)
        # Like the daemon: a plugin without stdout is killed, were it still alive.
        reason = reason or f"ended with exit code {self._wait()}"
        self._stderr_keeper.join(END_SECONDS)
        self._lose(PluginGoneError(f"The plugin process {reason}. {self.stderr}".rstrip()))
        self._settled.set()

    def _keep_stderr(self) -> None:
        assert self._process.stderr is not None  # noqa: S101 - for the type checker: it is a pipe
        for line in self._process.stderr:
            self._stderr = (self._stderr + line)[-STDERR_BYTES:]

    def _wait(self) -> int:
        try:
            return self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
