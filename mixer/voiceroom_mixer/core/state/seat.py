"""``Seat``: which part this pod has in a room that several pods have to do with; and ``Pool``: what
media needs to speak with the mixers of its pool. Control writes both, media reads them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Final, Literal, Self

from voiceroom_mixer.core.moving.messages import POD_BYTES, ROOM_BYTES

Part = Literal["owner", "twin", "successor", "former"]
"""``owner`` mixes; ``twin`` may take over, ``successor`` is to; ``former`` relays what comes."""
STANDING: Final[frozenset[Part]] = frozenset({"twin", "successor"})


@dataclass(frozen=True, slots=True)
class Seat:
    """Addresses are ``IP:PORT`` of a media process (IPv6 in brackets), empty = there is none."""

    part: Part = "owner"
    epoch: int = 0
    """Of this pod's part; a twin's is the owner's."""
    key: str = ""
    """The room in datagrams, hex; empty = it has never to do with another pod."""
    other: str = ""
    """The owner's: its twin. Everybody else's: who mixes."""
    pod: str = ""
    """Hex: whose beats a twin or a successor listens for."""
    owner_epoch: int = 0
    """Of who mixes, as a twin or a successor knows it."""
    move: str = ""
    """Id of the move that is under way."""
    to: str = ""
    """The owner's: it is to stop in favour of this successor, as soon as it reads this."""
    to_epoch: int = 0
    warm: bool = False
    """The successor's: all that the owner has said is here, make ready what takes time."""
    ordered: bool = False
    """The successor's: all is prepared, and the owner is being told to stop."""


@dataclass(frozen=True, slots=True)
class Pool:
    """The row ``CONTROL_RELAY``."""

    pod: str
    """This media process in datagrams, hex."""
    keys: tuple[str, ...]
    """Hex; the first seals, all open."""
    peers: tuple[str, ...] = ()
    """Media addresses of other pods, who are asked whether they hear somebody."""

    def to_bytes(self) -> bytes:
        """UTF-8 JSON."""
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """The row holds what ``to_bytes`` gave: its checksum says so."""
        value = json.loads(raw)
        return cls(value["pod"], tuple(value["keys"]), tuple(value["peers"]))


def pod_key(boot_id: str, process: int) -> str:
    """One media process of one start of a container, in datagrams."""
    return hashlib.sha256(f"{boot_id}/{process}".encode()).digest()[:POD_BYTES].hex()


def room_key(uid: str) -> str:
    """One VoiceRoom, in datagrams."""
    return hashlib.sha256(uid.encode()).digest()[:ROOM_BYTES].hex() if uid else ""
