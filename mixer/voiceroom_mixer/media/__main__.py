"""``python -m voiceroom_mixer.media INDEX``: started by the keeper, or kept as its spare."""

from __future__ import annotations

import os
import sys

from voiceroom_mixer.edge import lastwords, standby
from voiceroom_mixer.media.process import Inherited, MediaProcess


def main() -> None:
    """Become one media process and run until killed."""
    lastwords.bound()
    index = standby.media_index(sys.argv[1:], os.environ)
    MediaProcess(Inherited.read(os.environ, index)).run()


if __name__ == "__main__":
    main()
