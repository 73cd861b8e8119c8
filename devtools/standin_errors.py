"""What goes wrong on a server, before it is put into that server's words."""


class CrashError(Exception):
    """What the real server did not catch: the class name and text of its own exception."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name


class RefusalError(Exception):
    """A refusal that the server words itself."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
