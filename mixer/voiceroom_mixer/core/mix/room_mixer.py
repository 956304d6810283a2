"""One room's mixer: senders in, one packet for each distinct mix out, once a frame.

Sans-IO: a tick is a call, and the only question about time is ``late``. RTP, sockets and keys are
the caller's; legs are known here by their slots.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from voiceroom_mixer.core.mix import bus
from voiceroom_mixer.core.mix.arrange import Arrangement, Channel
from voiceroom_mixer.core.mix.encoding import EncoderPolicy, EncoderSettings, FrameEncoder
from voiceroom_mixer.core.mix.groups import Listeners, MixKey, Slots
from voiceroom_mixer.core.mix.kernel import GainTable, MixKernel
from voiceroom_mixer.core.mix.passing import Passing
from voiceroom_mixer.core.mix.pool import PcmPool
from voiceroom_mixer.core.mix.result import Contributors, MixOutput, TickResult
from voiceroom_mixer.core.mix.roster import Roster
from voiceroom_mixer.core.mix.rows import Collected, Row
from voiceroom_mixer.core.mix.stream import EncoderBank, MixStream
from voiceroom_mixer.core.mix.talkers import TalkerChooser
from voiceroom_mixer.core.receive.batch import PullBatch
from voiceroom_mixer.core.receive.source import AudioSource

FRAME_SAMPLES: Final = (480, 960, 1920)
COMPLEXITY: Final = 4
"""Of Opus, where nothing else is asked for."""
MAX_CONTRIBUTORS: Final = 15
"""As many as an RTP header can name (RFC 3550 §5.1)."""


@dataclass(frozen=True, slots=True)
class MixConfig:
    """Settings of one room. Raises ``ValueError`` for a frame that rooms do not have."""

    frame_samples: int = 960
    talkers: int = 3
    """Most talkers in the mix, loudest first; 0 = all who are not silent."""
    bitrate_kbps: int = 32
    fec: bool = True
    """Whether reported loss may turn in-band FEC on."""
    dtx: bool = True
    complexity: int = COMPLEXITY
    shared: bool = False
    """All who do not talk hear one mix: gains that they have set for others are left out."""
    passthrough: bool = False
    """The loudest sender's packets are sent on as they come, where all who sound allow it."""

    def __post_init__(self) -> None:
        if self.frame_samples not in FRAME_SAMPLES:
            raise ValueError(f"frame_samples {self.frame_samples}: must be one of {FRAME_SAMPLES}")

    @property
    def frame_ms(self) -> int:
        """Duration of a frame."""
        return self.frame_samples // 48

    def encoder_settings(self) -> EncoderSettings:
        """What an encoder of this room begins with."""
        return EncoderSettings(
            bitrate_bps=self.bitrate_kbps * 1_000, complexity=self.complexity, dtx=self.dtx
        )


Packet = tuple[bytes | None, bool]
"""A mix's packet, None for silence, and whether it is the first after silence."""


class FrameKernels(Protocol):
    """The compiled arithmetic of a frame; one object may serve all rooms of a thread."""

    @property
    def pulls(self) -> PullBatch:
        """Senders' frames."""

    @property
    def mix(self) -> MixKernel:
        """Mixes to packets."""


