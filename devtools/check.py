"""Apply the plugin daemon's and the marketplace's rules: `uv run python -m devtools.check`.

It prints a line for each finding, starts what would be packaged as a marketplace does, in
serverless mode, and exits with 1 for an error. A note is what only a publisher can fill in.
"""

import contextlib
import re
import reprlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import yaml

from devtools.content import PackageError, package_files
from devtools.host import ROOT, plugin_environment

RULES = yaml.safe_load((Path(__file__).parent / "rules.yaml").read_bytes())
MOST_BYTES, START_SECONDS = 50 * 1024 * 1024, 60


@dataclass(frozen=True)
class Finding:
    """What is wrong with a file, and what it should be; an error unless it is a note."""

    file: str
    text: str
    is_note: bool = False

    def __str__(self) -> str:
        return f"{'note' if self.is_note else 'error'}: {self.file}: {self.text}"


def findings(root: Path) -> Iterator[Finding]:
    """Apply every rule to the plugin in `root`, but for the start."""
    try:
        files = package_files(root)
    except PackageError as error:
        file, _, text = str(error).partition(": ")
        yield Finding(file, text)
        return
    yield from _declared(root, files)
    texts = {name: path.read_text("utf-8", "replace") for name, path in files.items()}
    for name, text in texts.items():
        yield from _contents(name, text)
    repo = re.search(r"(?m)^repo: *(\S+)", texts.get("manifest.yaml", ""))
    if repo and repo[1] not in texts.get("README.md", ""):
        yield Finding("README.md", f"must link to where the source is, {repo[1]}")
    if sum(path.stat().st_size for path in files.values()) > MOST_BYTES:
        yield Finding(".difyignore", f"must leave out more: Dify takes {MOST_BYTES:,} bytes")


def breaches(rule: Any, value: Any, where: str = "") -> Iterator[str]:  # noqa: ANN401 - YAML
    """Yield where a declaration breaks a rule of rules.yaml, and what must be there."""
    place = where.lstrip(".")
    if isinstance(rule, dict) and isinstance(value, dict):
        known = {name.removesuffix("?"): one for name, one in rule.items()}
        for name in rule.keys() - value.keys():
            if not name.endswith(("?", "*")):
                yield f"{place} lacks {name}".lstrip()
        for name, one in value.items():
            if name in known or "*" in known:
                yield from breaches(known.get(name, known.get("*")), one, f"{where}.{name}")
            else:
                yield f"{place} has {name}, which the daemon drops: remove or respell it".lstrip()
    elif isinstance(rule, list) and isinstance(value, list):
        for number, one in enumerate(value):
            yield from breaches(rule[0], one, f"{where}[{number}]")
    else:
        wanted = rule if isinstance(rule, str) else f"<{type(rule).__name__}>"
        fits = type(value).__name__ in re.findall(r"\w+", wanted)
        if not wanted.startswith("<"):
            fits = isinstance(value, str) and re.fullmatch(wanted, value) is not None
        if not fits:
            yield f"{place} is {reprlib.repr(value)}, must be {wanted}".lstrip()


def _declared(root: Path, files: Mapping[str, Path]) -> Iterator[Finding]:
    """Follow the declarations from file to file, as far as they are right."""
    wanted = [(str(name), str(kind), str(reason)) for name, kind, reason in RULES["needed"]]
    for name, kind, reason in wanted:  # It grows on the way.
        if name not in files:
            missing = "left out by .difyignore" if (root / name).is_file() else "no such file"
            yield Finding(name, f"{missing}, but {reason}")
        elif kind:
            try:
                declared = yaml.safe_load(files[name].read_text(encoding="utf-8"))
            except (UnicodeDecodeError, yaml.YAMLError) as error:
                yield Finding(name, " ".join(str(error).split()))
                continue
            faults = sorted(breaches(RULES[kind], declared)) or list(_repeated(kind, declared))
            yield from (Finding(name, fault) for fault in faults)
            if not faults:
                wanted += [(*one, f"{name} names it") for one in _named(kind, declared)]


def _repeated(kind: str, declared: dict[str, Any]) -> Iterator[str]:
    names = [one["name"] for one in declared.get("parameters", [])]
    yield from (f"{name} is declared twice" for name in sorted({*names}) if names.count(name) > 1)
    if kind == "manifest" and len(declared["plugins"]["tools"]) != 1:
        yield "plugins.tools must name one provider: of several, Dify takes the first or the last"


def _named(kind: str, declared: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the files that a declaration names, each with the kind of declaration that it is."""
    owner = declared if kind == "manifest" else declared["identity"]
    yield from ((f"_assets/{owner[key]}", "") for key in ("icon", "icon_dark") if key in owner)
    if kind == "manifest":
        yield f"{declared['meta']['runner']['entrypoint']}.py", ""
        yield from ((provider, "provider") for provider in declared["plugins"]["tools"])
        if not declared["privacy"].startswith("http"):
            yield declared["privacy"], ""
    else:
        yield declared["extra"]["python"]["source"], ""
        yield from ((tool, "tool") for tool in declared.get("tools", []))


def _contents(name: str, text: str) -> Iterator[Finding]:
    for pattern, reason in RULES["names"].items():
        if re.fullmatch(pattern, name):
            yield Finding(name, f"{reason}: rename it, or name it in .difyignore")
    for rule in RULES["texts"]:
        if re.fullmatch(rule["file"], name):
            found = re.search(rule.get("has") or rule["never"], text)
            if (found is not None) is ("never" in rule):
                where = f"line {text.count('\n', 0, found.start()) + 1}: " if found else ""
                yield Finding(name, where + rule["say"], rule.get("note", False))


def start(root: Path) -> Iterator[Finding]:
    """Run what would be packaged as the marketplace does, until it answers a request."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    told = {"INSTALL_METHOD": "serverless", "SERVERLESS_HOST": "127.0.0.1"}
    with tempfile.TemporaryDirectory() as place:
        for name, file in package_files(root).items():
            Path(place, name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, Path(place, name))
        with subprocess.Popen(
            [sys.executable, "-m", "main"],
            cwd=place,
            env=plugin_environment(told | {"SERVERLESS_PORT": str(port)}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            deadline = time.monotonic() + START_SECONDS
            while not (answered := _answers(port)) and process.poll() is None:
                if time.monotonic() > deadline:
                    break
                time.sleep(0.2)
            process.terminate()
            said = process.communicate()[0].decode(errors="replace").split("\n")
    if not answered:
        yield Finding("main.py", f"gives no answer in serverless mode: {' '.join(said[-4:])}")


def _answers(port: int) -> bool:
    """Tell whether a request is taken and answered, if only with the sentence that it is wrong."""
    data = {"type": "tool", "action": "validate_tool_credentials", "user_id": "", "provider": ""}
    asked = {"event": "request", "session_id": "check", "data": data | {"credentials": {}}}
    with contextlib.suppress(requests.RequestException), requests.Session() as session:
        session.trust_env = False  # No proxy.
        reply = session.post(f"http://127.0.0.1:{port}/invoke", json=asked, timeout=10)
        return b'"session_id":"check"' in reply.content
    return False


def main() -> int:
    """Print every finding, and return 1 if one of them is an error."""
    found = list(findings(ROOT))
    if all(finding.is_note for finding in found):
        found += start(ROOT)
    for finding in found:
        print(finding)
    return 0 if all(finding.is_note for finding in found) else 1


if __name__ == "__main__":
    sys.exit(main())
