"""Stand-ins answer as real servers were seen to: tests/recorded/answers has asks and answers."""

import json
from typing import Any

import pytest
import requests

from devtools import record
from devtools.standin import FAMILIES, StandIn


def words_of_fields(answer: object) -> bool:
    """Tell whether it complains of fields, which pydantic words anew with each version."""
    return isinstance(answer, dict) and isinstance(answer.get("detail"), list)


def alike(one: object, other: object) -> bool:
    if not (words_of_fields(one) and words_of_fields(other)):
        return one == other
    shapes = [record.shapes_of({"": {"status": 0, "answer": it}}) for it in (one, other)]
    return shapes[0] == shapes[1]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_stand_in_answers_as_the_real_server_did(family: str) -> None:
    table = json.loads((record.LAST / f"answers/{family}.json").read_text("utf-8"))
    others: dict[str, Any] = {}
    with StandIn(family=family) as standin, requests.Session() as session:
        for note, ask, given, status, answer in table:
            method, path = ask.split()
            body = {"json": given} if method == "POST" else {}
            reply = session.request(method, standin.base_url + path, timeout=30, **body)
            told = reply.json() if reply.content else ""
            if reply.status_code != status or not alike(told, answer):
                others[f"{ask} ({note})"] = reply.status_code, told
    assert others == {}
