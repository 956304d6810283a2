"""Whether the own cgroup uses all that its quota gives.

A quota may hold a process more than once: a kubelet writes the sum of the containers' quotas into
the pod's cgroup as well, whose books no container sees. Which of the two runs out first is chance
(Documentation/scheduler/sched-bwc.rst: both are dealt out in slices), and what the upper one takes
looks like any wait for a CPU. What has been used tells it apart from a node that gives no time.
"""

from __future__ import annotations

from voiceroom_mixer.core.timing.detect import matrix
from voiceroom_mixer.core.timing.detect.observations import NodeAccounts


class Spending:
    """Looks at every reading of the node."""

    def __init__(self) -> None:
        self._old: NodeAccounts | None = None
        self._new: NodeAccounts | None = None

    def take(self, now: NodeAccounts) -> float:
        """The share of its quota of now that it has used since some periods ago; 0 where there is
        no quota, or it is not told."""
        new = self._new
        if new is None or now.at_ns - new.at_ns >= matrix.SPENT_NS:
            self._old, self._new = new, now
        base = self._old
        if base is None or not now.quota_ns or now.own_used_ns < base.own_used_ns:
            return 0.0
        # Each period's is used at its beginning or at its end: only whole ones are counted.
        periods = (now.at_ns - base.at_ns) // now.quota_period_ns
        return (now.own_used_ns - base.own_used_ns) / (periods * now.quota_ns) if periods else 0.0
