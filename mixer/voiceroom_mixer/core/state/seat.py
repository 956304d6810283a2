"""``Seat``: which part this pod has in a room that several pods have to do with; and ``Pool``: what
media needs to speak with the mixers of its pool. Control writes both, media reads them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
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
    """Hex: the process that mixes; a twin listens for its beats, and so does a former owner that
    may take the room back."""
    owner_epoch: int = 0
    """Of who mixes, as everybody else knows it; a former owner's: of whom it gave way to."""
    move: str = ""
    """Id of the move that is under way."""
    to: str = ""
    """The owner's: it is to stop in favour of this successor, as soon as it reads this."""
    to_epoch: int = 0
    to_pod: str = ""
    """Hex: the process at ``to``, whose beats the owner listens for from the order on."""
    hears: str = ""
    """Who is to hear us besides: the owner's: who has mixed it before, and takes it back if this
    pod falls silent; a former owner's: its twin, which knows of no other owner yet."""
    warm: bool = False
    """The successor's: all that the owner has said is here, make ready what takes time."""
    ordered: bool = False
    """The successor's: all is prepared, and the owner is being told to stop."""

    def begun(self, epoch: int) -> Seat:
        """The owner's, once media mixes under ``epoch``."""
        hears = self.other if self.part == "successor" else ""
        begun = replace(self, part="owner", epoch=epoch, other="", pod="", owner_epoch=0)
        begun = replace(begun, to="", to_epoch=0, to_pod="", hears=hears)
        return replace(begun, warm=False, ordered=False)

    def given_away(self, other: str, epoch: int) -> Seat:
        """The former owner's, once media has stopped in favour of ``other``, who mixes under
        ``epoch``; 0 = not known, as after a lost word. It may take the room back from whom it was
        ordered to give it to."""
        ordered = bool(self.to_pod) and epoch in (0, self.to_epoch)
        pod, owner_epoch = (self.to_pod, self.to_epoch) if ordered else ("", 0)
        given = replace(self, part="former", other=other, pod=pod, owner_epoch=owner_epoch)
        return replace(given, to="", to_epoch=0, to_pod="", hears=self.other, ordered=False)

    def listeners(self) -> frozenset[str]:
        """Media of those who are to miss this pod once it is silent."""
        found = {
            "owner": {self.other, self.hears},
            "successor": {self.other},
            "former": {self.hears},
        }
        return frozenset(found.get(self.part, ())) - {""}

    def is_mixed(self, began_epoch: int, stopped_epoch: int) -> bool:
        """Whether the room is mixed here, by what media has begun and stopped since (0 = nothing).
        Who has stopped mixes again only by a new beginning: the indexes of its streams are
        another's since."""
        if self.part == "owner":
            return not stopped_epoch or stopped_epoch < began_epoch
        stood = self.part in STANDING or self.owner_epoch > 0
        return stood and began_epoch > self.owner_epoch and stopped_epoch < began_epoch


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
