"""The command line, with every example."""

from pathlib import Path

import pytest

from devtools.workflow.__main__ import main
from support.declared import ROOT
from support.dify_files import picture
from support.workflows import NAMES

# What to enter, and how many files come out.
WORDS = {
    "agent-draws.yml": (["a cat"], 1),
    "chat-and-draw.yml": (["a cat"], 1),
    "compare-samplers.yml": (["prompt=a cat", "steps=1,2", "singles=yes"], 7),
    "control-a-photo.yml": (["an oil painting of this", "files={photo}"], 1),
    "cut-out-many.yml": (["photos={photo},{photo}"], 2),
    "describe-and-redraw.yml": (["the same in winter", "files={photo}"], 1),
    "many-styles.yml": (["prompt=a cat"], 3),
    "restyle-a-photo.yml": (["as watercolour", "files={photo}"], 1),
    "text-to-image.yml": (["prompt=a cat", "width=64", "height=64", "count=2"], 2),
}


def test_every_example_is_run() -> None:
    assert sorted(WORDS) == NAMES


@pytest.mark.slow
@pytest.mark.parametrize("name", WORDS)
def test_an_example_runs_from_a_fresh_clone(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo, out = tmp_path / "photo.png", tmp_path / "out"
    photo.write_bytes(picture(64, 64))
    words, count = WORDS[name]
    given = [one.format(photo=photo) for one in words]
    assert main([str(ROOT / "examples" / name), *given, "--out", str(out)]) == 0
    files = [str(one) for one in out.iterdir()]
    printed = capsys.readouterr()
    assert printed.err == ""
    assert len(files) == count
    assert all(one in printed.out for one in files)


def test_a_word_that_fits_nowhere_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ["prompt=a cat", "hight=64", "--out", str(tmp_path)]
    assert main([str(ROOT / "examples/text-to-image.yml"), *words]) == 1
    assert capsys.readouterr().err == (
        "'hight=64' is none of its fields, which are: prompt, width, height, count, seed, files\n"
    )
