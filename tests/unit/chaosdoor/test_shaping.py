"""netem on a pod's interfaces, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fakes.nodes import TARGET, UID, FakeCgroups, FakeLinks, FakeNamespaces
from voiceroom_chaosdoor.order import Order
from voiceroom_chaosdoor.refusal import Refused
from voiceroom_chaosdoor.rtnetlink import HANDLE, Interface, Shape
from voiceroom_chaosdoor.shaping import Netem

ORDER = Order("netem", 20, delay_ms=50, jitter_ms=10, loss_percent=2)
LO, ETH = Interface(1, "lo", carries=False), Interface(2, "eth0", carries=True)


@pytest.fixture
def links() -> FakeLinks:
    return FakeLinks([LO, ETH])


@pytest.fixture
def netem(links: FakeLinks) -> Netem:
    """The first process of the pod has ended meanwhile."""
    cgroups = FakeCgroups(pids={UID: [41, 42]})
    return Netem(cgroups, FakeNamespaces({42: links}))


def test_what_the_pod_sends_is_delayed_and_lost_until_it_is_undone(
    netem: Netem, links: FakeLinks
) -> None:
    (change,) = netem.plan(ORDER, TARGET)
    assert links.handles == {}
    netem.do(change)
    assert links.shapes == {2: Shape(50, 10, 2)}
    assert netem.undo(change) == "restored"
    assert links.handles == {}
    assert netem.undo(change) == "restored"


def test_a_queue_of_somebody_else_is_left(netem: Netem, links: FakeLinks) -> None:
    (change,) = netem.plan(ORDER, TARGET)
    netem.do(change)
    links.handles[2] = 0x8001_0000
    assert netem.undo(change) == "changed"
    with pytest.raises(Refused, match="eth0 of the pod stage-0 has a queue of somebody else"):
        netem.plan(ORDER, TARGET)
    assert links.handles == {2: 0x8001_0000}


def test_a_pod_or_an_interface_that_has_gone_took_it_along(netem: Netem, links: FakeLinks) -> None:
    (change,) = netem.plan(ORDER, TARGET)
    assert netem.undo(dict(change) | {"uid": "another"}) == "gone"
    links.links = [LO]
    assert netem.undo(change) == "gone"


class Reused(FakeNamespaces):
    """The pod's last process ends while it is looked at, and another has its number."""

    def __init__(self, found: dict[int, FakeLinks], pids: dict[str, list[int]]) -> None:
        super().__init__(found)
        self._pids = pids

    def of(self, pid: int) -> Any:
        """See ``Namespaces``."""
        self._pids.clear()
        return super().of(pid)


def test_a_network_of_a_process_that_is_not_the_pods_any_more_is_left(links: FakeLinks) -> None:
    pids = {UID: [42]}
    netem = Netem(FakeCgroups(pids=pids), Reused({42: links}, pids))
    with pytest.raises(Refused, match="no network of the pod"):
        netem.plan(ORDER, TARGET)


def test_the_nodes_network_is_not_touched(netem: Netem) -> None:
    with pytest.raises(Refused, match="all of the node would suffer"):
        netem.plan(ORDER, replace(TARGET, host_network=True))


def test_a_pod_that_is_not_here_is_refused(netem: Netem) -> None:
    with pytest.raises(Refused, match="no network of the pod stage-0"):
        netem.plan(ORDER, replace(TARGET, uid="another"))


def test_a_pod_without_an_interface_is_refused(netem: Netem, links: FakeLinks) -> None:
    links.links = [LO]
    with pytest.raises(Refused, match="no interface that is up"):
        netem.plan(ORDER, TARGET)


def test_a_kernel_without_netem_is_told_with_the_way_out(netem: Netem, links: FakeLinks) -> None:
    links.has_netem = False
    (change,) = netem.plan(ORDER, TARGET)
    with pytest.raises(Refused, match="modprobe sch_netem") as caught:
        netem.do(change)
    assert caught.value.status == 501
    assert links.handles.get(2, 0) != HANDLE
