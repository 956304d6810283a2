"""The mixer as a stock WebRTC library finds it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from harness.aiortc_client import AiortcClient, LoopThread
from harness.events import events, until_event
from harness.listening import ABSENT_DB, AUDIBLE_DB, hears, until
from harness.party import Party
from harness.tones import level_db

FRAMES = 50


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    loop = LoopThread()
    yield loop
    loop.close()


def _hears(client: AiortcClient, hz: float) -> float:
    begun = len(client.heard)
    until(lambda: len(client.heard) >= begun + FRAMES, what="no sound")
    return level_db(np.concatenate(client.heard[begun : begun + FRAMES]), hz)


def test_a_stock_client_hears_and_is_heard(room: Party, loop: LoopThread) -> None:
    gateway = room.join(1_100.0, "gateway")
    client = AiortcClient(loop, room.mixer, room.sign("speaker"), room.home, 440.0)
    client.join()
    until(lambda: hears(gateway, 440.0, 10) > AUDIBLE_DB, what="not heard")
    until(lambda: _hears(client, 1_100.0) > AUDIBLE_DB, what="not heard")
    assert _hears(client, 440.0) < ABSENT_DB
    until(lambda: hears(gateway, 1_100.0, 10) < ABSENT_DB, what="a gateway hears itself")
    until(lambda: {"remote-inbound-rtp", "remote-outbound-rtp"} <= set(client.stats()))
    about_it, ours = (client.stats()[f"remote-{way}-rtp"] for way in ("inbound", "outbound"))
    assert about_it.packetsLost == 0
    assert ours.packetsSent > 0
    rtts = "voiceroom_stun_rtt_seconds_count"
    until(lambda: room.mixer.metrics()[rtts] > 0, what="it answers none of our checks")
    assert room.mixer.metrics()['voiceroom_stun_rtt_seconds_bucket{le="0.5"}'] > 0
    leg = client.location.rpartition("/")[2]
    with events(room.mixer, room.token, room.home) as stream:
        client.close()
        until_event(stream, "left", id=leg, reason="dtls_closed")
