"""What went wrong, said so that a person can act on it."""

from __future__ import annotations


class ClusterError(Exception):
    """One sentence: what is missing or failed, and what to do about it."""


class Unsupported(ClusterError):
    """This machine cannot run a cluster; the sentence names what is missing."""
