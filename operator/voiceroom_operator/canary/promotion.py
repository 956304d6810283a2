"""What of a canary's spec its other pool takes over: what runs, not where or how much of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from voiceroom_api.mixerpool import MixerPoolSpec

TAKEN: Final = (
    "image",
    "imagePullPolicy",
    "imagePullSecrets",
    "realtime",
    "resources",
    "mediaProcesses",
    "runtimeClassName",
    "env",
)
"""Fields of the spec. Nodes, size, capacity, network and guard rails are the other pool's own."""


def taken(spec: MixerPoolSpec) -> dict[str, Any]:
    """What is taken over, defaults written out."""
    given = spec.to_dict()
    return {key: given[key] for key in TAKEN if given.get(key)}


def alike(canary: MixerPoolSpec, other: MixerPoolSpec) -> bool:
    """Whether there is nothing to take over."""
    return taken(canary) == taken(other)


def patch(canary: MixerPoolSpec, other: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON merge patch for the other pool's ``spec``, as it stands. What the canary does not
    say is taken away, which server-side apply could not do: those fields are somebody else's."""
    wanted = taken(canary)
    return {key: _patched(other.get(key), wanted.get(key)) for key in TAKEN}


def _patched(old: Any, new: Any) -> Any:
    """RFC 7396: a mapping is merged, so what it shall not have any more is named with null."""
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return new
    gone = dict.fromkeys(old.keys() - new.keys())
    return gone | {key: _patched(old.get(key), value) for key, value in new.items()}
