"""Join tokens, signed with the pool's key from its Secret (contract of ``keys.json``)."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from typing import cast
from urllib.parse import quote

from voiceroom_api.duration import parse_duration
from voiceroom_kubectl.cluster import Cluster, ClusterError, NotFound, Object
from voiceroom_mixer.control.auth.keys import KeysError, parse_keys
from voiceroom_mixer.control.auth.tokens import sign
from voiceroom_mixer.core.state.legstate import Role

KEYS_ENTRY = "keys.json"
DEFAULT_TTL = "1h"


@dataclass(frozen=True)
class Wanted:
    """What a token is to say; ``ttl_s`` None = the room's ``spec.access.tokenTtl``."""

    role: str = "speaker"
    identity: str = ""
    ttl_s: int | None = None


def pool_of(room: Object) -> str:
    """The pool that runs it."""
    return str(room.get("spec", {}).get("poolName") or "default")


def token(cluster: Cluster, room: Object, wanted: Wanted, now_s: float) -> str:
    """Raises ``ClusterError``."""
    metadata = room["metadata"]
    secret, raw = _keys(cluster, metadata["namespace"], pool_of(room))
    try:
        return sign(
            parse_keys(raw.decode(), f"Secret {metadata['namespace']}/{secret}, {KEYS_ENTRY}"),
            sub=wanted.identity or _me(),
            room=metadata["name"],
            role=cast(Role, wanted.role),
            now_s=now_s,
            ttl_s=_ttl_s(room) if wanted.ttl_s is None else wanted.ttl_s,
        )
    except KeysError as error:
        raise ClusterError(str(error)) from error


def _keys(cluster: Cluster, namespace: str, pool: str) -> tuple[str, bytes]:
    """The Secret's name, and the keys: a canary uses those of the pool that it is the canary of."""
    secret = f"voiceroom-{pool}"
    try:
        return secret, cluster.secret(namespace, secret, KEYS_ENTRY)
    except NotFound:
        for found in cluster.pools(namespace):
            if found["metadata"]["name"] == pool and "canary" in found["spec"]:
                secret = f"voiceroom-{found['spec']['canary']['of']}"
                return secret, cluster.secret(namespace, secret, KEYS_ENTRY)
        raise


def link(base: str, room: str, join_token: str) -> str:
    """``base``: scheme and host of the signalling."""
    return f"{base.rstrip('/')}/rooms/{quote(room)}?token={quote(join_token)}"


def _ttl_s(room: Object) -> int:
    return parse_duration(room.get("spec", {}).get("access", {}).get("tokenTtl", DEFAULT_TTL))


def _me() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user has no name
        return "kubectl"
