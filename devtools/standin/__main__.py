"""The stand-in as a command, until Ctrl-C."""

import argparse
import sys
import time
from collections.abc import Sequence

from devtools.ports import cannot_open
from devtools.standin import FAMILIES, StandIn


def main(arguments: Sequence[str] | None = None) -> int:
    """Return each word is an argument of StandIn."""
    about = "A Stable Diffusion WebUI's API without a model or a graphics card."
    parser = argparse.ArgumentParser(prog="python -m devtools.standin", description=about)
    add = parser.add_argument
    add("--family", default="a1111", choices=FAMILIES, help="whose API it plays")
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=7860)
    add("--api-auth", metavar="USER:PASS[,USER:PASS]")
    add("--delay", type=float, default=0.0, metavar="SECONDS", help="per image")
    add("--noise", action="store_true", help="pictures as large as photographs")
    add("--cards", type=int, default=1, help="generations at the same time; 0 is any number")
    add("--extensions", nargs="+", default=(), help="such as controlnet on a1111")
    add("--verbose", action="store_true", help="print a line per request")
    options = parser.parse_args(arguments)
    try:
        with StandIn(**vars(options)) as standin:
            print(f"Stand-in WebUI at {standin.base_url}, Ctrl-C ends it", flush=True)
            while True:
                time.sleep(3600)
    except ValueError:
        parser.error("--api-auth takes USER:PASS, several separated by commas")
    except (OSError, OverflowError) as error:
        parser.exit(1, cannot_open(options.port, error))
    except KeyboardInterrupt:
        print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
