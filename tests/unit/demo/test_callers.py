"""Who is heard in what a gateway hears."""

from __future__ import annotations

from demo.callers import TONES, Gateways, talkers_in
from demo.facts import Seat
from harness.party import Party
from harness.rtp import FRAME, Heard, RtpLeg
from harness.tones import tone
from harness.voice import PodDoor
from voiceroom_mixer.codec.opus import OpusEncoder

NAMES = tuple(TONES)


def packets(*names: str, count: int = 25) -> list[Heard]:
    """A mix of these talkers' tones, as it comes back."""
    encoder = OpusEncoder()
    found = []
    for n in range(count):
        pcm = tone(0.0, n * FRAME, FRAME)
        for name in names:
            pcm += tone(TONES[name], n * FRAME, FRAME)
        found.append(Heard(n * 20_000_000, n, n * FRAME, 1, encoder.encode(pcm)))
    encoder.close()
    return found


def test_each_talker_is_told_from_the_others() -> None:
    for names in (("Ada",), ("Ina", "Jon"), NAMES):
        assert talkers_in(packets(*names), NAMES) == frozenset(names)


def test_in_silence_nobody_is_heard() -> None:
    assert talkers_in(packets(), NAMES) == frozenset()


def test_a_few_packets_are_no_hearing() -> None:
    assert talkers_in(packets("Ada", count=12), NAMES) == frozenset()


def test_a_gateway_that_is_not_in_the_room_any_more_has_lost_its_seat() -> None:
    party: Party[PodDoor] = Party.__new__(Party)
    party.ids = ["leg-a", "leg-b"]
    legs = RtpLeg(None), RtpLeg(None)
    gateways = Gateways(party, *legs, NAMES)
    for leg in legs:
        leg.close()
    assert gateways.passage(0.0) is None
    assert gateways.pauses() == []
    assert list(gateways.seats({"leg-a", "leg-x"}, 1.0)) == [
        Seat(1.0, "Ada", "leg-a", "kept"),
        Seat(1.0, "Bob", "leg-b", "ended"),
    ]
