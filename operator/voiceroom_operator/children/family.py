"""Whose Secrets, and whose fixed name of TLS, a pool's pods use."""

from __future__ import annotations

from dataclasses import replace

from voiceroom_api.mixerpool import MixerPoolSpec
from voiceroom_operator.children.marks import PoolRef


def head(pool: PoolRef, spec: MixerPoolSpec) -> PoolRef:
    """The pool itself; of a canary the pool whose rooms it shares. Its uid is then not known."""
    return pool if spec.canary is None else replace(pool, name=spec.canary.of, uid="")
