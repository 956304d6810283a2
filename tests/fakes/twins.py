"""Two houses, one by compiled code and one by Python, that get the same datagrams at the same time.

Whatever the twins know of their legs can be compared: ``knowledge`` of both must be equal.
"""

from __future__ import annotations

import inspect
import select
import socket
import struct
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import numpy as np
from pylibsrtp import Error, Policy, Session

from fakes.mansion import AES_128_GCM, ORIGIN_NS, PYTHON, Mansion, rtp_leg, web_leg
from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.codec.pcm import PcmEncoder
from voiceroom_mixer.core.receive.stream import StreamFigures
from voiceroom_mixer.core.rtp.rtcp import ReceiverReport, build_compound, cname
from voiceroom_mixer.core.state.legstate import LegState, SrtpKeys
from voiceroom_mixer.edge import mmsg
from voiceroom_mixer.media.legs import Leg
from voiceroom_mixer.native.library import Native

STEP_NS: Final = 5 * NS_PER_MS
SAMPLES: Final = 240
FRAME_STEPS: Final = 4
LEVEL_EXT: Final = 1
STREAM_FIELDS: Final = tuple(
    name for base in StreamFigures.__mro__ for name in inspect.get_annotations(base)
)


class House:
    """One of the twins: its legs, what they did, and the bytes that came up."""

    def __init__(self, native: Native) -> None:
        self.mansion = Mansion(native=native)
        self.reports: list[tuple[int, bytes]] = []
        self.faults: list[int] = []
        self.boot()

    def boot(self) -> None:
        """The ingress of a process that has just begun."""
        self.ingress = self.mansion.ingress(on_fault=lambda leg: self.faults.append(leg.slot))
        source = self.ingress._source
        source._on_rtcp = lambda leg, packet, now_ns: self.reports.append((leg.slot, packet))
        self.source = source

    def restart(self) -> None:
        """Killed and begun anew over the same segment."""
        self.source.publish(self.mansion.segment.columns)
        self.mansion.boot()
        self.boot()

    def take(self, count: int, now_ns: int) -> None:
        """Take in so many datagrams, all of which came at ``now_ns``."""
        while count > 0:
            assert select.select([self.mansion.socket], [], [], 5)[0], "nothing came within 5 s"
            count -= self.ingress.drain(now_ns, 0, now_ns, now_ns)
        assert count == 0

    def tick(self, now_ns: int) -> list[bytes]:
        """What each leg plays now."""
        self.mansion._tick.now_ns = now_ns
        frames = []
        for leg in self.mansion.legs:
            out = np.zeros(SAMPLES * FRAME_STEPS, np.float32)
            with np.errstate(all="ignore"):  # forged floats may be of any size
                kind = leg.receiver.pull(out)
            frames.append(bytes((leg.slot, kind)) + out.tobytes())
        self.source.publish(self.mansion.segment.columns)
        return frames

    def knowledge(self) -> dict[str, Any]:
        """All that must not depend on who counted."""
        columns = self.mansion.segment.columns
        names = ("rx_ssrc", "rx_index", "last_rx_ns", "heard", "phase", "end_reason")
        return {
            "legs": {leg.slot: _leg(leg) for leg in self.mansion.legs},
            "columns": {name: columns[name].tolist() for name in names},
            "counters": list(self.mansion.board.values),
            "reports": self.reports,
            "faults": self.faults,
            "said": [(m.kind, m.slot) for m in self.mansion.said],
        }


def _leg(leg: Leg) -> dict[str, Any]:
    receiver, stream = leg.receiver, leg.stream
    # awake is the compiled side's own note of what it has been told; context is an address.
    fields = {n: getattr(stream, n) for n in STREAM_FIELDS if n not in ("awake", "context")}
    return {
        **fields,
        "stats": repr(receiver.stats),
        "counts": repr(receiver.counts),
        "active": receiver.active,
        "level": receiver.level,
        "snapshot": receiver.snapshot(),
        "addresses": leg.addresses,
        "events": receiver.events(),
    }


@dataclass
class Peer:
    """A sender with a socket of his own; SRTP where ``key`` is given."""

    slot: int
    key: str = ""
    seq: int = 0
    timestamp: int = 0
    ssrc: int = 0
    sent: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]
        self.session = _outbound(self.key) if self.key else None

    def seal(self, packet: bytes, *, rtcp: bool = False) -> bytes:
        """As it leaves."""
        if self.session is None:
            return packet
        protect = self.session.protect_rtcp if rtcp else self.session.protect
        try:
            return bytes(protect(packet))
        except Error:  # libsrtp does not send what is broken, or was sent before
            return packet


