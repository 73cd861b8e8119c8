"""What holds for every call to one server."""

from dataclasses import dataclass

from webui.http.address import Address

DEFAULT_TIMEOUT = 3600.0
LONGEST_TIMEOUT = 86400.0
MOST_PARALLEL = 64


@dataclass(frozen=True)
class Settings:
    """One server, who logs in there, and what calls leave open.

    model: the checkpoint for calls that name none; empty for whatever is loaded.
    timeout: seconds one call may take in all.
    parallel: how many requests of one call may run at the same time, up to MOST_PARALLEL.
    """

    address: Address
    model: str = ""
    timeout: float = DEFAULT_TIMEOUT
    verify_tls: bool = True
    parallel: int = 1
