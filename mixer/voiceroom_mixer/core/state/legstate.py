"""``LegState`` and ``RoomState``: what control writes and media reads, small and versioned.

A leg is one transport of one participant. Everything here is configuration, written by control
alone into the leg's blob row of the shared memory; what media alone knows (indexes, addresses,
counters) stands in the columns of ``layout.py``. Together they are all that a restarted media
process, and later another pod, needs to go on (contract §6).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final, Literal, Self

from voiceroom_mixer.core.state.seat import Seat

STATE_VERSION: Final = 1

Kind = Literal["webrtc", "rtp"]
Role = Literal["listener", "speaker", "moderator", "admin"]
MUTE: Final = "mute"
"""In ``hears``: the listener does not hear that leg at all (JSON has no -inf)."""


class StateError(ValueError):
    """A row is not a state of this version."""


@dataclass(frozen=True, slots=True)
class IceCredentials:
    """One side's short-term credentials (RFC 8445 §5.3)."""

    ufrag: str
    pwd: str


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """Keying material of one leg after DTLS (RFC 5764 §4.2), key and salt joined, as hex."""

    profile: int
    """pylibsrtp's ``Policy.SRTP_PROFILE_*``."""
    rx: str
    tx: str


@dataclass(frozen=True, slots=True)
class LegState:
    """One leg, as control decided it. Immutable: a change is a new value in the same row."""

    leg: str
    """The leg's public id: unguessable, unique for ever."""
    room: str
    room_slot: int
    slot: int
    generation: int
    """Grows each time the slot is given to another leg; media adopts a leg by it."""
    kind: Kind
    identity: str
    role: Role
    participant: str
    """Legs with the same participant are one person: they do not hear each other."""
    ssrc: int
    """Of the packets that we send."""
    sends: bool
    """May be heard: role, and the direction of the offer."""
    receives: bool
    payload_type: int
    rtp_epoch: int = 0
    """Random origin of our RTP timestamps."""
    muted: bool = False
    gain_db: float = 0.0
    hears: dict[str, float | Literal["mute"]] = field(default_factory=dict)
    """Per-listener gain in dB by the other leg's id."""
    jti: str = ""
    expires_s: int = 0
    """The token's exp, wall seconds."""
    replaces: str = ""
    local_ice: IceCredentials | None = None
    previous_ice: IceCredentials | None = None
    """Still answered for a while after an ICE restart."""
    remote_ice: IceCredentials | None = None
    srtp: SrtpKeys | None = None
    dtls_fingerprint: str = ""
    mid: str = ""
    level_ext: int = 0
    """RFC 6464 extension id of what the client sends; 0 = not offered."""
    mixer_level_ext: int = 0
    """RFC 6465 extension id of what we send; 0 = not offered."""
    capture_ext: int = 0
    """abs-capture-time extension id of what the client sends; 0 = not offered."""
    mix_times_ext: int = 0
    """mix-times extension id of what we send (``core/rtp/stamps.py``); 0 = not offered."""
    remote_ip: str = ""
    """rtp legs: where we send to."""
    remote_port: int = 0
    """rtp legs: 0 = latch to the first valid source."""
    etag: str = ""
    ice_restarts: int = 0
    joined_ms: int = 0
    """Wall milliseconds, for people; never used for logic."""
    extra: dict[str, Any] = field(default_factory=dict)
    """Control's own notes that must live over its restart (small, JSON)."""
    version: int = STATE_VERSION

    def to_bytes(self) -> bytes:
        """UTF-8 JSON; field names are stable over versions."""
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Raises ``StateError`` for anything but a state of this version."""
        try:
            return cls.from_value(json.loads(raw))
        except ValueError as error:
            raise StateError(f"unreadable leg state: {error}") from error

    @classmethod
    def from_value(cls, value: dict[str, Any]) -> Self:
        """From what ``to_bytes`` is the JSON of; what a later build knows besides is passed over.
        Raises ``StateError``."""
        try:
            if value["version"] != STATE_VERSION:
                raise StateError(f"leg state version {value['version']}, want {STATE_VERSION}")
            for key in ("local_ice", "previous_ice", "remote_ice"):
                value[key] = IceCredentials(**value[key]) if value[key] else None
            value["srtp"] = SrtpKeys(**value["srtp"]) if value["srtp"] else None
            return cls(**_known(cls, value))
        except (ValueError, TypeError, KeyError) as error:
            raise StateError(f"unreadable leg state: {error}") from error


def _known(kind: type[LegState], value: dict[str, Any]) -> dict[str, Any]:
    """What this build knows of a leg: the pod that hands it over may run a later one."""
    names = {each.name for each in fields(kind)}
    return {name: entry for name, entry in value.items() if name in names}


@dataclass(frozen=True, slots=True)
class RoomState:
    """One room, as the media process needs it, plus what control must remember of it."""

    room: str
    slot: int
    generation: int
    frame_ms: int = 20
    talkers: int = 3
    bitrate_kbps: int = 32
    fec: bool = True
    dtx: bool = True
    jitter_min_ms: int = 20
    jitter_max_ms: int = 200
    max_participants: int = 500
    locked: bool = False
    mute_all: bool = False
    closed: bool = False
    seat: Seat = field(default_factory=Seat)
    extra: dict[str, Any] = field(default_factory=dict)
    version: int = STATE_VERSION

    def to_bytes(self) -> bytes:
        """UTF-8 JSON."""
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Raises ``StateError`` for anything but a state of this version."""
        try:
            value = json.loads(raw)
            if value["version"] != STATE_VERSION:
                raise StateError(f"room state version {value['version']}, want {STATE_VERSION}")
            value["seat"] = Seat(**value["seat"])
            return cls(**value)
        except (ValueError, TypeError, KeyError) as error:
            raise StateError(f"unreadable room state: {error}") from error
