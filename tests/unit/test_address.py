import traceback

import pytest

from webui.errors import InvalidCredentialsError
from webui.http.address import parse_address


def refusal(text: str) -> str:
    """The error's text, after a look that neither it nor its traceback shows a password."""
    with pytest.raises(InvalidCredentialsError) as caught:
        parse_address(text)
    shown = repr(caught.value) + "".join(traceback.format_exception(caught.value))
    assert "hunter2" not in shown
    return str(caught.value)


@pytest.mark.parametrize(
    ("meant", "pasted"),
    [
        ("http://gpu:7860", [
            "http://gpu:7860", "  http://gpu:7860/ \n", "\u200bhttp://gpu:7860",
            "<http://gpu:7860>", '"http://gpu:7860"', "HTTP://GPU:7860//", "http://gpu:7860/docs",
            "http://gpu:7860/docs#/default/text2imgapi", "http://gpu:7860/redoc/",
            "http://gpu:7860/openapi.json", "http://gpu:7860/?__theme=dark",
            "http://gpu:7860/sdapi", "http://gpu:7860/sdapi/v1/txt2img",
            "http://gpu:7860/sdapi/v1/progress?skip_current_image=true",
            "gpu:7860", " gpu:7860/docs ", "“gpu:7860”", "gpu：7860",
            "\ufeffｈｔｔｐ：／／ｇｐｕ：７８６０\u00a0"]),
        ("http://localhost", ["localhost", "Localhost/"]),
        ("http://192.168.1.20:7860", ["192.168.1.20:7860/#/txt2img"]),
        ("http://sd.lan/webui", ["sd.lan/webui/docs"]),
        ("http://[::1]:7860", ["[::1]:7860"]),
        ("http://gpu", ["http:////gpu", "http://gpu:"]),
        ("http://stable_diffusion.lan.", ["http://Stable_Diffusion.lan."]),
        ("https://gpu", ["https://gpu"]),
        ("http://gpu/sd", ["http://gpu//sd///sdapi//v1", "http://gpu/sd/docs"]),
        ("http://gpu/users/me/sd", ["http://gpu/users/me/sd/"]),
        ("http://gpu/a%20b", ["http://gpu/a%20b", "http://gpu/a b"]),
        ("http://gpu/a%2Fb", ["http://gpu/a%2Fb"]),
        ("http://gpu/a@b", ["http://gpu/a@b"]),
        ("http://[::1]:7860", ["http://[::1]:7860/"]),
        ("http://xn--mnchen-3ya.example", ["http://münchen.example"]),
    ],
)  # fmt: skip
def test_what_people_paste_becomes_the_address_of_the_server(meant: str, pasted: list[str]) -> None:
    assert {text: str(parse_address(text)) for text in pasted} == dict.fromkeys(pasted, meant)


@pytest.mark.parametrize("base", ["http://gpu/a%2Fb/my%20sd", "http://gpu/a%2Fb//my%20sd//"])
def test_an_endpoint_keeps_the_path_prefix_and_has_never_a_double_slash(base: str) -> None:
    found = parse_address(base).endpoint("sdapi/v1/options")
    assert str(found) == "http://gpu/a%2Fb/my%20sd/sdapi/v1/options"


@pytest.mark.parametrize(
    ("login", "username", "password"),
    [("me:secret@", "me", "secret"), ("me@", "me", ""), (":secret@", "", "secret"), ("@", "", ""),
     ("me:a%2Fb%40c@", "me", "a/b@c"), ("me:a@b@", "me", "a@b"), ("me:a:b@", "me", "a:b"),
     ("me:a/b?c#d@", "me", "a/b?c#d"), ("me:100%zz@", "me", "100%zz"),
     ("jürgen:日本@", "jürgen", "日本")],
)  # fmt: skip
def test_a_login_is_taken_out_of_the_address(login: str, username: str, password: str) -> None:
    found = parse_address(f"http://{login}gpu:7860/sdapi/v1")
    assert (found.username, found.password) == (username, password)
    shown = str(found), str(found.url), str(found.endpoint("docs"))
    assert shown == ("http://gpu:7860", "http://gpu:7860/", "http://gpu:7860/docs")


