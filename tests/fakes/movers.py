"""Media processes of two pods that know each other, in memory: real sockets, virtual time."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field, replace
from typing import Any

from fakes.mansion import ORIGIN_NS, ROOM, Mansion
from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.core.state.layout import CONTROL_RELAY
from voiceroom_mixer.core.state.legstate import RoomState
from voiceroom_mixer.core.state.marks import Mark
from voiceroom_mixer.core.state.messages import Kind
from voiceroom_mixer.core.state.seat import Pool, Seat, pod_key, room_key
from voiceroom_mixer.edge import mmsg
from voiceroom_mixer.media.ingress import Ingress
from voiceroom_mixer.media.moving.moves import Moves, Turn
from voiceroom_mixer.media.moving.post import Post
from voiceroom_mixer.media.moving.relay import Relay, RelayEgress

KEY = "ab" * 32
UID = "uid-lobby"
TICK_MS = 20


@dataclass
class Mover(Mansion):
    """A media process with fellows. Its room's row is written by ``seat``."""

    name: str = "a"
    state: RoomState = field(default_factory=lambda: replace(ROOM, seat=Seat()))
    tick: int = 0
    turns: list[Turn] = field(default_factory=list)
    dtls: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.peers: tuple[str, ...] = ()
        super().__post_init__()
        self.keyed()

    def keyed(self, key: str = KEY) -> None:
        """Control has written the pool's key."""
        pool = Pool(self.pod, (key,), self.peers)
        self.segment.tables["control"].write(CONTROL_RELAY, pool.to_bytes())
        self.post.look()

    @property
    def pod(self) -> str:
        """In datagrams."""
        return pod_key(self.name, 0)

    @property
    def address(self) -> str:
        """Of its media."""
        return f"127.0.0.1:{self.socket.getsockname()[1]}"

    def boot(self) -> None:
        """A new process over the same segment."""
        super().boot()

        def name(ip: str, port: int) -> bytes:
            return mmsg.pack_name(socket.AF_INET, socket.inet_aton(ip), port)

        self.post = Post(self.segment, self.egress, name, self.board)
        self.relay = Relay(self.post, self.house, self.legs, self.egress, self.board)
        self.relay.on_dtls = lambda _leg, _path, datagram: self.dtls.append(datagram)
        rx_ssrc = self.segment.columns["rx_ssrc"]
        relayed = RelayEgress(self.egress, self.transmit, rx_ssrc, self.board, self.legs, self.post)
        self.moves = Moves(
            self.segment,
            self.house,
            self.transmit,
            self.board,
            self.post,
            self.relay,
            relayed,
            self.said.append,
            now_ns=lambda: self.now_ns,
            entropy=bytes,
        )
        self.door: Ingress = self.ingress()
        self.door.fellows, self.relay.ingress = self.moves, self.door
        self.house._seen["rooms"][:] = 0
        self.house.look(self.now_ns)

    def seat(self, **fields: Any) -> None:
        """Control says what this pod is for the room."""
        known: dict[str, Any] = {"key": room_key(UID), "epoch": 1}
        seat = replace(self.state.seat, **(known | fields))
        self.state = replace(self.state, seat=seat)
        self.segment.tables["rooms"].write(0, self.state.to_bytes())
        self.house.look(self.now_ns)

    def mark(self, slot: int, **fields: Any) -> None:
        """Control has heard of where a leg's streams stand."""
        mark = Mark(1, **({"tx_ssrc": 1_000 + slot} | fields))
        self.segment.tables["marks"].write(slot, mark.to_bytes())

    def drain(self) -> None:
        """Take in what has come."""
        self.door.drain(self.now_ns, 0, self.now_ns, self.now_ns)
        self.egress.flush()

    def step(self) -> Turn:
        """One tick."""
        self.drain()
        room = self.house.rooms[0]
        slot = self.tick * 2
        turn = self.moves.turn(room, slot)
        if turn is Turn.MIX:
            for leg in room.legs.values():
                if self.transmit.ready[leg.slot] or self.transmit.relayed[leg.slot]:
                    self.transmit.take_index(leg.slot)
        self.egress.flush()
        self.moves.tick(self.now_ns)
        self.egress.flush()
        self.tick += 1
        self.turns.append(turn)
        return turn

    def told(self) -> list[Kind]:
        """What control has heard of rooms."""
        return [m.kind for m in self.said if m.kind in (Kind.ROOM_BEGUN, Kind.ROOM_STOPPED)]


def together(*movers: Mover, ticks: int = 1) -> list[tuple[Turn, ...]]:
    """So many ticks of all of them, side by side."""
    turns = []
    for _ in range(ticks):
        turns.append(tuple(mover.step() for mover in movers))
        for mover in movers:
            mover.now_ns += TICK_MS * NS_PER_MS
    return turns


def moment(ms: int) -> int:
    """Monotonic ns, so long after everything began."""
    return ORIGIN_NS + ms * NS_PER_MS
