"""Use the plugin in a running Dify while you change it: `uv run python -m devtools.debug`.

It attaches to the Dify that .env names and starts again on each saved change; one under
declarations/ is first written into the forms. `--check` also runs devtools.check and the tests of
what changed.
"""

import argparse
import ast
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from dotenv import dotenv_values
from watchfiles import watch

from devtools.content import package_files
from devtools.declare import ROOT

KEY_PLACE = "the console under Integrations → Debugging (before Dify 1.16: Plugins → Debug)"
# What the plugin runs with; pages in the package are not.
PARTS = {".py", ".yaml", ".json", ".svg"}
# The daemon says nothing to what it takes; in so many seconds a refusal has come.
REFUSAL_SECONDS = 1
# How long an ending plugin may stop its work at servers before it is killed.
END_SECONDS = 5
_REFUSED = re.compile(r"An error occurred while parsing the data: (b'.*'|b\".*\")")


def settings(root: Path) -> dict[str, str]:
    """Return the plugin's environment by .env, before which this process's own goes."""
    if not (root / ".env").is_file():
        sys.exit(f".env: no such file. Copy .env.example, and enter the key from {KEY_PLACE}.")
    told = {name: value or "" for name, value in dotenv_values(root / ".env").items()} | os.environ
    if not told.get("REMOTE_INSTALL_KEY", "").strip("*-"):
        sys.exit(f".env: REMOTE_INSTALL_KEY is missing. Copy it from {KEY_PLACE}.")
    # What it prints is to come at once, and in UTF-8.
    return told | {"INSTALL_METHOD": "remote", "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"}


def concerned_by(root: Path, changed: Iterable[str]) -> list[str]:
    """Return the tests named like a changed file or importing it; tests/declared for no Python."""
    files = [Path(name) for name in changed]
    documents = {".yaml", ".yml", ".json", ".md", ".svg"}
    concerned = {"tests/declared" for file in files if file.suffix in documents}
    if stems := {file.stem for file in files if file.suffix == ".py"}:
        imports = re.compile(rf"(?m)^ *(from|import) .*\b({'|'.join(stems)})\b")
        for test in root.glob("tests/*/test_*.py"):
            is_named = not stems.isdisjoint({test.stem, test.stem.removeprefix("test_")})
            if is_named or imports.search(test.read_text(encoding="utf-8")):
                concerned.add(test.relative_to(root).as_posix())
    return sorted(concerned)


class Run:
    """The plugin's process, started anew for each change; it tells what becomes of it in a line."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.is_unreached = self._was_connected = False

    def start(self, why: str) -> None:
        """Start the process; `why` goes before the news that it is connected."""
        self._why, self._began, self._is_told = why, time.monotonic(), False
        self._connected = threading.Timer(REFUSAL_SECONDS, self._tell_connected)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "main"],
            cwd=self._root,
            env=settings(self._root),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            # Ctrl-C on the terminal is for this process, which then lets the plugin end its work.
            start_new_session=True,
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def end(self) -> None:
        """Return when the process is gone: Dify would mistake two at a time for each other."""
        self.is_unreached, self._is_told = False, True
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(END_SECONDS)
        self.process.kill()
        self._listener.join(END_SECONDS)

    def _listen(self) -> None:
        assert self.process.stdout is not None  # noqa: S101 - for the type checker: it is a pipe
        for line in self.process.stdout:
            self._hear(line.rstrip())
        self._connected.cancel()
        if not self._is_told:
            code = self.process.wait()
            tell(f"The plugin ended with exit code {code}. A saved change starts it again.")

    def _hear(self, line: str) -> None:
        """Make sentences of what the SDK logs of its connection; its tracebacks say no more."""
        with contextlib.suppress(ValueError, KeyError, TypeError):
            line = json.loads(line)["data"]["message"]
        if line.startswith("Installed tool: "):
            self._connected.cancel()
            self._connected = threading.Timer(REFUSAL_SECONDS, self._tell_connected)
            self._connected.start()
            self.is_unreached = self._is_told = False
        elif refused := _REFUSED.search(line):
            self._connected.cancel()
            reason = ast.literal_eval(refused[1]).decode(errors="replace")
            lapsed = f" Keys lapse: copy that of now from {KEY_PLACE}." if "key" in reason else ""
            tell(f"{self._why}: refused by Dify: {reason}.{lapsed}")
            # The SDK would try again every few seconds.
            self._is_told = True
            self.process.terminate()
        elif "Failed to connect to" in line:
            if not self.is_unreached:
                tell("No plugin daemon answers at .env's REMOTE_INSTALL_URL. Trying on.")
            # After some attempts the process ends.
            self.is_unreached = self._is_told = True
        elif "Failed to read data from" in line and not self._is_told:
            self._connected.cancel()
            self._why, self._began, self._is_told = "Connection lost", time.monotonic(), True
        elif not self._is_told:
            print(line, flush=True)

    def _tell_connected(self) -> None:
        again = " again" if self._was_connected else ""
        self._was_connected = True
        tell(f"{self._why}: connected{again} after {time.monotonic() - self._began:.0f} s.")


def tell(sentence: str) -> None:
    print(time.strftime("%H:%M:%S"), sentence, flush=True)


def follow(root: Path, *, checks: bool = False) -> None:
    """Keep the plugin in `root` attached until Ctrl-C."""

    def command(*arguments: str) -> None:
        subprocess.run([sys.executable, "-m", *arguments], cwd=root, check=False)  # noqa: S603

    # So that the plugin is ended then as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    run = Run(root)
    run.start("Started")
    try:
        for changes in watch(root, rust_timeout=1000, yield_on_timeout=True):
            paths = {Path(path) for _, path in changes}
            names = sorted(path.relative_to(root).as_posix() for path in paths if path.is_file())
            parts = {name for name in names if Path(name).suffix in PARTS} & {*package_files(root)}
            if parts or ".env" in names:
                run.end()
                run.start(", ".join(names))
            elif run.is_unreached and run.process.poll() is not None:
                run.start("Started")
            if any(name.startswith("declarations/") for name in names):
                # What it writes comes as the next change.
                command("devtools.declare")
            elif checks and (tests := concerned_by(root, names)):
                command("devtools.check")
                command("pytest", "-q", "--no-header", *tests)
    except KeyboardInterrupt:
        pass
    finally:
        run.end()


if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m devtools.debug", description=__doc__)
    parser.add_argument("--check", action="store_true", help="run the tests of each change too")
    follow(ROOT.resolve(), checks=parser.parse_args().check)
