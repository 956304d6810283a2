"""Faults on order in a real mixer: named by its detectors, and over at their deadline."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.events import events, until_event
from harness.faults import kill, segment
from harness.listening import until
from harness.mixer import Mixer, running
from harness.pods import owned, pods
from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_mixer.core.chaos import Injection
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.core.timing.schedule import REST_MS, SLOT_NS

PATH = "/admin/v1/chaos"
FRAME_NS = 20 * NS_PER_MS
TICKS_A_SECOND = 1_000 // REST_MS
"""Nobody listens."""
MAY_LACK = 5
"""Ticks that a busy machine may take."""
STEP = {"kind": "step", "offsetMs": 50, "for": "4s"}


@pytest.fixture
def grey(tmp_path: Path) -> Iterator[Mixer]:
    """A mixer with the switch on."""
    with running(tmp_path, "--chaos") as mixer:
        yield mixer


def verdicts(mixer: Mixer) -> list[str]:
    status, said, _ = mixer.call("GET", PATH, mixer.sign("admin"))
    assert status == 200, said
    return [one for one in said["verdicts"] if one]


def order(mixer: Mixer, body: dict[str, Any]) -> Injection:
    """It runs; as media sees it."""
    status, said, _ = mixer.call("POST", PATH, mixer.sign("admin"), body)
    assert status == 201, said
    with segment(mixer) as memory:
        row = memory.tables["control"].read(layout.CONTROL_CHAOS)
        assert row is not None
        return Injection.from_bytes(row)


def late_ticks(mixer: Mixer, from_ns: int, until_ns: int) -> tuple[int, int]:
    """Of the ticks that were due then: a frame late or more, and all."""
    with segment(mixer) as memory:
        origin_ns = memory.word("grid_origin_ns")
        due = origin_ns + memory.ticks[:, 0] * SLOT_NS
        chosen = memory.ticks[(due >= from_ns) & (due < until_ns)]
        return int((chosen[:, 1] >= FRAME_NS).sum()), len(chosen)


@pytest.mark.timing
def test_a_step_is_named_and_ends_at_its_deadline_though_all_who_knew_of_it_are_gone(
    grey: Mixer,
) -> None:
    token = grey.sign("admin")
    with events(grey, token) as stream:
        injected = order(grey, STEP)
        assert until_event(stream, "chaos").data["active"] is True
        until(lambda: verdicts(grey) == ["step-one"], 2, "no verdict")
        assert grey.metrics()["voiceroom_chaos_active"] == 1
        error_s = grey.metrics()["voiceroom_clock_error_seconds"]
        kill(grey, "voiceroom-control")
        until(lambda: time.monotonic_ns() > injected.until_ns + NS_PER_S, 10)
    # ticks are few only where they were skipped
    late, ticks = late_ticks(grey, injected.began_ns, injected.until_ns + NS_PER_S)
    assert ticks >= 5 * TICKS_A_SECOND - MAY_LACK
    assert late <= MAY_LACK, "the loop was led by the falsified clock"
    assert error_s == pytest.approx(0.05, abs=0.001), "it was not seen through, but not there"
    until(lambda: verdicts(grey) == [], 10, "the verdict stays")
    counted = grey.metrics()
    assert counted["voiceroom_chaos_active"] == 0
    assert "chaos: the fault is over" in grey.stderr()


def test_a_freeze_is_named_as_one_and_can_be_ended(grey: Mixer) -> None:
    order(grey, {"kind": "freeze", "freezeMs": 200, "for": "60s"})
    until(lambda: verdicts(grey) == ["freeze"], 10, "no verdict")
    status, said, _ = grey.call("DELETE", PATH, grey.sign("admin"))
    assert (status, said["active"]) == (200, None)
    until(lambda: verdicts(grey) == [], 10, "it goes on")
    assert grey.metrics()['voiceroom_chaos_injections_total{kind="freeze"}'] == 1


def test_a_restarted_media_process_goes_on_with_the_rest_of_it(grey: Mixer) -> None:
    order(grey, STEP | {"for": "60s"})
    until(lambda: verdicts(grey) == ["step-one"], 2, "no verdict")
    killed_ns = kill(grey, "voiceroom-media")
    begin = killed_ns + 2 * NS_PER_S
    until(lambda: time.monotonic_ns() > begin + NS_PER_S, 10)
    assert grey.metrics()["voiceroom_clock_error_seconds"] == pytest.approx(0.05, abs=0.001)
    late, ticks = late_ticks(grey, begin, begin + NS_PER_S)
    assert ticks >= TICKS_A_SECOND - MAY_LACK
    assert late <= MAY_LACK


def test_a_pod_takes_orders_on_its_admin_listener(tmp_path: Path) -> None:
    with pods(tmp_path, "a", options=("--chaos",)) as (pod,):
        assert pod.assign(owned("lobby", "a")) == 200
        assert pod.tell("POST", "chaos", STEP | {"for": "60s"})[0] == 201
        pod.until(lambda: pod.tell("GET", "chaos")[1]["verdicts"] == ["step-one"], "no verdict")
        assert pod.tell("POST", "chaos", STEP)[0] == 409
        code, said = pod.tell("DELETE", "chaos")
        assert (code, said["active"]) == (200, None)


def test_without_the_switch_there_is_nothing(mixer: Mixer) -> None:
    for method in ("GET", "POST", "DELETE"):
        body = STEP if method == "POST" else None
        status, said, _ = mixer.call(method, PATH, mixer.sign("admin"), body)
        assert (status, said["error"]) == (404, "chaos_off")
        assert "--chaos" in said["message"]
        assert mixer.call(method, PATH, mixer.sign("moderator"), body)[0] == 403
