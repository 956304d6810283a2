"""Into each media process's segment: who it is in datagrams, the pool's keys, other pods, and the
order of rooms."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from voiceroom_mixer.control.auth.keys import KeySet
from voiceroom_mixer.core.defend.urgency import Weights
from voiceroom_mixer.core.state.layout import CONTROL_RELAY, CONTROL_WEIGHTS, HEADER_WORDS
from voiceroom_mixer.core.state.seat import Pool, pod_key
from voiceroom_mixer.edge.shm import Segment
from voiceroom_mixer.heart import LINE

_RAN_AT: Final = 8 * HEADER_WORDS.index("media_beat_ns")
"""Where in its segment media says when it ran last."""
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
        self._weights: Weights | None = None
        self._said = b""
        self.tell_keeper: Callable[[bytes], bool] = lambda _: True
        """Passes a line on; False = it could not be passed now."""

    def look(self, peers: tuple[str, ...]) -> None:
        """Once a second is enough: a new key signs only after all pods have had time to read it."""
        keys = relay_keys(self._keys())
        for index, segment in enumerate(self._segments):
            pool = Pool(pod_key(self._boot_id, index), keys, peers)
            if keys and pool != self._written.get(index):
                segment.tables["control"].write(CONTROL_RELAY, pool.to_bytes())
                self._written[index] = pool

    def weights(self, weights: Weights) -> None:
        """In which order rooms are mixed, where that has changed."""
        if weights != self._weights:
            self._weights = weights
            for segment in self._segments:
                segment.tables["control"].write(CONTROL_WEIGHTS, weights.to_bytes())

    def beats(self, listeners: Mapping[int, set[str]], peers: tuple[str, ...]) -> None:
        """For whom the keeper beats: of each media process, who listens for it, and those whom
        they ask."""
        pools = [self._written[index] for index in sorted(self._written)]
        if not pools:
            return
        processes = [
            [pool.pod, [_split(to) for to in sorted(listeners.get(index, set()) | set(peers))]]
            for index, pool in enumerate(pools)
        ]
        said = {"key": pools[0].keys[0], "processes": processes, "word": _RAN_AT}
        line = LINE + json.dumps(said, separators=(",", ":")) + "\n"
        if line.encode() != self._said and self.tell_keeper(line.encode()):
            self._said = line.encode()


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)
