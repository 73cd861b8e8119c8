"""devtools.debug: a plugin that stays attached to a Dify while it is changed."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from devtools.content import package_files
from devtools.debug import KEY_PLACE, concerned_by, settings
from devtools.host import ROOT, DebugServer, ProtocolError

# Says what the SDK does, in a fraction of the time that it takes to load; see the slow test.
PLUGIN = '''
import os, socket
host, _, port = os.environ["REMOTE_INSTALL_URL"].partition(":")
with socket.create_connection((host, int(port))) as daemon:
    key = os.environ["REMOTE_INSTALL_KEY"]
    daemon.sendall(f"""{{"type":"handshake","data":{{"key":"{key}"}}}}
        {{"type":"manifest_declaration","data":{{"author":"a","name":"n","version":"1.0.0"}}}}
        {{"type":"end","data":{{}}}}
        """.encode())
    print('{"event": "log", "data": {"message": "Installed tool: n"}}')
    if said := daemon.recv(1000):
        print(f"An error occurred while parsing the data: {said.splitlines()[0]}")
        daemon.recv(1000)
'''


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "main.py").write_text(PLUGIN, encoding="utf-8")
    (tmp_path / ".difyignore").write_text(".*\n", encoding="utf-8")
    return tmp_path


def attach(root: Path, server: DebugServer, key: str = "k") -> None:
    told = f"REMOTE_INSTALL_URL={server.address}\nREMOTE_INSTALL_KEY={key}\n"
    (root / ".env").write_text(told, encoding="utf-8")


@contextmanager
def followed(root: Path) -> Iterator[Iterator[str]]:
    """What the command prints, a line at a time and without the time of day."""
    run = (
        "import pathlib\n"
        "from devtools import debug\n"
        "debug.REFUSAL_SECONDS = 0.3\n"
        f"debug.follow(pathlib.Path({str(root)!r}))"
    )
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", run], cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stdout is not None
        try:
            yield (line.rstrip().partition(" ")[2] for line in process.stdout)
        finally:
            process.terminate()


def test_a_saved_change_connects_again_and_says_what_changed(root: Path) -> None:
    with DebugServer(key="k") as server:
        attach(root, server)
        with followed(root) as lines:
            server.wait_for_plugin(20)
            assert next(lines).startswith("Started: connected after ")
            (root / "notes.md").write_text("no part of what runs", encoding="utf-8")
            (root / "tool.yaml").write_text("name: n", encoding="utf-8")
            server.wait_for_plugin(20)
            assert "tool.yaml: connected again after " in next(lines)
            (root / "main.py").write_text("raise SystemExit(3)", encoding="utf-8")
            assert server.wait_for_detachment(20)
            ended = "The plugin ended with exit code 3. A saved change starts it again."
            assert next(lines) == ended


def test_a_refusal_is_told_in_the_daemons_words(root: Path) -> None:
    with DebugServer(key="k") as server:
        attach(root, server, "old")
        with followed(root) as lines:
            with pytest.raises(ProtocolError):
                server.wait_for_plugin(20)
            told = next(lines)
            assert told.startswith("Started: refused by Dify: handshake failed, invalid key. ")
            assert KEY_PLACE in told
            attach(root, server)
            server.wait_for_plugin(20)
            assert next(lines).startswith(".env: connected after ")


@pytest.mark.slow
def test_the_plugin_itself_is_followed_through_change_loss_and_refusal(tmp_path: Path) -> None:
    for name, file in package_files(ROOT).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, tmp_path / name)
    (tmp_path / ".difyignore").write_text(".*\n", encoding="utf-8")
    manifest = tmp_path / "manifest.yaml"
    with ExitStack() as stack:
        with DebugServer(key="k") as server:
            attach(tmp_path, server)
            lines = stack.enter_context(followed(tmp_path))
            server.wait_for_plugin(60)
            assert next(lines).startswith("Started: connected after ")
            text = re.sub("^version: .*", "version: 9.9.9", manifest.read_text(encoding="utf-8"))
            manifest.write_text(text, encoding="utf-8")
            server.wait_for_plugin(60)
            assert next(lines).startswith("manifest.yaml: connected again after ")
            assert server.manifest["version"] == "9.9.9"
        assert next(lines) == "No plugin daemon answers at .env's REMOTE_INSTALL_URL. Trying on."
        with DebugServer(int(server.address.partition(":")[2]), key="k") as server:
            server.wait_for_plugin(60)
            assert next(lines).startswith("Connection lost: connected again after ")
        with DebugServer(key="k") as server:
            attach(tmp_path, server, "old")
            with pytest.raises(ProtocolError):
                server.wait_for_plugin(60)
            assert next(lines).startswith(".env: refused by Dify: handshake failed, invalid key. ")


def test_a_key_that_was_never_entered_is_asked_for_with_its_place(root: Path) -> None:
    with pytest.raises(SystemExit, match=r"\.env: no such file\. Copy \.env\.example"):
        settings(root)
    (root / ".env").write_bytes((ROOT / ".env.example").read_bytes())
    with pytest.raises(SystemExit, match=r"REMOTE_INSTALL_KEY is missing.*Integrations"):
        settings(root)


def test_a_change_concerns_the_tests_of_its_name_and_those_that_import_it(root: Path) -> None:
    (root / "tests/unit").mkdir(parents=True)
    for name, text in {
        "test_survey.py": "",
        "test_chain.py": "from webui import errors, survey",
        "test_door.py": "import webui.survey",
        "test_surveyor.py": "from webui.surveyor import survey_all",
    }.items():
        (root / "tests/unit" / name).write_text(text, encoding="utf-8")
    tests = [f"tests/unit/test_{name}.py" for name in ("chain", "door", "survey")]
    assert concerned_by(root, ["webui/survey.py"]) == tests
    assert concerned_by(root, ["tests/unit/test_door.py"]) == ["tests/unit/test_door.py"]
    assert concerned_by(root, ["declarations/fields.yaml", "GUIDE.md"]) == ["tests/declared"]
    assert concerned_by(root, ["out/picture.png"]) == []
