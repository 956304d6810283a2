"""Events are bounded, and nobody waits for the API server."""

from __future__ import annotations

from fakes.nodes import FakeKube
from voiceroom_chaosdoor.events import MOST, Events
from voiceroom_chaosdoor.journal import Entry

ENTRY = Entry("a1", "throttle", "voice", "stage-0", "u-1", 1, 2, {"percent": 50}, [])


def test_they_are_of_the_pod_and_say_which_node_did_it() -> None:
    kube = FakeKube()
    events = Events(kube, "here", lambda: 1_772_366_400)
    events.start()
    events.tell(ENTRY, "Began", "throttle (percent 50) for 20 s")
    events.tell(ENTRY, "Over", "all is as before")
    events.close(10)
    began, over = kube.events
    assert began["involvedObject"]["name"] == "stage-0"
    assert (began["reason"], began["type"]) == ("ChaosBegan", "Warning")
    assert (over["reason"], over["type"]) == ("ChaosOver", "Normal")
    assert began["source"]["host"] == "here"
    assert began["lastTimestamp"] == "2026-03-01T12:00:00Z"


def test_those_that_are_too_many_or_not_taken_are_counted() -> None:
    events = Events(FakeKube(down=True), "here", lambda: 0)
    for _ in range(MOST + 2):
        events.tell(ENTRY, "Over", "")
    assert events.dropped == 2
    events.start()
    events.close(0)
    events._thread.join(0)
