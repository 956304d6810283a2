"""Into each media process's segment: who it is in datagrams, the pool's keys, and other pods."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from typing import Final

from voiceroom_mixer.control.auth.keys import KeySet
from voiceroom_mixer.core.state.layout import CONTROL_RELAY
from voiceroom_mixer.core.state.seat import Pool, pod_key
from voiceroom_mixer.edge.shm import Segment

PURPOSE: Final = b"voiceroom datagrams between mixers"


def relay_keys(keys: KeySet) -> tuple[str, ...]:
    """Hex, derived from the pool's admin keys in their order: a rotated one is still good until
    it is taken out."""
    secrets = (key.secret for key in keys.keys if key.use == "admin")
    return tuple(hmac.digest(secret, PURPOSE, "sha256").hex() for secret in secrets)


class Announce:
    """Writes what has changed."""

    def __init__(
        self, boot_id: str, segments: Sequence[Segment], keys: Callable[[], KeySet]
    ) -> None:
        self._boot_id, self._segments, self._keys = boot_id, segments, keys
        self._written: dict[int, Pool] = {}

    def look(self, peers: tuple[str, ...]) -> None:
        """Once a second is enough: a new key signs only after all pods have had time to read it."""
        keys = relay_keys(self._keys())
        for index, segment in enumerate(self._segments):
            pool = Pool(pod_key(self._boot_id, index), keys, peers)
            if keys and pool != self._written.get(index):
                segment.tables["control"].write(CONTROL_RELAY, pool.to_bytes())
                self._written[index] = pool
