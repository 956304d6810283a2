"""``python -m voiceroom_mixer.control``: started by the keeper."""

import sys

from voiceroom_mixer.control.process import main

if __name__ == "__main__":
    sys.exit(main())
