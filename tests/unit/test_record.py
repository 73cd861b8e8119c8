"""What stand-ins say has the shapes of what real servers said, which `devtools.record` reads."""

import json
from pathlib import Path

import pytest
import requests

from devtools import record
from devtools.standin import FAMILIES, StandIn

# Differences that are meant, by a part of their lines.
_EVERYWHERE = ("+ embeddings",)  # The recorded servers had none.
MEANT: dict[str, tuple[str, ...]] = {
    # pydantic 2.8 adds a link to each complaint.
    "forge": ("- wrong type /detail/*/url",),
    # A later version than the recorded one has a single mask_blur.
    "neo": ("- schema /StableDiffusionProcessingImg2Img/mask_blur_",),
    "sdnext": (
        # What was recorded drew with a folder of diffusers, which has no hash.
        "/labels/Model hash",
        "- picture of another /labels/Init image",
        "+ picture of another /info/extra_generation_params/",
    ),
}
# Of these the stand-ins hold only a part.
TRIMMED = ("- options ", "- options-info ", "- samplers ", "- face-restorers ")


def found_at(standin: StandIn) -> record.Shapes:
    with requests.Session() as session:
        return record.shapes_of(record.record(session, standin.base_url))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_stand_in_says_nothing_in_another_shape_than_the_server(family: str) -> None:
    last = json.loads((record.LAST / f"{family}.json").read_text("utf-8"))
    # A new one: which options are listed depends on what was asked for before.
    with StandIn(family=family) as standin:
        found = found_at(standin)
    both = {ask: shape for ask, shape in found.items() if ask in last}
    meant = (*_EVERYWHERE, *TRIMMED, *MEANT.get(family, ()))
    assert [
        one for one in record.differences(both, last) if not any(part in one for part in meant)
    ] == []


def test_every_line_of_differences_tells_its_kind() -> None:
    old = {"a": {"status": "200", "/x": "text", "/y": "null", "/gone": "text"}}
    new = {"a": {"status": "500", "/x": "number", "/y": "text", "/new": "text"}}
    found = list(record.differences(new, old))
    assert found == ["~ a status", "~ a /x", "- a /gone", "+ a /new"]


def test_a_long_run_of_differences_is_one_line() -> None:
    lines = [*(f"+ options /{n}" for n in range(50)), "~ picture status", "~ picture /info"]
    told = ["+ options /0, and 49 more", "~ picture status", "~ picture /info"]
    assert list(record.folded(lines)) == told


def test_a_recording_finds_its_family_and_tells_nothing_private(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SD_PASSWORD", "secret")
    file = tmp_path / "recording.json"
    with StandIn(family="neo", api_auth="ann:secret") as standin:
        options = dict(standin.state.options)
        record.main(["--base-url", standin.base_url, "--username", "ann", "--out", str(file)])
        assert standin.state.options == options
    assert capsys.readouterr().out.endswith(f"Written: {file}; closest to neo\n")
    text = file.read_text("utf-8")
    assert "Euler a" in text
    assert not [one for one in ("dreamshaper", "/stable-diffusion-webui", "secret") if one in text]
