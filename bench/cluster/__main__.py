"""``python -m bench.cluster``, from the root of the checkout, as root."""

from __future__ import annotations

import sys

from bench.cluster.run import main

if __name__ == "__main__":
    sys.exit(main())
