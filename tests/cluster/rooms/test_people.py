"""People in a room that kubectl made."""

from __future__ import annotations

import pytest

from browsers.chromium import Chromiums
from browsers.roompage import UNHEARD_DB
from browsers.tones import tone_db
from harness.listening import ABSENT_DB, hears, until_heard, until_silent
from harness.voice import Voice, until
from localcluster import voiceroom
from localcluster.cluster import Cluster

pytestmark = pytest.mark.timeout(240)
ADA_HZ, BOB_HZ = 620, 1170


@pytest.fixture
def link(installed: Cluster) -> str:
    """The join link that `make cluster` prints, to the room of the examples."""
    installed.kubectl("apply", "-f", str(voiceroom.EXAMPLES))
    installed.kubectl("wait", "--for=condition=Ready", "voiceroom/lobby", "--timeout=90s")
    return voiceroom.join_link(installed)


def test_two_tabs_hear_each_other_and_not_themselves(link: str, chromium: Chromiums) -> None:
    first = chromium.person(ADA_HZ).enter(link)
    second = chromium.person(BOB_HZ).enter(link)
    second.wait_people(2)
    at_first, at_second = first.wait_tone(BOB_HZ), second.wait_tone(ADA_HZ)
    assert tone_db(at_first, ADA_HZ) < UNHEARD_DB
    assert tone_db(at_second, BOB_HZ) < UNHEARD_DB


def test_browsers_and_gateways_hear_each_other_whichever_pod_they_ask(voice: Voice) -> None:
    voice.pool("default", size={"min": 2, "max": 2, "spare": 0})
    voice.room("lobby")
    voice.ready("lobby")
    owner = voice.owner("lobby")
    until(lambda: len(voice.pods()) == 2, 60, "two pods")
    (other,) = set(voice.pods()) - {owner}
    voice.kubectl("wait", "--for=condition=Ready", f"pod/{other}", "--timeout=60s")
    with voice.people("lobby", pod=other) as elsewhere, voice.people("lobby") as at_home:
        ada = elsewhere.dial(ADA_HZ, "ada", host=voice.here)
        bob = at_home.join(BOB_HZ, "bob", host=voice.here)
        until_heard(ada, BOB_HZ)
        until_heard(bob, ADA_HZ)
        assert hears(ada, ADA_HZ) < ABSENT_DB
        assert hears(bob, BOB_HZ) < ABSENT_DB
        # PATCH, events and DELETE find their way as well
        elsewhere.patch(ada, muted=True)
        until_silent(bob, ADA_HZ)
        elsewhere.patch(ada, muted=False)
        until_heard(bob, ADA_HZ)
        assert {leg["identity"] for leg in elsewhere.room()["participants"]} == {"ada", "bob"}
        assert elsewhere.call("DELETE", f"/legs/{elsewhere.id(ada)}")[0] == 204
        until_silent(bob, ADA_HZ)


def test_what_can_change_live_changes_live(voice: Voice) -> None:
    voice.room("lobby", audio={"talkers": 3})
    voice.ready("lobby")
    before = voice.uids()
    with voice.people("lobby") as party:
        ada, bob = (
            party.join(hz, name, host=voice.here) for hz, name in ((ADA_HZ, "ada"), (None, "bob"))
        )
        until_heard(bob, ADA_HZ)
        voice.room("lobby", audio={"talkers": 0, "bitrateKbps": 64}, locked=True, maxParticipants=2)
        until(lambda: party.room()["locked"], 5, "locked")
        status, answer, _ = party.call("POST", "/legs", _leg(voice.here))
        assert (status, answer["error"]) == (403, "locked")
        voice.room("lobby", audio={"talkers": 0, "bitrateKbps": 64}, maxParticipants=2)
        until(lambda: not party.room()["locked"], 5, "open")
        status, answer, _ = party.call("POST", "/legs", _leg(voice.here))
        assert (status, answer["error"]) == (503, "room_full")
        until_heard(bob, ADA_HZ)
        assert ada.stopped.is_set() is False
    assert voice.uids().items() >= before.items()


def _leg(ip: str) -> dict[str, object]:
    return {"kind": "rtp", "ip": ip, "port": 9, "payloadType": 111, "identity": "x"}


@pytest.mark.timing
def test_a_deleted_room_ends_within_two_seconds_for_those_in_it(voice: Voice) -> None:
    voice.room("lobby")
    voice.ready("lobby")
    with voice.people("lobby") as party:
        ada = party.dial(ADA_HZ, "ada", host=voice.here)
        ada.wait_packets(5)
        door, token = voice.door("lobby"), party.token
        voice.kubectl("delete", "voiceroom", "lobby")
        gone = until(lambda: door.call("GET", "/rooms/lobby", token)[0] == 404, 10, "404")
        assert gone <= 2.0
        until(lambda: ada.reports, 2, "RTCP BYE")


def test_a_container_that_dies_has_its_rooms_back(voice: Voice) -> None:
    voice.pool("default", size={"min": 1, "max": 1, "spare": 0})  # no twin that takes them over
    voice.room("lobby")
    voice.ready("lobby")
    pod = voice.owner("lobby")
    door = voice.door("lobby")
    token = door.sign("listener")
    voice.kill(pod)

    def is_back() -> bool:
        try:
            return door.call("GET", "/rooms/lobby", token, Accept="application/json")[0] == 200
        except OSError:
            return False

    until(lambda: _restarts(voice, pod), 30, "a new container")
    until(is_back, 10, "the room is served again")
    # One that takes long to come back is told of as lost meanwhile.
    until(lambda: voice.owner("lobby") == pod, 10, "on record")


def _restarts(voice: Voice, pod: str) -> int:
    return int(voice.get("pod", pod)["status"]["containerStatuses"][0]["restartCount"])