class RoomMixer:
    """Mixes one room. Slots are the caller's names for legs."""

    def __init__(
        self,
        config: MixConfig,
        encoder_factory: Callable[[], FrameEncoder],
        pool: PcmPool,
        kernels: FrameKernels | None = None,
    ) -> None:
        """``kernels``: do the arithmetic of a frame in compiled code; without them numpy does."""
        self.config = config
        self._pool, self._kernels = pool, kernels
        self._chooser = TalkerChooser(config.talkers, config.frame_ms)
        batch = kernels.pulls if kernels is not None else None
        self._roster = Roster(self._chooser, pool, config.frame_samples, batch)
        self._listeners = Listeners()
        self._bank = EncoderBank(encoder_factory)
        self._arrangement = Arrangement(self._listeners, self._new_stream)
        self._loss: dict[int, int] = {}
        self._loss_changed = False
        self._table: GainTable | None = None
        self._seen: list[tuple[int, float, bool, bool, bool]] = []
        self._passing: Passing | None = None
        """There while packets are sent on as they come."""

    @property
    def encoders_refused(self) -> int:
        """Mixes that stayed silent because the room had all the encoders that it may have."""
        return self._bank.refused

    @property
    def channels(self) -> list[Channel]:
        """The distinct mixes of the last frame that somebody listens to."""
        return self._arrangement.channels

    def configure(self, config: MixConfig) -> None:
        """Change settings between two frames; the sound goes on, with frames of another length
        too."""
        before, self.config = self.config, config
        self._chooser.seats = config.talkers
        self._listeners.share(config.shared)
        for stream in self._arrangement.streams():
            stream.policy.rebase(config.encoder_settings(), fec_allowed=config.fec)
        self._loss_changed = True  # FEC may be allowed again
        if config.frame_samples != before.frame_samples:
            self._resize(config)

    def _resize(self, config: MixConfig) -> None:
        self._chooser.retime(config.frame_ms)
        self._roster.resize(config.frame_samples)
        for stream in self._arrangement.streams():
            stream.resize(config.frame_samples)

    def set_source(
        self, slot: int, source: AudioSource, *, participant: str, gain_db: float, muted: bool
    ) -> None:
        """Add a sender, or change what is said here of one."""
        gain = 10.0 ** (gain_db / 20.0)
        self._roster.place(slot, source, participant=participant, gain=gain, muted=muted)

    def remove_source(self, slot: int) -> None:
        """Forget a sender; its source is not touched again. One that is not there is no error."""
        self._roster.remove(slot)

    def set_listener(
        self,
        slot: int,
        *,
        participant: str,
        hears: Mapping[int, float],
        loss_ppm: int = 0,
        levels: bool = True,
    ) -> None:
        """Add a listener, or change his wishes: linear gains by the talker's slot, 0 = not at
        all, 1 where nothing is said. ``levels``: he is told who is heard (RFC 6465)."""
        if slot not in self._listeners:
            self._arrangement.welcome(slot)
        self._listeners.place(slot, participant, hears, levels=levels)
        self.set_loss(slot, loss_ppm)

    def remove_listener(self, slot: int) -> None:
        """Forget a listener; one that is not there is no error."""
        self._listeners.remove(slot)
        self.set_loss(slot, 0)

    def set_loss(self, slot: int, loss_ppm: int) -> None:
        """What a listener's reports say about loss on his way, in parts per million."""
        if self._loss.get(slot, 0) == loss_ppm:
            return
        self._loss_changed = True
        if loss_ppm:
            self._loss[slot] = loss_ppm
        else:
            del self._loss[slot]

    def fade_in(self) -> None:
        """Frames were skipped: what follows begins from silence."""
        self._table = None
        self._arrangement.fade_in()
        if self._passing is not None:
            self._passing.passage.reset()

    def close(self) -> None:
        """Let go of the encoders."""
        self._arrangement.close()
        self._bank.close()

    def tick(
        self, late: Callable[[], bool], collected: Callable[[], None] = lambda: None
    ) -> TickResult:
        """Mix one frame. ``late`` is asked between talkers: when it says yes, the mix is made of
        those at hand. ``collected`` is told when all sound is there, and is to be mixed and
        encoded."""
        if self.config.passthrough and self._roster.can_pass():
            result = self._pass_on()
        else:
            self._passing = None
            result = self._mix(late, collected)
        result.events = self._chooser.events()
        return result

    def _mix(self, late: Callable[[], bool], collected: Callable[[], None]) -> TickResult:
        try:
            got = self._roster.collect(late)
            collected()
            result = TickResult(
                talkers=got.talkers, cut=got.cut, kinds=got.kinds, faults=tuple(got.faults)
            )
            changed = self._arrangement.arrange({row.slot: row.participant for row in got.rows})
            if changed or self._loss_changed:
                self._report_loss()
            self._tabulate(got.rows, changed=changed)
            self._emit(got, result)
        finally:
            self._roster.release()
        return result

    def _pass_on(self) -> TickResult:
        """One frame in which nothing is decoded or mixed."""
        if self._passing is None:
            self._passing, self._table = Passing(self._roster, self._listeners), None
            self._arrangement.rest()
        return self._passing.tick(self.config.frame_samples)

    def _new_stream(self) -> MixStream:
        policy = EncoderPolicy(self.config.encoder_settings(), fec_allowed=self.config.fec)
        return MixStream(self._bank, policy, self.config.frame_samples)

    def _report_loss(self) -> None:
        """Each mix's encoder hears of the worst loss among its listeners."""
        self._loss_changed = False
        worst: dict[MixKey, int] = {}
        for slot, loss_ppm in self._loss.items():
            key = self._arrangement.key_of(slot)
            worst[key] = max(loss_ppm, worst.get(key, 0))
        for channel in self._arrangement.channels:
            channel.stream.policy.report(worst.get(channel.key, 0))

    def _emit(self, got: Collected, result: TickResult) -> None:
        bank, table = self._bank, self._table
        assert table is not None
        encodes, primes = bank.encodes, bank.primes
        emit = self._emit_plain if self._kernels is None else self._emit_compiled
        packets = emit(got.rows, table)
        result.encodes, result.primes = bank.encodes - encodes, bank.primes - primes
        silent: list[Slots] = []
        speaking: list[tuple[int, int, int]] | None = None
        for at, channel in enumerate(self._arrangement.channels):
            payload, resumed = packets[at]
            if payload is None:
                silent.append(channel.listeners)
                continue
            told: Contributors = ()
            if channel.told:
                speaking = _loudest(got.rows) if speaking is None else speaking
                told = _contributors(speaking, table.audible[at])
            result.outputs.append(MixOutput(channel.listeners, payload, told, resumed))
        if silent:
            slots = silent[0] if len(silent) == 1 else np.concatenate(silent)
            result.outputs.append(MixOutput(slots, None, (), False))

    def _emit_plain(self, rows: list[Row], table: GainTable) -> list[Packet]:
        """Packets of all mixes, in the order of the channels."""
        if rows:
            mixed = bus.mix(np.stack([row.frame for row in rows]), table.before, table.after)
        else:
            mixed = np.zeros((len(table.before), self.config.frame_samples), np.float32)
        peaks = bus.peaks(mixed).tolist()
        return [
            channel.stream.emit(mixed[at], peaks[at], sounding=table.sounds[at])
            for at, channel in enumerate(self._arrangement.channels)
        ]

    def _emit_compiled(self, rows: list[Row], table: GainTable) -> list[Packet]:
        """As ``_emit_plain``, all of it in one go."""
        assert self._kernels is not None
        kernel, channels = self._kernels.mix, self._arrangement.channels
        packets: list[Packet] = [(None, False)] * len(channels)
        staged = [
            at
            for at, channel in enumerate(channels)
            if channel.stream.stage(kernel, at, sounding=table.sounds[at])
        ]
        if staged:
            frames = [self._pool.address(row.frame) for row in rows]
            made = kernel.run(frames, table, self.config.frame_samples)
            for at, payload in zip(staged, made, strict=True):
                packets[at] = channels[at].stream.settle(payload)
        return packets

    def _tabulate(self, rows: list[Row], *, changed: bool) -> None:
        """The gains of this frame; those of the last one while nobody comes, goes or changes."""
        seen = [(row.slot, row.gain, row.sounds, row.enters, row.tail) for row in rows]
        table = self._table
        if changed or table is None or not table.steady or seen != self._seen:
            self._seen = seen
            self._table = self._make_table(rows)

    def _make_table(self, rows: list[Row]) -> GainTable:
        arrangement = self._arrangement
        for column, row in enumerate(rows):
            if row.enters:
                arrangement.start_at_zero(column)
        held = [column for column, row in enumerate(rows) if row.tail]
        common = np.array([row.gain for row in rows], np.float32)
        before, after = arrangement.gain_table(common, held)
        audible = (before > 0.0) | (after > 0.0)
        sounding = np.array([row.sounds for row in rows], bool)
        steady = np.array_equal(before, after)
        begin = before if steady else before.copy()
        end = after if steady else after.copy()
        arrangement.ended(after, [c for c, row in enumerate(rows) if row.gain == 0.0])
        return GainTable(
            begin,
            end,
            audible.tolist(),
            (audible & sounding).any(axis=1).tolist(),
            steady,
            (begin.ctypes.data, end.ctypes.data),
        )


def _loudest(rows: list[Row]) -> list[tuple[int, int, int]]:
    """(level, column, slot) of who is in the mix, loudest first."""
    return sorted(
        (row.level, column, row.slot)
        for column, row in enumerate(rows)
        if row.sounds and not row.tail
    )


def _contributors(speaking: list[tuple[int, int, int]], audible: list[bool]) -> Contributors:
    heard = [(slot, level) for level, column, slot in speaking if audible[column]]
    return tuple(heard[:MAX_CONTRIBUTORS])
