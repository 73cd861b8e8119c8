"""LoRAs as people list them, and what becomes of them in a request."""

import pytest

from devtools.standin import StandIn
from support.exchange import connect
from support.standins import StandIns
from webui.errors import InvalidParameterError
from webui.http.endpoints import Endpoint
from webui.request.loras import Lora, apply_loras, listed_loras, warn_of_tags
from webui.request.request import Request
from webui.server.server import Server


def tags_of(written: str) -> list[str]:
    return [each.tag for each in listed_loras(written)]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("detail:0.7", ["<lora:detail:0.7>"]),
        ("detail", ["<lora:detail:1>"]),
        ("detail:0.7, grain", ["<lora:detail:0.7>", "<lora:grain:1>"]),
        ("detail:0.7\ngrain:.5,\n\n", ["<lora:detail:0.7>", "<lora:grain:.5>"]),
        ("detail : -0.5 ", ["<lora:detail:-0.5>"]),
        ("detail:+1", ["<lora:detail:+1>"]),
        ("detail:0.7:0.4", ["<lora:detail:0.7:0.4>"]),
        ("film grain", ["<lora:film grain:1>"]),
        ("sub/v1.5-detail:1", ["<lora:sub/v1.5-detail:1>"]),
        ("詳細:0.5", ["<lora:詳細:0.5>"]),
        ("<lora:a:1><lora:b:1> <lora:c:1>", ["<lora:a:1>", "<lora:b:1>", "<lora:c:1>"]),
        ("a:0.5, <lora:b:1>, c", ["<lora:b:1>", "<lora:a:0.5>", "<lora:c:1>"]),
        (" ,\n, ", []),
        ("detail：０.７，\u00a0'grain'", ["<lora:detail:0.7>", "<lora:grain:1>"]),
        ("<lora:a b>", ["<lora:a b>"]),
        ("<lora:a:0.7:0.4:lbw=MIDD>", ["<lora:a:0.7:0.4:lbw=MIDD>"]),
    ],
)
def test_a_list_of_loras_becomes_tags(written: str, expected: list[str]) -> None:
    assert tags_of(written) == expected


@pytest.mark.parametrize(
    ("weights", "multiplier"),
    [(":0.7", 0.7), (":-1:0.5", -1.0), ("", 1.0), (":0.5:lbw=MIDD", 0.5), (":lbw=MIDD", 1.0)],
)
def test_the_first_weight_counts_where_only_one_can(weights: str, multiplier: float) -> None:
    assert Lora("detail", weights).multiplier == multiplier


@pytest.mark.parametrize(
    "wrong",
    ["detail:", "detail:strong", ":0.5", "detail:1:", "detail:1e5", "detail:nan", "detail:inf",
     "detail:0,7:x", "a:1 b:2", "<lora:>", "<lora::1>", "<lora:detail", "detail>", "<hypernet:a:1>",
     "a<b", r"C:\loras\a:1", "detail:1_0"],
)  # fmt: skip
def test_what_is_neither_is_refused_with_an_example(wrong: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        tags_of(f"soft:1, {wrong}\nsoft")
    assert str(caught.value).startswith("lora: ")
    assert "soft" not in str(caught.value)
    assert "Write for example: detail_tweaker:0.7, film_grain." in str(caught.value)


def applied(standin: StandIn, loras: str, **fields: object) -> tuple[Request, list[str]]:
    """The request with its LoRAs, and what is said of the tags that its prompt had before."""
    request = Request(Endpoint.TXT2IMG, {"prompt": "a cat"} | fields)
    with connect(standin.base_url) as there:
        server = Server.ask(there, Endpoint.TXT2IMG)
        told = warn_of_tags(request, server)
        apply_loras(listed_loras(loras), request, server)
    return request, told


def test_they_become_tags_of_both_passes_prompts(standin: StandIn) -> None:
    request, _ = applied(standin, "ADD_detail:0.5, pixel_art", hr_prompt="sharp")
    tags = "<lora:add_detail:0.5> <lora:pixel_art:1>"
    assert request.fields == {"prompt": f"a cat {tags}", "hr_prompt": f"sharp {tags}"}


def test_they_stand_beside_the_prompt_where_they_go_by_path() -> None:
    with StandIn(family="sdcpp") as standin:
        request, _ = applied(standin, "add_detail:0.5")
        _, told = applied(standin, "", prompt="a cat <lora:add_detail:1>")
    assert request.fields["prompt"] == "a cat"
    assert request.fields["lora"] == [{"path": "add_detail.safetensors", "multiplier": 0.5}]
    assert told == [
        "stable-diffusion.cpp does not read the <lora:…> tags of the prompt. Use lora instead."
    ]


@pytest.mark.parametrize(
    ("family", "sent", "is_told"), [("a1111", "px", False), ("sdnext", "pixel", True)]
)
def test_an_alias_counts_only_where_servers_know_it(
    standins: StandIns, family: str, sent: str, is_told: bool
) -> None:
    standin = standins.of(family)
    standin.fail_next("/sdapi/v1/loras", status=200, body=[{"name": "pixel", "alias": "px"}])
    request, told = applied(standin, "px:0.7", prompt="a cat <lora:px:1>")
    assert request.fields["prompt"].endswith(f" <lora:{sent}:0.7>")
    assert ["<lora:px:1> does nothing" in one for one in told] == [True] * is_told


def test_what_cannot_work_is_refused_or_warned_of(standin: StandIn) -> None:
    with pytest.raises(InvalidParameterError, match=r"^lora: .* has no LoRA .*add_detail"):
        applied(standin, "ad_detail")
    _, (warning,) = applied(standin, "", prompt="<lora:ad_detail:1> <lora:add_detail:1>")
    assert warning.startswith("The prompt's <lora:ad_detail:1> does nothing: the server has no")
    _, told = applied(standin, "", prompt="<lora:x:1>", disable_extra_networks=True)
    assert told == ["No LoRA is applied, as disable_extra_networks is on."]


def test_more_loras_than_anybody_applies_are_refused() -> None:
    with pytest.raises(InvalidParameterError, match=r"^lora: 201 are named, and 200 at the most"):
        listed_loras("a," * 201)
