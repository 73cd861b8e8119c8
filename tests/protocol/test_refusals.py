"""What goes wrong, as it leaves the plugin's own process: a type that Dify unwraps, and a sentence.

Of these types alone Dify shows the message and nothing around it. Source: Dify 1.16,
api/core/plugin/impl/base.py.
"""

import re
from collections.abc import Callable

import pytest

from devtools.host import PluginError, PluginProcess
from devtools.standin import StandIn
from support.raw_server import free_port

DRAWING = {"prompt": "a cat", "width": 64, "height": 64}
WRONG_LOGIN = {"username": "me", "password": "wrong"}


def arrives(act: Callable[[], object], kind: str, said: str) -> None:
    """Assert that it fails with this type, and with one line that begins and ends so."""
    with pytest.raises(PluginError) as caught:
        act()
    assert caught.value.error_type == kind
    assert re.fullmatch(rf"{said}[^\n]*\.", caught.value.message)
    assert "Error" not in caught.value.message


@pytest.mark.parametrize(
    ("given", "credentials", "kind", "said"),
    [
        ({"steps": "many"}, {}, "InvokeBadRequestError", "steps: 'many' is not a whole number"),
        ({"model": "nothing"}, {}, "InvokeBadRequestError", "model: .* has no model"),
        ({}, WRONG_LOGIN, "InvokeAuthorizationError", ".*refuses the login 'me'"),
        ({}, {"base_url": "http://127.0.0.1:{free}"}, "InvokeConnectionError",
         ".* refused the connection"),
        ({}, {"base_url": "gpu"}, "CredentialsValidateFailedError", "base_url: 'gpu' is not a URL"),
    ],
    ids=["value", "name", "login", "unreachable", "setting"],
)  # fmt: skip
def test_what_a_person_can_mend_arrives_as_a_sentence(
    plugin: PluginProcess,
    given: dict[str, str],
    credentials: dict[str, str],
    kind: str,
    said: str,
) -> None:
    with StandIn(api_auth="me:secret") as standin:
        right = {"base_url": standin.base_url, "username": "me", "password": "secret"}
        login = {k: v.format(free=free_port()) for k, v in (right | credentials).items()}
        arrives(lambda: list(plugin.invoke("txt2img", DRAWING | given, login, 60)), kind, said)


def test_a_server_that_fails_or_is_too_slow_is_unavailable(plugin: PluginProcess) -> None:
    # It cannot tell whose job is running, so nobody waits for it to stop.
    with StandIn(family="sdcpp", delay=1.5) as standin:

        def draw(**given: object) -> object:
            return list(plugin.invoke("txt2img", DRAWING | given, {"base_url": standin.base_url}))

        standin.fail_next("/sdapi/v1/txt2img", status=500, body={"error": "disk full"})
        arrives(draw, "InvokeServerUnavailableError", ".*disk full")
        late = "http://.* did not finish within 1 s"
        arrives(lambda: draw(timeout=1), "InvokeServerUnavailableError", late)


@pytest.mark.parametrize(
    ("credentials", "said"),
    [(WRONG_LOGIN, ".*refuses the login 'me'"), ({"timeout": "soon"}, "timeout: 'soon' is not")],
)
def test_a_wrong_credential_is_told_on_save(
    plugin: PluginProcess, credentials: dict[str, str], said: str
) -> None:
    with StandIn(api_auth="me:secret") as standin:
        given = {"base_url": standin.base_url, "username": "me", "password": "secret"}
        save = given | credentials
        arrives(lambda: plugin.validate(save, 60), "CredentialsValidateFailedError", said)
