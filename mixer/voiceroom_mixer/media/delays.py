"""Where the delay of sound comes from: capture and network, buffer, mix, encode (article §5.8).

Of each sender once a second, of each room's mix once a frame; and for listeners that asked for it,
with each packet of sound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from voiceroom_api.units import samples_to_ns
from voiceroom_mixer.core.mix.result import Contributors
from voiceroom_mixer.core.receive.capture import origin_ns
from voiceroom_mixer.core.rtp.reception import transit_ns
from voiceroom_mixer.core.rtp.stamps import MixTimes, parse_capture
from voiceroom_mixer.core.timing.histogram import Histogram
from voiceroom_mixer.edge import kept
from voiceroom_mixer.edge.clock import Clock
from voiceroom_mixer.media.legs import Leg

_HALF: int = 1 << 31
_WRAP: int = 1 << 32


class Delays:
    """One media process's. ``begin`` and ``end`` stand around each room's frame."""

    def __init__(
        self,
        counts: Mapping[str, Histogram],
        wall_ns: Callable[[int], int],
        monotonic: Clock = kept.monotonic_ns,
    ) -> None:
        """``wall_ns``: NTP time of a monotonic one, in ns since 1970, as sender reports have it."""
        self._origin, self._network = counts["delay_origin"], counts["delay_network"]
        self._buffer = counts["delay_buffer"]
        self._mix, self._encode = counts["delay_mix"], counts["delay_encode"]
        self._wall_ns, self._monotonic = wall_ns, monotonic
        self._due_ns = self._collected_ns = self._ended_ns = 0

    def look(self, leg: Leg) -> None:
        """A sender, about once a second."""
        rtt_ns = leg.tolerance.best_rtt_ns
        if leg.captured is not None:
            leg.origin_ns = _origin(leg, *leg.captured, rtt_ns)
            leg.captured = None
            if leg.origin_ns is not None:
                self._origin.observe_ns(leg.origin_ns)
        if not leg.heard or not leg.receiver.active:
            return
        if rtt_ns:
            self._network.observe_ns(rtt_ns // 2)
        self._buffer.observe_ns(samples_to_ns(max(0, leg.receiver.delay_samples)))

    def begin(self, due_ns: int) -> None:
        """A room's frame, which was due then."""
        self._due_ns, self._collected_ns = due_ns, 0

    def collected(self) -> None:
        """All its sound is there."""
        self._collected_ns = self._monotonic()

    def end(self, *, sounds: bool) -> None:
        """It is encoded; silence is not, and tells nothing."""
        self._ended_ns = self._monotonic()
        if sounds and self._collected_ns:
            self._mix.observe_ns(self._mix_ns)
            self._encode.observe_ns(self._ended_ns - self._collected_ns)

    @property
    def _mix_ns(self) -> int:
        return max(0, self._collected_ns - self._due_ns)

    def times(self, contributors: Contributors, legs: Mapping[int, Leg]) -> bytes:
        """For the packets of one mix of this frame: the loudest person's; b"" where there is none,
        or his packets are sent on as they came."""
        leg = legs.get(contributors[0][0]) if contributors else None
        if leg is None or not self._collected_ns:
            return b""
        return MixTimes(
            self._wall_ns(self._ended_ns),
            leg.origin_ns,
            samples_to_ns(max(0, leg.receiver.delay_samples)),
            self._mix_ns,
            self._ended_ns - self._collected_ns,
        ).to_bytes()


def _origin(leg: Leg, timestamp: int, element: bytes, rtt_ns: int) -> int | None:
    """From capture to the fastest arrival; None where it cannot be told."""
    capture_ns = parse_capture(element)
    if capture_ns is None:
        return None
    captured_ns = leg.capture.captured_ns(capture_ns, rtt_ns)
    if captured_ns is None:
        return None
    newest = leg.receiver.reception.timestamp
    stamp = newest + (timestamp - newest + _HALF) % _WRAP - _HALF
    return origin_ns(captured_ns, -transit_ns(0, stamp), leg.receiver.stats.base_ns)
