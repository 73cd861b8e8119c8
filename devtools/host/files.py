"""Local files behind links on the loopback, as Dify hands its files to a tool."""

import contextlib
import mimetypes
import threading
import uuid
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingTCPServer
from typing import Any, Self


class FileServer:
    """Serves what `add` is given, and nothing else, from `with` to its end."""

    def __init__(self) -> None:
        self._files: dict[str, Path] = {}

    def __enter__(self) -> Self:
        # http.server's own would look up the machine's name first, which can take seconds.
        self._server = ThreadingTCPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def add(self, path: Path) -> dict[str, Any]:
        """Return what stands for the file in tool_parameters; OSError if there is none."""
        route = f"/files/{uuid.uuid4()}/file-preview"
        mime_type = mimetypes.guess_type(path.name, strict=False)[0] or "application/octet-stream"
        kind = mime_type.partition("/")[0]
        described = {
            "dify_model_identity": "__dify__file__",
            "url": f"http://127.0.0.1:{self._server.server_address[1]}{route}",
            "mime_type": mime_type,
            "filename": path.name,
            "extension": path.suffix,
            "size": path.stat().st_size,
            "type": kind if kind in ("image", "audio", "video") else "document",
        }
        self._files[route] = path
        return described

    def _handler(self) -> type[SimpleHTTPRequestHandler]:
        files = self._files

        class Handler(SimpleHTTPRequestHandler):
            def handle(self) -> None:
                # The client may have read enough, and hang up.
                with contextlib.suppress(ConnectionError):
                    super().handle()

            def translate_path(self, path: str) -> str:
                return str(files.get(path, ""))

            def log_message(self, *_: object) -> None:
                """Silent: the terminal is for the progress bar."""

        return Handler
