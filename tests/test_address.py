import traceback

import pytest
from yarl import URL

from webui import address
from webui.address import Address
from webui.errors import InvalidCredentialsError


def refusal(text: str) -> str:
    """The error's text, after a look that neither it nor its traceback shows a password."""
    with pytest.raises(InvalidCredentialsError) as caught:
        address.parse(text)
    shown = repr(caught.value) + "".join(traceback.format_exception(caught.value))
    assert "hunter2" not in shown
    return str(caught.value)


@pytest.mark.parametrize(
    ("pasted", "meant"),
    [
        ("http://gpu:7860", "http://gpu:7860"),
        ("  http://gpu:7860/ \n", "http://gpu:7860"),
        ("\u200bhttp://gpu:7860", "http://gpu:7860"),
        ("<http://gpu:7860>", "http://gpu:7860"),
        ('"http://gpu:7860"', "http://gpu:7860"),
        ("HTTP://GPU:7860//", "http://gpu:7860"),
        ("http:////gpu", "http://gpu"),
        ("https://gpu", "https://gpu"),
        ("http://gpu:", "http://gpu"),
        ("http://gpu:7860/docs", "http://gpu:7860"),
        ("http://gpu:7860/docs#/default/text2imgapi", "http://gpu:7860"),
        ("http://gpu:7860/redoc/", "http://gpu:7860"),
        ("http://gpu:7860/openapi.json", "http://gpu:7860"),
        ("http://gpu:7860/?__theme=dark", "http://gpu:7860"),
        ("http://gpu:7860/sdapi", "http://gpu:7860"),
        ("http://gpu:7860/sdapi/v1/txt2img", "http://gpu:7860"),
        ("http://gpu:7860/sdapi/v1/progress?skip_current_image=true", "http://gpu:7860"),
        ("http://gpu//sd///sdapi//v1", "http://gpu/sd"),
        ("http://gpu/users/me/sd/", "http://gpu/users/me/sd"),
        ("http://gpu/sd/docs", "http://gpu/sd"),
        ("http://gpu/a%20b", "http://gpu/a%20b"),
        ("http://gpu/a b", "http://gpu/a%20b"),
        ("http://gpu/a%2Fb", "http://gpu/a%2Fb"),
        ("http://gpu/a@b", "http://gpu/a@b"),
        ("http://[::1]:7860/", "http://[::1]:7860"),
        ("http://münchen.example", "http://xn--mnchen-3ya.example"),
    ],
)
def test_what_people_paste_becomes_the_address_of_the_server(pasted: str, meant: str) -> None:
    assert str(address.parse(pasted)) == meant


@pytest.mark.parametrize(
    "base",
    ["http://gpu:7860", "http://gpu:7860/", "http://gpu:7860//", "http://gpu:7860/sdapi/v1/"],
)
def test_an_endpoint_has_never_a_double_slash(base: str) -> None:
    assert str(address.parse(base).endpoint("sdapi/v1/txt2img")) == (
        "http://gpu:7860/sdapi/v1/txt2img"
    )


def test_an_endpoint_keeps_the_path_prefix_as_it_was_escaped() -> None:
    found = address.parse("http://gpu/a%2Fb/my%20sd").endpoint("sdapi/v1/options")
    assert str(found) == "http://gpu/a%2Fb/my%20sd/sdapi/v1/options"


@pytest.mark.parametrize(
    ("pasted", "username", "password"),
    [
        ("http://me:secret@gpu:7860", "me", "secret"),
        ("http://me@gpu:7860", "me", ""),
        ("http://:secret@gpu:7860", "", "secret"),
        ("http://@gpu:7860", "", ""),
        ("http://me:a%2Fb%40c@gpu:7860", "me", "a/b@c"),
        ("http://me:a@b@gpu:7860", "me", "a@b"),
        ("http://me:a/b?c#d@gpu:7860/docs", "me", "a/b?c#d"),
        ("http://me:a:b@gpu:7860", "me", "a:b"),
        ("http://me:100%zz@gpu:7860", "me", "100%zz"),
        ("http://jürgen:日本@gpu:7860", "jürgen", "日本"),
        ("http://me:secret@gpu:7860/sdapi/v1", "me", "secret"),
    ],
)
def test_a_login_is_taken_out_of_the_address(pasted: str, username: str, password: str) -> None:
    found = address.parse(pasted)
    assert (found.username, found.password) == (username, password)
    assert str(found) == "http://gpu:7860"


