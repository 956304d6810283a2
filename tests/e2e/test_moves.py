"""Pages in real browsers follow a room from pod to pod: they restart ICE, and nobody rejoins."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from browsers.chromium import Chromiums, ChromiumTab
from browsers.firefox import Firefoxes
from browsers.roompage import RoomPage
from browsers.tones import quietest_db, rms_db
from harness.captures import now_ns, passage, since
from harness.listening import WHOLE_DB, until_heard
from harness.party import gathering
from harness.pods import Pod, direct, owned, pods, standing
from voiceroom_mixer.control.signalling.candidates import routed_addresses
from voiceroom_operator.binding.directory import Directory

DEAF_TO_MOVES = """(() => {
  const hear = EventSource.prototype.addEventListener;
  EventSource.prototype.addEventListener = function (type, act) {
    if (type !== 'move') hear.call(this, type, act);
  };
})()"""
TALKER_HZ, GATEWAY_HZ = 700, 1_230.0
LISTEN_S = 3.0
FIREFOX_DB = -23.0
"""Its microphone plays -20 dB."""


@pytest.fixture
def twins(tmp_path: Path) -> Iterator[list[Pod]]:
    """``a`` runs the room, ``b`` is its twin and everybody's door."""
    with _twins(tmp_path, "127.0.0.1") as both:
        yield both


@pytest.fixture
def twins_elsewhere(tmp_path: Path) -> Iterator[list[Pod]]:
    """The same, reached at this machine's own address: Firefox pairs no loopback address."""
    with _twins(tmp_path, str(routed_addresses()[0])) as both:
        yield both


@contextmanager
def _twins(folder: Path, host: str) -> Iterator[list[Pod]]:
    with pods(folder, "a", "b", options=("--realtime", "Fifo"), host=host) as (a, b):
        direct([a, b], Directory(), {"lobby": a})
        assert a.assign(owned("lobby", "a", twin="b")) == 200
        assert b.assign(standing("lobby", "a", "twin")) == 200
        b.until(lambda: _entry(b).get("prepared", False), "the twin does not follow")
        yield [a, b]


def _entry(pod: Pod) -> dict[str, object]:
    return next((found for found in pod.status()["rooms"] if found["name"] == "lobby"), {})


def until_owner(pod: Pod) -> None:
    pod.until(lambda: _entry(pod).get("role") == "owner", "does not own the room")


def url(door: Pod, name: str) -> str:
    return f"{door.base}/rooms/lobby?token={door.sign('speaker', 'lobby', name)}"


def port(page: RoomPage) -> int | None:
    """None while ICE has no selected pair: Firefox has none for a moment of a restart."""
    remote = page.stats()["remote"]
    return None if remote is None else int(str(remote).rpartition(":")[2])


def until_sends_to(page: RoomPage, pod: Pod, timeout_s: float = 10.0) -> float:
    began = time.monotonic()
    while port(page) != pod._udp:
        assert time.monotonic() - began < timeout_s, page.stats()
        time.sleep(0.05)
    return time.monotonic() - began


@pytest.mark.timing
def test_a_page_follows_an_orderly_move(twins: list[Pod], chromium: Chromiums) -> None:
    _follows(twins, chromium.person(TALKER_HZ))


@pytest.mark.timing
def test_a_page_in_firefox_follows_an_orderly_move(
    twins_elsewhere: list[Pod], firefox: Firefoxes
) -> None:
    _follows(twins_elsewhere, firefox.person(TALKER_HZ), FIREFOX_DB)


