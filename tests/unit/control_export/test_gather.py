"""What a scrape gathers from the other parts of control."""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
from contextlib import suppress

from fakes import looptime
from fakes.door import segment
from fakes.service import FakeRooms
from voiceroom_mixer.control.auth.limits import RequestLimits
from voiceroom_mixer.control.auth.pin import PinDoor, hash_pin
from voiceroom_mixer.control.events.bus import EventBus
from voiceroom_mixer.control.events.journal import Journal
from voiceroom_mixer.control.export.gather import Gather
from voiceroom_mixer.control.export.numbers import Numbers
from voiceroom_mixer.control.logs import RateFilter
from voiceroom_mixer.control.readiness import Readiness
from voiceroom_mixer.control.service import ApiError
from voiceroom_mixer.control.watchdog import LoopProbe, Watchdog
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.edge.shm import Segment


def make_gather(*others: Segment) -> Gather:
    memory, numbers = segment(), Numbers()
    return Gather(
        segments=[memory, *others],
        numbers=numbers,
        service=FakeRooms(),
        bus=EventBus(Journal(memory), queue_events=1),
        limits=RequestLimits(),
        pins=PinDoor(),
        readiness=Readiness([memory], lambda: 0),
        watchdog=Watchdog(LoopProbe(numbers, 0), lambda: 0, lambda _: None),
        log_filter=RateFilter(lambda: 0),
        log_dropped=lambda: 7,
        expected_tasks=lambda: 1,
    )


def refreshed(gather: Gather) -> Numbers:
    async def main() -> None:
        gather.refresh()

    looptime.run(main())
    return gather.numbers


def one(numbers: Numbers, metric: str, *labels: str) -> float:
    return numbers.values(f"voiceroom_{metric}")[labels]


def test_rooms_that_have_gone_take_their_series_with_them() -> None:
    gather = make_gather()
    house = gather.service
    assert isinstance(house, FakeRooms)
    house.add("lobby", "a")
    assert refreshed(gather).values("voiceroom_participants") == {("lobby",): 1, ("hall",): 0}
    del house.rooms["lobby"]
    assert refreshed(gather).values("voiceroom_participants") == {("hall",): 0}


def test_restarts_are_starts_after_the_first() -> None:
    gather = make_gather()
    for boots, restarts in ((0, 0), (1, 0), (3, 2)):
        gather.segments[0].set_word("media_boots", boots)
        gather.segments[0].set_word("control_boots", boots)
        numbers = refreshed(gather)
        assert one(numbers, "process_restarts_total", "media") == restarts
        assert one(numbers, "process_restarts_total", "control") == restarts


def test_refusals_of_every_limit_are_told() -> None:
    gather = make_gather()
    for _ in range(21):
        with suppress(ApiError):
            gather.limits.anonymous("x", 0)
    for _ in range(6):
        with suppress(ApiError):
            gather.pins.check("1", hash_pin("4711"), "x", 0)
    numbers = refreshed(gather)
    assert one(numbers, "http_limited_total", "anonymous") == 1
    assert one(numbers, "http_limited_total", "pin") == 1
    assert one(numbers, "http_limited_total", "token") == 0


def test_events_readers_and_what_slow_ones_lost() -> None:
    gather = make_gather()
    gather.bus.subscribe("lobby", lambda: None)
    for _ in range(2):
        gather.bus.publish("lobby", "joined", {})
    numbers = refreshed(gather)
    assert one(numbers, "events_published_total") == 2
    assert one(numbers, "events_dropped_total") == 2
    assert one(numbers, "event_subscribers") == 1


def test_handshakes_by_result_and_duration_each_once() -> None:
    gather = make_gather()
    house = gather.service
    assert isinstance(house, FakeRooms)
    house.counted = {"dtls_connected": 4, "dtls_timeout": 1, "messages_dropped": 9}
    house.handshakes = [0.02, 0.2]
    refreshed(gather)
    numbers = refreshed(gather)
    assert one(numbers, "dtls_handshakes_total", "ok") == 4
    assert one(numbers, "dtls_handshakes_total", "timeout") == 1
    assert one(numbers, "commands_dropped_total") == 9
    assert sum(numbers.histograms("voiceroom_dtls_handshake_seconds")[()].buckets) == 2


def test_returns_by_their_kind_and_storms_of_them() -> None:
    gather = make_gather()
    house = gather.service
    assert isinstance(house, FakeRooms)
    assert one(refreshed(gather), "reconnect_storms_total") == 0
    house.counted = {"rejoins": 2, "ice_restarts": 5, "reconnect_storms": 1}
    numbers = refreshed(gather)
    assert one(numbers, "reconnects_total", "rejoin") == 2
    assert one(numbers, "reconnects_total", "ice_restart") == 5
    assert one(numbers, "reconnect_storms_total") == 1


def test_live_tasks_stand_beside_the_expected_ones() -> None:
    gather = make_gather()

    async def main() -> None:
        extra = asyncio.create_task(asyncio.sleep(1))
        gather.refresh()
        await extra

    looptime.run(main())
    assert one(gather.numbers, "tasks") == 2
    assert one(gather.numbers, "tasks_expected") == 1


def test_readiness_and_drain_show() -> None:
    gather = make_gather()
    numbers = refreshed(gather)
    assert (one(numbers, "ready"), one(numbers, "draining")) == (0, 0)
    gather.readiness.listening = gather.readiness.draining = True
    gather.segments[0].set_word("media_ready", 1)
    assert one(refreshed(gather), "draining") == 1
    gather.readiness.draining = False
    assert one(refreshed(gather), "ready") == 1


def test_what_is_wrong_with_time_is_told_for_every_process() -> None:
    gather = make_gather(segment())
    assert one(refreshed(gather), "drift_cause", "throttle") == 0
    throttled = {"verdict": "throttle", "also": ["gc"], "raised": {"throttle": 2, "gc": 1}}
    well = {"verdict": None, "raised": {"throttle": 1}}
    for memory, said in zip(gather.segments, (throttled, well), strict=True):
        memory.tables["reports"].write(layout.REPORT_TIMING, json.dumps(said).encode())
    numbers = refreshed(gather)
    assert sum(numbers.values("voiceroom_drift_cause").values()) == 1
    assert one(numbers, "drift_cause", "throttle") == 1
    assert one(numbers, "drift_faults_total", "throttle") == 3
    assert one(numbers, "drift_faults_total", "gc") == 1


def test_the_build_is_told() -> None:
    (build,) = make_gather().infos()["voiceroom_build_info"]
    assert build["libopus"].startswith("libopus")
    assert build["version"] == importlib.metadata.version("voiceroom")
