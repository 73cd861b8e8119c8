"""devtools.verify on stand-ins, which keep every promise until they are told not to."""

import json
from dataclasses import replace

import pytest

from devtools import verify
from devtools.matrix import LABELS
from devtools.standin import FAMILIES, StandIn

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("family", LABELS)
def test_every_family_is_as_promised(family: str, capsys: pytest.CaptureFixture[str]) -> None:
    with StandIn(family=family) as standin:
        options = dict(standin.state.options)
        assert verify.main(["--base-url", standin.base_url]) == 0
        assert standin.state.options == options
    printed = capsys.readouterr().out
    assert "| not as promised" not in printed
    assert printed.count("| as promised") > 60


def test_a_server_s_own_names_stand_for_those_it_lacks_and_each_broken_promise_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = json.dumps(FAMILIES["a1111"].replies).replace("dreamshaper_8", "sub/beta")
    said = said.replace("pixel_art", "pixel").replace("sd_xl_refiner", "other")
    other = replace(FAMILIES["a1111"], replies=json.loads(said))
    monkeypatch.setitem(FAMILIES, "a1111", other)
    with StandIn() as standin:
        standin.fail_next("/sdapi/v1/txt2img")
        assert verify.main(["--base-url", standin.base_url]) == 1
    printed = capsys.readouterr().out
    assert printed.count("| not as promised: refused: ") == 1
    assert "| txt2img | Refiner | works | not testable: " in printed
    assert "| txt2img | Another model | works | as promised: " in printed


def test_what_a_server_keeps_of_its_own_accord_is_told_last_and_is_no_cell_s_fault(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = FAMILIES["a1111"]
    traits = replace(fresh.traits, unsaved_options={"CLIP_stop_at_last_layers", "sd_vae"})
    monkeypatch.setitem(FAMILIES, "a1111", replace(fresh, traits=traits))
    with StandIn() as standin:
        assert verify.main(["--base-url", standin.base_url]) == 0
    table, _, end = capsys.readouterr().out.partition("\n\n")
    assert "Save the WebUI's settings" not in table
    assert "CLIP_stop_at_last_layers stays at 2" in end
