"""netem: a queue that delays, spreads and loses what a pod sends."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from voiceroom_chaosdoor.means import Change, Undone
from voiceroom_chaosdoor.order import Order
from voiceroom_chaosdoor.quota import Cgroups
from voiceroom_chaosdoor.refusal import Refused
from voiceroom_chaosdoor.rtnetlink import HANDLE, Interface, Shape
from voiceroom_chaosdoor.target import Target


class Unsupported(OSError):
    """The kernel has no netem."""


class Links(Protocol):
    """Of one network namespace. Every call raises ``OSError``."""

    def interfaces(self) -> list[Interface]:
        """All of them."""

    def roots(self) -> dict[int, int]:
        """Handles of the queues at the roots, by the link's index; 0 = the kernel's own."""

    def add(self, index: int, shape: Shape) -> None:
        """A netem queue of ours. Raises ``Unsupported``; ``FileExistsError`` over another's."""

    def remove(self, index: int) -> None:
        """Ours."""


class Namespaces(Protocol):
    """Network namespaces of the node."""

    def of(self, pid: int) -> AbstractContextManager[Links] | None:
        """That of a process; None = it has ended, or is in the node's own. Raises ``OSError``."""


class Netem:
    """On every interface of the pod that carries packets to others."""

    def __init__(self, cgroups: Cgroups, namespaces: Namespaces) -> None:
        self._cgroups, self._namespaces = cgroups, namespaces

    def plan(self, order: Order, target: Target) -> list[Change]:
        """See ``Means``."""
        if target.host_network:
            words = f"the pod {target.pod} is in the node's network: all of the node would suffer"
            raise Refused(422, "host_network", words)
        opened = self._open(target.uid)
        if opened is None:
            words = f"no network of the pod {target.pod} is on this node: try again"
            raise Refused(409, "not_running", words)
        with opened as links:
            found = [one for one in links.interfaces() if one.carries]
            _check(found, links.roots(), target.pod)
        return [_change(order, target, one) for one in found]

    def do(self, change: Change) -> None:
        """See ``Means``."""
        shape = Shape(change["delayMs"], change["jitterMs"], change["lossPercent"])
        self._at(change, lambda links: _add(links, change["index"], shape))

    def hold(self, _change: Change) -> bool:
        """See ``Means``. Nobody else writes queues of a pod's interfaces."""
        return False

    def undo(self, change: Change) -> Undone:
        """See ``Means``."""
        return self._at(change, lambda links: _remove(links, change["index"]))

    def _at(self, change: Change, act: Callable[[Links], Undone]) -> Undone:
        opened = self._open(change["uid"])
        if opened is None:
            return "gone"
        with opened as links:
            return act(links)

    def _open(self, uid: str) -> AbstractContextManager[Links] | None:
        """By any process of the pod; each may end meanwhile, and another, of anybody's, have its
        number: only one that is the pod's still has led to the pod's network."""
        for pid in self._cgroups.processes(uid):
            found = self._namespaces.of(pid)
            if found is None:
                continue
            if pid in self._cgroups.processes(uid):
                return found
            with found:  # closes it
                pass
        return None


def _check(found: list[Interface], roots: dict[int, int], pod: str) -> None:
    if not found:
        raise Refused(409, "no_interface", f"the pod {pod} has no interface that is up")
    taken = [one.name for one in found if roots.get(one.index, 0)]
    if taken:
        words = f"{', '.join(taken)} of the pod {pod} has a queue of somebody else: nothing is done"
        raise Refused(409, "has_qdisc", words)


def _change(order: Order, target: Target, interface: Interface) -> Change:
    where = {"uid": target.uid, "interface": interface.name, "index": interface.index}
    return where | order.strength()


def _add(links: Links, index: int, shape: Shape) -> Undone:
    try:
        links.add(index, shape)
    except Unsupported as error:
        words = "the node's kernel has no netem: modprobe sch_netem (kernel-modules-extra)"
        raise Refused(501, "no_netem", words) from error
    return "restored"


def _remove(links: Links, index: int) -> Undone:
    handle = links.roots().get(index)
    if handle is None:
        return "gone"
    if handle == 0:
        return "restored"
    if handle != HANDLE:
        return "changed"
    links.remove(index)
    return "restored"
