"""One sender, from packets to frames: ``AudioSource`` for the mixer, statistics for reports.

Two clocks meet here. Packets carry their arrival on the steady clock; frames are pulled on the
mixer's grid, whose tick stands in ``TickTime`` for all receivers of a process. Nothing is played
of a silent sender, so his packets cost little more than their counting.
"""

from __future__ import annotations

from typing import Final

from voiceroom_api.units import (
    NS_PER_MS,
    SAMPLES_PER_MS,
    SEQ_MASK,
    SILENT_LEVEL,
    extend_seq,
)
from voiceroom_mixer.core.mix.levels import SILENCE_GATE, is_faint, is_silent
from voiceroom_mixer.core.receive.batch import PullBatch, Pulled, PullStatus
from voiceroom_mixer.core.receive.decoder import Decoder
from voiceroom_mixer.core.receive.delay import WINDOW_NS
from voiceroom_mixer.core.receive.gather import gather
from voiceroom_mixer.core.receive.jitter import Packet
from voiceroom_mixer.core.receive.model import (
    Arrived,
    Hold,
    PlayoutCounts,
    PushResult,
    ReceiverConfig,
    ReceiverSnapshot,
    ReceiverStats,
    Taken,
    TickTime,
)
from voiceroom_mixer.core.receive.pace import Pace
from voiceroom_mixer.core.receive.playout import Playout
from voiceroom_mixer.core.receive.probation import IN_ORDER, Probation
from voiceroom_mixer.core.receive.refill import RefillTimeout, RefillWatch
from voiceroom_mixer.core.receive.source import FrameKind, PacketOut, Pcm
from voiceroom_mixer.core.receive.stream import NO_SSRC, Stream, StreamFigures
from voiceroom_mixer.core.rtp.reception import MAX_DROPOUT, Arrival, ReceptionFigures, transit_ns

__all__ = [
    "NO_SSRC",
    "PushResult",
    "Receiver",
    "ReceiverConfig",
    "ReceiverSnapshot",
    "ReceiverStats",
    "RefillTimeout",
    "TickTime",
]

DTX_BYTES: Final = 3
"""An Opus packet of at most so many bytes carries no sound."""
SOFT_LEVEL: Final = 40
"""A sender with DTX stops after sound at most this loud: then a pause is no incident."""
REST_ROUNDS: Final = 5
"""Calls of ``rest`` in a row that find a sender silent until his decoder goes."""
_IN_SEQUENCE: Final = Arrival.GAP
_ACCEPTED: Final = PushResult.ACCEPTED