def test_an_address_shows_no_password() -> None:
    found = address.parse("http://me:hunter2@gpu:7860")
    assert "hunter2" not in f"{found} {found!r} {found.url!r} {found.endpoint('sdapi')}"


@pytest.mark.parametrize(
    "text",
    ["", "hello", "gpu:7860", "localhost:7860", "http:gpu", "http:/gpu", "http//gpu", "://gpu",
     "http://", "http:///", "http://[::1", "http://::1:7860", "http://a b", "http://:7860",
     "http://gpu:7860\\sdapi", "http://\ud800", "me:hunter2@gpu:7860", "http:/me:hunter2@gpu",
     "http://me:hunter2@", "http://me:hunter2@a b", "http://me:hunter2@[::1",
     "http://me:hunter2/x@:1"],
)  # fmt: skip
def test_what_is_no_url_is_refused_with_an_example(text: str) -> None:
    assert "for example http://host.docker.internal:7860." in refusal(text)


@pytest.mark.parametrize("port", ["0", "-1", "65536", "99999", "78x60", "1e3"])
def test_a_port_that_cannot_be_is_refused(port: str) -> None:
    assert "a port from 1 to 65535" in refusal(f"http://me:hunter2@gpu:{port}")


@pytest.mark.parametrize("scheme", ["ftp", "ws", "file", "javascript", "HTTPX"])
def test_other_schemes_are_refused_by_name(scheme: str) -> None:
    text = refusal(f"{scheme}://me:hunter2@gpu")
    assert f"the scheme {scheme.lower()}:// is not supported. Use http:// or https://" in text


@pytest.mark.parametrize(
    "pasted",
    ["me:hunter2@http://gpu:7860", "me:hunter2@://gpu", "http://me:hunter2＠gpu:7860"],
    ids=["before the scheme", "without a scheme", "full-width @"],
)
def test_a_login_in_the_wrong_place_is_refused_without_being_shown(pasted: str) -> None:
    assert "is not a URL" in refusal(pasted)


def test_a_password_that_begins_like_a_port_is_never_taken_for_the_path() -> None:
    try:
        found = str(address.parse("http://me:2024/hunter2@gpu:7860"))
    except InvalidCredentialsError as error:
        found = str(error)
    assert "hunter2" not in found


def test_a_long_text_is_cut_in_the_refusal() -> None:
    assert len(refusal("x" * 5000)) < 300


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST", "127.0.0.1", "127.1", "127.8.9.1", "[::1]",
     "0.0.0.0"],  # noqa: S104 - an address to call, nothing is bound
)  # fmt: skip
def test_the_loopback_is_this_machine(host: str) -> None:
    found = address.parse(f"http://{host}:7860")
    assert found.is_this_machine
    assert found.is_local


@pytest.mark.parametrize(
    "host",
    ["gpu", "host.docker.internal", "10.0.0.5", "192.168.1.20", "172.16.0.1", "172.31.255.1",
     "169.254.1.1", "gpu.local", "gpu.lan", "gpu.home.arpa", "[fd00::7]", "[fe80::1]"],
)  # fmt: skip
def test_the_network_around_is_local_but_not_this_machine(host: str) -> None:
    found = address.parse(f"http://{host}:7860")
    assert found.is_local
    assert not found.is_this_machine


@pytest.mark.parametrize(
    "host",
    ["gpu.example", "8.8.8.8", "172.15.0.1", "172.32.0.1", "192.169.0.1", "110.0.0.5",
     "internal.example", "[2606:4700::1111]", "10.example", "127.example", "192.168.example"],
)  # fmt: skip
def test_a_public_host_is_neither(host: str) -> None:
    found = address.parse(f"http://{host}:7860")
    assert not found.is_local
    assert not found.is_this_machine


def test_the_host_comes_without_brackets_and_in_its_own_letters() -> None:
    assert address.parse("http://[::1]:7860").host == "::1"
    assert address.parse("http://münchen.example").host == "münchen.example"


def test_an_address_of_two_logins_is_two_addresses() -> None:
    url = URL("http://gpu")
    assert Address(url, "me", "a") != Address(url, "me", "b")
