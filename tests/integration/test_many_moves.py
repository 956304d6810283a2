"""One call goes to and fro between two pods many times."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.captures import now_ns, passage, since
from harness.handover import (
    HZ,
    OTHER_HZ,
    TIMELY,
    be_twins,
    callers,
    direct_to,
    entry,
    until_role,
)
from harness.listening import until, until_heard
from harness.party import Party, gathering
from harness.pods import Pod, card, direct, owned, pods, standing
from harness.procfs import Holdings, holdings
from voiceroom_operator.binding.directory import Directory

MOVES, EACH = 25, 5
"""After so many nothing may grow any more, which is looked at after so many again."""
LEAK_BYTES = 256 << 10
"""In ``EACH`` moves: the decoder and the encoder of a leg alone, 60 KiB each, would be twice as
much. A slab that is touched for the first time takes a huge page of 2 MiB at once, in some of
them; a leak grows in all."""
STEP_MS = 20
"""A packet: what the jitter buffer of a leg may hold on top."""
BACK_S = 40.0
"""All that a path asked for is forgotten after 30 s."""
STEADY = card(audio={"jitterBuffer": {"minMs": 60, "maxMs": 200}})
"""Absorbs a busy machine's own jitter, and still shows what grows beyond it."""


@pytest.mark.timing
@pytest.mark.timeout(300)
def test_many_moves_of_one_call_leave_nothing_behind_and_add_no_delay(tmp_path: Path) -> None:
    with pods(tmp_path, "a", "b", options=TIMELY) as pair:
        a, b = pair
        a.card = b.card = STEADY
        direct(pair, Directory(), {"lobby": a})
        be_twins(a, b)
        with gathering(a) as lobby:
            ana, gateway = callers(lobby)
            ana.wait_packets(100)  # each leg's figures are written once a second
            waits, begun = buffered(a), now_ns()
            held: list[dict[str, Holdings]] = []
            for epoch in range(2, MOVES + 2):
                old, new = (a, b) if epoch % 2 == 0 else (b, a)
                move(pair, old, new, epoch)
                gateway.target = ("127.0.0.1", new._udp)
                if (epoch - 1) % EACH == 0:
                    held.append(holdings_of(pair))
            until_heard(ana, HZ)
            until_heard(gateway, OTHER_HZ)
            for leg in (ana, gateway):
                found = passage(since(leg, begun))
                print(f"{MOVES} moves, {type(leg).__name__}: {found}")
                assert (found.lost, found.repeated, found.streams) == (0, 0, 1)
            ana.no_index_came_twice()
            assert ana.handshakes == 1
            print(f"waits in jitter buffers: {waits} ms before, {buffered(new)} after")
            until(
                lambda: all(
                    now <= was + STEP_MS for was, now in zip(waits, buffered(new), strict=True)
                ),
                BACK_S,
                "sound waits longer than before",
            )
            print(f"{buffered(new)} in the end, {(now_ns() - begun) / 1e9:.0f} s after the first")
            until(lambda: holds_no_more(held[0], holdings_of(pair)), what="files or threads stay")
            nothing_grows(held)
            assert entry(old)["legs"] == len(Party(new).room()["participants"]) == 2
            for pod in pair:
                figures = pod.metrics()
                assert figures["voiceroom_tasks"] <= figures["voiceroom_tasks_expected"]


def move(pair: list[Pod], old: Pod, new: Pod, epoch: int) -> None:
    """As the operator does it, with the old one for a twin."""
    successor = standing("lobby", old.name, "successor", epoch=epoch - 1, to_epoch=epoch)
    assert new.assign(successor) == 200
    until_role(new, "owner", epoch)
    direct_to(pair, new, epoch)
    assert new.assign(owned("lobby", new.name, epoch=epoch, twin=old.name)) == 200
    assert old.assign(standing("lobby", new.name, "twin", epoch=epoch)) == 200
    old.until(lambda: entry(old).get("prepared", False), "it does not follow")


def buffered(pod: Pod) -> list[float]:
    """Milliseconds that sound is to wait, or does: of each leg, by its identity."""
    people = Party(pod).room()["participants"]
    people.sort(key=lambda person: str(person["identity"]))
    return [max(person["bufferMs"], person["targetMs"]) for person in people]


def holdings_of(pair: list[Pod]) -> dict[str, Holdings]:
    """Of all their processes."""
    return {f"{pod.name} {name}": holdings(pid) for pod in pair for name, pid in pod.pids().items()}


def holds_no_more(before: dict[str, Holdings], after: dict[str, Holdings]) -> bool:
    """Files and threads; a connection may be on its way."""
    return all(
        after[name].threads <= was.threads and after[name].files <= was.files
        for name, was in before.items()
    )


def nothing_grows(held: Sequence[dict[str, Holdings]]) -> None:
    """Memory."""
    for name in held[0]:
        own = [each[name].own_bytes for each in held]
        grew = [after - before for before, after in itertools.pairwise(own)]
        print(f"{name}: {own[0]} bytes, then {grew}")
        assert statistics.median(grew) < LEAK_BYTES, (name, grew)
