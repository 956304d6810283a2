"""From waiting packets to frames: decoding on demand, concealment, and the control of delay.

The timeline is the sender's timestamps. ``_end`` is the timestamp behind the last sample that was
made; less what the resampler still holds it is the timestamp that sounds next. How long sound has
waited is the time of the tick, less the fastest transit, less that timestamp: the *depth*. It is
held at the target by resampling (never more than 500 ppm in all), in quiet moments by leaving
samples out or repeating them, and when it exceeds every bound by one cut.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np

from voiceroom_api.units import SAMPLES_PER_MS, SILENT_LEVEL
from voiceroom_mixer.core.mix.levels import level_dbov
from voiceroom_mixer.core.mix.resample import FractionalResampler
from voiceroom_mixer.core.receive.batch import PullBatch, Pulled, PullStatus
from voiceroom_mixer.core.receive.conceal import QUANTUM, Concealer
from voiceroom_mixer.core.receive.decoder import Decoder
from voiceroom_mixer.core.receive.jitter import Packet, PacketBuffer
from voiceroom_mixer.core.receive.lean import lean_ppm
from voiceroom_mixer.core.receive.model import Hold, PlayoutCounts, ReceiverConfig
from voiceroom_mixer.core.receive.seam import Seam
from voiceroom_mixer.core.receive.source import FrameKind, PacketOut, Pcm

QUIET_LEVEL: Final = 55
"""Decoded sound at or below -55 dBov may be shortened or repeated unheard."""
HANGOVER_SAMPLES: Final = 240 * SAMPLES_PER_MS
"""So much quiet ends a talkspurt."""
TOLERANCE_SAMPLES: Final = 2 * SAMPLES_PER_MS
"""Depth this near to the target is left alone in quiet moments."""
CUT_MARGIN_SAMPLES: Final = 60 * SAMPLES_PER_MS
"""Depth beyond the upper bound and this is cut at once."""
MAX_REPEAT_SAMPLES: Final = 20 * SAMPLES_PER_MS
"""So much of a quiet packet is said twice at most."""
_MOST_SAMPLES: Final = 5_760 + MAX_REPEAT_SAMPLES
"""That one packet of any codec can add."""
WARM_UP_PACKETS: Final = 2
"""Decoded unheard when a sender that was passed over is heard again: a codec predicts."""


class Playout:
    """One talkspurt after the other. Depth, target and all positions are in samples."""

    def __init__(self, decoder: Decoder, config: ReceiverConfig, seed: int, hold: Hold) -> None:
        self.buffer = PacketBuffer()
        self.counts = PlayoutCounts()
        self.awake = False
        self.level = SILENT_LEVEL
        """-dBov of the packet decoded last."""
        self.depth = 0
        self._decoder, self._hold = decoder, hold
        self._concealer = Concealer(decoder, seed)
        self._fifo = FractionalResampler(capacity=0)
        """Has room only while awake: most legs of a large room never speak."""
        self._packet_samples = frame = config.frame_samples
        self._cut_at = config.max_ms * SAMPLES_PER_MS + max(CUT_MARGIN_SAMPLES, 2 * frame)
        self._playing = False
        self._next = 0
        """Number of the packet that is due next."""
        self._end = 0
        self._fraction = 0.0
        """Of a sample, that skew has moved playout while it was passed over."""
        self._target = 0
        self._quiet_run = 0
        self._kind = self._last_kind = FrameKind.SILENCE
        self._seam = Seam()
        self._warm_up: deque[bytes] = deque(maxlen=WARM_UP_PACKETS)

    def wake(self, packet: Packet) -> None:
        """Sound begins with this packet: it is played when it has waited for the target."""
        self.awake = True
        self._playing = False
        self._next = packet.number
        self._quiet_run = 0
        self._kind = self._last_kind = FrameKind.SILENCE
        self._fifo = FractionalResampler()
        self._seam.after_silence()

    def sleep(self) -> None:
        """Nothing more to hear until ``wake``."""
        self.awake = self._playing = False
        self._fifo = FractionalResampler(capacity=0)
        self.buffer.clear()
        self._concealer.run = 0
        self._warm_up.clear()
        self.level = SILENT_LEVEL
        self.depth = 0

    @property
    def next_number(self) -> int:
        """Packets with a number below this one come too late."""
        return self._next

    @property
    def buffered(self) -> int:
        """Samples from the one that sounds next to the end of the newest packet."""
        newest = self.buffer.newest()
        if newest is None:
            return max(0, self._fifo.buffered - self._concealer.run) if self._playing else 0
        begin = self.buffer.first() if not self._playing else None
        at = begin.stamp if begin is not None else self._end - self._fifo.buffered
        return max(0, newest.stamp + self._packet_samples - at)

    @property
    def packet_samples(self) -> int:
        """Duration of the sender's packets."""
        return self._packet_samples

    @property
    def in_speech(self) -> bool:
        """A talkspurt is being played: it lives on refills."""
        return self._playing and self._quiet_run == 0 and not self._concealer.exhausted

    def pull(self, out: Pcm, path_samples: int, target: int, skew_ppm: float) -> FrameKind:
        """Fill ``out``. ``path_samples`` is the timestamp that a packet arriving now by the
        fastest path would carry."""
        if not self._ready(path_samples, target, len(out)):
            out.fill(0.0)
            return FrameKind.SILENCE
        self._steer(path_samples, target, skew_ppm)
        self._kind = FrameKind.SILENCE
        return self._complete(out, made=False)

    def _complete(self, out: Pcm, *, made: bool) -> FrameKind:
        """Make what is still missing; ``made``: some of the frame was made already."""
        while (short := len(out) - self._fifo.available) > 0:
            self._make(short)
            made = True
        self._fifo.pull_into(out)
        kind = self._last_kind = self._kind if made else self._last_kind
        self._finish(kind)
        return kind

    def plan(
        self,
        batch: PullBatch,
        out_address: int,
        samples: int,
        path_samples: int,
        target: int,
        skew_ppm: float,
    ) -> bool:
        """Leave the next frame to ``batch`` if it is an ordinary one: the resampler holds enough,
        or the packet that goes on where the last one ended is there. ``pull`` it otherwise."""
        if not self._playing or self._warm_up:
            return False
        self._steer(path_samples, target, skew_ppm)
        fifo, packet = self._fifo, None
        if fifo.available < samples:
            packet = self.buffer.first()
            if packet is None or packet.stamp != self._end or not fifo.make_room(_MOST_SAMPLES):
                return False
        excess, seam = self.depth - target, self._seam
        last = float(seam.last)
        return batch.add(out_address, self._decoder, fifo, packet, excess, seam.open, last)

    def settle(self, pulled: Pulled, out: Pcm) -> FrameKind:
        """What came of the row that ``plan`` added: pulled, or decoded and short."""
        if not pulled.decoded:
            self._finish(self._last_kind)
            return self._last_kind
        packet = self._decoded(pulled.decoded, pulled.level)
        self._adjusted(pulled.adjusted)
        self._end = packet.stamp + pulled.decoded
        self._seam.closed_at(pulled.last_sample)
        self._kind = FrameKind.AUDIO
        if pulled.status == PullStatus.SHORT:
            return self._complete(out, made=True)
        self._last_kind = FrameKind.AUDIO
        self._finish(FrameKind.AUDIO)
        return FrameKind.AUDIO

    def _decoded(self, samples: int, level: int) -> Packet:
        """The first packet has been decoded: it is taken out."""
        packet = self.buffer.pop()
        self._next = packet.number + 1
        self._packet_samples, self.level = samples, level
        self._concealer.resume(level)
        self._note_quiet(packet.quiet, samples)
        return packet

    def _adjusted(self, samples: int) -> None:
        """So much quiet sound was left out; negative: said twice."""
        self.depth -= samples
        if samples > 0:
            self.counts.shortened_samples += samples
        else:
            self.counts.repeated_samples -= samples

    def skip(
        self, samples: int, path_samples: int, target: int, skew_ppm: float
    ) -> list[PacketOut]:
        """Advance by ``samples`` without a sound; the packets that are passed are not decoded."""
        if not self._ready(path_samples, target, samples):
            return []
        self._steer(path_samples, target, skew_ppm)
        self._fraction += samples * self._fifo.skew_ppm * 1e-6
        extra = int(self._fraction)
        self._fraction -= extra
        position = self._end - self._fifo.buffered + samples + extra
        self._fifo.reset()
        self._seam.after_silence()
        self._end = position
        passed = self._pass_over(position)
        if passed or len(self.buffer):
            self._concealer.run = 0
        else:
            self._concealer.run += samples
            self._quiet_run += samples if self._quiet_run else 0
        self._finish(FrameKind.SILENCE)
        return passed

    def _pass_over(self, position: int) -> list[PacketOut]:
        """Take out the packets that end before ``position``, keeping the latest to warm the
        decoder."""
        passed = []
        while (packet := self.buffer.first()) is not None:
            duration = self._duration(packet)
            if packet.stamp + duration > position:
                break
            self.buffer.pop()
            self._next = packet.number + 1
            self._note_quiet(packet.quiet, duration)
            self._warm_up.append(packet.payload)
            passed.append(PacketOut(packet.payload, duration))
        return passed

    def _duration(self, packet: Packet) -> int:
        try:
            return self._decoder.packet_samples(packet.payload)
        except ValueError:
            return self._packet_samples

    def _ready(self, path_samples: int, target: int, samples: int) -> bool:
        """Whether sound is due within the next ``samples``; the first time, begin it in place."""
        if self._playing:
            return True
        packet = self.buffer.first()
        if packet is None:
            return False
        due = packet.stamp + target - path_samples
        if due >= samples:
            return False
        self._playing = True
        self._end = packet.stamp
        if due > 0:
            self._fifo.push(np.zeros(due, np.float32))
        return True

    def _steer(self, path_samples: int, target: int, skew_ppm: float) -> None:
        """Measure the depth; cut, or let the resampler lean towards the target."""
        self._target, fifo = target, self._fifo
        self.depth = path_samples - (self._end - fifo.buffered)
        if self.depth > self._cut_at and len(self.buffer):
            self._cut(path_samples - target)
        ppm = lean_ppm(self.depth - target, skew_ppm, fifo.skew_ppm, tight=self._hold.tight)
        if ppm != fifo.skew_ppm:
            fifo.skew_ppm = ppm

    def _cut(self, position: int) -> None:
        """Go on at ``position``, or at the first packet behind it."""
        dropped = False
        while len(self.buffer) > 1:
            packet = self.buffer.first()
            if packet is None or packet.stamp + self._duration(packet) > position:
                break
            self.buffer.pop()
            dropped = True
        first = self.buffer.first()
        if first is None or (not dropped and first.stamp <= self._end):
            return
        self.counts.cuts += 1
        self._fifo.reset()
        self._next, self._end = first.number, first.stamp
        self.depth = position + self._target - self._end
        self._seam.open = True

    def _make(self, short: int) -> None:
        """Put at least some samples into the resampler."""
        packet = self.buffer.first()
        if packet is None:
            self._conceal(short)
            return
        gap = packet.stamp - self._end
        if gap <= 0:
            self._decode(packet, -gap)
        elif packet.number > self._next:
            self._bridge_loss(packet, gap, short)
        else:
            self._pause(gap, short)

    def _conceal(self, samples: int) -> None:
        """Time passes without a packet. One that comes later still finds its place."""
        pcm, kind = self._concealer.fill(samples, self._packet_samples)
        if kind is not FrameKind.PLC:
            self._seam.open = True
        self._push(pcm, kind)
        self._end += len(pcm)
        if self._quiet_run:
            self._quiet_run += len(pcm)

    def _bridge_loss(self, packet: Packet, gap: int, short: int) -> None:
        """Packets are lost before this one: the last of them may be inside it."""
        lost = self._packet_samples
        if gap > lost:
            self._conceal(min(gap - lost, max(short, QUANTUM)))
            return
        if gap == lost and gap % QUANTUM == 0 and self._decoder.has_fec(packet.payload):
            try:
                pcm = self._decoder.fec(packet.payload, gap)
            except ValueError:
                self.counts.decode_errors += 1
            else:
                self.counts.fec_frames += 1
                self._push(pcm, FrameKind.FEC)
                self._end += gap
                return
        self._conceal(gap)

    def _pause(self, gap: int, short: int) -> None:
        """The sender sent nothing (DTX): a pause may be longer or shorter than it was."""
        excess = self.depth - self._target
        change = -min(excess, gap) if excess > TOLERANCE_SAMPLES else 0
        if excess < -TOLERANCE_SAMPLES:
            change = -excess
        self._end -= change
        self.depth += change
        if gap + change > 0:
            self._conceal(min(gap + change, max(short, QUANTUM)))

    def _decode(self, packet: Packet, overlap: int) -> None:
        """Decode the first packet; ``overlap`` samples of its time have been filled already."""
        self.buffer.pop()
        self._next = packet.number + 1
        try:
            while self._warm_up:
                self._decoder.decode(self._warm_up.popleft())
            pcm = self._decoder.decode(packet.payload)
        except ValueError:
            self.counts.decode_errors += 1
            self._conceal(max(QUANTUM, self._packet_samples - overlap))
            return
        self._packet_samples = samples = len(pcm)
        self.level = level_dbov(pcm)
        self._concealer.resume(self.level)
        self._note_quiet(packet.quiet, samples)
        if overlap:
            overlap -= self._grow(overlap)
            self._seam.open = True
            if overlap >= samples:
                self.counts.late += 1
                return
            pcm = pcm[overlap:]
        self._end = packet.stamp + samples
        if packet.quiet or self.level >= QUIET_LEVEL:
            pcm = self._adjust(pcm)
        self._push(pcm, FrameKind.AUDIO)

    def _grow(self, overlap: int) -> int:
        """Sound came late: play it all if the target wants that much delay, else what fits."""
        growth = min(max(self._target - self.depth, 0), overlap)
        self._end -= growth
        self.depth += growth
        return growth

    def _adjust(self, pcm: Pcm) -> Pcm:
        """Quiet sound: leave some out, or say some twice, to bring the depth to the target."""
        excess = self.depth - self._target
        if excess > TOLERANCE_SAMPLES:
            out = min(excess, len(pcm) // 2)
            self._adjusted(out)
            self._seam.open = True
            return pcm[out:]
        if excess < -TOLERANCE_SAMPLES:
            again = pcm[-min(-excess, len(pcm), MAX_REPEAT_SAMPLES) :].copy()
            self._push(pcm, FrameKind.AUDIO)
            self._adjusted(-len(again))
            self._seam.open = True
            return again
        return pcm

    def _push(self, pcm: Pcm, kind: FrameKind) -> None:
        self._fifo.push(self._seam.join(pcm))
        self._kind = max(self._kind, kind)

    def _note_quiet(self, quiet: bool, samples: int) -> None:
        self._quiet_run = self._quiet_run + samples if quiet else 0

    def _finish(self, kind: FrameKind) -> None:
        """Count the frame; a talkspurt ends after enough quiet, or when only silence is left."""
        if kind >= FrameKind.PLC and not self._quiet_run:
            self.counts.concealed_frames += 1
        over = self._quiet_run >= HANGOVER_SAMPLES and not self.buffer.has_sound()
        if over or (self._concealer.exhausted and not len(self.buffer)):
            self.sleep()
