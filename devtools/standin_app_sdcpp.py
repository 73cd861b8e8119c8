"""stable-diffusion.cpp's few routes."""

import functools
from collections.abc import Callable
from typing import Any

from flask import Response, request

from devtools import standin_lists, standin_lists_sdcpp
from devtools.standin_app import App
from devtools.standin_sdcpp import generate


class SdCppApp(App):
    """A server without logins, without a schema, and without words for what it does not have."""

    def views(self) -> dict[str, Callable[[], Any]]:
        state = self.state
        lists = {**standin_lists.LISTS, **standin_lists_sdcpp.LISTS}
        return {
            **{f"GET /{name}": functools.partial(answer, state) for name, answer in lists.items()},
            "POST /txt2img": lambda: generate(state, "txt2img", request.get_data()),
            "POST /img2img": lambda: generate(state, "img2img", request.get_data()),
            "GET /sdcpp/v1/capabilities": lambda: standin_lists_sdcpp.capabilities(state),
            "GET /": lambda: Response("Stable Diffusion Server is running"),
        }

    def check(self) -> None:
        """Whatever login comes along is not looked at."""

    def not_found(self) -> Response:
        return Response(status=404)
