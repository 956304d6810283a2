"""What stops a bench, in words for the person who runs it."""

from __future__ import annotations


class BenchError(RuntimeError):
    """A case could not be measured; the message says why and what to do."""
