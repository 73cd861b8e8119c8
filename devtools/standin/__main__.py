"""The stand-in as a command, until Ctrl-C."""

import argparse
import sys
import time
from collections.abc import Sequence

from devtools.standin import FAMILIES, StandIn


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="devtools.standin",
        description="A Stable Diffusion WebUI's API without a model or a graphics card.",
    )
    add = parser.add_argument
    add("--family", default="a1111", choices=FAMILIES, help="whose API it plays")
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=7860)
    add("--api-auth", metavar="USER:PASS[,USER:PASS]")
    add("--delay", type=float, default=0.0, metavar="SECONDS", help="per image")
    add("--format", choices=("png", "jpg", "webp"), help="the family's own unless set")
    add("--noise", action="store_true", help="pictures as large as photographs")
    add("--cards", type=int, default=1, help="generations at the same time; 0 is any number")
    add("--cache", type=int, default=2**27, metavar="BYTES", help="of encoded pictures kept")
    add("--no-api", action="store_true", help="as a WebUI started without --api")
    add("--no-docs", action="store_true", help="without /openapi.json")
    add("--no-gzip", action="store_true")
    add("--verbose", action="store_true", help="print a line per request")
    given = parser.parse_args(arguments)
    try:
        standin = StandIn(
            family=given.family,
            host=given.host,
            port=given.port,
            api_auth=given.api_auth,
            delay=given.delay,
            image_format=given.format,
            api=not given.no_api,
            docs=not given.no_docs,
            gzip=not given.no_gzip,
            noise=given.noise,
            cards=given.cards,
            cache=given.cache,
            verbose=given.verbose,
        )
    except ValueError:
        parser.error("--api-auth takes USER:PASS, several separated by commas")
    with standin:
        print(f"Stand-in WebUI at {standin.base_url}, Ctrl-C ends it", flush=True)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
