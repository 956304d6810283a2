"""The senders of one room: who is pulled in a frame, in which order, and what came of it.

Those who were in the last frame come first, so that lateness costs the newest talker and nobody
is cut off in the middle. Senders whose packets say how loud they are need no decoding until they
are chosen; the others are decoded while time allows.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Final

import numpy as np

from voiceroom_api.units import SILENT_LEVEL
from voiceroom_mixer.core.mix.bus import fall
from voiceroom_mixer.core.mix.levels import is_silent, level_of, mean_square
from voiceroom_mixer.core.mix.pool import PcmPool
from voiceroom_mixer.core.mix.rows import Collected, PassedOn, Row, Sender
from voiceroom_mixer.core.mix.talkers import Candidate, TalkerChooser
from voiceroom_mixer.core.receive.batch import BatchSource, PullBatch, Pulled, PullStatus
from voiceroom_mixer.core.receive.source import (
    AudioSource,
    FrameKind,
    PacketOut,
    PassingSource,
    Pcm,
    VoicedSource,
)

_TAIL_SAMPLES: Final = 240
_TAIL_FLOOR: Final = 1e-4
_NO_SOUND: Final = (FrameKind.SILENCE, FrameKind.NOISE)


class Roster:
    """All senders by slot."""

    def __init__(
        self, chooser: TalkerChooser, pool: PcmPool, samples: int, batch: PullBatch | None = None
    ) -> None:
        self._chooser = chooser
        self._pool = pool
        self._samples = samples
        self._batch = batch
        self._holding: list[Sender] = []
        """Who has a frame of the pool."""
        self._senders: dict[int, Sender] = {}
        self._mixed: list[int] = []
        """Slots that were in the last frame, loudest first."""
        self._departed: dict[int, Sender] = {}
        self._fading: dict[int, str] = {}
        """Who left the mix in the last frame: limiter and encoder still hold some of that back,
        so he must not hear the common mix for one frame more."""
        self._turn = 0
        self.resize(samples)

    def place(
        self, slot: int, source: AudioSource, *, participant: str, gain: float, muted: bool
    ) -> None:
        """Add or change a sender; ``gain`` is linear."""
        sender = self._senders.get(slot)
        if sender is None or sender.source is not source:
            self.remove(slot)
            self._departed.pop(slot, None)
            voiced = source if isinstance(source, VoicedSource) else None
            batched = source if self._batch and isinstance(source, BatchSource) else None
            passing = source if isinstance(source, PassingSource) else None
            self._senders[slot] = Sender(
                slot, source, participant, gain, muted, voiced, batched, passing
            )
        else:
            sender.participant, sender.gain, sender.muted = participant, gain, muted
        if muted:
            self._chooser.forget(slot)

    def remove(self, slot: int) -> None:
        """Forget a sender at once: its source is never touched again. None there is no error."""
        sender = self._senders.pop(slot, None)
        if sender is None:
            return
        self._chooser.forget(slot)
        if slot in self._mixed:
            self._mixed.remove(slot)
            self._departed[slot] = sender

    def collect(self, late: Callable[[], bool]) -> Collected:
        """Pull one frame of everybody who is to be heard; ``release`` gives the frames back."""
        got = Collected()
        missed = self._pull_mixed(late, got)
        candidates, passed = self._survey(late, got, missed)
        talkers = self._chooser.update(candidates)
        self._pull_chosen(talkers, late, got, missed)
        for sender in passed:
            if sender.frame is None and sender.slot not in got.faults:
                sender.source.skip(self._samples)
        got.cut = len(missed)
        self._fill_rows(got, talkers)
        return got

    def can_pass(self) -> bool:
        """Whether everybody who sounds could be sent on as he comes: at the gain he has, his level
        known without decoding."""
        return all(
            sender.passing is not None
            and sender.gain == 1.0
            and not sender.source.must_decode
            and sender.passing.passable
            for sender in self._senders.values()
            if sender.source.active and not sender.muted
        )

    def pass_on(self) -> PassedOn:
        """The loudest one's packets of this frame; all others are passed over."""
        candidates: list[Candidate] = []
        active = [sender for sender in self._senders.values() if sender.source.active]
        for sender in active:
            self._propose(sender, candidates)
        talkers = self._chooser.update(candidates)
        first = self._senders[talkers[0]] if talkers else None
        got, packets = Collected(), []
        for sender in active:
            if sender is not first:
                sender.source.skip(self._samples)
        if first is not None and first.passing is not None:
            packets = self._take_packets(first, first.passing, got)
        self._forget_mixed()
        if first is None or got.faults:
            return PassedOn(faults=tuple(got.faults))
        level = first.source.level
        return PassedOn(first.slot, first.participant, level, tuple(packets))

    def _take_packets(
        self, sender: Sender, source: PassingSource, got: Collected
    ) -> list[PacketOut]:
        try:
            return source.pass_on(self._samples)
        except Exception:  # as in _pull
            self._fault(sender, got)
            return []

    def _forget_mixed(self) -> None:
        """What is mixed next goes on from nothing."""
        self._mixed.clear()
        self._departed.clear()
        self._fading.clear()

    def resize(self, samples: int) -> None:
        """Frames of this length from now on."""
        self._samples = samples
        self._nothing = np.zeros(samples, np.float32)
        self._fall = np.zeros(samples, np.float32)
        self._fall[:_TAIL_SAMPLES] = fall(_TAIL_SAMPLES)

    def release(self) -> None:
        """Give all frames of the last ``collect`` back to the pool."""
        for sender in self._holding:
            if sender.frame is not None:
                self._pool.give(sender.frame)
                sender.frame = None
        self._holding.clear()

    def _pull_mixed(self, late: Callable[[], bool], got: Collected) -> set[int]:
        """Those of the last frame, loudest first; returns the slots that time did not allow."""
        missed = self._pull_in_turn([self._senders[slot] for slot in self._mixed], late, got)
        for sender in missed:
            sender.source.skip(self._samples)
        return {sender.slot for sender in missed}

    def _survey(
        self, late: Callable[[], bool], got: Collected, missed: set[int]
    ) -> tuple[list[Candidate], list[Sender]]:
        """How loud everybody is, and who has sound that was not pulled."""
        candidates: list[Candidate] = []
        passed: list[Sender] = []
        unknown: list[Sender] = []
        for sender in self._senders.values():
            source = sender.source
            if not source.active:
                continue
            if sender.frame is None and sender.slot not in missed:
                if source.must_decode and not sender.muted:
                    unknown.append(sender)
                    continue
                passed.append(sender)
            self._propose(sender, candidates)
        self._listen_in(unknown, late, got, passed)
        for sender in unknown:
            if sender.frame is not None:
                self._propose(sender, candidates)
        return candidates, passed

    def _listen_in(
        self,
        unknown: list[Sender],
        late: Callable[[], bool],
        got: Collected,
        passed: list[Sender],
    ) -> None:
        """Decode senders to learn how loud they are; whom time does not allow is first next
        time."""
        first = self._turn % len(unknown) if unknown else 0
        missed = self._pull_in_turn(unknown[first:] + unknown[:first], late, got)
        if missed:
            self._turn += len(unknown) - len(missed)
            passed.extend(missed)

    def _propose(self, sender: Sender, candidates: list[Candidate]) -> None:
        if sender.muted:
            return
        if sender.frame is not None and sender.kind in _NO_SOUND:
            return
        source = sender.source
        level = sender.level if source.must_decode else source.level
        voice = sender.voiced is not None and sender.voiced.voice
        if not is_silent(level, voice=voice):
            candidates.append(Candidate(sender.slot, level, voice))

    def _pull_chosen(
        self, talkers: tuple[int, ...], late: Callable[[], bool], got: Collected, missed: set[int]
    ) -> None:
        """The newcomers among the talkers; the others have been pulled."""
        chosen = [
            sender
            for slot in talkers
            if (sender := self._senders.get(slot)) is not None
            and sender.frame is None
            and slot not in missed
        ]
        missed.update(sender.slot for sender in self._pull_in_turn(chosen, late, got))

    def _pull_in_turn(
        self, senders: list[Sender], late: Callable[[], bool], got: Collected
    ) -> list[Sender]:
        """Pull a frame of each, the first one whatever the time; returns whom time did not
        allow."""
        at = 0
        while at < len(senders):
            if any(got.kinds) and late():
                return senders[at:]
            end = self._turn_end(senders, at)
            self._pull_some(senders[at:end], got)
            at = end
        return []

    def _turn_end(self, senders: list[Sender], at: int) -> int:
        """Where the run of senders ends that are pulled between two looks at the time."""
        end = at + 1
        if self._batch is not None and senders[at].batched is not None:
            most = min(len(senders), at + self._batch.capacity)
            while end < most and senders[end].batched is not None:
                end += 1
        return end

    def _pull_some(self, senders: list[Sender], got: Collected) -> None:
        """Pull all of these: the ordinary frames in one go, the others one by one."""
        planned = [sender for sender in senders if not self._pull(sender, got)]
        if not planned or self._batch is None:
            return
        for sender, pulled in zip(planned, self._batch.run(self._samples), strict=True):
            self._settle(sender, pulled, got)

    def _pull(self, sender: Sender, got: Collected) -> bool:
        """Pull one frame; False when it was left to the batch."""
        frame = sender.frame = self._pool.take(self._samples)
        self._holding.append(sender)
        try:
            if sender.batched is not None and self._batch is not None:
                address = self._pool.address(frame)
                if sender.batched.plan(self._batch, address, self._samples):
                    return False
            sender.kind = sender.source.pull(frame)
        except Exception:  # one broken sender must not silence the room: counted, and out
            self._fault(sender, got)
        else:
            self._measure(sender, frame, got)
        return True

    def _settle(self, sender: Sender, pulled: Pulled, got: Collected) -> None:
        """A frame of the batch is there."""
        frame = sender.frame
        assert sender.batched is not None
        assert frame is not None
        try:
            sender.kind = sender.batched.settle(pulled, frame)
        except Exception:  # as in _pull
            self._fault(sender, got)
            return
        if pulled.status != PullStatus.PULLED:
            self._measure(sender, frame, got)
            return
        got.kinds[sender.kind] += 1
        sender.level = pulled.frame_level
        if pulled.frame_level < 0:
            sender.kind, sender.level = FrameKind.SILENCE, SILENT_LEVEL

    def _fault(self, sender: Sender, got: Collected) -> None:
        got.faults.append(sender.slot)
        if sender.frame is not None:
            self._pool.give(sender.frame)
            sender.frame = None
        self.remove(sender.slot)

    def _measure(self, sender: Sender, frame: Pcm, got: Collected) -> None:
        """Count the frame and find how loud it is; one that is not finite is silence."""
        got.kinds[sender.kind] += 1
        power = mean_square(frame)
        if not isfinite(power):
            frame[:] = 0.0
            sender.kind, power = FrameKind.SILENCE, 0.0
        sender.level = level_of(power)

    def _fill_rows(self, got: Collected, talkers: tuple[int, ...]) -> None:
        """Rows of who is in the mix, who leaves it, and who was lost in its middle."""
        heard = [slot for slot in talkers if self._has_frame(slot)]
        rows = {slot: self._row(self._senders[slot], heard=True) for slot in heard}
        for slot in self._mixed:
            sender = self._senders[slot]
            if slot not in rows:
                rows[slot] = (
                    self._tail(sender) if sender.frame is None else self._row(sender, heard=False)
                )
        for slot, sender in self._departed.items():
            rows.setdefault(slot, self._tail(sender))
        self._departed.clear()
        leaving = {slot: row.participant for slot, row in rows.items() if slot not in heard}
        for slot, participant in self._fading.items():
            rows.setdefault(slot, self._echo(slot, participant))
        self._fading = leaving
        got.rows = [rows[slot] for slot in sorted(rows)]
        got.talkers = tuple(heard)
        self._mixed = heard

    def _has_frame(self, slot: int) -> bool:
        sender = self._senders.get(slot)
        return sender is not None and sender.frame is not None

    def _row(self, sender: Sender, *, heard: bool) -> Row:
        assert sender.frame is not None
        enters, sender.fresh = sender.fresh, False
        sender.last_sample = float(sender.frame[-1])
        return Row(
            sender.slot,
            sender.participant,
            sender.frame,
            sender.gain if heard else 0.0,
            sender.level,
            sender.kind is not FrameKind.SILENCE,
            enters=enters,
        )

    def _echo(self, slot: int, participant: str) -> Row:
        return Row(slot, participant, self._nothing, 0.0, SILENT_LEVEL, sounds=False)

    def _tail(self, sender: Sender) -> Row:
        sounds = abs(sender.last_sample) > _TAIL_FLOOR
        frame = self._fall * np.float32(sender.last_sample)
        level = SILENT_LEVEL
        return Row(sender.slot, sender.participant, frame, 0.0, level, sounds, tail=True)
