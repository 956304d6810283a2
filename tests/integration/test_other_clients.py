"""WebRTC stacks that know nothing of moves, and are no libwebrtc, in an orderly move."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.captures import now_ns, passage, since
from harness.foreign.clients import CLIENTS, missing
from harness.handover import HZ, OTHER_HZ, be_twins, until_role
from harness.listening import AUDIBLE_DB, hears, longest_fade_ms, until
from harness.party import gathering
from harness.pods import Pod, direct, owned, pods, standing
from harness.rtp import RtpLeg
from voiceroom_operator.binding.directory import Directory

LISTEN_S = 12.0
"""The old pod answers no checks for 6 s after the cut; then it does again."""
RELAYED = 'voiceroom_relayed_datagrams_total{direction="up"}'


@pytest.fixture
def twins(tmp_path: Path) -> Iterator[list[Pod]]:
    """``a`` runs the room, ``b`` is its twin."""
    with pods(tmp_path, "a", "b", options=("--realtime", "Fifo")) as (a, b):
        direct([a, b], Directory(), {"lobby": a})
        assert a.assign(owned("lobby", "a")) == 200
        be_twins(a, b)
        yield [a, b]


@pytest.mark.timing
@pytest.mark.timeout(700)
@pytest.mark.parametrize("name", CLIENTS)
def test_an_orderly_move_loses_nothing_of_another_stacks_call(
    twins: list[Pod], name: str, tmp_path: Path
) -> None:
    lack = missing(name)
    if lack:
        pytest.skip(lack)
    a, b = twins
    with gathering(a) as lobby, CLIENTS[name](a, OTHER_HZ, tmp_path) as client:
        gateway = lobby.join(HZ, "gateway")
        until_audible(gateway)
        begun, first = now_ns(), len(client.heard())
        assert b.assign(standing("lobby", "a", "successor", to_epoch=2)) == 200
        until_role(b, "owner", 2)
        gateway.target = ("127.0.0.1", b._udp)
        time.sleep(LISTEN_S)
        until_audible(gateway)
        down, up = passage(client.heard()[first:]), passage(since(gateway, begun))
        fade_ms = longest_fade_ms(since(gateway, begun), OTHER_HZ)
        is_relayed = relays(a)
        print(
            f"{name}, orderly: down {down}; up pause {fade_ms} ms, lost {lost(b, client.leg)}; "
            f"gateway {up}; {'relayed' if is_relayed else 'sends to the new pod'}"
        )
        assert (down.lost, down.repeated, down.streams) == (0, 0, 1)
        assert (up.lost, up.repeated) == (0, 0)


def until_audible(gateway: RtpLeg) -> None:
    """Some send a mono tone as stereo, at half its level."""
    until(lambda: hears(gateway, OTHER_HZ, 10) > AUDIBLE_DB, what="it is not heard")


def relays(pod: Pod) -> bool:
    """Whether a sender's packets come by way of it now."""
    before = relayed(pod)
    time.sleep(1.0)
    return relayed(pod) - before > 25


def relayed(pod: Pod) -> float:
    return pod.metrics()[RELAYED]


def lost(pod: Pod, leg: str) -> int:
    """Packets of the leg that the room has missed."""
    token = pod.sign("admin")
    _, room, _ = pod.call("GET", "/rooms/lobby", token, Accept="application/json")
    return int(next(one["lost"] for one in room["participants"] if one["id"] == leg))
