"""The tolerance tiers of every leg: what is seen of it once a second, and what is done about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from voiceroom_api.units import NS_PER_S, SAMPLES_PER_MS
from voiceroom_mixer.core.receive.tolerance import Measures, Seen, Tolerance
from voiceroom_mixer.core.state.messages import Kind, Message
from voiceroom_mixer.media.board import Board
from voiceroom_mixer.media.legs import Leg

ASK_GAP_NS: Final = NS_PER_S
"""One page of a process in so long is asked for another path: where all are far at once it is our
own network, and no path of theirs is better."""
SOON_NS: Final = NS_PER_S
"""To the next check of a leg whose round trip was too long."""
_TIERS: Final = ("packetisation", "queue", "network")


class Tolerances:
    """One media process's. ``look`` at each leg about once a second."""

    def __init__(
        self, board: Board, on_loss: Callable[[Leg], None], say: Callable[[Message], None]
    ) -> None:
        """``on_loss``: a leg's share of loss has changed, as mixes are to take it."""
        self._board, self._on_loss, self._say = board, on_loss, say
        self._ask_due_ns = 0

    def look(self, leg: Leg, now_ns: int) -> None:
        """See, decide, do."""
        tolerance = leg.tolerance
        before = _begun(tolerance)
        measures = tolerance.look(_seen(leg), now_ns)
        for tier, old, new in zip(_TIERS, before, _begun(tolerance), strict=True):
            self._board.add(f"breach_{tier}", new - old)
        if measures != leg.measures:
            self._change(leg, measures)
        if tolerance.suspects:
            leg.check_due_ns = min(leg.check_due_ns, now_ns + SOON_NS)
        if leg.secure and leg.live and tolerance.wants_another_path(now_ns):
            self._ask(leg, now_ns)

    def _change(self, leg: Leg, measures: Measures) -> None:
        before, leg.measures = leg.measures, measures
        hold = leg.receiver.hold
        hold.tight, hold.extra_samples = measures.tight, measures.extra_ms * SAMPLES_PER_MS
        self._board.add("acted_depth", measures.tight and not before.tight)
        self._board.add("acted_buffer", measures.extra_ms > before.extra_ms)
        if measures.protect is not before.protect:
            self._board.add("acted_fec", measures.protect)
            self._on_loss(leg)

    def _ask(self, leg: Leg, now_ns: int) -> None:
        if now_ns < self._ask_due_ns or leg.via is not None:
            return
        self._ask_due_ns = now_ns + ASK_GAP_NS
        leg.tolerance.asked_for_another_path(now_ns)
        self._board.add("acted_ice_restart")
        self._say(Message(Kind.ANOTHER_PATH, leg.slot, leg.state.generation))


def _begun(tolerance: Tolerance) -> tuple[int, int, int]:
    return tolerance.packetisation.begun, tolerance.queue.begun, tolerance.network.begun


def _seen(leg: Leg) -> Seen:
    counts = leg.receiver.counts
    jitter_ns = leg.receiver.reception.jitter_ns if leg.heard and leg.receiver.active else 0
    return Seen(jitter_ns, counts.shortened_samples + counts.repeated_samples, _round_trip(leg))


def _round_trip(leg: Leg) -> int:
    """A new one: by STUN, which the kernel times, or by RTCP where the leg has no ICE."""
    if leg.secure:
        rtt_ns, leg.rtt_ns = leg.rtt_ns, 0
        return rtt_ns
    before, leg.rtt_ns = leg.rtt_ns, leg.reporting.rtt_ns
    return leg.rtt_ns if leg.rtt_ns != before else 0
