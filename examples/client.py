"""Run a Dify app through its service API and save the pictures.

    python client.py prompt="a lighthouse" width=640             # a workflow: its inputs
    python client.py photo=@cat.png prompt=@@home                # a file; a text that is "@home"
    python client.py photos=@cat.png photos=@dog.png             # an input for several files
    python client.py --query "as watercolour" --file cat.png     # a chatflow or an agent

DIFY_API_KEY is the app's key (*API Access* in Dify), DIFY_API_URL the address that stands there.
Needs Python 3.12 and httpx: `uv run --with httpx client.py …`. Each picture's path is a line of
stdout; progress and the answer go to stderr. Ctrl-C ends this, while a run goes on in Dify.
"""

import argparse
import getpass
import json
import mimetypes
import os
import re
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import unquote, urljoin, urlsplit

import httpx

type Event = dict[str, Any]

SILENCE = 60.0
"""Seconds without a byte after which a stream counts as cut: Dify sends a ping every ten."""
PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before each try to listen again; whatever is heard begins them anew."""
PICTURE_IN_TEXT = re.compile(r"!\[([^\]]*)\]\((\S*/files/\S+?)\)")


class Failed(Exception):  # noqa: N818
    """What the user is told instead of, or besides, pictures."""


def checked(key: str) -> str:
    """Return an API key that fits into a header, where a copied dash or space would not."""
    key = key.strip()
    if odd := sorted({one for one in key if not "!" <= one <= "~"}):
        named = ", ".join(f"U+{ord(one):04X}" for one in odd)
        raise Failed(f"The API key contains {named}. Copy it again from API Access in Dify.")
    if not key.startswith("app-"):
        raise Failed("The API key of an app begins with app-. Set DIFY_API_KEY to it.")
    return key


def meant(value: str) -> str | Path:
    """Return the file that @FILE means, or the text, of which a leading @ is written twice."""
    is_file = value.startswith("@") and not value.startswith("@@")
    return Path(value[1:]) if is_file else value.removeprefix("@")


def filled(form: Sequence[Event], words: Sequence[str]) -> Iterator[tuple[Event, list[Any]]]:
    """Yield the fields of an app's form that NAME=VALUE words fill, each with its values.

    Dify itself drops an input that the app does not have without a word. Numbers may be text.
    """
    fields = {one["variable"]: one | {"type": kind} for row in form for kind, one in row.items()}
    given: dict[str, list[str | Path]] = {}
    for word in words:
        name, _, value = word.partition("=")
        given.setdefault(name, []).append(meant(value))
    if unknown := [name for name in given if name not in fields]:
        known = ", ".join(fields) or "none"
        raise Failed(f"The app has no input {', '.join(unknown)}. Its inputs: {known}.")
    if missing := [n for n, one in fields.items() if one.get("required") and n not in given]:
        raise Failed(f"The app needs {', '.join(missing)}.")
    for name, values in given.items():
        field = fields[name]
        files = field["type"] in {"file", "file-list"}
        if any(isinstance(one, Path) != files for one in values):
            how = "a file: @FILE" if files else "a text: one that begins with @ has it twice"
            raise Failed(f"{name} takes {how}.")
        if len(values) > 1 and field["type"] != "file-list":
            raise Failed(f"{name} takes one value, not {len(values)}.")
        yield field, values


def events(pieces: Iterator[bytes]) -> Iterator[Event]:
    """Yield what a stream says, without the pings.

    Only a line feed ends a line. httpx's iter_lines would also cut at U+2028 and U+0085, which
    may stand in a prompt and thus in the middle of Dify's JSON.
    """
    held = b""
    for piece in pieces:
        *lines, held = (held + piece).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                yield json.loads(line[5:])


def refusal(response: httpx.Response) -> str:
    """Return Dify's own words for an answer that is an error."""
    text = response.read().decode("utf-8", "replace")
    try:
        said = json.loads(text)
        text = f"{said['code']}: {said['message']}"
    except (ValueError, KeyError, TypeError):
        text = text[:300]
    return f"{bare(response.url)} answered {response.status_code}. {text}"


def bare(url: httpx.URL) -> httpx.URL:
    """Return an address as it may be shown: a link's query has the signature that opens it."""
    return url.copy_with(query=None)


def tell(text: str) -> None:
    """Show progress as it comes."""
    sys.stderr.write(text)
    sys.stderr.flush()


def show(event: Event) -> None:
    """Show how far the app is."""
    data: Event = event.get("data") or {}
    match event["event"]:
        case "node_started":
            tell(f"\n> {data['title']}\n")
        case "node_retry":
            tell(f"\n[{data['title']} is tried again: {data['error']}]\n")
        case "text_chunk":
            tell(data["text"])
        case "message" | "agent_message":
            tell(event["answer"])