class Receiver:
    """Jitter buffer, skew correction, decoding and concealment of one sender."""

    def __init__(
        self,
        config: ReceiverConfig,
        decoder: Decoder,
        seed: int,
        tick: TickTime,
        stream: StreamFigures | None = None,
    ) -> None:
        """``stream`` holds what is counted of every packet; Python's own where none is given."""
        self._config, self._decoder, self._seed, self._tick = config, decoder, seed, tick
        self._stats, self.hold, self._probation = ReceiverStats(), Hold(), Probation()
        self._resume: ReceiverSnapshot | None = None
        self._silent_rounds = 0
        self.stream = stream if stream is not None else Stream()
        """What is kept of the sender between his packets."""
        self.stream.begin(0, 0, 0)
        self._begin(NO_SSRC, 0)

    def _begin(self, ssrc: int, arrival_ns: int) -> None:
        """Everything anew, for another stream, whose reception has begun."""
        config, stream = self._config, self.stream
        stream.ssrc, stream.octets, stream.window_end_ns = ssrc, 0, arrival_ns + WINDOW_NS
        stream.prior, stream.prior_stamp = b"", 0
        self._decoder.reset()
        self._playout = Playout(self._decoder, config, self._seed, self.hold)
        self._pace = Pace(config, stream.transit_ns)
        self._watch = RefillWatch()
        self._last_arrival_ns = arrival_ns
        self._late = self._last_seq = 0
        self._level = SILENT_LEVEL if config.level_ext else -1
        self.voice = False
        """The sender's own voice flag (RFC 6464), of the latest packet."""
        self._dtx = False
        self._stats.rx_duplicate = 0

    @property
    def config(self) -> ReceiverConfig:
        """The settings that it was made with."""
        return self._config

    @property
    def reception(self) -> ReceptionFigures:
        """Sequence, loss and jitter of the stream, for reports."""
        return self.stream

    @property
    def ssrc(self) -> int:
        """The sender's SSRC; ``NO_SSRC`` before the first packet."""
        return self.stream.ssrc

    @property
    def active(self) -> bool:
        """Sound is buffered, due, or was heard a moment ago."""
        return self._playout.awake

    @property
    def played(self) -> int | None:
        """Sequence number of the packet that was taken out last to be played; None when nothing
        waits: all that came was played, or had nothing to hear in it."""
        return (self._playout.next_number - 1) & SEQ_MASK if self._playout.awake else None

    @property
    def level(self) -> int:
        """-dBov of the latest sound, 127 when silent."""
        if not self._playout.awake:
            return SILENT_LEVEL
        return self._level if self._level >= 0 else self._playout.level

    @property
    def must_decode(self) -> bool:
        """The latest packet told no level."""
        return self._level < 0

    def push(
        self,
        ssrc: int,
        seq: int,
        timestamp: int,
        payload: bytes,
        level: int,
        voice: bool,
        arrival_ns: int,
    ) -> PushResult:
        """Take a packet in. ``level`` is -dBov 0..127, or -1 where the packet has none."""
        stream = self.stream
        if ssrc != stream.ssrc:
            packet = Arrived(seq, timestamp, payload, level, voice, arrival_ns)
            return self._foreign(ssrc, packet)
        if arrival_ns >= stream.window_end_ns:
            self._close_window(arrival_ns)
        how = stream.observe(seq, timestamp, arrival_ns)
        stream.octets += len(payload)
        hushed = level >= SILENCE_GATE and (not voice or level == SILENT_LEVEL)
        quiet = len(payload) <= DTX_BYTES or hushed
        silent = quiet or is_faint(level, voice=voice)
        if silent and not self._playout.awake and how <= _IN_SEQUENCE:
            stream.prior, stream.prior_stamp = payload, stream.timestamp
            return _ACCEPTED
        return self._take(self._taken(how, quiet, level, voice, arrival_ns, payload))

    def take(self, taken: Taken) -> PushResult:
        """Take in a packet that ``stream`` has observed and counted already, in a batch."""
        silent = taken.quiet or is_faint(taken.level, voice=taken.voice)
        if silent and not self._playout.awake and taken.how <= _IN_SEQUENCE:
            self.stream.prior, self.stream.prior_stamp = taken.payload, taken.stamp
            return _ACCEPTED
        return self._take(taken)

    def _taken(
        self, how: Arrival, quiet: bool, level: int, voice: bool, arrival_ns: int, payload: bytes
    ) -> Taken:
        """The packet that ``stream`` has observed last."""
        it = self.stream
        return Taken(how, it.index, it.stamp, it.low_ns, arrival_ns, quiet, level, voice, payload)

    def _take(self, taken: Taken) -> PushResult:
        """A packet with sound, or one of a sender that is being played, or an odd one."""
        how = taken.how
        if how is Arrival.DUPLICATE:
            self._stats.rx_duplicate += 1
            return PushResult.DUPLICATE
        if how is Arrival.SUSPECT:
            return PushResult.PROBATION
        if how is Arrival.JUMPED or how is Arrival.RESTARTED:
            self._new_timeline(taken)
        playout, pace, quiet = self._playout, self._pace, taken.quiet
        self._last_arrival_ns = taken.arrival_ns
        delay_ns = transit_ns(taken.arrival_ns, taken.stamp) - pace.path.see(taken.low_ns)
        if not pace.target.covers(delay_ns) and not quiet:
            pace.target.raise_for(delay_ns)
        packet = Packet(taken.number, taken.stamp, taken.payload, quiet)
        if not playout.awake:
            if how is Arrival.REORDERED or quiet or is_faint(taken.level, voice=taken.voice):
                return self._unneeded(how)
            self._wake(packet)
        elif packet.number < playout.next_number:
            self._late += 1
            return PushResult.LATE
        playout.buffer.put(packet)
        self._level, self.voice = taken.level, taken.voice
        self._last_seq = packet.number & SEQ_MASK
        self.stream.prior_stamp = packet.stamp
        self._watch.refilled()
        return _ACCEPTED

    def _unneeded(self, how: Arrival) -> PushResult:
        """Nothing is being played and this packet starts nothing."""
        if how is Arrival.REORDERED:
            self._late += 1
            return PushResult.LATE
        self.stream.prior = b""
        return _ACCEPTED

    def _wake(self, packet: Packet) -> None:
        """Sound after silence: the packet before it, if it is there, warms the decoder up and
        keeps the onset whole."""
        stream = self.stream
        pause = packet.stamp - stream.prior_stamp
        usual, payload = self._playout.packet_samples, stream.prior
        if payload and 0 < pause <= usual:
            prior = Packet(packet.number - 1, stream.prior_stamp, payload, True)
            self._playout.wake(prior)
            self._playout.buffer.put(prior)
        else:
            self._dtx = self._dtx or pause > 2 * usual
            self._playout.wake(packet)
        stream.prior = b""

    def _new_timeline(self, taken: Taken) -> None:
        """Timestamps jumped, or the sender began anew: what was learnt of transit is void."""
        self._stats.resets += 1
        self._playout.sleep()
        self._decoder.reset()
        self._pace.new_timeline(transit_ns(taken.arrival_ns, taken.stamp))
        self.stream.window_end_ns = taken.arrival_ns + WINDOW_NS
        self.stream.prior = b""

    def _close_window(self, arrival_ns: int) -> None:
        self.stream.window_end_ns = arrival_ns + WINDOW_NS
        window = self.stream.take_window()
        if window is not None:
            self._pace.close_window(arrival_ns, *window)

    @property
    def transit(self) -> tuple[int, int] | None:
        """(time, transit) of the fastest packet of the newest window, ns; None when unknown."""
        return self._pace.skew.newest

    def _foreign(self, ssrc: int, packet: Arrived) -> PushResult:
        """Another SSRC: the first one is taken at once, a change after three packets in order."""
        resume = self._resume
        if resume is not None and ssrc == resume.rx_ssrc:
            return self._go_on(resume, packet)
        known = self.stream.ssrc != NO_SSRC or resume is not None
        packets = self._probation.add(ssrc, packet, IN_ORDER if known else 1)
        if not packets:
            return PushResult.PROBATION
        self._stats.source_changes += known
        self._resume = None
        first, *others = packets
        self.stream.begin(first.seq, first.timestamp, first.arrival_ns)
        result = self._start(ssrc, first)
        for following in others:
            result = self.push(ssrc, *following)
        return result

    def _go_on(self, resume: ReceiverSnapshot, packet: Arrived) -> PushResult:
        """A packet of a stream that another process has played up to ``rx_index``."""
        index = extend_seq(packet.seq, resume.rx_index)
        if resume.rx_index - MAX_DROPOUT < index <= resume.rx_index:
            return PushResult.REPLAYED
        self.stream.resume(
            resume.rx_index,
            resume.rx_packets,
            resume.rx_lost,
            index=index,
            timestamp=packet.timestamp,
            arrival_ns=packet.arrival_ns,
        )
        self._probation.end()
        self._resume = None
        return self._start(resume.rx_ssrc, packet, resume)

    def _start(
        self, ssrc: int, packet: Arrived, before: ReceiverSnapshot | None = None
    ) -> PushResult:
        """The first packet of a stream, which ``stream`` has counted already."""
        self._begin(ssrc, packet.arrival_ns)
        if before is not None:
            self._pace.restore(before)
        _, _, payload, level, voice, arrival_ns = packet
        self.stream.octets += len(payload)
        quiet = len(payload) <= DTX_BYTES or is_silent(level, voice=voice)
        return self._take(self._taken(Arrival.NEXT, quiet, level, voice, arrival_ns, payload))

    def pull(self, out: Pcm) -> FrameKind:
        """Fill ``out`` with the next frame, shape (frame_samples,)."""
        if not self._playout.awake:
            out.fill(0.0)
            return FrameKind.SILENCE
        kind = self._playout.pull(out, *self._due())
        self._watch_refill(len(out))
        return kind

    def plan(self, batch: PullBatch, out_address: int, samples: int) -> bool:
        """Leave an ordinary frame to ``batch``; False: it must be pulled."""
        playout = self._playout
        return playout.awake and playout.plan(batch, out_address, samples, *self._due())

    def settle(self, pulled: Pulled, out: Pcm) -> FrameKind:
        """Take in what came of the row that ``plan`` added; ``out`` is whole after it."""
        if pulled.status in (PullStatus.UNDECODABLE, PullStatus.FULL):
            return self.pull(out)
        kind = self._playout.settle(pulled, out)
        self._watch_refill(len(out))
        return kind

    def skip(self, samples: int) -> None:
        """Advance playout without decoding: not chosen as talker, or the tick was missed."""
        self.pass_on(samples)

    @property
    def passable(self) -> bool:
        """Packets of whole slots of 10 ms can be sent on as they are."""
        return self._playout.packet_samples % (10 * SAMPLES_PER_MS) == 0

    def pass_on(self, samples: int) -> list[PacketOut]:
        """As ``skip``; gives the packets that were passed over, for others to decode."""
        if not self._playout.awake:
            return []
        passed = self._playout.skip(samples, *self._due())
        self._watch_refill(samples)
        return passed

    def rest(self) -> None:
        """To be called about once a second: who is silent for long needs no decoder. The packet
        before the next sound warms a new one up."""
        self._silent_rounds = 0 if self._playout.awake else self._silent_rounds + 1
        if self._silent_rounds == REST_ROUNDS:
            self._decoder.reset()

    def _due(self) -> tuple[int, int, float]:
        """Where the path is now and how far behind it sound should be, in samples; skew in ppm."""
        pace, now_ns = self._pace, self._tick.now_ns or self._last_arrival_ns
        path_samples = pace.path_samples(now_ns, self.stream.low_ns)
        extra = self._tick.extra_samples + self.hold.extra_samples
        return path_samples, pace.target_samples + extra, pace.skew.ppm

    def _watch_refill(self, samples: int) -> None:
        playout = self._playout
        if not playout.in_speech or (self._dtx and playout.level >= SOFT_LEVEL):
            return
        if self._watch.frame(samples, playout.packet_samples):
            size_ms, target_ms = playout.buffered // SAMPLES_PER_MS, self.target_ns // NS_PER_MS
            self._watch.report(RefillTimeout(size_ms, target_ms, self._last_seq))

    def events(self) -> list[RefillTimeout]:
        """What happened since the last call: bounded, see ``RefillWatch``."""
        return self._watch.take_events()

    @property
    def stats(self) -> ReceiverStats:
        """All counters as they are now; the same object every time."""
        self._stats.rx_late = self._late + self._playout.counts.late
        return gather(self._stats, self.stream, self._playout, self._watch, self._pace)

    @property
    def counts(self) -> PlayoutCounts:
        """What playout did to hold its delay."""
        return self._playout.counts

    @property
    def delay_samples(self) -> int:
        """How long the sound that plays has waited, since the fastest path; 0 when silent."""
        return self._playout.depth

    @property
    def target_ns(self) -> int:
        """How long sound is to wait, as it is now."""
        return self._pace.target.ns

    def snapshot(self) -> ReceiverSnapshot | None:
        """For a successor; None before the first packet."""
        if self.stream.ssrc == NO_SSRC:
            return self._resume
        it, stats = self.stream, self.stats
        return ReceiverSnapshot(
            it.ssrc, it.highest, stats.target_us, stats.skew_ppb, stats.rx_lost, stats.rx_packets
        )

    def restore(self, snapshot: ReceiverSnapshot) -> None:
        """Go on where another process left off; for a receiver that has had no packet yet."""
        self._resume = snapshot
