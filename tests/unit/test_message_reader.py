from typing import Any

import pytest

from devtools.messages import MessageReader, ProtocolError


def piece(**changes: object) -> dict[str, Any]:
    message = {"id": "f", "sequence": 0, "total_length": 3, "blob": "AAAA", "end": False}
    return {"type": "blob_chunk", "message": message | changes, "meta": None}


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ({"type": "video", "message": {}}, "'video' is no type"),
        (piece(blob="AAAA" * 2731), "8193 bytes, over 8192"),
        (piece(sequence=1), "piece 1 of a file came as 0"),
        (piece(blob="*"), "no base64"),
        (piece(total_length=4, end=True), "a file of 4 bytes came with 3"),
    ],
)
def test_what_dify_refuses_is_an_error(data: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ProtocolError, match=complaint):
        MessageReader().read(data)


def test_a_file_without_an_end_is_an_error() -> None:
    reader = MessageReader()
    assert reader.read(piece()) is None
    with pytest.raises(ProtocolError, match="without their last piece"):
        reader.finish()
