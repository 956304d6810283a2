"""Run it."""

import sys

from boardpictures.cli import main

if __name__ == "__main__":
    sys.exit(main())
