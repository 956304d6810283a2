"""RTP legs that wait for the address that their packets come from (symmetric RTP, RFC 4961)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from voiceroom_mixer.media.legs import Leg

Why = Literal["port", "stream", "portless", "unheard"]
"""Of a packet from an unknown port: it has the port that the leg gave, it is of the stream that was
heard of the leg elsewhere, the leg gave no port, or nothing has been heard of it yet."""
Key = tuple[bytes, int, Why, int]
"""IP address, payload type, why, and the port or SSRC that this goes by."""


class Waiting:
    """Those legs. A question costs the same however many wait: who can send packets from a
    gateway's IP address can ask, in the tick."""

    def __init__(self) -> None:
        self._by_key: dict[Key, dict[int, Leg]] = {}
        """Legs by their slots, in the order in which they came."""
        self._keys: dict[int, tuple[Key, ...]] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, leg: Leg, ip: bytes) -> None:
        """Its packets may come from any port of ``ip``. What speaks for a packet is as the leg is
        now: once it has been heard, it is dropped or added anew."""
        self.drop(leg)
        keys = self._keys[leg.slot] = tuple(_keys(leg, ip))
        for key in keys:
            self._by_key.setdefault(key, {})[leg.slot] = leg

    def heard(self, leg: Leg) -> None:
        """Something of it has come, through another pod it may be: from now on its stream speaks
        for a packet."""
        keys = self._keys.get(leg.slot)
        if keys:
            self.add(leg, keys[0][0])

    def drop(self, leg: Leg) -> None:
        """It waits no more."""
        for key in self._keys.pop(leg.slot, ()):
            legs = self._by_key[key]
            del legs[leg.slot]
            if not legs:
                del self._by_key[key]

    def claim(self, ip: bytes, port: int, payload_type: int, ssrc: int) -> Leg | None:
        """The leg that RTP from this unknown source is of, by the surest reason. None as well where
        nothing but silence speaks for one, and for another as well: nobody is to hear another
        one's call."""
        sure: tuple[tuple[Why, int], ...] = (("port", port), ("stream", ssrc), ("portless", 0))
        for why, value in sure:
            for leg in self._by_key.get((ip, payload_type, why, value), {}).values():
                return leg
        unheard = self._by_key.get((ip, payload_type, "unheard", 0), {})
        return next(iter(unheard.values())) if len(unheard) == 1 else None


def _keys(leg: Leg, ip: bytes) -> Iterator[Key]:
    given, payload_type = leg.state.remote_port, leg.payload_type
    yield (ip, payload_type, "port", given) if given else (ip, payload_type, "portless", 0)
    if leg.elsewhere:
        return  # it has its address; only the port that it gave is better
    heard = leg.rx_index >= 0
    yield (ip, payload_type, "stream", leg.rx_ssrc) if heard else (ip, payload_type, "unheard", 0)
