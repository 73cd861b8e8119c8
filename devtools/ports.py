"""A port that cannot be opened, in a sentence."""

import errno


def cannot_open(port: int, error: Exception) -> str:
    """Return what is wrong with a port to listen on, and what to do."""
    # 10048 is Windows' own; it denies access to a port that it keeps for itself.
    if getattr(error, "errno", None) in {errno.EADDRINUSE, 10048, errno.EACCES}:
        return f"Port {port} is taken: end what listens there, or choose another with --port.\n"
    return f"Port {port} cannot be opened: {error}\n"
