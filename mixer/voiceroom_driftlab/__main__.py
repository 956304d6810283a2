"""``python -m voiceroom_driftlab``."""

from voiceroom_driftlab.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
