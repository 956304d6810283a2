"""A media process's house in memory: real segment, real SRTP, PCM for Opus, no time of its own."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, field, replace
from typing import Any

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.codec.pcm import PcmDecoder, PcmEncoder
from voiceroom_mixer.core.mix.pool import PcmPool
from voiceroom_mixer.core.receive.receiver import Receiver, ReceiverConfig, TickTime
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.core.state.layout import Capacity
from voiceroom_mixer.core.state.legstate import IceCredentials, LegState, RoomState, SrtpKeys
from voiceroom_mixer.core.state.messages import Message
from voiceroom_mixer.edge import mmsg, shm
from voiceroom_mixer.media.board import Board
from voiceroom_mixer.media.house import House
from voiceroom_mixer.media.ingress import Ingress
from voiceroom_mixer.media.intake import NativeIngress, open_intake
from voiceroom_mixer.media.legs import Leg, LegTable
from voiceroom_mixer.media.outlet import open_egress
from voiceroom_mixer.media.reports import Reports
from voiceroom_mixer.media.rooms import MediaRoom
from voiceroom_mixer.media.source import RtpSource
from voiceroom_mixer.media.transmit import Transmit
from voiceroom_mixer.native.library import Native

PYTHON = Native(None, "the twin")
SMALL = Capacity(rooms=4, legs=16, events=16, revoked=4)
AES_128_GCM = 7
KEYS = SrtpKeys(AES_128_GCM, rx="11" * 28, tx="22" * 28)
ROOM = RoomState(room="lobby", slot=0, generation=1)
ORIGIN_NS = 1_000_000 * NS_PER_S
"""Later than any machine has been up, so that a tick always has time to spare."""


def rtp_leg(slot: int = 0, port: int = 6_000, **fields: Any) -> LegState:
    """A gateway at 127.0.0.1."""
    return _leg(slot, kind="rtp", remote_ip="127.0.0.1", remote_port=port, **fields)


def web_leg(slot: int = 0, **fields: Any) -> LegState:
    """A WebRTC leg with its keys."""
    ice = IceCredentials(f"user{slot}", "p" * 24)
    return _leg(slot, **({"kind": "webrtc", "local_ice": ice, "srtp": KEYS} | fields))


def _leg(slot: int, **fields: Any) -> LegState:
    known: dict[str, Any] = {
        "leg": f"leg-{slot}",
        "room": "lobby",
        "room_slot": 0,
        "slot": slot,
        "generation": 1,
        "identity": f"person {slot}",
        "role": "speaker",
        "participant": f"leg-{slot}",
        "ssrc": 1_000 + slot,
        "sends": True,
        "receives": True,
        "payload_type": 111,
    }
    return LegState(**(known | fields))


def path(port: int) -> bytes:
    """From us to a port of this machine."""
    name = mmsg.pack_name(socket.AF_INET, socket.inet_aton("127.0.0.1"), port)
    return name + bytes(16)


@dataclass
class Mansion:
    """``control`` writes rows by ``put``; ``boot`` is a media process that starts over them."""

    fd: int = field(default_factory=lambda: os.memfd_create("mansion"))
    now_ns: int = ORIGIN_NS
    native: Native = PYTHON
    """The compiled kernels, or Python alone."""

    def __post_init__(self) -> None:
        self.segment = shm.attach(self.fd, SMALL)
        self.segment.set_word("grid_origin_ns", ORIGIN_NS)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.said: list[Message] = []
        self.losses: list[int] = []
        self.segment.tables["rooms"].write(0, ROOM.to_bytes())
        self.boot()

    def boot(self) -> None:
        """A new process: all that it knows stands in the segment."""
        self.board = Board(self.segment)
        self.transmit = Transmit(self.segment)
        self.intake = open_intake(self.native, SMALL.legs, 8)
        self.legs = LegTable(8, self.intake.sources if self.intake else None)
        sender = mmsg.Sender(self.socket)
        rx_ssrc = self.segment.columns["rx_ssrc"]
        self.egress = open_egress(self.native, sender, self.transmit, rx_ssrc, self.board)
        self.reports = Reports(
            self.legs,
            self.transmit,
            self.egress,
            self.board,
            on_loss=lambda leg: self.losses.append(leg.loss_ppm),
            origin_ns=lambda: ORIGIN_NS,
        )
        self.house = self._house()
        self.house.look(self.now_ns)

    def _house(self) -> House:
        pool, self._tick = PcmPool(), TickTime()
        return House(
            self.segment,
            self.legs,
            self.transmit,
            self.board,
            make_room=lambda state: MediaRoom(state, PcmEncoder, pool),
            make_receiver=lambda leg, _: self._receiver(leg),
            make_name=lambda ip, port: mmsg.pack_name(socket.AF_INET, socket.inet_aton(ip), port),
            rooms_changed=lambda: None,
            say=self.said.append,
            goodbye=self.reports.goodbye,
        )

    def _receiver(self, leg: LegState) -> Receiver:
        row = self.intake.rows.fresh(leg.slot) if self.intake else None
        return Receiver(ReceiverConfig(), PcmDecoder(), leg.ssrc, self._tick, row)

    def ingress(self, **changes: Any) -> Ingress:
        """Of the mansion's socket; ``changes`` are callbacks that a test looks at."""
        receiver = mmsg.Receiver(self.socket)
        source = RtpSource(
            receiver.buffer,
            self.board,
            on_rtcp=lambda leg, packet, now_ns: None,
            on_heard=lambda leg: None,
        )
        callbacks: dict[str, Any] = {
            "reply": lambda path, packet: None,
            "on_dtls": lambda leg, path, datagram: None,
            "on_checked": lambda leg, path, nominated: self.house.select(leg, path),
            "on_fault": lambda leg: self.house.end(leg, layout.END_FAULT),
            "source": source,
        } | changes
        if self.intake is None:
            return Ingress(receiver, self.legs, self.board, **callbacks)
        columns = self.segment.columns
        return NativeIngress(
            self.intake, receiver, self.legs, self.board, columns=columns, **callbacks
        )

    def put(self, state: LegState) -> Leg:
        """Control writes a leg's row, media looks."""
        self.segment.tables["legs"].write(state.slot, state.to_bytes())
        self.house.look(self.now_ns)
        return self.legs.by_slot[state.slot]

    def change(self, leg: Leg, **fields: Any) -> Leg:
        """Control changes a leg."""
        return self.put(replace(leg.state, **fields))

    def take_out(self, slot: int) -> None:
        """Control clears a leg's row, media looks."""
        self.segment.tables["legs"].clear(slot)
        self.house.look(self.now_ns)

    def column(self, name: str, slot: int = 0) -> int:
        """One value of the columns."""
        return int(self.segment.columns[name][slot])

    def counted(self, name: str) -> int:
        """One of media's counters."""
        return self.board.values[Board.INDEX[name]]

    def close(self) -> None:
        """Give the descriptors back."""
        self.socket.close()
        os.close(self.fd)
