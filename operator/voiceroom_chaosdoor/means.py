"""By what a fault is done and taken back. Whoever takes it back may be another process than did it:
all that it needs stands in the change, which is in the journal before the act."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

from voiceroom_chaosdoor.order import Order
from voiceroom_chaosdoor.quota import Cgroups, Quota
from voiceroom_chaosdoor.refusal import Refused
from voiceroom_chaosdoor.target import Target

Change = Mapping[str, Any]
"""JSON."""
Undone = Literal["restored", "gone", "changed"]
"""gone: with the pod. changed: somebody else has set it meanwhile, so it is left as it is."""


class Means(Protocol):
    """Of one kind of fault."""

    def plan(self, order: Order, target: Target) -> list[Change]:
        """What is to be done; nothing is yet. Raises ``Refused``, ``OSError``."""

    def do(self, change: Change) -> None:
        """Raises ``Refused``, ``OSError``."""

    def hold(self, change: Change) -> bool:
        """Do it again where it is as before it was done; whether it was. Raises ``OSError``."""

    def undo(self, change: Change) -> Undone:
        """Harmless when nothing was done, or all is undone. Raises ``OSError``."""


class Throttle:
    """Less quota of CPU time, in the cgroup of the mixer's container: its own ``cpu.stat`` shows
    it, and no other container notices."""

    def __init__(self, cgroups: Cgroups) -> None:
        self._cgroups = cgroups

    def plan(self, order: Order, target: Target) -> list[Change]:
        """See ``Means``."""
        path = self._cgroups.container(target.uid, target.container)
        before = None if path is None else self._cgroups.read(path)
        if before is None:
            words = f"no cgroup of the mixer of the pod {target.pod} is on this node: try again"
            raise Refused(409, "not_running", words)
        given = before.share(order.percent)
        if before.quota_us is not None and given.quota_us == before.quota_us:
            words = f"{order.percent} % of {before.quota_us} us is no less: the kernel's least"
            raise Refused(422, "invalid", f"percent: {words} is 1000 us")
        return [{"cgroup": path, "before": _numbers(before), "given": _numbers(given)}]

    def do(self, change: Change) -> None:
        """See ``Means``."""
        if not self._cgroups.write(change["cgroup"], Quota(*change["given"])):
            raise Refused(409, "not_running", "the mixer has just ended: try again")

    def hold(self, change: Change) -> bool:
        """See ``Means``. A kubelet that gives a container its CPUs (static CPU manager, each 10 s
        where they differ) has all of its resources written anew, the quota among them."""
        lost = self._cgroups.read(change["cgroup"]) == Quota(*change["before"])
        return lost and self._cgroups.write(change["cgroup"], Quota(*change["given"]))

    def undo(self, change: Change) -> Undone:
        """See ``Means``."""
        before, given = Quota(*change["before"]), Quota(*change["given"])
        found = self._cgroups.read(change["cgroup"])
        if found is None:
            return "gone"
        if found == before:
            return "restored"
        if found != given:
            return "changed"
        return "restored" if self._cgroups.write(change["cgroup"], before) else "gone"


def _numbers(quota: Quota) -> list[int | None]:
    return [quota.quota_us, quota.period_us]


class SwitchedOff:
    """Stands where a kind of fault takes rights that the door was not given."""

    def __init__(self, way_out: str) -> None:
        self._way_out = way_out

    def plan(self, _order: Order, _target: Target) -> list[Change]:
        """Refuses."""
        raise Refused(404, "chaos_off", self._way_out)

    def do(self, _change: Change) -> None:
        """Nothing was planned."""
        raise Refused(404, "chaos_off", self._way_out)

    def hold(self, _change: Change) -> bool:
        """Nothing was done with the rights of now."""
        return False

    def undo(self, _change: Change) -> Undone:
        """What was done with the rights of before cannot be undone without them."""
        raise OSError(self._way_out)