def _follows(twins: list[Pod], page: RoomPage, whole_db: float = WHOLE_DB) -> None:
    a, b = twins
    with gathering(b) as lobby:
        gateway = lobby.join(GATEWAY_HZ, "gateway")
        page.enter(url(b, "talker"))
        page.wait_tone(int(GATEWAY_HZ))
        until_heard(gateway, TALKER_HZ, whole_db=whole_db)
        leg, before = page.leg, page.stats()
        assert port(page) == a._udp
        page.begin_listening()
        begun = now_ns()
        assert b.assign(standing("lobby", "a", "successor", to_epoch=2)) == 200
        until_owner(b)
        took_s = until_sends_to(page, b)
        pcm = page.end_listening(LISTEN_S)[24_000:]
        after = page.stats()
        page.wait_state("live")
        until_heard(gateway, TALKER_HZ, whole_db=whole_db)
        dip = rms_db(pcm) - quietest_db(pcm)
        found = passage(since(gateway, begun))
        print(
            f"{type(page.tab).__name__}, orderly: ICE switched after {took_s:.2f} s, "
            f"lost {after['lost'] - before['lost']}, "
            f"concealed {after['concealedSamples'] - before['concealedSamples']} samples, "
            f"dip {dip:.1f} dB; gateway {found}; up lost {_up_lost(b, leg)}"
        )
        assert page.leg == leg, "nobody has rejoined"
        assert after["lost"] == before["lost"]
        assert (found.lost, found.repeated) == (0, 0)


@pytest.mark.timing
def test_a_client_that_knows_nothing_of_moves_switches_by_itself(
    twins: list[Pod], chromium: Chromiums
) -> None:
    """libwebrtc without a word from the page: the twin was checked when the call began, and is
    chosen when the old pod answers no more checks."""
    a, b = twins
    with gathering(b) as lobby:
        gateway = lobby.join(GATEWAY_HZ, "gateway")
        page = chromium.person(TALKER_HZ)
        assert isinstance(page.tab, ChromiumTab)
        page.tab.page.add_init_script(DEAF_TO_MOVES)
        page.enter(url(b, "talker"))
        page.wait_tone(int(GATEWAY_HZ))
        until_heard(gateway, TALKER_HZ)
        leg, before = page.leg, page.stats()
        assert port(page) == a._udp
        page.begin_listening()
        begun = now_ns()
        assert b.assign(standing("lobby", "a", "successor", to_epoch=2)) == 200
        until_owner(b)
        took_s = until_sends_to(page, b)
        pcm = page.end_listening(LISTEN_S)[24_000:]
        after = page.stats()
        until_heard(gateway, TALKER_HZ)
        dip = rms_db(pcm) - quietest_db(pcm)
        found = passage(since(gateway, begun))
        print(
            f"unaware, orderly: ICE switched after {took_s:.2f} s, "
            f"lost {after['lost'] - before['lost']}, dip {dip:.1f} dB; gateway {found}; "
            f"up lost {_up_lost(b, leg)}"
        )
        assert page.leg == leg
        assert after["remoteUfrag"] == before["remoteUfrag"], "no ICE restart"
        assert after["lost"] == before["lost"]
        assert (found.lost, found.repeated) == (0, 0)


def _up_lost(pod: Pod, leg: str) -> int:
    token = pod.sign("admin")
    _, room, _ = pod.call("GET", "/rooms/lobby", token, Accept="application/json")
    return int(next(one["lost"] for one in room["participants"] if one["id"] == leg))


def test_a_page_follows_a_take_over(twins: list[Pod], chromium: Chromiums) -> None:
    a, b = twins
    page = chromium.person(TALKER_HZ).enter(url(b, "talker"))
    with gathering(b) as lobby:
        gateway = lobby.join(GATEWAY_HZ, "gateway")
        page.wait_tone(int(GATEWAY_HZ))
        until_heard(gateway, TALKER_HZ)
        leg = page.leg
        gateway.wait_packets(75)  # each leg's figures are written once a second
        begun = now_ns()
        a.process.kill()
        until_owner(b)
        gateway.target = ("127.0.0.1", b._udp)
        took_s = until_sends_to(page, b)
        until_heard(gateway, TALKER_HZ)
        back_s = (now_ns() - begun) / 1e9
        page.wait_state("live")
        page.wait_tone(int(GATEWAY_HZ))
        print(
            f"page, killed: ICE switched {took_s:.2f} s after, speaker heard after {back_s:.2f} s"
        )
        assert page.leg == leg, "nobody has rejoined"