def _outbound(key: str) -> Session:
    policy = Policy(
        key=bytes.fromhex(key), ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=AES_128_GCM
    )
    policy.allow_repeat_tx = True
    return Session(policy=policy)


def _level_block(rng: Random, level: int, voice: bool) -> bytes:
    """An extension block with the level in it, in any legal or illegal way."""
    value = level | (0x80 if voice else 0)
    kind = rng.randrange(8)
    if kind < 4:
        return struct.pack("!HHBBBB", 0xBEDE, 1, LEVEL_EXT << 4, value, 0, 0)
    if kind == 4:  # behind another element and padding
        return struct.pack("!HHBBBBBBBB", 0xBEDE, 2, 0x31, 9, 9, 0, LEVEL_EXT << 4, value, 0, 0)
    if kind == 5:
        return struct.pack("!HHBBBB", 0x1000, 1, LEVEL_EXT, 1, value, 0)
    if kind == 6:
        return struct.pack("!HHBBBB", 0xBEDE, 1, 0xF0, LEVEL_EXT << 4, value, 0)
    return struct.pack("!HHBBBB", 0xBEDE, rng.randrange(4), *rng.randbytes(4))


class Crowd:
    """Peers whose behaviour is a seed."""

    def __init__(self, seed: int, peers: list[Peer]) -> None:
        self.rng = Random(seed)
        self.peers = peers
        for peer in peers:
            peer.seq = self.rng.choice((0, 5, 65_500, self.rng.randrange(65_536)))
            peer.timestamp = self.rng.randrange(1 << 32)
            peer.ssrc = self.rng.randrange(1, 1 << 32)

    def step(self) -> list[tuple[Peer, bytes]]:
        """What all peers send in one step."""
        sent: list[tuple[Peer, bytes]] = []
        for peer in self.peers:
            sent += [(peer, datagram) for datagram in self._of(peer)]
        if self.rng.random() < 0.2:
            self.rng.shuffle(sent)
        return sent

    def _of(self, peer: Peer) -> list[bytes]:
        rng = self.rng
        peer.timestamp = (peer.timestamp + SAMPLES) & 0xFFFF_FFFF
        peer.seq = (peer.seq + 1) & 0xFFFF
        self._upset(peer)
        fate = rng.random()
        if fate < 0.05:
            return []  # lost
        packet = peer.seal(self._packet(peer))
        peer.sent = [*peer.sent[-30:], packet]
        if fate < 0.10:
            return [packet, packet]
        if fate < 0.14:
            return [rng.choice(peer.sent), packet]
        if fate < 0.26:
            return [self._hostile(packet), packet]
        if fate < 0.29:
            return [packet, peer.seal(_report(peer), rtcp=True)]
        return [packet]

    def _upset(self, peer: Peer) -> None:
        rng, upset = self.rng, self.rng.random()
        if upset < 0.01:
            peer.seq = (peer.seq + rng.choice((3, 40, 300, 2_999, 3_001, 20_000))) & 0xFFFF
        elif upset < 0.015:
            peer.timestamp = rng.randrange(1 << 32)
        elif upset < 0.02:
            peer.ssrc = rng.randrange(1, 1 << 32)
        elif upset < 0.03:
            peer.seq = (peer.seq - rng.randrange(300)) & 0xFFFF

    def _packet(self, peer: Peer) -> bytes:
        rng = self.rng
        payload = rng.choice((b"", b"\xf8", b"\xf8\xff\xfe", *([_sound(rng)] * 6)))
        level = rng.choice((127, 127, 127, 61, 60, 59, 30, 0))
        first, extension, csrcs = 0x80, b"", b""
        if rng.random() < 0.8:
            first, extension = first | 0x10, _level_block(rng, level, rng.random() < 0.2)
        if rng.random() < 0.05:
            first, csrcs = first | 2, rng.randbytes(8)
        if rng.random() < 0.05:
            first, payload = (
                first | 0x20,
                payload + rng.choice((b"\0", b"\x01", b"\0\0\x03", b"\xff")),
            )
        payload_type = 111 if rng.random() < 0.98 else 0
        head = struct.pack("!BBHII", first, payload_type, peer.seq, peer.timestamp, peer.ssrc)
        return head + csrcs + extension + payload

    def _hostile(self, packet: bytes) -> bytes:
        rng, kind = self.rng, self.rng.randrange(9)
        if kind == 0:
            return packet[: rng.randrange(len(packet))]
        if kind == 1:
            return rng.randbytes(rng.randrange(60))
        if kind == 2:
            return bytes((rng.randrange(256),)) + packet[1:]
        if kind == 3:
            at = rng.randrange(len(packet))
            return packet[:at] + rng.randbytes(1) + packet[at + 1 :]
        if kind == 4:
            return packet[:1] + bytes((rng.randrange(192, 224),)) + packet[2:]
        if kind == 5:
            return packet + rng.randbytes(2_100)
        if kind == 6:
            return b"\x00\x01\x00\x00\x21\x12\xa4\x42" + rng.randbytes(12)
        if kind == 7:
            return packet[:8] + rng.randbytes(4) + packet[12:]
        return b"\x16\xfe\xfd" + rng.randbytes(20)


