"""A whole node is lost under a live call: the twin goes on."""

from __future__ import annotations

import pytest

from harness.drift import ADA_HZ, a_call, lost
from harness.listening import until_heard
from harness.voice import Voice, until

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("resting")]
DOWNLINK_MS = 1_000


@pytest.mark.timing
def test_the_twin_goes_on_when_a_node_is_lost(watched: Voice) -> None:
    with a_call(watched) as call:
        node, begun = call.node, len(call.bob.heard)
        with lost(watched, node):
            took_s = until(lambda: call.node != node, 20, "the twin has it")
            call.follow()
            until_heard(call.bob, ADA_HZ)
            found = call.passage(begun)
        print(f"lost node: on record after {took_s:.1f} s; {found}")
        assert found.gap_ms <= DOWNLINK_MS
        assert found.streams == 2
