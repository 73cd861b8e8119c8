"""The provider's validation through the real SDK class, against the stand-in.

What is wrong with an address, a login or an answer, the tests of those rooms say.
"""

import traceback

import pytest
import requests
from dify_plugin.errors.model import CredentialsValidateFailedError

from devtools.standin import FAMILIES, StandIn
from provider.stable_diffusion import StableDiffusionProvider
from support.raw_server import free_port
from support.standins import StandIns

OPTIONS = "/sdapi/v1/options"
MODELS = "/sdapi/v1/sd-models"


def validate(base_url: object, **others: object) -> None:
    StableDiffusionProvider().validate_credentials({"base_url": base_url} | others)


def refusal(base_url: object, **others: object) -> str:
    with pytest.raises(CredentialsValidateFailedError) as caught:
        validate(base_url, **others)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


@pytest.mark.parametrize("pasted", ["{}", " {}/docs#/default", "{}//sdapi//v1/options"])
def test_an_address_alone_is_enough_and_costs_one_get(standin: StandIn, pasted: str) -> None:
    validate(pasted.format(standin.base_url))
    assert [(r.method, r.path) for r in standin.received] == [("GET", OPTIONS)]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_let_in_as_it_is_freshly_installed(standins: StandIns, family: str) -> None:
    validate(standins.of(family).base_url)


def test_a_login_is_tried() -> None:
    with StandIn(api_auth="me:secret") as standin:
        validate(standin.base_url, username="me", password="secret")
        text = refusal(standin.base_url, username="me", password="hunter2")
        assert "refuses the login 'me'" in text
        assert "--api-auth" in refusal(standin.base_url)


def test_what_is_wrong_is_told_in_the_words_of_the_room_that_knows() -> None:
    assert "timeout: '0' is not" in refusal("http://gpu:7860", timeout="0")
    assert "refused the connection" in refusal(f"http://me:hunter2@127.0.0.1:{free_port()}")
    with StandIn(api=False) as standin:
        assert "(404). Start the WebUI with --api" in refusal(standin.base_url)


def model_in_a_folder(standin: StandIn) -> dict[str, str]:
    models = requests.get(standin.base_url + MODELS, timeout=5).json()
    standin.received.clear()
    found: dict[str, str] = next(m for m in models if "/" in m["title"] and m["hash"])
    return found


def test_a_model_is_accepted_in_every_spelling_and_costs_one_get_more(standin: StandIn) -> None:
    model = model_in_a_folder(standin)
    title, short = model["title"], model["hash"]
    path = title.rpartition(" [")[0]
    stem = path.rpartition("/")[2].rpartition(".")[0]
    for spelling in (title, path, model["model_name"], stem, short, model["sha256"],
                     f"{stem} [{short}]", f" {title.upper()} "):  # fmt: skip
        standin.received.clear()
        validate(standin.base_url, model=spelling)
        assert [(r.method, r.path) for r in standin.received] == [("GET", OPTIONS), ("GET", MODELS)]


def test_an_unknown_model_is_refused_with_the_closest(standin: StandIn) -> None:
    path = model_in_a_folder(standin)["title"].rpartition(" [")[0]
    wrong = path.replace(".", "z", 1)
    text = refusal(standin.base_url, model=wrong)
    assert text.startswith(f"model: the server has no model {wrong!r}. Closest of ")
    assert path in text
