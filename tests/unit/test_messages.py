from typing import Any

import pytest

from devtools.host.messages import ProtocolError, tool_messages


def piece(**changes: object) -> dict[str, Any]:
    message = {"id": "f", "sequence": 0, "total_length": 3, "blob": "AAAA", "end": False}
    return {"type": "blob_chunk", "message": message | changes, "meta": None}


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (piece(sequence=1), "piece 1 of a file came as 0"),
        (piece(total_length=4, end=True), "3 of 4 bytes came"),
        (piece(), "without their last piece"),
    ],
)
def test_a_file_with_a_gap_is_an_error(data: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ProtocolError, match=complaint):
        list(tool_messages([data]))
