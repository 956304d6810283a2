"""A sender whose room goes from pod to pod: how long his sound waits, in virtual time."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from fakes.arithmetic import both_arithmetics  # noqa: F401 - both, for all tests here
from fakes.speech import MS, Call, Sent
from voiceroom_mixer.core.receive.model import PushResult
from voiceroom_mixer.core.receive.receiver import Receiver, ReceiverConfig

MOVES, FEW = 100, 20
RELAYED_MS, BETWEEN_MS = 400, 1_500
HOP_NS = 10 * MS
"""Between two looks of a relaying pod at its socket."""
STEP_MS = 20
"""A packet."""


@dataclass(slots=True, repr=False)
class Moved(Call):
    """A call that other pods take over, each with a receiver of its own."""

    is_relayed: bool = False
    worst_ms: float = 0.0
    """The longest that sound was to wait after a move."""

    def push(self, sent: Sent, arrival_ns: int) -> PushResult:
        if self.is_relayed:
            arrival_ns = -(-arrival_ns // HOP_NS) * HOP_NS
        return Call.push(self, sent, arrival_ns)

    def move(self) -> None:
        """What the sender sends comes by way of the old pod at first, then straight."""
        before = self.receiver.snapshot()
        assert before is not None
        config = ReceiverConfig(self.min_ms, self.max_ms, self.frame_ms * 48, self.levels)
        self.receiver = Receiver(config, self.decoder, self.seed, self.tick)
        self.receiver.restore(before)
        self.is_relayed = True
        self.run(RELAYED_MS)
        self.is_relayed = False
        self.run(BETWEEN_MS - RELAYED_MS)
        self.worst_ms = max(self.worst_ms, self.delay_ms, self.target_ms)

    @property
    def target_ms(self) -> float:
        return self.receiver.target_ns / MS


def _talking(*, phase_ms: float = 7.0, sender_ppm: float = 0.0) -> Moved:
    """Ten seconds into a call."""
    call = Moved(keep=False, phase_ms=phase_ms, sender_ppm=sender_ppm)
    call.run(10_000)
    return call


@pytest.mark.parametrize("phase_ms", [0.5, 7.0, 11.0])
def test_a_hundred_moves_let_nothing_wait_longer_than_the_first(phase_ms: float) -> None:
    call = _talking(phase_ms=phase_ms)
    before_ms = call.target_ms
    for _ in range(5):
        call.move()
    worst_of_five_ms = call.worst_ms
    for _ in range(MOVES - 5):
        call.move()
    assert call.worst_ms == worst_of_five_ms
    assert call.worst_ms <= before_ms + STEP_MS, "a hop in the target, and one in the base"


@pytest.mark.parametrize("sender_ppm", [-80.0, 0.0, 80.0])
def test_what_a_relayed_path_asked_for_is_forgotten_within_seconds(sender_ppm: float) -> None:
    call = _talking(sender_ppm=sender_ppm)
    before_ms, waited_ms = call.target_ms, call.delay_ms
    for _ in range(FEW):
        call.move()
    call.run(3_000)
    assert call.target_ms == pytest.approx(before_ms, abs=1)
    assert call.delay_ms <= waited_ms + STEP_MS
    call.run(500, level=70, voice=False)
    call.run(1_000)
    assert call.delay_ms <= before_ms + 5, "the first pause takes back the rest"
