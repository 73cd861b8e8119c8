"""Faults of what goes in: a node's values, a login, and what stands behind a file's link."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from support.dify_files import picture
from support.faults import BAD, Fault
from support.hostile import MARKUP, SECRET, USERNAME, bomb, drawn, dripping, flood, reset_after
from support.raw_server import reply


def parameters() -> Iterator[Fault]:
    """What a user, or a language model, may fill in."""
    extra: list[dict[str, Any]] = [
        {"prompt": 5}, {"width": "x"}, {"styles": 5}, {"styles": [5]}, {"alwayson_scripts": 5},
        {"alwayson_scripts": {"ControlNet": 5}}, {"override_settings": []}, {"sampler_name": []},
        {"seed": "x"}, {"init_images": 5}, {"script_args": 5}, {"hr_prompt": []},
        {"override_settings": {"sd_vae": 5, "CLIP_stop_at_last_layers": []}}, {"sampler_index": 5},
        {"scheduler": {}}, {"hr_upscaler": 5}, {"batch_size": []},
        {"enable_hr": "x"}, {"force_task_id": []}, {"send_images": []}, {"n_iter": None},
    ]  # fmt: skip
    for value in extra:
        (name,) = value
        given = {"extra_parameters": json.dumps(value)}
        yield Fault(f"extra {name} {value[name]}", None, given=given, job=drawn())
    at_once: dict[str, list[Any]] = {
        "prompt": ["a " + MARKUP, "<lora:" * 40_000, "a" * 5_000_000],
        "lora": ["a " * 20_000, "a:1" * 20_000, "<lora:a" * 20_000, ":" * 40_000, MARKUP],
        "negative_prompt": [MARKUP],
        "styles": ["," * 100_000, "[" * 990, MARKUP],
        "vae": ["[", "{", MARKUP],
        "override_settings": [
            '{"sd_model_checkpoint": 5}', '{"a": ' * 990 + "1" + "}" * 990, '{"\\ud83d": 1}',
        ],
        "extra_parameters": [
            '{"a": ' + "[" * 990 + "]" * 990 + "}", '{"a": "\\ud83d"}', "[" * 200_000,
            '{"a": ' + "9" * 5000 + "}", '{"prompt": "{{image_' + "9" * 5000 + '}}"}',
        ],
        "alwayson_scripts": ["[" * 200_000, '{"ControlNet": {"args": [{"image": "{{image_1}}"}]}}'],
        "infotext": ["Steps: " * 100_000, "a: b, " * 50_000, '"' * 100_000],
        "sampler_name": ["x" * 1_000_000, "Euler " * 50_000],
        "model": ["x" * 1_000_000, MARKUP],
        "seed": ["9" * 5000, [[[]]]],
        "width": ["٣" * 5000, {"a": 1}, "1e9999", "0x10"],
        "timeout": ["1e400", MARKUP],
    }  # fmt: skip
    for name, values in at_once.items():
        for number, value in enumerate(values):
            yield Fault(f"{name} {number}", None, given={name: value}, job=drawn())
    nobody = {"prompt": " , ", "count": 1}
    yield Fault("a prompt of a comma", BAD, "prompt", given=nobody, tools=("draw",))
    hostile_login: dict[str, dict[str, Any]] = {
        "base_url without @": {"base_url": f"http://{USERNAME}:{SECRET}"},
        "base_url with two @": {"base_url": f"http://{USERNAME}:{SECRET}@@x y"},
        "base_url with a bad port": {"base_url": f"http://{USERNAME}:{SECRET}@gpu:port"},
        "base_url without host": {"base_url": f"http://{USERNAME}:{SECRET}@"},
        "base_url with a space": {"base_url": f"http://{USERNAME}:{SECRET}@g pu:7860"},
        "base_url of another scheme": {"base_url": f"ftp://{USERNAME}:{SECRET}@gpu"},
        "base_url of a number": {"base_url": 5},
        "base_url of a label over 63 letters": {"base_url": f"http://{'a' * 64}.example:7860"},
        "base_url of markup": {"base_url": f"http://{MARKUP}"},
        "a timeout of words": {"timeout": SECRET},
        "a colon in the name": {"username": f"{USERNAME}:{SECRET}"},
    }
    for name, login in hostile_login.items():
        yield Fault(name, None, login=login, tools=("txt2img", "server_info"))


def links() -> Iterator[Fault]:
    """What stands behind a file's link."""
    photo = picture()
    usual = Fault("", BAD, "image", tools=("img2img", "png_info"), timeout=4)
    for name, answer, says in (
        ("reset", reset_after(b""), "again|reset|broke"),
        ("cut", reply(photo[:40], length=len(photo)), "again|broke|cut"),
        ("500", reply("", status="500 Internal Server Error"), "500"),
        ("403", reply("", status="403 Forbidden"), "300 s"),
        ("not gzip", reply(photo, "Content-Encoding: gzip"), "compress|gzip"),
        ("a bomb", bomb(400), "MiB"),
        ("too many bytes", flood(photo, b"x" * (1 << 20), 100), "MiB"),
        ("a redirect in a circle", reply("", "Location: /files/1", status="302 Found"), "redirect"),
        ("a redirect elsewhere",
         reply("", "Location: http://169.254.169.254/latest", status="302 Found"),
         "169.254.169.254"),
        ("no picture", reply("hello"), "PNG"),
    ):  # fmt: skip
        yield replace(usual, name=f"link: {name}", link=answer, says=says, megabytes=160)
    dribble = replace(usual, link=dripping(photo), says="in time|did not", timeout=1, slow=True)
    yield replace(dribble, name="link: dripping")
    for url in ("http://[::1", "http://a..b/c", f"http://{'a' * 64}.example/", "file:///etc/passwd",
                "http://x:99999/", f"http://{MARKUP}/", "", "http://"):  # fmt: skip
        short = url.encode(errors="replace").decode()[:24]
        yield replace(usual, name=f"link to {short}", says="", given={"image": {"url": url}})
    often = json.dumps({"a": ["{{image_1}}"] * 300})
    heavy = reply(photo + bytes(1 << 20), content_type="image/png")
    yield Fault("a reference named 300 times", None, link=heavy, megabytes=160,
                given={"reference_images": [], "extra_parameters": often})  # fmt: skip


PARTS = (parameters, links)
