"""A call in a room that goes from one pod of this machine to another."""

from __future__ import annotations

from harness.captures import CapturedLeg
from harness.listening import until_heard
from harness.party import Party
from harness.pods import Pod, card, owned, standing
from harness.rtp import RtpLeg

HZ, OTHER_HZ = 1_000.0, 440.0
PATIENT = card(audio={"jitterBuffer": {"minMs": 120, "maxMs": 200}})
"""Absorbs what a busy machine does to a sender's pace, so that a gap is the pods' own."""
TIMELY = ("--realtime", "Fifo")
"""Where it is granted a busy machine disturbs less."""


def be_twins(a: Pod, b: Pod) -> None:
    assert a.assign(owned("lobby", "a", twin="b")) == 200
    assert b.assign(standing("lobby", "a", "twin")) == 200
    b.until(lambda: entry(b).get("prepared", False), "the twin does not follow")


def entry(pod: Pod, room: str = "lobby") -> dict[str, object]:
    """What a pod says of its part in the room."""
    return next((found for found in pod.status()["rooms"] if found["name"] == room), {})


def until_role(pod: Pod, wanted: str, epoch: int) -> None:
    def holds() -> bool:
        found = entry(pod)
        return (found.get("role"), found.get("epoch")) == (wanted, epoch)

    pod.until(holds, f"is not {wanted} under epoch {epoch}")


def callers(party: Party[Pod]) -> tuple[CapturedLeg, RtpLeg]:
    """A WebRTC leg and a gateway that hear each other."""
    ana, gateway = CapturedLeg(OTHER_HZ), party.join(HZ, "gateway")
    party.legs.append(ana)
    ana.join(party.mixer, party.sign("speaker", "ana"), room=party.home)
    party.ids.append(ana.id)
    until_heard(ana, HZ)
    until_heard(gateway, OTHER_HZ)
    return ana, gateway


def direct_to(pods: list[Pod], owner: Pod, epoch: int) -> None:
    """The operator's directory says who has the room."""
    place = {"pod": owner.name, "address": f"127.0.0.1:{owner.admin}", "epoch": epoch}
    whole = {"term": 1, "from": 0, "to": epoch + 10, "set": {"lobby": place}, "gone": []}
    for pod in pods:
        code, body = pod.tell("PUT", "directory", whole)
        assert code == 200, body