@pytest.mark.parametrize(
    "text",
    ["", "hello", "gpu/7860", "gpu:7860 ok", "http:gpu", "http:/gpu", "http//gpu", "://gpu",
     "http://", "http:///", "http://http://gpu", "http://[::1", "http://::1:7860", "http://a b", "http://:7860",
     "http://gpu:7860\\sdapi", "http://\ud800", "me:hunter2@gpu:7860", "http:/me:hunter2@gpu",
     "http://me:hunter2@", "http://me:hunter2@a b", "http://me:hunter2@[::1",
     "http://me:hunter2/x@:1", "me:hunter2@http://gpu:7860", "me:hunter2@://gpu",
     "http://me:hunter2＠gpu:7860", "http://me:hunter2", "me:hunter2", "http//me:hunter2",
     "http:/me:hunter2/x", "http://me：hunter2/", "http://me%3Ahunter2%40gpu", "//me:hunter2",
     "http://:hunter2", "http://me:x@hunter2 y", "https:me:hunter2",
     "http://a..b", "http://.", "http://*", "http://gpu\x00", "http://xn--", "http://a,b",
     f"http://{'a' * 64}", f"http://{'a.' * 127}a", f"http://{'日' * 60}", "http://[é::1]",
     "http://[v1.x:y]", "http://me\ud800@gpu", "http://http://me:hunter2"],
)  # fmt: skip
def test_what_is_no_url_is_refused_with_an_example(text: str) -> None:
    said = refusal(text)
    assert "is not a URL" in said
    assert "for example http://host.docker.internal:7860." in said


@pytest.mark.parametrize("port", ["0", "-1", "65536", "78x60", "1e3"])
def test_a_port_that_cannot_be_is_refused(port: str) -> None:
    assert "a port from 1 to 65535" in refusal(f"http://me:hunter2@gpu:{port}")


@pytest.mark.parametrize("scheme", ["ftp", "ws", "file", "javascript", "HTTPX"])
def test_other_schemes_are_refused_by_name(scheme: str) -> None:
    text = refusal(f"{scheme}://me:hunter2@gpu")
    assert f"the scheme {scheme.lower()}:// is not supported. Use http:// or https://" in text


def test_a_password_that_begins_like_a_port_is_never_taken_for_the_path() -> None:
    assert "an @ after host and port" in refusal("http://me:2024/hunter2@gpu:7860")


@pytest.mark.parametrize(
    "text", ["x" * 5000, "x" * 900, f"{'x' * 900}://gpu", "http://gpu:" + "7" * 900]
)
def test_a_long_text_is_cut_in_the_refusal(text: str) -> None:
    assert len(refusal(text)) < 350


def test_what_a_refusal_quotes_is_all_but_what_may_be_a_password() -> None:
    assert "base_url: 'http://me:***' is not a URL" in refusal("http://me:hunter2")
    assert "base_url: 'http://a b' is not a URL" in refusal("http://a b")
    assert "base_url (not shown, as it seems to hold a login)" in refusal("me:hunter2@gpu")


@pytest.mark.parametrize(
    ("local", "this_machine", "hosts"),
    [
        (True, True, ["localhost", "LOCALHOST", "127.0.0.1", "127.1", "127.8.9.1", "[::1]",
                      "0.0.0.0"]),  # noqa: S104 - an address to call, nothing is bound
        (True, False, ["gpu", "host.docker.internal", "10.0.0.5", "192.168.1.20", "172.16.0.1",
                       "172.31.255.1", "169.254.1.1", "gpu.local", "gpu.lan", "gpu.home.arpa",
                       "gpu.default.svc", "[fd00::7]", "[fe80::1]"]),
        (False, False, ["gpu.example", "8.8.8.8", "172.15.0.1", "172.32.0.1", "192.169.0.1",
                        "110.0.0.5", "internal.example", "[2606:4700::1111]", "10.example",
                        "127.example", "192.168.example"]),
    ],
    ids=["this machine", "the network around", "public"],
)  # fmt: skip
def test_it_is_known_where_a_host_is(local: bool, this_machine: bool, hosts: list[str]) -> None:
    for host in hosts:
        found = parse_address(f"http://{host}:7860")
        assert (found.is_local, found.is_this_machine) == (local, this_machine), host


def test_the_host_comes_without_brackets_and_in_its_own_letters() -> None:
    assert parse_address("http://[::1]:7860").host == "::1"
    assert parse_address("http://münchen.example").host == "münchen.example"


def test_an_address_of_two_logins_is_two_addresses_though_neither_shows_it() -> None:
    one, other = (parse_address(f"http://me:hunter{number}@gpu") for number in (1, 2))
    assert one != other
    assert "hunter" not in f"{one!r} {other!r}"


def test_an_address_knows_what_no_text_may_show() -> None:
    secrets = parse_address("http://me:hunter2@gpu").secrets
    assert secrets.mask("password hunter2 of me") == "password *** of me"