def _sound(rng: Random) -> bytes:
    """A frame of PCM, whole or not."""
    if rng.random() < 0.2:
        return rng.randbytes(rng.choice((80, 384, 385, 1_200)))
    frame = np.array([rng.uniform(-0.5, 0.5) for _ in range(8)], np.float32)
    return PcmEncoder().encode(np.tile(frame, SAMPLES // 8))


def _report(peer: Peer) -> bytes:
    return build_compound([ReceiverReport(peer.ssrc), cname(peer.ssrc, "peer")])


class Twins:
    """Both houses with the same legs."""

    def __init__(self, native: Native, seed: int) -> None:
        self.houses = (House(PYTHON), House(native))
        self.now_ns, self.steps = ORIGIN_NS, 0
        self.states: dict[int, LegState] = {}
        peers = [Peer(slot) for slot in range(4)]
        peers += [Peer(slot, key=f"{slot}{slot}" * 28) for slot in (5, 6)]
        self.crowd = Crowd(seed, peers)
        for peer in peers:
            self.put(peer)
        self.stranger, self.listener = Peer(9), Peer(8)
        self.put(self.listener, sends=False)

    def put(self, peer: Peer, generation: int = 1, **fields: Any) -> None:
        """A leg comes, or its row changes."""
        fields |= {"generation": generation, "level_ext": LEVEL_EXT}
        state = _state(peer, fields)
        self.states[peer.slot] = state
        for house in self.houses:
            leg = house.mansion.put(state)
            if state.kind == "webrtc" and not leg.selected:
                name = _name(peer.port)
                house.mansion.house.select(leg, name + mmsg.unspecified(name))

    def leave(self, slot: int) -> None:
        """A leg goes."""
        for house in self.houses:
            house.mansion.take_out(slot)

    def step(self) -> None:
        """5 ms for both; whatever they play must be the same sound."""
        self.steps += 1
        self.now_ns += STEP_NS + self.crowd.rng.randrange(-5, 6) * NS_PER_MS // 2
        sent = self.crowd.step()
        if self.crowd.rng.random() < 0.1:
            sent.append((self.stranger, b"\x80\x6f" + bytes(30)))
        for house in self.houses:
            to = house.mansion.socket.getsockname()
            for peer, datagram in sent:
                peer.socket.sendto(datagram, to)
            house.take(len(sent), self.now_ns)
        if self.steps % FRAME_STEPS == 0:
            played = [house.tick(self.now_ns) for house in self.houses]
            assert played[0] == played[1]

    def close(self) -> None:
        """Give the descriptors back."""
        for house in self.houses:
            house.mansion.close()
        for peer in [*self.crowd.peers, self.stranger, self.listener]:
            peer.socket.close()


def _state(peer: Peer, fields: dict[str, Any]) -> LegState:
    if not peer.key:
        return rtp_leg(peer.slot, peer.port if peer.slot else 0, **fields)
    return web_leg(peer.slot, srtp=SrtpKeys(AES_128_GCM, rx=peer.key, tx="22" * 28), **fields)


def _name(port: int) -> bytes:
    return mmsg.pack_name(socket.AF_INET, socket.inet_aton("127.0.0.1"), port)
