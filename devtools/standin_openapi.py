"""The schema at `/openapi.json`, as FastAPI writes it."""

from collections.abc import Mapping, Sequence
from typing import Any

from devtools.standin_schema import Framework, Model


def openapi(
    framework: Framework, paths: Mapping[str, Sequence[str]], models: Mapping[str, Model]
) -> dict[str, Any]:
    """`paths` gives the methods of each path, `models` the body that a path's POST takes."""
    return {
        "openapi": framework.openapi,
        "info": {"title": "FastAPI", "version": "0.1.0"},
        "paths": {
            path: {method.lower(): _operation(method, models.get(path)) for method in methods}
            for path, methods in paths.items()
        },
        "components": {"schemas": {model.name: model.schema() for model in models.values()}},
    }


def _operation(method: str, model: Model | None) -> dict[str, Any]:
    answer = {"responses": {"200": {"description": "Successful Response"}}}
    if method != "POST" or model is None:
        return answer
    reference = {"$ref": f"#/components/schemas/{model.name}"}
    content = {"application/json": {"schema": reference}}
    return {"requestBody": {"content": content, "required": True}, **answer}
