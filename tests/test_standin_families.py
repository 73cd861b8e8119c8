"""Each family the stand-in plays offers that family's endpoints, fields and schema."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from standin_calls import ask, get

from devtools.standin import StandIn
from devtools.standin_family import FAMILIES

ROOT = Path(__file__).parent.parent
RECORDED = json.loads((ROOT / "tests" / "recorded" / "txt2img_fields.json").read_text())
RECORDED_NAMES = {
    "a1111": "automatic1111-1.10.1",
    "forge": "forge",
    "reforge": "reforge",
    "classic": "forge-classic",
    "neo": "forge-neo",
}
WITH_SCHEMA = [*RECORDED_NAMES, "sdnext"]
ALL = [*WITH_SCHEMA, "sdcpp"]

# Lists that some have and some have not.
LISTS = {
    "sd-vae": {"a1111", "reforge", "classic", "sdnext"},
    "sd-modules": {"forge", "neo"},
    "schedulers": {"a1111", "forge", "reforge", "neo", "sdcpp"},
    "latent-upscale-modes": {"a1111", "forge", "reforge", "classic", "neo", "sdcpp"},
    "face-restorers": set(WITH_SCHEMA),
    "hypernetworks": {"a1111", "forge", "reforge"},
    "realesrgan-models": {"a1111", "forge", "reforge"},
    "prompt-styles": set(WITH_SCHEMA),
    "embeddings": set(WITH_SCHEMA),
    "scripts": set(WITH_SCHEMA),
    "script-info": set(WITH_SCHEMA),
    "memory": set(WITH_SCHEMA),
    "cmd-flags": set(WITH_SCHEMA),
    "extensions": set(WITH_SCHEMA),
    "progress": set(WITH_SCHEMA),
    "version": {"sdnext"},
    "status": {"sdnext"},
}
SHARED_LISTS = ["options", "sd-models", "samplers", "upscalers", "loras"]
POSTS = {
    "interrogate": {"a1111", "forge", "reforge"},
    "refresh-embeddings": {"a1111", "forge", "reforge", "classic", "neo"},
    "refresh-checkpoints": set(WITH_SCHEMA),
    "reload-checkpoint": {"a1111", "forge", "reforge", "classic", "sdnext"},
    "unload-checkpoint": set(WITH_SCHEMA),
    "extra-single-image": set(WITH_SCHEMA),
    "extra-batch-images": set(WITH_SCHEMA),
    "png-info": set(WITH_SCHEMA),
    "interrupt": set(WITH_SCHEMA),
}
ELSEWHERE = {
    "/internal/ping": {"a1111", "forge", "reforge", "classic", "neo"},
    "/internal/pending-tasks": {"a1111", "forge", "reforge", "classic", "neo"},
    "/controlnet/control_types": {"a1111", "forge", "reforge", "classic"},
    "/controlnet/model_list": {"a1111", "forge", "reforge", "classic", "neo"},
    "/sdcpp/v1/capabilities": {"sdcpp"},
    "/openapi.json": set(WITH_SCHEMA),
    "/docs": set(WITH_SCHEMA),
}


def properties(standin: StandIn, kind: str = "txt2img") -> dict[str, Any]:
    """The request's fields, by the way a client finds them."""
    schema = get(standin, "/openapi.json").json()
    body = schema["paths"][f"/sdapi/v1/{kind}"]["post"]["requestBody"]
    name = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    found: dict[str, Any] = schema["components"]["schemas"][name]["properties"]
    return found


@pytest.mark.parametrize("family", ALL)
def test_every_family_offers_its_own_endpoints_and_no_others(family: str) -> None:
    missing = "" if family == "sdcpp" else '{"detail":"Not Found"}'
    with StandIn(family=family) as standin:
        for name in SHARED_LISTS:
            assert get(standin, f"/sdapi/v1/{name}").json()
        for name, having in LISTS.items():
            status = get(standin, f"/sdapi/v1/{name}").status_code
            assert (status == 200) == (family in having), name
        for name, having in POSTS.items():
            response = ask(standin, name)
            found = (response.status_code, response.text) != (404, missing)
            assert found == (family in having), name
        for path, having in ELSEWHERE.items():
            assert (get(standin, path).status_code == 200) == (family in having), path


@pytest.mark.parametrize("family", RECORDED_NAMES)
def test_txt2img_has_the_fields_recorded_from_the_real_server(family: str) -> None:
    with StandIn(family=family) as standin:
        assert properties(standin).keys() == RECORDED[RECORDED_NAMES[family]].keys()


@pytest.mark.parametrize(("kind", "count"), [("txt2img", 238), ("img2img", 239)])
def test_sdnext_has_hundreds_of_fields(kind: str, count: int) -> None:
    with StandIn(family="sdnext") as standin:
        fields = properties(standin, kind)
    assert len(fields) == count
    assert fields["steps"]["default"] == 20
    assert {"sd_model_checkpoint", "hr_force", "schedulers_sigma", "extra"} < fields.keys()
    assert not {"scheduler", "restore_faces", "refiner_checkpoint", "force_task_id"} & fields.keys()


@pytest.mark.parametrize(
    ("family", "field", "default"),
    [
        ("forge", "hr_cfg", 1.0),
        ("reforge", "hr_cfg", 1.0),
        ("neo", "hr_distilled_cfg", 3.5),
        ("sdnext", "cfg_scale", 6.0),
        ("sdnext", "width", 1024),
        ("sdnext", "sampler_name", "Default"),
    ],
)
def test_defaults_differ_from_family_to_family(family: str, field: str, default: object) -> None:
    with StandIn(family=family) as standin:
        assert properties(standin)[field]["default"] == default


@pytest.mark.parametrize("family", WITH_SCHEMA)
def test_the_schema_needs_no_login(family: str) -> None:
    with StandIn(family=family, api_auth="ann:secret") as standin:
        assert get(standin, "/openapi.json").status_code == 200


def test_the_schema_can_be_hidden() -> None:
    with StandIn(family="sdnext", docs=False) as standin:
        assert get(standin, "/openapi.json").status_code == 404
        assert get(standin, "/docs").status_code == 404
        assert get(standin, "/sdapi/v1/version").json()["app"] == "sd.next"


@pytest.mark.parametrize(
    ("family", "version"), [("a1111", "3.0.2"), ("classic", "3.0.2"), ("neo", "3.1.0")]
)
def test_the_schema_is_of_the_framework_s_version(family: str, version: str) -> None:
    with StandIn(family=family) as standin:
        assert get(standin, "/openapi.json").json()["openapi"] == version


def test_the_command_plays_any_family() -> None:
    command = [sys.executable, "-m", "devtools.standin", "--port", "0", "--family", "sdcpp"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own command
        try:
            assert process.stdout is not None
            with StandIn() as other:
                other.base_url = process.stdout.readline().split()[3].rstrip(",")
                assert get(other, "/sdcpp/v1/capabilities").json()["current_mode"] == "img_gen"
        finally:
            process.terminate()


def test_there_are_seven_families() -> None:
    assert list(FAMILIES) == ALL


def test_sdnext_s_list_of_schedulers_fails_as_the_real_one_does() -> None:
    with StandIn(family="sdnext") as standin:
        response = get(standin, "/sdapi/v1/schedulers")
    assert (response.status_code, response.json()["error"]) == (500, "ResponseValidationError")
