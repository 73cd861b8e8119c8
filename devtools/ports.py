"""A port that cannot be opened, in a sentence."""

import errno

# 10048 is Windows' own; of a port that it keeps for itself it says that access is denied.
TAKEN = {errno.EADDRINUSE, 10048, errno.EACCES}


def cannot_open(port: int, error: OSError) -> str:
    """Return what is wrong with a port to listen on, and what to do."""
    if error.errno in TAKEN:
        return f"Port {port} is taken: end the program that has it, or choose another with --port."
    return f"Port {port} cannot be opened: {error}."
