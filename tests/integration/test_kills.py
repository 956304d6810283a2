"""A pod is killed at each step of a hand-over: the call goes on at the other one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.captures import now_ns, passage, since
from harness.cutwire import can_cut, cut
from harness.handover import (
    HZ,
    OTHER_HZ,
    PATIENT,
    TIMELY,
    be_twins,
    callers,
    direct_to,
    entry,
    until_role,
)
from harness.listening import until, until_heard
from harness.party import Party, gathering
from harness.pods import Pod, direct, owned, pods, standing
from voiceroom_operator.binding.directory import Directory

CUT_NS = 2_500_000_000
GAP_MS = 1_000
"""Beats, doubt and the question take 500."""


class Call:
    """A WebRTC leg and a gateway in a room of ``a``, which is about to go to ``b``, its twin."""

    def __init__(self, a: Pod, b: Pod, party: Party[Pod]) -> None:
        self.a, self.b, self.party = a, b, party
        self.ana, self.gateway = callers(party)

    def is_frozen(self) -> bool:
        """The cut is ordered, and has not come."""
        token = self.party.token
        return self.a.call("GET", "/rooms/lobby", token, Accept="application/json")[0] != 200


def at_the_beginning(call: Call) -> None:
    """Before the new pod has been told anything of its legs as their successor."""


def while_streaming(call: Call) -> None:
    call.b.until(lambda: entry(call.b).get("role") == "successor", "is not the successor")


def at_the_cut(call: Call) -> None:
    until(call.is_frozen, 5, "no cut is ordered")


def just_after_the_cut(call: Call) -> None:
    until(lambda: entry(call.a).get("role") == "former", 5, "it has not stopped")


def when_clients_follow(call: Call) -> None:
    until_role(call.b, "owner", 2)
    call.ana.restart_ice(call.b)
    call.ana.nominate(call.ana.ice.candidates[0])
    call.gateway.target = ("127.0.0.1", call.b._udp)


def at_the_release(call: Call) -> None:
    """The move is on record: the old pod is the twin now."""
    when_clients_follow(call)
    direct_to([call.a, call.b], call.b, 2)
    assert call.b.assign(owned("lobby", "b", epoch=2, twin="a")) == 200
    assert call.a.assign(standing("lobby", "b", "twin", epoch=2)) == 200


MOMENTS: tuple[Callable[[Call], None], ...] = (
    at_the_beginning,
    while_streaming,
    at_the_cut,
    just_after_the_cut,
    when_clients_follow,
    at_the_release,
)
each_moment = pytest.mark.parametrize("moment", MOMENTS, ids=[m.__name__ for m in MOMENTS])


@pytest.fixture
def call(tmp_path: Path) -> Iterator[Call]:
    with pods(tmp_path, "a", "b", options=TIMELY) as (a, b):
        a.card = b.card = PATIENT
        direct([a, b], Directory(), {"lobby": a})
        be_twins(a, b)
        with gathering(a) as lobby:
            yield Call(a, b, lobby)


@pytest.mark.timing
@each_moment
def test_the_new_pod_is_killed(call: Call, moment: Callable[[Call], None]) -> None:
    begun = now_ns()
    assert call.b.assign(standing("lobby", "a", "successor", to_epoch=2)) == 200
    moment(call)
    call.b.process.kill()
    goes_on(call, call.a, begun)
    assert entry(call.a)["epoch"] in (1, 3), "the number 2 was the other's"


@pytest.mark.timing
@each_moment
def test_the_old_pod_is_killed(call: Call, moment: Callable[[Call], None]) -> None:
    begun = now_ns()
    assert call.b.assign(standing("lobby", "a", "successor", to_epoch=2)) == 200
    moment(call)
    call.a.process.kill()
    goes_on(call, call.b, begun)
    assert entry(call.b)["epoch"] == 2


@pytest.mark.timing
@pytest.mark.skipif(not can_cut(), reason="needs root and iptables")
@pytest.mark.parametrize("moment", MOMENTS[:4], ids=[m.__name__ for m in MOMENTS[:4]])
def test_the_two_do_not_hear_each_other_for_a_while(
    call: Call, moment: Callable[[Call], None]
) -> None:
    pair, begun = (call.a, call.b), now_ns()
    assert call.b.assign(standing("lobby", "a", "successor", to_epoch=2)) == 200
    moment(call)
    with cut(call.a._udp, call.b._udp):
        call.ana.wait(lambda heard: heard[-1].at_ns > begun + CUT_NS, 10)
    until(lambda: len(owners(pair)) == 1, 10, "one has it")
    goes_on(call, owners(pair)[0], begun)
    assert len(owners(pair)) == 1


def owners(pair: tuple[Pod, ...]) -> list[Pod]:
    """Who says that he mixes the room."""
    return [pod for pod in pair if entry(pod).get("role") == "owner"]


def goes_on(call: Call, pod: Pod, begun: int) -> None:
    """At that pod, and everybody hears everybody."""
    until(lambda: entry(pod).get("role") == "owner", 10, "the call is nobody's")
    speak_to(call, pod)
    for leg in (call.ana, call.gateway):
        found = passage(since(leg, begun))
        print(f"{type(leg).__name__}: {found}")
        assert found.gap_ms < GAP_MS
    call.ana.no_index_came_twice()
    assert call.ana.handshakes == 1, "nobody has rejoined"


def speak_to(call: Call, pod: Pod) -> None:
    """As a page does that has heard of the move, and a gateway."""
    ana, gateway = call.ana, call.gateway
    ana.restart_ice(pod)
    ana.nominate(("127.0.0.1", pod._udp))
    gateway.target = ("127.0.0.1", pod._udp)
    after = now_ns()
    ana.wait_packets(50)
    until_heard(ana, HZ)
    until_heard(gateway, OTHER_HZ)
    assert passage(since(ana, after + 200_000_000)).streams == 1, "one of them sends"
