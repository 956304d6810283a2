"""The composition root of ``voiceroom-media``: descriptors in, a running loop out."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from voiceroom_api.units import SAMPLES_PER_MS
from voiceroom_mixer.codec import kernels, library
from voiceroom_mixer.codec.lazy import LazyDecoder
from voiceroom_mixer.codec.opus import OpusDecoder, OpusEncoder
from voiceroom_mixer.core.defend.measures import Measures
from voiceroom_mixer.core.mix.pool import PcmPool
from voiceroom_mixer.core.receive.receiver import Receiver, ReceiverConfig, TickTime
from voiceroom_mixer.core.state import layout, messages
from voiceroom_mixer.core.state.legstate import LegState, RoomState
from voiceroom_mixer.core.state.messages import Address, Kind, Message
from voiceroom_mixer.core.timing.histogram import histograms
from voiceroom_mixer.core.timing.schedule import Schedule
from voiceroom_mixer.edge import errqueue, kept, mmsg, selftest, shm, stacks, wake
from voiceroom_mixer.edge.alarms import Alarms
from voiceroom_mixer.edge.gcpolicy import GcPolicy
from voiceroom_mixer.edge.hires import HighResTimer
from voiceroom_mixer.media import about
from voiceroom_mixer.media.board import Board
from voiceroom_mixer.media.channel import Channel
from voiceroom_mixer.media.chaos import Chaos
from voiceroom_mixer.media.chores import Chores
from voiceroom_mixer.media.consent import Consent
from voiceroom_mixer.media.controlwatch import ControlWatch
from voiceroom_mixer.media.defence import Defence
from voiceroom_mixer.media.delays import Delays
from voiceroom_mixer.media.house import House
from voiceroom_mixer.media.ingress import Ingress
from voiceroom_mixer.media.intake import NativeIngress, open_intake
from voiceroom_mixer.media.legs import Leg, LegTable
from voiceroom_mixer.media.loop import Loop
from voiceroom_mixer.media.mixing import Mixing
from voiceroom_mixer.media.moving.moves import Moves
from voiceroom_mixer.media.moving.post import Post
from voiceroom_mixer.media.moving.relay import Relay, RelayEgress
from voiceroom_mixer.media.outlet import open_egress
from voiceroom_mixer.media.reports import Reports
from voiceroom_mixer.media.rooms import MediaRoom
from voiceroom_mixer.media.source import RtpSource
from voiceroom_mixer.media.tolerances import Tolerances
from voiceroom_mixer.media.transmit import Transmit
from voiceroom_mixer.media.watch import Watch
from voiceroom_mixer.native import library as native

FDS_ENV: Final = "VOICEROOM_FDS"


@dataclass(frozen=True, slots=True)
class Inherited:
    """What the keeper handed down to this media process."""

    segment: int
    pair: int
    udp: int
    index: int = 0

    @classmethod
    def read(cls, environ: Mapping[str, str], index: int) -> Inherited:
        """Raises ``SystemExit`` when this was not started by the keeper."""
        try:
            entry = json.loads(environ[FDS_ENV])["media"][index]
            return cls(int(entry["segment"]), int(entry["pair"]), int(entry["udp"]), index)
        except (KeyError, IndexError, ValueError) as error:
            sys.exit(f"voiceroom-media is started by the keeper: {FDS_ENV} is unusable: {error!r}")


class MediaProcess:
    """Everything of one media process, wired."""

    def __init__(self, inherited: Inherited) -> None:
        self.segment = shm.attach(inherited.segment)
        # loaded now: the first encoder must not pay for it in a tick
        self._kernels = kernels.make(native.load().library, library.load())
        self._ask_and_test(inherited.index)
        self._socket = socket.socket(fileno=inherited.udp)
        self.board = Board(self.segment)
        self._channel = Channel(socket.socket(fileno=inherited.pair), self.board)
        receiver, sender = mmsg.Receiver(self._socket), mmsg.Sender(self._socket)
        self._pool = PcmPool()
        self._tick_time = TickTime()
        self._transmit = Transmit(self.segment)
        self._intake = open_intake(native.load(), self._transmit.slots, receiver.key_bytes)
        self.legs = LegTable(receiver.key_bytes, self._intake.sources if self._intake else None)
        rx_ssrc = self.segment.columns["rx_ssrc"]
        self._egress = open_egress(native.load(), sender, self._transmit, rx_ssrc, self.board)
        self._reports = self._make_reports()
        self.house = self._make_house()
        self._moves = self._make_moves()
        self._hires = HighResTimer()
        self._chaos = Chaos(self.segment)
        self._histograms = histograms(self.segment.counters)
        self._delays = Delays(self._histograms, self._reports.wall_ns)
        pauses = [self._histograms[f"gc_pause_{g}"] for g in range(3)]
        self._gc = GcPolicy(pauses, kept.monotonic_ns)
        self._watch = Watch(
            self.segment, self.board, pauses, self.legs, self._histograms["run_delay"]
        )
        self._control = ControlWatch(self.segment) if inherited.index == 0 else None
        self._consent = Consent(self.legs, self._egress, self.board, self._histograms["stun_rtt"])
        self._alarms = Alarms()
        self._defence = self._make_defence()
        source = RtpSource(
            receiver.buffer, self.board, on_rtcp=self._reported, on_heard=self._heard
        )
        ingress = self._make_ingress(receiver, source)
        ingress.fellows, self._relay.ingress = self._moves, ingress
        ingress.answered = self._consent.answered
        self._chores, self._mixing = self._make_chores(), self._make_mixing()
        self.loop = self._make_loop(source, ingress)

    def _make_defence(self) -> Defence:
        return Defence(
            self.board,
            self._watch.detector,
            self._defend,
            alarm=self._alarms.take,
            alarmed=self._gc.defer,
        )

    def _make_reports(self) -> Reports:
        return Reports(
            self.legs,
            self._transmit,
            self._egress,
            self.board,
            on_loss=self._loss,
            origin_ns=lambda: self.segment.word("grid_origin_ns"),
            out=lambda leg, sealed: self._relay.report(leg, sealed),
            shift=lambda leg: self.house.rooms[leg.state.room_slot].shift,
        )

    def _make_moves(self) -> Moves:
        post = Post(self.segment, self._egress, self._make_name, self.board)
        self._relay = Relay(post, self.house, self.legs, self._egress, self.board)
        self._relay.on_dtls = self._dtls
        rx_ssrc = self.segment.columns["rx_ssrc"]
        relayed = RelayEgress(self._egress, self._transmit, rx_ssrc, self.board, self.legs, post)
        return Moves(
            self.segment,
            self.house,
            self._transmit,
            self.board,
            post,
            self._relay,
            relayed,
            self._channel.say,
        )

    def _make_house(self) -> House:
        return House(
            self.segment,
            self.legs,
            self._transmit,
            self.board,
            make_room=self._make_room,
            make_receiver=self._make_receiver,
            make_name=self._make_name,
            rooms_changed=self._use_frames,
            say=self._channel.say,
            goodbye=self._reports.goodbye,
        )

    def _make_ingress(self, receiver: mmsg.Receiver, source: RtpSource) -> Ingress:
        make: Callable[..., Ingress] = Ingress
        if self._intake is not None:
            make = partial(NativeIngress, self._intake, columns=self.segment.columns)
        return make(
            receiver,
            self.legs,
            self.board,
            reply=self._egress.datagram,
            on_dtls=self._dtls,
            on_checked=self._checked,
            on_fault=self._fault,
            source=source,
        )

    def _make_chores(self) -> Chores:
        return Chores(
            self.house,
            self.legs,
            self.board,
            self._reports,
            self.segment.columns,
            jitter=self._histograms["media_jitter"],
            consent=self._consent,
            delays=self._delays,
            tolerances=Tolerances(self.board, self._loss, self._channel.say),
            say=self._channel.say,
            refused=lambda: errqueue.refused(self._socket),
            idle=self._idle,
        )

    def _make_mixing(self) -> Mixing:
        return Mixing(
            self.segment,
            self.board,
            self.house,
            self._egress,
            self._moves,
            self._delays,
            say=self._channel.say,
            frames_changed=self._use_frames,
        )

    def _make_loop(self, source: RtpSource, ingress: Ingress) -> Loop:
        return Loop(
            self.segment,
            self._schedule(),
            self.board,
            ingress,
            self._egress,
            self.house,
            source,
            self._mixing,
            tick_time=self._tick_time,
            chores=self._chores,
            doze=wake.doze(self._socket.fileno()),
            observe_sleep=self._hires.observe_sleep,
            commands=self._commands,
            moves=self._moves,
        )

    def run(self) -> None:
        """Warm up, then tick until stopped."""
        segment = self.segment
        segment.set_word("media_stacks", stacks.offer())
        segment.set_word("media_pid", os.getpid())
        segment.set_word("media_boots", segment.word("media_boots") + 1)
        self.house.look(kept.monotonic_ns())
        self._gc.start()
        self._watch.start()
        if self._control is not None:
            self._control.start()
        self._alarms.offer()  # last: that a start waits for a CPU is no reason for anything
        self.loop.run()

    def _ask_and_test(self, index: int) -> None:
        """Real-time scheduling; then, on the first start, what the clocks here cost and are worth.

        A restarted process has no time for that: people wait for their sound.
        """
        granted = about.ask_for_real_time(index)
        if not self.segment.word("media_boots"):
            about.publish_about(self.segment, granted, selftest.read_costs())

    def _schedule(self) -> Schedule:
        """The grid of the one before us, or a new one."""
        segment = self.segment
        if segment.word("grid_origin_ns"):
            return Schedule(segment.word("grid_origin_ns"), segment.word("grid_slot"))
        schedule = Schedule.begin(kept.monotonic_ns())
        segment.set_word("grid_slot", -1)
        segment.set_word("grid_origin_ns", schedule.origin_ns)
        return schedule

    def _make_room(self, state: RoomState) -> MediaRoom:
        return MediaRoom(state, OpusEncoder, self._pool, self._kernels)

    def _use_frames(self) -> None:
        self.loop.frames(room.frame_ms for room in self.house.rooms.values())

    def _make_receiver(self, leg: LegState, room: RoomState) -> Receiver:
        config = ReceiverConfig(
            min_ms=room.jitter_min_ms,
            max_ms=room.jitter_max_ms,
            frame_samples=room.frame_ms * 48,
            level_ext=bool(leg.level_ext),
        )
        row = self._intake.rows.fresh(leg.slot) if self._intake is not None else None
        return Receiver(config, LazyDecoder(OpusDecoder), leg.ssrc, self._tick_time, row)

    def _make_name(self, ip: str, port: int) -> bytes:
        family = socket.AF_INET6 if ":" in ip else socket.AF_INET
        return mmsg.pack_name(self._socket.family, socket.inet_pton(family, ip), port)

    def _loss(self, leg: Leg) -> None:
        room = self.house.rooms.get(leg.state.room_slot)
        if room is not None:
            room.mixer.set_loss(leg.slot, leg.expected_loss_ppm)

    def _fault(self, leg: Leg) -> None:
        self.board.add("leg_faults")
        self.house.end(leg, layout.END_FAULT)

    def _reported(self, leg: Leg, packet: bytes, now_ns: int) -> None:
        """An RTCP packet: what it may never be taken for again stands in the segment first."""
        if leg.srtp is not None:
            self.segment.columns["rx_srtcp"][leg.slot] = leg.srtp.rtcp_mark
        self._reports.received(leg, packet, now_ns)

    def _heard(self, leg: Leg) -> None:
        """First valid packet: a replacing leg takes the microphone over."""
        self.segment.columns["heard"][leg.slot] = 1
        self.legs.waiting.heard(leg)
        room = self.house.rooms.get(leg.state.room_slot)
        if room is not None and leg.state.replaces:
            room.supersede(leg)
        self._channel.say(Message(Kind.HEARD, leg.slot, leg.state.generation))

    def _checked(self, leg: Leg, path: bytes, nominated: bool) -> None:
        """An authenticated check (or a latched source): learn it; follow a nomination."""
        self.legs.learn(leg, path)
        if not leg.live:
            return  # where it is, its room's owner decides
        if (nominated or not leg.selected) and leg.selected != path:
            self.house.select(leg, path)
            head = _address(path).to_bytes()
            self._channel.say(Message(Kind.NOMINATED, leg.slot, leg.state.generation, head))
        elif leg.state.kind == "rtp":
            self.house.settle(leg)

    def _dtls(self, leg: Leg, path: bytes, datagram: bytes) -> None:
        """DTLS is control's business."""
        if len(datagram) > messages.MAX_MESSAGE - 64:
            return self.board.drop("rtp_too_large")
        payload = _address(path).to_bytes() + datagram
        self._channel.say(Message(Kind.DTLS, leg.slot, leg.state.generation, payload))
        return None

    def _commands(self, now_ns: int) -> None:
        """What the tick says of time; then control's words since the last one."""
        tick = self._watch.look(self.loop.began_wait_ns, self.loop.step_ns)
        self._defence.tick(tick)
        if self._control is not None:
            self._control.look(tick)
        for message in self._channel.commands():
            if message.kind == Kind.LEG:
                self.house.take_leg(message.slot, now_ns)
            elif message.kind == Kind.ROOM:
                self.house.take_room(message.slot, now_ns)
            elif message.kind == Kind.BYE_ALL:
                self._bye_all()
            elif message.kind == Kind.COLLECT:
                self._gc.collect_now()
        self.loop.legs = len(self.legs)
        self._chaos.look()

    def _defend(self, measures: Measures) -> None:
        """The ladder has taken a step."""
        self._mixing.measures = measures
        self._chores.defers = measures.defer_chores
        self._tick_time.extra_samples = measures.extra_target_ms * SAMPLES_PER_MS

    def _bye_all(self) -> None:
        for leg in self.legs:
            self._reports.goodbye(leg)
            self._transmit.ready[leg.slot] = False
        self._egress.flush()
        self._channel.say(Message(Kind.BYE_DONE, 0, 0))

    def _idle(self, stop_ns: int) -> None:
        """The last of a tick's spare time: garbage, and the clocks' calibration."""
        spare_ns = stop_ns - kept.monotonic_ns()
        if self._gc.spare(spare_ns, idle=not len(self.legs)):
            self.board.set("gc_collections", self._gc.collections)
        spare_ns = stop_ns - kept.monotonic_ns()
        if spare_ns > 0 and self._hires.step(spare_ns):
            about.publish_clock(self.segment, self._hires.calibration())
        pool = self._pool
        self.board.set("pcm_hits", pool.hits)
        self.board.set("pcm_misses", pool.misses)
        self.board.set("pcm_leaked", pool.leaked)
        self.board.set("pcm_bytes_allocated", pool.bytes_allocated)


def _address(path: bytes) -> Address:
    ip, port = mmsg.unpack_name(path)
    return Address(ip, port, path[mmsg.NAME_BYTES :])
