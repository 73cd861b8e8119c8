"""What goes wrong by the server's own ways."""


class CrashError(Exception):
    """What the real server did not catch: the class name and text of its own exception."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name


class RefusalError(Exception):
    """A refusal that the server words itself; `detail` may be a list of invalid fields."""

    def __init__(self, status: int, detail: object) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class ClosingError(Exception):
    """The server ends; nobody waits any longer."""
