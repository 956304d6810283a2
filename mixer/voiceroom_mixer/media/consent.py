"""How long a STUN check takes to each client and back (RFC 7675).

ICE-lite asks for no consent: a leg's life is told by what comes from it. We check all the same,
every 5 s, because the round trip of a datagram that no jitter buffer, encoder or browser tab has
touched tells the network apart from everything else. A client answers it as it answers any other;
the check neither nominates nor keeps anything alive.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.core.ice import stun
from voiceroom_mixer.core.ice.stun import StunError
from voiceroom_mixer.core.timing.histogram import Histogram
from voiceroom_mixer.edge import kept
from voiceroom_mixer.media.board import Board
from voiceroom_mixer.media.egress import Egress
from voiceroom_mixer.media.legs import Leg, LegTable

INTERVAL_NS: Final = 5 * NS_PER_S
"""Times 0.8 to 1.2 by chance, so that checks of many clients do not come in step (§5.1)."""
_TRANSACTION_BYTES: Final = 12


class Consent:
    """One media process's checks. ``look`` at each leg about once a second."""

    def __init__(
        self,
        legs: LegTable,
        egress: Egress,
        board: Board,
        rtt: Histogram,
        *,
        raw_ns: Callable[[], int] = kept.raw_ns,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """``raw_ns``: CLOCK_MONOTONIC_RAW, as of arrivals."""
        self._legs, self._egress, self._board, self._rtt = legs, egress, board, rtt
        self._raw_ns, self._entropy = raw_ns, entropy

    def look(self, leg: Leg, now_ns: int) -> None:
        """Check a leg whose turn it is."""
        if now_ns < leg.check_due_ns or not _reached(leg):
            return
        if leg.check[0]:
            self._board.add("checks_unanswered")
        transaction = self._entropy(_TRANSACTION_BYTES)
        spread = INTERVAL_NS * 4 // 10 * transaction[0] // 255
        leg.check_due_ns = now_ns + INTERVAL_NS * 8 // 10 + spread
        self._egress.datagram(leg.selected, _check(leg, transaction))
        leg.check = transaction, self._raw_ns()
        self._egress.flush()

    def answered(self, path: bytes, datagram: bytes, arrival_ns: int) -> bool:
        """A success response; whether it authentically answers a leg's open check."""
        leg = self._legs.find(path)
        if leg is None or not leg.check[0] or leg.state.remote_ice is None:
            return False
        try:
            answer = stun.parse_success(datagram)
        except StunError:
            return False
        transaction, sent_ns = leg.check
        if answer.transaction != transaction:
            return False
        if not stun.verify(answer, leg.state.remote_ice.pwd):
            return False
        leg.check = b"", 0
        rtt_ns = leg.rtt_ns = max(1, arrival_ns - sent_ns)
        self._rtt.observe_ns(rtt_ns)
        return True


def _reached(leg: Leg) -> bool:
    """Straight, and with its keys: before that a client's own checks come in an order that matters
    (contract §8)."""
    state = leg.state
    known = state.remote_ice is not None and state.local_ice is not None
    return leg.live and leg.srtp is not None and bool(leg.selected) and leg.via is None and known


def _check(leg: Leg, transaction: bytes) -> bytes:
    theirs, ours = leg.state.remote_ice, leg.state.local_ice
    assert theirs is not None
    assert ours is not None
    return stun.consent_check(transaction, f"{theirs.ufrag}:{ours.ufrag}", theirs.pwd)
