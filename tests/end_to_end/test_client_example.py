"""The clients under examples/, before a stand-in of Dify's service API.

PowerShell is not at hand: of client.ps1 only what its text shows is held.
"""

import importlib.util
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from support.declared import ROOT
from support.dify_api import (
    KEY,
    PICTURE,
    RUN,
    UPLOAD_LIMIT,
    DifyApi,
    begun,
    drawn,
    failed,
    field,
    file_of,
    of_run,
    said,
)
from support.raw_server import RawServer, free_port, reply

LINK = "/files/tools/1.png?timestamp=1&nonce=2&sign=3"
POWERSHELL = (ROOT / "examples/client.ps1").read_bytes()

type Client = Callable[..., int]


def loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("client_example", ROOT / "examples/client.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MODULE = loaded()


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    """The command, with a key, without pauses, writing into tmp_path."""
    monkeypatch.setenv("DIFY_API_KEY", KEY)
    monkeypatch.setattr(MODULE, "PAUSES", (0.0, 0.0))

    def run(base_url: str, *words: str) -> int:
        options = ["--url", f"{base_url}/v1", "--user", "山田", "--out", str(tmp_path)]
        return int(MODULE.main([*words, *options]))

    return run


type Printed = pytest.CaptureFixture[str]


def saved(printed: str) -> list[bytes]:
    """Return what is in the files whose paths were printed."""
    return [Path(line).read_bytes() for line in printed.splitlines()]


def test_a_workflow_s_picture_is_saved_and_its_path_printed(
    client: Client, capsys: Printed
) -> None:
    with DifyApi(drawn(LINK, "50 %")) as dify:
        assert client(dify.base_url, "prompt=灯台=1", "width=64") == 0
    out, err = capsys.readouterr()
    assert saved(out) == [PICTURE]
    assert Path(out.strip()).name == "txt2img-灯台-1.png"
    assert "> Text to image\n50 %" in err
    assert dify.started == [
        {
            "path": "/v1/workflows/run",
            "inputs": {"prompt": "灯台=1", "width": "64"},
            "files": [],
            "user": "山田",
            "response_mode": "streaming",
        }
    ]


TAKES_IMAGES = {"enabled": True, "allowed_file_types": ["image"]}
PHOTOS = [
    *(field("file", name, **TAKES_IMAGES) for name in ("photo", "mask")),
    *(field("file-list", name, **TAKES_IMAGES) for name in ("one", "two")),
    field("text-input", "prompt", required=True),
]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have some files in the working directory."""
    monkeypatch.chdir(tmp_path)
    for name in ("cat.png", "a,b.png", "灯台.webp", "notes.txt"):
        Path(name).write_bytes(name.encode())
    Path("empty.png").touch()
    Path("huge.png").write_bytes(b"\0" * (UPLOAD_LIMIT + 1))


def uploaded(number: int, kind: str = "image") -> dict[str, str]:
    return {"transfer_method": "local_file", "upload_file_id": f"upload-{number}", "type": kind}


@pytest.mark.usefixtures("files")
def test_files_are_uploaded_and_go_alone_or_as_a_list_as_the_form_asks(client: Client) -> None:
    words = ["photo=@cat.png", "one=@cat.png", "two=@a,b.png", "two=@灯台.webp", "prompt=@@home"]
    with DifyApi(drawn(LINK), form=PHOTOS) as dify:
        assert client(dify.base_url, *words) == 0
    assert dify.uploads == [
        ("山田", name, name.encode()) for name in ("cat.png", "cat.png", "a,b.png", "灯台.webp")
    ]
    assert dify.started[0]["inputs"] == {
        "photo": uploaded(1),
        "one": [uploaded(2)],
        "two": [uploaded(3), uploaded(4)],
        "prompt": "@home",
    }


@pytest.mark.usefixtures("files")
def test_files_go_along_with_a_message_of_which_an_at_is_an_at(client: Client) -> None:
    takes = {"enabled": True, "allowed_file_types": ["image", "document"]}
    with DifyApi(said("Here.", LINK), file_upload=takes) as dify:
        words = ["--query", "@all", "--file", "cat.png", "--file", "notes.txt"]
        assert client(dify.base_url, *words) == 0
    assert dify.started[0]["files"] == [uploaded(1), uploaded(2, "document")]
    assert dify.started[0]["query"] == "@all"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["promt=x"], "The app has no input promt. Its inputs: photo, mask, one, two, prompt."),
        (["photo=@cat.png"], "The app needs prompt."),
        (["prompt=x", "photo=cat.png"], "photo takes a file: @FILE."),
        (["prompt=@cat.png"], "prompt takes a text: one that begins with @ has it twice."),
        (["prompt=x", "prompt=y"], "prompt takes one value, not 2."),
        (["prompt=x", "photo=@dog.png"], "There is no file dog.png."),
        (["prompt=x", "one=@."], "There is no file .."),
        (["prompt=x", "one=@empty.png"], "empty.png is empty."),
        (["prompt=x", "photo=@notes.txt"], "notes.txt is taken for a file of kind document, not"),
        (["prompt=x", "photo=@huge.png"], "huge.png was not uploaded. … 413. file_too_large"),
        (["prompt=x", "--query", "y", "--file", "cat.png"], "its File Upload is off"),
    ],
)
@pytest.mark.usefixtures("files")
def test_what_the_app_would_not_take_is_told_before_it_is_started(
    client: Client, capsys: Printed, words: list[str], told: str
) -> None:
    with DifyApi(drawn(LINK), form=PHOTOS) as dify:
        assert client(dify.base_url, *words) == 1
    err = capsys.readouterr().err
    assert all(part in err for part in told.split("…"))
    assert (dify.started, dify.uploads) == ([], [])


def test_a_picture_of_a_name_that_is_taken_gets_another(client: Client, capsys: Printed) -> None:
    with DifyApi(drawn(LINK)) as dify:
        client(dify.base_url)
    with DifyApi(drawn(LINK)) as dify:
        client(dify.base_url)
    names = [Path(line).name for line in capsys.readouterr().out.splitlines()]
    assert names == ["txt2img-灯台-1.png", "txt2img-灯台-1-2.png"]


def test_a_name_leads_nowhere_else(client: Client, capsys: Printed, tmp_path: Path) -> None:
    story = drawn(LINK)
    story[-1]["data"]["outputs"]["images"][0]["filename"] = "../../x\\y.png"
    with DifyApi(story) as dify:
        assert client(dify.base_url) == 0
    assert Path(capsys.readouterr().out.strip()).parent == tmp_path


@pytest.mark.parametrize("letter", ["\u2028", "\x85"])
def test_what_python_takes_for_a_line_s_end_cuts_no_event(
    client: Client, capsys: Printed, letter: str
) -> None:
    with DifyApi(drawn(LINK, f"before{letter}after")) as dify:
        assert client(dify.base_url) == 0
    assert f"before{letter}after" in capsys.readouterr().err


@pytest.mark.parametrize("cuts", [[1], [2, 2, 3], [1, 2, 3]])
def test_a_stream_that_is_cut_is_heard_on_without_another_start(
    client: Client, capsys: Printed, cuts: list[int]
) -> None:
    with DifyApi(drawn(LINK), cuts=cuts) as dify:
        assert client(dify.base_url) == 0
    out, err = capsys.readouterr()
    assert saved(out) == [PICTURE]
    assert err.count("listening again") == len(cuts)
    assert len(dify.started) == 1


def test_a_run_that_says_nothing_more_is_named_in_the_end(client: Client, capsys: Printed) -> None:
    with DifyApi(drawn(LINK), cuts=[1] * 9) as dify:
        assert client(dify.base_url) == 1
    assert f"Run {RUN} cannot be heard any more" in capsys.readouterr().err
    assert len(dify.cuts) == 9 - 3


def test_without_a_run_to_come_back_to_nothing_is_started_again(
    client: Client, capsys: Printed
) -> None:
    with DifyApi(drawn(LINK), cuts=[0]) as dify:
        assert client(dify.base_url) == 1
    assert "before you start another" in capsys.readouterr().err
    assert len(dify.started) == 1


def test_an_agent_that_is_cut_off_names_its_conversation(client: Client, capsys: Printed) -> None:
    with DifyApi(said("Here.", LINK), cuts=[2]) as dify:
        assert client(dify.base_url, "--query", "a fox") == 1
    assert "look at conversation c1" in capsys.readouterr().err


def test_an_agent_s_picture_is_saved_and_the_user_s_is_not(client: Client, capsys: Printed) -> None:
    with DifyApi(said("Here it is.", LINK)) as dify:
        assert client(dify.base_url, "--query", "a fox", "style=ink") == 0
    out, err = capsys.readouterr()
    assert saved(out) == [PICTURE]
    assert "Here it is." in err
    assert dify.started[0]["path"] == "/v1/chat-messages"
    assert (dify.started[0]["query"], dify.started[0]["inputs"]) == ("a fox", {"style": "ink"})


def test_a_chatflow_shows_a_picture_in_its_text_and_as_a_file_and_saves_it_once(
    client: Client, capsys: Printed
) -> None:
    text = f"Done ![fox.png]({LINK}) ![else](http://127.0.0.1:9/1.png)"
    story = [
        *begun(),
        {"event": "message", "answer": text, "conversation_id": "c1"},
        {"event": "message_end", "files": [file_of(LINK)]},
        of_run("workflow_finished", status="partial-succeeded", outputs={"answer": text}),
    ]
    with DifyApi(story) as dify:
        assert client(dify.base_url, "--query", "a fox") == 0
    assert saved(capsys.readouterr().out) == [PICTURE]


@pytest.mark.parametrize(
    ("words", "whole"),
    [
        ([], {"workflow_run_id": RUN, "data": {**drawn(LINK)[-1]["data"], "files": None}}),
        (
            ["--query", "a fox"],
            {"event": "message", "mode": "advanced-chat", "answer": f"![1.png]({LINK})"},
        ),
    ],
)
def test_one_answer_has_the_picture_too(
    client: Client, capsys: Printed, words: list[str], whole: object
) -> None:
    with DifyApi(whole=whole) as dify:
        assert client(dify.base_url, "--blocking", *words) == 0
    assert saved(capsys.readouterr().out) == [PICTURE]


def test_one_answer_that_never_comes_is_not_asked_for_again(
    client: Client, capsys: Printed
) -> None:
    with DifyApi() as dify:
        assert client(dify.base_url, "--blocking") == 1
    assert "before you start another" in capsys.readouterr().err
    assert len(dify.started) == 1


def test_a_failed_run_is_told_once(client: Client, capsys: Printed) -> None:
    with DifyApi(failed("no sampler named 'Eular a'")) as dify:
        assert client(dify.base_url, "--query", "a fox") == 1
    assert capsys.readouterr().err.count("no sampler named 'Eular a'") == 1


def test_a_retry_and_a_pause_are_told(client: Client, capsys: Printed) -> None:
    again = of_run("node_retry", title="Draw", error="the limit")
    with DifyApi([*begun(), again, of_run("workflow_paused")]) as dify:
        assert client(dify.base_url) == 1
    err = capsys.readouterr().err
    assert "[Draw is tried again: the limit]" in err
    assert "waits for somebody's input" in err


def test_a_link_that_expired_is_told(client: Client, capsys: Printed) -> None:
    with DifyApi(drawn("/files/tools/1.png")) as dify:
        assert client(dify.base_url) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "403. Invalid request The link may have expired." in err


def test_a_host_of_files_that_is_not_there_is_told_without_the_link_s_signature(
    client: Client, capsys: Printed
) -> None:
    with DifyApi(drawn(f"http://127.0.0.1:{free_port()}{LINK}")) as dify:
        assert client(dify.base_url) == 1
    err = capsys.readouterr().err
    assert "It comes from FILES_URL." in err
    assert "sign=" not in err


def test_a_folder_that_cannot_be_made_is_told_before_anything_is_drawn(
    capsys: Printed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIFY_API_KEY", KEY)
    taken = tmp_path / "pictures"
    taken.touch()
    with DifyApi(drawn(LINK)) as dify:
        assert MODULE.main(["--url", f"{dify.base_url}/v1", "--out", str(taken)]) == 1
    assert str(taken) in capsys.readouterr().err
    assert dify.started == []


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("app-12‑34", "U+2011"),
        ("app-\u200b1", "U+200B"),
        ("app-1\n2", "U+000A"),
        ("sk-1", "begins with app-"),
        ("", "begins with app-"),
        ("app-wrong", "401. unauthorized: Access token is invalid"),
    ],
)
def test_a_key_that_cannot_be_right_is_told(
    client: Client, capsys: Printed, monkeypatch: pytest.MonkeyPatch, key: str, told: str
) -> None:
    monkeypatch.setenv("DIFY_API_KEY", key)
    with DifyApi(drawn(LINK)) as dify:
        assert client(dify.base_url) == 1
    assert told in capsys.readouterr().err
    assert dify.started == []


def test_a_dify_that_is_not_there_is_told(client: Client, capsys: Printed) -> None:
    assert client(f"http://127.0.0.1:{free_port()}") == 1
    assert "cannot be reached" in capsys.readouterr().err


def test_an_address_that_is_not_the_api_s_is_told(client: Client, capsys: Printed) -> None:
    with RawServer(reply("<html>Dify</html>", content_type="text/html")) as page:
        assert client(page.base_url) == 1
    assert "/v1/parameters answered no JSON. Is" in capsys.readouterr().err


def test_ctrl_c_ends_it_as_a_shell_expects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIFY_API_KEY", KEY)
    asked = threading.Event()

    def listen(connection: socket.socket) -> None:
        asked.set()
        connection.recv(1)

    with RawServer(listen) as mute:
        command = [sys.executable, str(ROOT / "examples/client.py"), "--url", mute.base_url]
        running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)  # noqa: S603
        assert asked.wait(20)
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=20)
    assert (running.returncode, err) == (-signal.SIGINT, "")


def test_powershell_5_reads_the_script_as_it_is_meant() -> None:
    assert POWERSHELL.isascii(), "without a byte order mark, 5.1 reads other letters wrongly"
    newer = re.compile(
        rb"\?\?|\?\.|&&|\|\||-SkipHttpErrorCheck|-AsHashtable|-Form\b|\?[^:'\"\n]+ : "
    )
    assert newer.findall(POWERSHELL) == []


def test_both_clients_know_the_same_events() -> None:
    python = (ROOT / "examples/client.py").read_text(encoding="utf-8")
    cases = set(re.findall(r'"(\w+)"', "".join(re.findall(r"(?m)^ +case .*$", python))))
    assert cases - {"mode", "event", "assistant", "belongs_to"} <= set(
        re.findall(r"'(\w+)'", POWERSHELL.decode())
    )
