"""The legs of this process, and how a datagram finds its leg."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol

from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.core.mix.encoding import FEC_ON_PPM
from voiceroom_mixer.core.moving.messages import LEG_BYTES
from voiceroom_mixer.core.receive.capture import CaptureClock
from voiceroom_mixer.core.receive.receiver import Receiver
from voiceroom_mixer.core.receive.stream import StreamFigures
from voiceroom_mixer.core.receive.tolerance import NONE, Measures, Tolerance
from voiceroom_mixer.core.rtp.reporting import Reporting
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.core.state.legstate import IceCredentials, LegState
from voiceroom_mixer.edge.mmsg import unpack_name
from voiceroom_mixer.edge.srtp import SrtpReceiver
from voiceroom_mixer.media.waiting import Waiting

FIRST_REPORT_NS: Final = 500 * NS_PER_MS
"""After a leg has come: by then there is something to report."""
MAX_ADDRESSES: Final = 8
"""Checked addresses a leg may have at once: a client's candidates, then its roaming."""


@dataclass(frozen=True, slots=True)
class Via:
    """A leg hears through another pod."""

    pod: bytes
    """The path to that pod's media process."""
    ip: bytes
    """The client's address as that pod sees it, 16 bytes; IPv4 is mapped."""
    port: int
    alone: bool
    """The client is known to be there; otherwise what is sent goes its own way as well."""


def leg_key(leg: str) -> bytes:
    """A leg's public id in datagrams between mixers."""
    return hashlib.sha256(leg.encode()).digest()[:LEG_BYTES]


@dataclass(slots=True, eq=False)
class Leg:
    """One leg while this process has it. ``state`` is control's word, the rest is media's."""

    state: LegState
    receiver: Receiver
    phase: int = layout.PHASE_WAITING
    selected: bytes = b""
    """The path (``mmsg.PATH_BYTES``) that we send along; empty until known."""
    addresses: list[bytes] = field(default_factory=list)
    """Keys by which datagrams of this leg are known, latest last."""
    srtp: SrtpReceiver | None = None
    rx_context: object = None
    adopted_ns: int = 0
    last_check_ns: int = 0
    unreachable_since_ns: int = 0
    unreachable_last_ns: int = 0
    rtcp_due_ns: int = 0
    sent_at_report: int = 0
    loss_ppm: int = 0
    live: bool = True
    """This process mixes its room; otherwise it answers its checks and relays what comes."""
    used: bool = False
    """It was live before: what its receiver holds is of then."""
    via: Via | None = None
    """Another pod through which the leg is (also) reached."""
    mirrored: bool = False
    """What comes of it goes to another pod as well."""
    first_check: tuple[str, int] = ("", 0)
    """ICE user name and time of the first check of the newest ICE session."""
    check: tuple[bytes, int] = (b"", 0)
    """Our own STUN check that is not answered yet: transaction, and when it left (RAW)."""
    check_due_ns: int = 0
    rtt_ns: int = 0
    """Of the newest answered check, until ``Tolerances`` has seen it; of an RTP leg, as seen."""
    tolerance: Tolerance = field(default_factory=Tolerance)
    capture: CaptureClock = field(default_factory=CaptureClock)
    captured: tuple[int, bytes] | None = None
    """RTP timestamp and abs-capture-time of the newest packet that had one, until it is looked
    at."""
    origin_ns: int | None = None
    """From capture to the fastest arrival here; None while it is not known."""
    report_arrival_ns: int = 0
    """When the RTCP packet that is looked at came, CLOCK_MONOTONIC_RAW."""
    measures: Measures = NONE
    """That are taken for what goes beyond the tolerances."""
    counted: tuple[int, ...] = ()
    """The receiver's counters as they stand in the process's sums already."""
    reporting: Reporting = field(default_factory=Reporting)

    # What every packet asks of ``state``, one look-up away.
    slot: int = 0
    secure: bool = False
    """Has SRTP."""
    payload_type: int = 0
    level_ext: int = 0
    capture_ext: int = 0
    sends: bool = False
    listed: bool = False
    """In the table: its slot is its own."""
    stream: StreamFigures = field(init=False)
    """What its packets change, one by one or by the batch."""

    def __post_init__(self) -> None:
        self.stream = self.receiver.stream
        self.follow(self.state)

    @property
    def heard(self) -> bool:
        """A valid media packet has come."""
        return self.stream.heard

    @property
    def rx_ssrc(self) -> int:
        """Of the authentic stream."""
        return self.stream.rx_ssrc

    @property
    def rx_index(self) -> int:
        """Highest extended sequence number that was authentic; -1 before the first."""
        return self.stream.rx_index

    @property
    def last_rx_ns(self) -> int:
        """CLOCK_MONOTONIC of the drain that brought something authentic."""
        return self.stream.last_rx_ns

    @last_rx_ns.setter
    def last_rx_ns(self, now_ns: int) -> None:
        self.stream.last_rx_ns = now_ns

    @property
    def elsewhere(self) -> bool:
        """What comes of this gateway has another port than it gave."""
        given = self.state.remote_port
        return bool(given and self.selected) and unpack_name(self.selected)[1] != given

    def follow(self, state: LegState) -> None:
        """Take control's new word."""
        self.state = state
        self.slot, self.secure = state.slot, state.kind == "webrtc"
        self.payload_type, self.level_ext = state.payload_type, state.level_ext
        self.capture_ext = state.capture_ext
        self.sends = state.sends
        stream = self.stream
        stream.secure, stream.payload_type = self.secure, state.payload_type
        stream.level_ext, stream.sends = state.level_ext, state.sends

    @property
    def expected_loss_ppm(self) -> int:
        """Of what we send to it, as mixes are to take it: where a path begins to fail, FEC comes
        before the first report of loss."""
        return max(self.loss_ppm, FEC_ON_PPM) if self.measures.protect else self.loss_ppm

    def may_be_heard(self, room_muted: bool) -> bool:
        """Whether the leg's sound goes into any mix."""
        muted = self.state.muted or (room_muted and self.state.role == "speaker")
        return self.state.sends and not muted


