"""What is learnt of one stream's time: its path, how long its sound should wait, its clock."""

from __future__ import annotations

from voiceroom_api.units import NS_PER_MS, samples_to_ns
from voiceroom_mixer.core.receive.delay import PathDelay
from voiceroom_mixer.core.receive.model import ReceiverConfig, ReceiverSnapshot
from voiceroom_mixer.core.receive.skew import SkewEstimator
from voiceroom_mixer.core.receive.target import TargetDelay

_NS_PER_US = 1_000
_PPB = 1_000


class Pace:
    """``path``, ``target`` and ``skew`` of a stream, which move together."""

    def __init__(self, config: ReceiverConfig, transit_ns: int) -> None:
        self._max_ns = config.max_ms * NS_PER_MS
        self.path = PathDelay(transit_ns)
        self.target = TargetDelay(
            config.min_ms * NS_PER_MS, self._max_ns, samples_to_ns(config.frame_samples)
        )
        self.skew = SkewEstimator()

    def restore(self, before: ReceiverSnapshot) -> None:
        """Go on where another process left off; the path is seen anew."""
        self.target.restore(before.target_us * _NS_PER_US)
        self.skew = SkewEstimator(before.skew_ppb / _PPB)

    def new_timeline(self, transit_ns: int) -> None:
        """Timestamps jumped: what was learnt of transit is void."""
        self.path = PathDelay(transit_ns)
        self.skew.restart()

    def close_window(self, arrival_ns: int, low_ns: int, high_ns: int) -> None:
        """Sum up the packets of a window: the lowest and the highest transit of them."""
        steps = self.path.steps
        peak_ns = self.path.close(arrival_ns, low_ns, high_ns, self._max_ns)
        if self.path.steps != steps:
            self.target.forget()
            self.skew.restart()
        self.target.add_window(peak_ns)
        self.skew.add(arrival_ns, low_ns)

    def path_samples(self, now_ns: int, low_ns: int) -> int:
        """The timestamp that a packet would carry which arrives now, by the fastest path."""
        return (now_ns - self.path.see(low_ns)) * 3 // 62_500

    @property
    def target_samples(self) -> int:
        """How long sound should wait."""
        return self.target.ns * 3 // 62_500

    @property
    def target_us(self) -> int:
        """The same, for the columns."""
        return self.target.ns // _NS_PER_US

    @property
    def skew_ppb(self) -> int:
        """The sender's clock against ours, for the columns."""
        return round(self.skew.ppm * _PPB)
