"""The compiled batches and their Python twin: the same datagrams, state and sound."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fakes.twins import Twins
from voiceroom_mixer.native.library import Native

STEPS = 400


@pytest.fixture(params=range(6))
def twins(request: pytest.FixtureRequest, compiled: Native) -> Iterator[Twins]:
    twins = Twins(compiled, request.param)
    yield twins
    twins.close()


def _equal(twins: Twins) -> None:
    python, native = (house.knowledge() for house in twins.houses)
    assert python == native


def test_any_stream_leaves_both_in_the_same_state(twins: Twins) -> None:
    for _ in range(STEPS):
        twins.step()
        _equal(twins)
    assert not twins.houses[0].faults


def test_legs_that_come_go_and_change(twins: Twins) -> None:
    rng, generation = twins.crowd.rng, 1
    for step in range(STEPS):
        twins.step()
        if step % 40 == 20:
            generation += 1
            peer = rng.choice(twins.crowd.peers)
            twins.leave(peer.slot)
            twins.step()
            twins.put(peer, generation=generation)
        if step % 70 == 33:
            peer = rng.choice(twins.crowd.peers)
            sends = twins.states[peer.slot].sends
            twins.put(peer, twins.states[peer.slot].generation, sends=not sends)
        _equal(twins)


def test_a_killed_process_is_followed_alike(twins: Twins) -> None:
    for step in range(STEPS):
        twins.step()
        _equal(twins)
        if step % 60 == 30:
            for house in twins.houses:
                house.restart()