class SourceIndex(Protocol):
    """Another index of source addresses that is to stay equal to the table's own."""

    def put(self, key: bytes, slot: int) -> None:
        """Datagrams from ``key`` are of the leg in ``slot``."""

    def drop(self, key: bytes) -> None:
        """Datagrams from ``key`` are nobody's."""


class LegTable:
    """Legs by slot, by source address, by ICE user name, and those that wait for an address."""

    def __init__(self, key_bytes: int, index: SourceIndex | None = None) -> None:
        self._key_bytes = key_bytes
        self._index = index
        self.by_slot: dict[int, Leg] = {}
        self.by_key: dict[bytes, Leg] = {}
        self.by_id: dict[bytes, Leg] = {}
        """By ``leg_key``."""
        self._by_ufrag: dict[str, Leg] = {}
        self.waiting = Waiting()

    def __iter__(self) -> Iterator[Leg]:
        return iter(self.by_slot.values())

    def __len__(self) -> int:
        return len(self.by_slot)

    def add(self, leg: Leg) -> None:
        """Take a leg in; its slot must be free."""
        assert leg.slot not in self.by_slot, "a second joiner must never replace the first"
        self.by_slot[leg.slot] = leg
        self.by_id[leg_key(leg.state.leg)] = leg
        leg.listed = True
        self.credentials(leg, None)

    def credentials(self, leg: Leg, before: LegState | None) -> None:
        """Learn the ICE user names of ``leg.state``, forget those of ``before``."""
        if before is not None:
            for ufrag in _ufrags(before) - _ufrags(leg.state):
                self._by_ufrag.pop(ufrag, None)
        for ufrag in _ufrags(leg.state):
            self._by_ufrag[ufrag] = leg

    def by_ufrag(self, ufrag: str) -> tuple[Leg, IceCredentials] | None:
        """The leg, and which of its credentials, an ICE check speaks of."""
        leg = self._by_ufrag.get(ufrag)
        if leg is None:
            return None
        for credentials in (leg.state.local_ice, leg.state.previous_ice):
            if credentials is not None and credentials.ufrag == ufrag:
                return leg, credentials
        return None

    def find(self, name: bytes) -> Leg | None:
        """The leg that datagrams from this struct sockaddr belong to."""
        return self.by_key.get(name[: self._key_bytes])

    def learn(self, leg: Leg, name: bytes) -> None:
        """An authenticated source address of the leg; the oldest of too many is forgotten."""
        key = name[: self._key_bytes]
        if self.by_key.get(key) is leg:
            return
        other = self.by_key.get(key)
        if other is not None:
            other.addresses.remove(key)
        self.by_key[key] = leg
        if self._index is not None:
            self._index.put(key, leg.slot)
        leg.addresses.append(key)
        if len(leg.addresses) > MAX_ADDRESSES:
            self._forget(leg.addresses.pop(0))

    def unlearn(self, leg: Leg, name: bytes) -> None:
        """What comes from there is looked at as from an unknown source."""
        key = name[: self._key_bytes]
        if self.by_key.get(key) is leg:
            leg.addresses.remove(key)
            self._forget(key)

    def _forget(self, key: bytes) -> None:
        """Datagrams from there are nobody's."""
        del self.by_key[key]
        if self._index is not None:
            self._index.drop(key)

    def remove(self, slot: int) -> Leg | None:
        """Let go of a leg in all indexes."""
        leg = self.by_slot.pop(slot, None)
        if leg is None:
            return None
        if self.by_id.get(leg_key(leg.state.leg)) is leg:
            del self.by_id[leg_key(leg.state.leg)]
        for key in leg.addresses:
            self._forget(key)
        leg.stream.leave()
        leg.listed = False
        for ufrag in _ufrags(leg.state):
            if self._by_ufrag.get(ufrag) is leg:
                del self._by_ufrag[ufrag]
        if leg.state.kind == "rtp":
            self.waiting.drop(leg)
        return leg


def _ufrags(state: LegState) -> set[str]:
    return {c.ufrag for c in (state.local_ice, state.previous_ice) if c is not None}
