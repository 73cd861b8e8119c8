"""A run's files, on disk and behind links."""

import uuid
from pathlib import Path

from graphon.file.enums import FileTransferMethod, FileType
from graphon.file.models import File

from devtools.generate import save
from devtools.host import FileServer


class FileStore:
    """What graphon asks of Dify's storage: takes a tool's files, hands files to tools by link."""

    multimodal_send_format = "base64"

    def __init__(self, out: Path, server: FileServer) -> None:
        self._out, self._server = out, server
        self._paths: dict[str, Path] = {}
        self._files: dict[str, File] = {}

    def add(self, path: Path, name: str = "", mime_type: str = "") -> File:
        """Return what stands for a file on disk, which a tool gave that name and type."""
        described, key = self._server.add(path), str(uuid.uuid4())
        self._paths[key] = path
        self._files[key] = File(
            file_id=key,
            file_type=FileType(described["type"]),
            transfer_method=FileTransferMethod.TOOL_FILE,
            remote_url=described["url"],
            reference=key,
            filename=name or path.name,
            extension=path.suffix,
            mime_type=mime_type or described["mime_type"],
            size=described["size"],
        )
        return self._files[key]

    def path(self, file: File) -> Path:
        return self._paths[str(file.reference)]

    def file(self, key: str) -> File:
        return self._files[key]

    def create_file_by_raw(
        self, *, file_binary: bytes, mimetype: str, filename: str | None = None
    ) -> File:
        name = filename or "file"
        return self.add(save(self._out, name, file_binary), name, mimetype)

    def resolve_file_url(self, *, file: File, for_external: bool = True) -> str:
        """Return an address that lasts, or the one that the plugin fetches from."""
        return self.path(file).absolute().as_uri() if for_external else str(file.remote_url)

    def load_file_bytes(self, *, file: File) -> bytes:
        return self.path(file).read_bytes()
