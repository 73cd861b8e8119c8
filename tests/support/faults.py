"""Each fault, with the tools that meet it and what must come of it.

ends: the error's type as Dify knows it, "" for a call that succeeds, None where either will do.
says: what is to be read of it, a pattern: the remedy in an error, the warning in a text.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from support.dify_files import picture
from support.hostile import (
    ECHO,
    HALF,
    MARKUP,
    SECRET,
    USERNAME,
    after,
    bomb,
    drawn,
    dripping,
    flood,
    nested,
    page,
    reset_after,
    said,
    silence,
    told,
)
from support.raw_server import Answer, reply

BAD, CONNECTION, DOWN = (
    "InvokeBadRequestError",
    "InvokeConnectionError",
    "InvokeServerUnavailableError",
)
LOGIN, SETTING = "InvokeAuthorizationError", "CredentialsValidateFailedError"
# Where each tool's own work is done: what it stands or falls with.
JOB = {
    "txt2img": "/sdapi/v1/txt2img",
    "img2img": "/sdapi/v1/img2img",
    "upscale": "/sdapi/v1/extra-single-image",
    "draw": "/sdapi/v1/txt2img",
    "png_info": "/sdapi/v1/png-info",
    "caption": "/sdapi/v1/interrogate",
    "remove_background": "/rembg",
    "control_preview": "/controlnet/detect",
    "server_info": "/sdapi/v1/options",
}
API, SCHEMA, PROGRESS = "/sdapi/v1/", "/openapi.json", "/internal/progress"
JOBS = tuple(JOB)[:4]


@dataclass(frozen=True, repr=False)
class Fault:
    """job: what the tool's own endpoint answers; at: what others do; link: what the file's does.

    given, login: parameters and credentials beside the usual ones. seconds: beyond the timeout.
    megabytes: by which the process may grow at its peak.
    """

    name: str
    ends: str | None
    says: str = ""
    tools: tuple[str, ...] = ("txt2img",)
    job: Answer | None = None
    at: Mapping[str, Answer] = field(default_factory=dict)
    link: Answer | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    login: Mapping[str, Any] = field(default_factory=dict)
    timeout: float = 5
    megabytes: int = 64
    deaf: bool = False
    slow: bool = False

    def __repr__(self) -> str:
        return self.name


def statuses() -> Iterator[Fault]:
    """What servers, and proxies before them, answer instead."""
    for status in ("502 Bad Gateway", "503 Service Unavailable", "504 Gateway Time-out"):
        for tools in (("txt2img", "upscale"), ("caption", "remove_background", "control_preview")):
            yield Fault(f"{status} page", DOWN, "proxy", job=page(status), tools=tools)
    for number in range(520, 527):
        yield Fault(f"{number}", DOWN, "Cloudflare", job=page(f"{number} Unknown"))
    yield Fault("504 in JSON", DOWN, "proxy", job=said("504 Gateway Timeout"))
    large = page("413 Request Entity Too Large")
    yield Fault("413 page", BAD, "client_max_body_size", job=large, tools=("img2img", "png_info"))
    for status in ("429 Too Many Requests", "503 Service Unavailable"):
        busy = page(status, "Retry-After: 30")
        yield Fault(f"{status} with Retry-After", DOWN, "30 s", job=busy, tools=JOBS)
    for where in (JOBS, ("server_info",)):
        forbidden = page("403 Forbidden")
        yield Fault("403 page", None, "proxy|firewall", job=forbidden, tools=where)
    yield Fault("401", LOGIN, "--api-auth", job=said("401 Unauthorized"), tools=tuple(JOB))
    for words in (
        "CUDA out of memory. Tried to allocate 2.00 GiB",
        "CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate(handle)",
        "[enforce fail at alloc_cpu.cpp:114] DefaultCPUAllocator: can't allocate memory",
        "DefaultCPUAllocator: not enough memory: you tried to allocate 9437184 bytes.",
    ):
        failed = said("500 Internal Server Error", words)
        yield Fault(words[:24], DOWN, "memory.* smaller", job=failed, tools=("txt2img", "upscale"))
    dots = said("500 Internal Server Error", "That did not work..")
    yield Fault("words that end in dots", DOWN, r"did not work\.$", job=dots)
    yield Fault("422 with an echo", BAD, job=said("422 Unprocessable Entity"), tools=tuple(JOB))
    listed = [{"loc": ["body", ECHO], "msg": ECHO}] * 50
    yield Fault("422 with a list of echoes", BAD, job=said("422 Unprocessable Entity", listed))
    yield Fault("500 with an echo", DOWN, job=said("500 Internal Server Error"), tools=tuple(JOB))
    yield Fault("500 in HTML", DOWN, job=page("500 Internal Server Error"))
    for padding in range(270, 300, 5):
        cut = said("500 Internal Server Error", "x" * padding + SECRET)
        yield Fault(f"a password at {padding}", DOWN, job=cut)
    long = said("500 Internal Server Error", "word " * 1_200_000)
    yield Fault("six megabytes of words", DOWN, job=long)
    half = said("500 Internal Server Error", HALF)
    yield Fault("half a character in words", DOWN, "half", job=half, tools=tuple(JOB))
    yield Fault("200 with detail", DOWN, job=told({"detail": ECHO}), tools=JOBS)
    for status in ("301 Moved Permanently", "307 Temporary Redirect"):
        for place in (f"http://{USERNAME}:{SECRET}@gpu.example/", f"/login?next={SECRET}"):
            away = reply("", f"Location: {place}".encode().decode("latin-1"), status=status)
            yield Fault(f"{status[:3]} to {place[:5]}", CONNECTION, "redirects", job=away)


def breaks() -> Iterator[Fault]:
    """Connections that end where they should not."""
    whole = drawn()
    head, _, body = whole.partition(b"\r\n\r\n")
    stages = {
        "before a word": b"",
        "in the status": whole[:6],
        "in the headers": whole[:40],
        "after the headers": head + b"\r\n\r\n",
        "in the picture": whole[: len(head) + len(body) // 2],
    }
    for stage, begun in stages.items():
        said_so = "middle" if len(begun) > len(head) + 4 else ""
        yield Fault(f"closed {stage}", None, said_so, job=begun, tools=("txt2img", "upscale"))
        yield Fault(f"reset {stage}", None, said_so, job=reset_after(begun), tools=("img2img",))
    yield Fault("headers cut off", None, "middle|cut|broke|empty", job=head[:-4])
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    yield Fault("a chunk cut off", CONNECTION, "middle", job=chunked + b"800\r\n{" + body[1:99])
    yield Fault("no chunk", CONNECTION, job=chunked + b"what?\r\n")
    yield Fault("no HTTP", CONNECTION, job=b"220 mail.example ESMTP\r\n")
    yield Fault("endless headers", None, job=b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 100_000)
    yield Fault("a header of a megabyte", None, job=b"HTTP/1.1 200 OK\r\nA: " + b"b" * 1_000_000)
    for length in (b"-1", b"many", b"9" * 400):
        lied = head.rpartition(b"Content-Length")[0] + b"Content-Length: " + length + b"\r\n\r\n"
        yield Fault(f"length {length[:5]!r}", None, job=lied + body)
    zipped = reply(b"no gzip", "Content-Encoding: gzip")
    yield Fault("not gzip", DOWN, "compressed", job=zipped, tools=("txt2img", "png_info"))
    late = Fault("", DOWN, "did not finish", timeout=1, slow=True, tools=(*JOBS, "control_preview"))
    yield replace(late, name="silence", job=silence)
    yield replace(late, name="a dripping reply", job=dripping(b'{"images": ["'))
    mute = dict.fromkeys([JOB["txt2img"], PROGRESS, f"{API}progress", f"{API}interrupt"], silence)
    yield Fault("silence everywhere", DOWN, "did not finish", at=mute, timeout=1, slow=True)
    granted: dict[str, Answer] = {
        PROGRESS: told({"active": True, "queued": False, "progress": 0.1})
    }
    granted |= {JOB["txt2img"]: silence}
    told_to_stop = Fault("never stops", DOWN, "did not finish", at=granted, timeout=1, slow=True)
    yield told_to_stop


def bodies() -> Iterator[Fault]:
    """Successful replies that are none."""
    for name, text in {
        "nothing": b"",
        "null": b"null",
        "a number": b"5",
        "a page": b"<!doctype html><p>hello",
        "images as an object": b'{"images": {}}',
        "images of numbers": b'{"images": [5]}',
        "no base64": b'{"images": ["\\u0000\\u0001"]}',
        "half an object": b'{"images": ["',
        "two objects": b'{"images": []}{}',
        "no UTF-8": b'{"images": ["\xff\xfe"]}',
    }.items():
        tools = ("txt2img", "upscale", "caption", "remove_background", "control_preview")
        yield Fault(f"a reply of {name}", DOWN, job=reply(text), tools=tools)
    for levels in (1000, 20_000):
        deep = reply(b'{"parameters":' + nested(levels) + b',"images":[]}')
        yield Fault(f"{levels} levels", DOWN, job=deep, tools=("txt2img", "img2img", "upscale"))
    deep = reply(b'{"info": "", "items": ' + nested(200_000, b'{"a":', b"}") + b"}")
    yield Fault("200,000 levels", None, job=deep, tools=("png_info",))
    yield Fault("a bomb", DOWN, job=bomb(400, b'{"images":'), tools=("txt2img", "png_info"))
    strung = bomb(400, b'{"images": ["')
    yield Fault("a bomb in a picture", DOWN, job=strung)
    picture_ = flood(b'{"images": ["', b"A" * (1 << 20), 200, b'"]}')
    yield Fault("a picture too large", DOWN, "PLUGIN_MAX_FILE_SIZE", job=picture_, megabytes=80)
    blank = flood(b'{"images": [', b" " * (1 << 20), 300, b"]}")
    yield Fault("300 MB of blanks", DOWN, job=blank)
    long = base64.b64encode(picture(pnginfo=chunk(6_000_000))).decode()
    yield Fault("a picture with 6 MB of text", "", job=drawn(None, long), megabytes=120)


def chunk(size: int) -> Any:  # noqa: ANN401 - PIL's own
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("parameters", "x" * size)
    return info


def words() -> Iterator[Fault]:
    """What is said of a picture, by a server that is asked for nothing else."""
    usual = Fault("", DOWN, "without the text", tools=("caption",))
    for name, caption in {"nothing": None, "a list": ["a"], "megabytes": "x" * 6_000_000}.items():
        yield replace(usual, name=f"a caption of {name}", job=told({"caption": caption}))
    for name, caption in {"echoes": ECHO, "half a character": HALF, "markup": MARKUP}.items():
        yield Fault(f"words of {name}", "", job=told({"caption": caption}), tools=("caption",))
    yield Fault("deep words", DOWN, job=reply(nested(200_000)), tools=("caption",))
    inflated = bomb(400, b'{"caption":')
    yield Fault("an inflated caption", DOWN, job=inflated, tools=("caption",), slow=True)


def accounts() -> Iterator[Fault]:
    """What a server says of a finished picture, which is never worth the picture."""
    wrong: dict[str, list[Any]] = {
        "all_seeds": [5, "x", None, 10**30, {"a": 1}],
        "infotexts": [5, [5], "x", [None], [{"a": 1}], [HALF], ["x" * 7_000_000]],
        "all_subseeds": [5, [HALF]],
        "index_of_first_image": [10**30, -1, "x", 1e300],
        "sd_model_name": [5, HALF, [], "x" * 6_000_000],
        "clip_skip": ["x", [], 1e300],
        "sampler_name": [[], HALF],
    }
    for name, values in wrong.items():
        for number, value in enumerate(values):
            account = drawn({"all_seeds": [1], name: value})
            yield Fault(f"info {name} {number}", "", job=account, megabytes=120)
    digits = json.dumps('{"all_seeds": [' + "9" * 5000 + "]}").encode()
    yield Fault("a seed of 5,000 digits", "", job=drawn(raw=digits), tools=("txt2img", "draw"))
    deep = json.dumps('{"infotexts":' + nested(50_000).decode() + "}").encode()
    yield Fault("info of 50,000 levels", "", job=drawn(raw=deep))
    for raw in (b"5", b"[[]]", b'"null"', b'"[1]"', b'{"all_seeds": [1]}'):
        yield Fault(f"info {raw.decode()}", "", job=drawn(raw=raw))
    many = [f"{number:06} " + "word " * 200 for number in range(10_000)]
    yield Fault("10 MB of infotexts", "", job=drawn({"infotexts": many}), megabytes=160)
    yield Fault("an echo in info", "", job=drawn({"infotexts": [ECHO], "sd_model_name": ECHO}))


def look_ups() -> Iterator[Fault]:
    """What a call can do without, or asks before it draws."""
    wrong_names: dict[str, dict[str, Any]] = {
        "sd-models": {"model": "nothing"},
        "samplers": {"sampler_name": "Eulr"},
        "schedulers": {"scheduler": "Karas"},
        "upscalers": {"enable_hr": True, "hr_upscaler": "Latnt"},
        "prompt-styles": {"styles": "none such"},
        "sd-vae": {"vae": "none such"},
        "script-info": {"script_name": "none such"},
        "loras": {"lora": "none such"},
    }
    keys = ("title", "model_name", "name", "filename", "alias", "path", "label")
    strange: list[Any] = [5, None, [], {"a": 1}, HALF, ECHO, 1e300]
    for value in strange:
        entry: dict[str, Any] = dict.fromkeys(keys, value) | {"aliases": value, "options": value}
        for listing, given in wrong_names.items():
            answer = {f"{API}{listing}": told([entry, value])}
            short = str(value)[:8].encode(errors="replace").decode()
            if value in (5, HALF) or listing == "sd-models":
                yield Fault(f"{listing} of {short}", None, at=answer, given=given)
    aliases = {f"{API}samplers": told([{"name": "Euler", "aliases": 5, "options": 5}])}
    yield Fault("aliases of 5", "", at=aliases, given={"sampler_name": "Euler"}, tools=("draw",))
    for schema in (
        {"paths": {JOB["txt2img"]: {"post": {"requestBody": {"content": {
            "application/json": {"schema": {"$ref": None}}}}}}}},
        {"paths": {JOB["txt2img"]: 5}, "components": 5},
        {"paths": [JOB["txt2img"]]},
        [HALF],
    ):  # fmt: skip
        yield Fault(f"schema {str(schema)[-25:]}", "", at={SCHEMA: told(schema)}, tools=JOBS[::3])
    for path in (SCHEMA, f"{API}samplers", f"{API}script-info"):
        deep = reply(nested(200_000))
        given = {"sampler_name": "Euler", "script_name": "X/Y/Z plot"}
        yield Fault(f"{path} of 200,000 levels", None, at={path: deep}, given=given)
        yield Fault(f"{path}, a bomb", None, at={path: bomb(300)}, given=given)
        stuck = {path: dripping(b'{"paths": ')}
        yield Fault(f"{path} dripping", None, at=stuck, given=given, timeout=1, slow=True)
    hostile_memory = {"ram": {"free": 10**400, "total": "x"}, "cuda": {"system": 5, "events": []}}
    wrong: dict[str, Any] = {
        "memory": hostile_memory,
        "progress": {"progress": 10**400, "eta_relative": "x", "state": {"sampling_step": HALF}},
        "options": {"sd_model_checkpoint": [HALF], "samples_format": ECHO},
        "scripts": {"txt2img": 5},
    }
    for path, value in wrong.items():
        yield Fault(
            f"{path} of wrong types", "", at={API + path: told(value)}, tools=("server_info",)
        )
    at = {f"{API}options": reply(nested(200_000))}
    yield Fault("options of 200,000 levels", DOWN, at=at, tools=("server_info",))
    drops = [{"label": "checkpoint", "choices": [f"model {n:04}" for n in range(3000)]}] * 80
    scripts = [{"name": "x/y/z plot", "is_alwayson": False, "is_img2img": False, "args": drops}]
    yield Fault("scripts of 6 MB", "", at={f"{API}script-info": told(scripts)}, megabytes=200,
                tools=("server_info",), given={"list": "scripts"})  # fmt: skip
    models = [{"title": f"{n} " + "x" * 700, "model_name": HALF} for n in range(9000)]
    yield Fault("models of 7 MB", "", at={f"{API}sd-models": told(models)}, megabytes=200,
                tools=("server_info",), given={"list": "models"}, slow=True)  # fmt: skip


def control_lists() -> Iterator[Fault]:
    """What ControlNet says that it has."""
    strange = {"5": 5, "null": None, "an object": {"a": 1}, "half a letter": HALF, "echoes": ECHO}
    answers: dict[str, Answer] = {
        f"names of {name}": told(
            {"control_types": {"Canny": value}, "module_list": [value], "model_list": value}
        )
        for name, value in strange.items()
    }
    of_five = dict.fromkeys(("module_list", "model_list", "default_option", "default_model"), 5)
    answers |= {
        "lists of another kind": told([5]),
        "types of another kind": told({"control_types": [HALF], "module_list": HALF}),
        "a type of 5": told({"control_types": {"Canny": of_five}}),
        "200,000 levels": reply(nested(200_000)),
        "a bomb": bomb(300),
    }
    usual = Fault("", BAD, tools=("control_preview",))
    by_name = {"control_type": "", "control_preprocessor": "cany"}
    refused = "^control_preprocessor: .*cany|Module not available"
    for name, answer in answers.items():
        at = {f"/controlnet/{one}": answer for one in ("control_types", "module_list")}
        yield replace(usual, name=f"{name}, by type", at=at, says="^control_type: .*Canny|does not")
        yield replace(usual, name=f"{name}, by name", at=at, says=refused, given=by_name)


def during_the_job() -> Iterator[Fault]:
    """Look-ups while a picture is drawn: none may cost it, nor keep it waiting."""
    late = {JOB["txt2img"]: after(2.6, drawn()), JOB["img2img"]: after(2.6, drawn())}
    usual = Fault("", "", timeout=4, slow=True)
    yield replace(usual, name="no connection any more", deaf=True, at=late, tools=JOBS[:2])
    for name, answer in {
        "reset": reset_after(b""),
        "silence": silence,
        "a page of 502": page("502 Bad Gateway"),
        "dripping": dripping(b'{"active": '),
        "a bomb": bomb(400),
        "200,000 levels": reply(nested(200_000)),
        "half a character": told({"active": False, "queued": True, "textinfo": HALF}),
        "7 MB of textinfo": told({"active": True, "progress": 0.5, "textinfo": "1/" * 3_500_000}),
        "a place of a million digits": told({"queued": 1, "active": 0, "textinfo": "9" * 10**6}),
        "wrong types": told({"active": [1], "queued": HALF, "progress": "x", "textinfo": 5}),
        "a progress of 400 digits": told({"active": True, "progress": 10**400}),
    }.items():  # fmt: skip
        at = late | {PROGRESS: answer, f"{API}progress": answer}
        yield replace(usual, name=f"progress: {name}", at=at)


PARTS = (statuses, breaks, bodies, words, accounts, look_ups, control_lists, during_the_job)
