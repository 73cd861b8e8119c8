"""Commands for those who develop; never packaged."""

import io
import sys

# When it is no terminal, Windows gives it an encoding that lacks most of the world's letters.
if isinstance(sys.stdout, io.TextIOWrapper):
    sys.stdout.reconfigure(errors="backslashreplace")