class Run:
    """One run of an app: what is known of it so far, and the files it made."""

    def __init__(self, base_url: str, key: str, user: str, out: Path) -> None:
        self.base_url, self.user, self.out = base_url.rstrip("/"), user, out
        self.run_id = self.conversation_id = ""
        self.ended = False
        self.errors: list[str] = []
        self._saved: set[str] = set()
        trusted = httpx.create_ssl_context()
        # The key stays with Dify: a link has a signature of its own and may lead to another host.
        self._files = httpx.Client(transport=httpx.HTTPTransport(verify=trusted, retries=1))
        self._dify = httpx.Client(
            verify=trusted,
            headers={"Authorization": f"Bearer {checked(key)}"},
            timeout=httpx.Timeout(SILENCE, connect=10),
        )

    def body(self, words: Sequence[str], files: Sequence[Path]) -> Event:
        """Return what is given in the way that this app takes it, the files uploaded."""
        takes = self._ask("GET", "/parameters")
        if files and not takes["file_upload"].get("enabled"):
            raise Failed("The app takes no files with a message: its File Upload is off.")
        inputs = {}
        for field, values in filled(takes["user_input_form"], words):
            sent = [self._upload(one, field) if isinstance(one, Path) else one for one in values]
            inputs[field["variable"]] = sent if field["type"] == "file-list" else sent[0]
        attached = [self._upload(one, takes["file_upload"]) for one in files]
        return {"inputs": inputs, "files": attached, "user": self.user}

    def _upload(self, path: Path, takes: Event) -> Event:
        """Hand a file to Dify, where only this user can use it; return what stands for it."""
        media_type = mimetypes.guess_type(path.name, strict=False)[0] or "application/octet-stream"
        kind = "image" if media_type.startswith("image/") else "document"
        kinds = takes.get("allowed_file_types") or [kind]
        if not path.is_file():
            raise Failed(f"There is no file {path}.")
        if not path.stat().st_size:
            raise Failed(f"{path} is empty.")
        if kind not in kinds and "custom" not in kinds:
            raise Failed(f"{path} is taken for a file of kind {kind}, not {' or '.join(kinds)}.")
        part = {"file": (path.name, path.read_bytes(), media_type)}
        try:
            said = self._ask("POST", "/files/upload", data={"user": self.user}, files=part)
        except Failed as failure:
            raise Failed(f"{path} was not uploaded. {failure}") from failure
        return {"type": kind, "transfer_method": "local_file", "upload_file_id": said["id"]}

    def _ask(self, method: str, path: str, **request: Any) -> Event:  # noqa: ANN401
        """Return what Dify answers in one piece."""
        response = self._dify.request(method, self.base_url + path, **request)
        if response.is_error:
            raise Failed(refusal(response))
        try:
            said: Event = response.json()
        except ValueError:
            where = f"Is {self.base_url} the address that API Access in Dify shows?"
            raise Failed(f"{bare(response.url)} answered no JSON. {where}") from None
        return said

    def stream(self, path: str, body: Event) -> None:
        """Start the app and listen to the end, coming back when the stream is cut."""
        cut = self._listen("POST", path, json=body | {"response_mode": "streaming"})
        pauses = iter(PAUSES)
        while not self.ended:
            if not self.run_id:
                self._give_up(cut)
            if (pause := next(pauses, None)) is None:
                raise Failed(f"Run {self.run_id} cannot be heard any more: {cut}")
            tell(f"\n[cut off, listening again in {pause:.0f} s: {cut}]\n")
            time.sleep(pause)
            # The run goes on by itself, and this only listens: nothing is drawn twice.
            cut = self._listen("GET", f"/workflow/{self.run_id}/events", params={"user": self.user})
            pauses = pauses if cut.startswith("nothing heard") else iter(PAUSES)

    def block(self, path: str, body: Event) -> None:
        """Ask for all in one answer, which takes as long as the pictures do."""
        try:
            patience = httpx.Timeout(None, connect=10)
            body |= {"response_mode": "blocking"}
            said = self._ask("POST", path, json=body, timeout=patience)
        except httpx.TransportError as error:
            self._give_up(repr(error))
        self.hear({"event": "workflow_finished", **said} if "data" in said else said)

    def _give_up(self, cut: str) -> NoReturn:
        """Say that the app must not be started again blindly."""
        known = f"conversation {self.conversation_id}" if self.conversation_id else "the app's Logs"
        raise Failed(
            f"The connection was cut ({cut}) and there is no run to come back to. The picture may"
            f" still be drawn: look at {known} in Dify before you start another."
        )

    def _listen(self, method: str, path: str, **request: Any) -> str:  # noqa: ANN401
        """Follow one stream as far as it goes; return how it was cut."""
        heard = ""
        try:
            with self._dify.stream(method, self.base_url + path, **request) as response:
                if response.is_server_error and self.run_id:
                    return f"nothing heard, {refusal(response)}"
                if response.is_error:
                    raise Failed(refusal(response))
                for event in events(response.iter_bytes()):
                    heard = str(event["event"])
                    self.hear(event)
        except httpx.TransportError as error:
            if not self.run_id and isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
                raise
            return f"{f'after {heard}' if heard else 'nothing heard'}, {error!r}"
        return f"after {heard}" if heard else "nothing heard"

    def hear(self, event: Event) -> None:
        """Take in what Dify says: show it, save its files, note its end."""
        show(event)
        self.run_id = event.get("workflow_run_id") or self.run_id
        self.conversation_id = event.get("conversation_id") or self.conversation_id
        data: Event = event.get("data") or {}
        match event["event"]:
            case "message" if "mode" in event:  # The whole answer, of response_mode blocking.
                self._save_linked(event["answer"])
                self.ended = True
            case "message_file" if event["belongs_to"] == "assistant":
                self._save(event["url"])
            case "message_end":
                self._save_all(event.get("files"))
                self.ended = True
            case "workflow_finished":
                # Without a stream it has no `files`: so they are taken from where both have them.
                for value in (data.get("outputs") or {}).values():
                    self._save_all(value if isinstance(value, list) else [value])
                    self._save_linked(value)
                if data["status"] not in {"succeeded", "partial-succeeded"}:
                    self._end_with(data.get("error") or f"The run {data['status']}.")
                self.ended = True
            case "workflow_paused":
                self._end_with(f"Run {self.run_id} waits for somebody's input in Dify.")
            case "error":
                self._end_with(event["message"])

    def _end_with(self, error: str) -> None:
        """Note an error, which a failed chat tells twice."""
        self.errors += [error] * (error not in self.errors)
        self.ended = True

    def _save_all(self, values: Sequence[object] | None) -> None:
        """Save what is a file among these."""
        for one in values or ():
            if isinstance(one, dict) and one.get("dify_model_identity") == "__dify__file__":
                self._save(one.get("url") or one["remote_url"], one.get("filename") or "")

    def _save_linked(self, text: object) -> None:
        """Save what a text shows, which is all that response_mode blocking tells of a chat."""
        for name, link in PICTURE_IN_TEXT.findall(text if isinstance(text, str) else ""):
            self._save(link, name)

    def _save(self, link: str, name: str = "") -> None:
        """Fetch a file at once, for its link lives five minutes, and print its path."""
        url = urljoin(self.base_url, link)
        path = urlsplit(url).path
        if path in self._saved:
            return
        self._saved.add(path)
        name = re.sub(r"[^\w.-]", "_", name or unquote(path.rpartition("/")[2])).lstrip(".")
        try:
            response = self._files.get(url, timeout=SILENCE)
        except httpx.TransportError as error:
            shown = bare(httpx.URL(url))
            self.errors.append(f"{shown} cannot be fetched ({error!r}). It comes from FILES_URL.")
            return
        if response.is_error:
            self.errors.append(f"{refusal(response)} The link may have expired.")
            return
        target, number = self.out / name, 1
        while target.exists():
            number += 1
            target = self.out / f"{Path(name).stem}-{number}{Path(name).suffix}"
        target.write_bytes(response.content)
        sys.stdout.write(f"{target}\n")
        sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the app that the arguments describe; return 0 if all went well."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    words = "an input of the app; @FILE: a file (NAME again: one more), @@…: a text @…"
    parser.add_argument("inputs", nargs="*", metavar="NAME=VALUE", help=words)
    parser.add_argument("--query", help="what is said to a chatflow or agent")
    parser.add_argument("--file", type=Path, action="append", default=[], help="a file beside it")
    parser.add_argument("--url", default=os.environ.get("DIFY_API_URL", "http://localhost/v1"))
    parser.add_argument("--user", default=getpass.getuser(), help="whose run it is")
    parser.add_argument("--blocking", action="store_true", help="no stream, one answer")
    parser.add_argument("--out", type=Path, default=Path("pictures"), help="folder of the pictures")
    given = parser.parse_intermixed_args(arguments)
    if wrong := [one for one in given.inputs if "=" not in one]:
        parser.error(f"{wrong[0]!r} is not NAME=VALUE")
    if given.file and given.query is None:
        parser.error("--file goes with --query; a workflow's file is one of its inputs, NAME=@FILE")
    try:
        given.out.mkdir(parents=True, exist_ok=True)
        run = Run(given.url, os.environ.get("DIFY_API_KEY", ""), given.user, given.out)
        body = run.body(given.inputs, given.file)
        path = "/workflows/run"
        if given.query is not None:
            path, body["query"] = "/chat-messages", given.query
        (run.block if given.blocking else run.stream)(path, body)
        errors = run.errors
    except (Failed, OSError) as failure:
        errors = [str(failure)]
    except httpx.TransportError as error:
        errors = [f"{given.url} cannot be reached: {error!r}"]
    tell("\n" + "".join(f"{one}\n" for one in errors))
    return 1 if errors else 0


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(main())
