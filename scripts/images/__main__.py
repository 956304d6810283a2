"""``python -m images``: builds what is missing, prints reference, archive and size of each."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from images.cache import BuildError, folder
from images.pause import pause_image
from images.voiceroom import Image, voiceroom_image

IMAGES: Final[dict[str, Callable[[Path], Image]]] = {
    "voiceroom": voiceroom_image,
    "pause": pause_image,
}


def main() -> int:
    """Exit code 1 when an image cannot be built."""
    parser = argparse.ArgumentParser(prog="python -m images", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *IMAGES], metavar="NAME")
    names = parser.parse_args().names or list(IMAGES)
    try:
        for name in names:
            image = IMAGES[name](folder())
            print(f"{image.reference}\t{image.archive}\t{image.mebibytes:.1f} MiB", flush=True)
    except BuildError as error:
        print(f"images: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
