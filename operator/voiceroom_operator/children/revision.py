"""The revision of a pool: what of its spec makes its pods what they are."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any, Final

from voiceroom_api.fields import to_dict
from voiceroom_api.mixerpool import MixerPoolSpec

_SHAPING: Final = (
    "image",
    "imagePullPolicy",
    "imagePullSecrets",
    "realtime",
    "resources",
    "mediaProcesses",
    "runtimeClassName",
    "nodeSelector",
    "affinity",
    "tolerations",
    "topologySpreadConstraints",
    "priorityClassName",
    "podAnnotations",
    "podLabels",
    "env",
    "drain",
)
"""The rest changes live."""
_SHAPING_NETWORK: Final = ("mode", "rtpAllowCIDRs")
"""The rest changes live here too. A pod whose port lies outside the pool's range is outdated for
that; a wider range makes none outdated."""
_LENGTH: Final = 10


def revision(spec: MixerPoolSpec, *, chaos: bool = False) -> str:
    """Ten hexadecimal digits, the same for specs that make the same pods.

    Only what differs from the defaults counts, and of the operator nothing but ``chaos``, its
    configured image neither: a new operator, or a new field, replaces no pod. Pods that take faults
    on order must not be left behind when that is switched off, so this does.
    """
    given, usual = spec.to_dict(), MixerPoolSpec().to_dict()
    shape = {key: given.get(key) for key in _SHAPING} | {
        f"network.{key}": to_dict(spec.network).get(key) for key in _SHAPING_NETWORK
    }
    if spec.canary is not None:
        shape["canary.of"] = spec.canary.of  # whose Secrets its pods use
    normal = {key: usual.get(key) for key in _SHAPING} | {
        f"network.{key}": usual.get("network", {}).get(key) for key in _SHAPING_NETWORK
    }
    switched = {"chaos": True} if chaos else {}
    text = json.dumps(_difference(shape, normal) | switched, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()[:_LENGTH]


def _difference(given: dict[str, Any], usual: dict[str, Any]) -> dict[str, Any]:
    different: dict[str, Any] = {}
    for key, value in given.items():
        other = usual.get(key)
        if isinstance(value, dict) and isinstance(other, dict):
            value, other = _difference(value, other), {}
        if value != other:
            different[key] = value
    return different
