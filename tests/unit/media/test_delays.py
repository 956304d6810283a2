"""What is told of delay: of each sender, of each mix, and in packets."""

from __future__ import annotations

import select
import socket
import struct

import pytest

from fakes.mansion import Mansion, rtp_leg
from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_mixer.core.rtp.packet import RtpPacket, build
from voiceroom_mixer.core.rtp.reporting import ntp_from_wall
from voiceroom_mixer.core.rtp.stamps import MixTimes, ns_from_ntp, parse_capture
from voiceroom_mixer.core.timing.histogram import Histogram, histograms
from voiceroom_mixer.media.delays import Delays
from voiceroom_mixer.media.legs import Leg

CAPTURE_ID = 5
WALL_NS = 1_800_000_000 * NS_PER_S
SENT_MS, RTT_MS = 9, 20
"""Between capture and the packet's way, and that way and back."""
PACKET_NS = 20 * NS_PER_MS


def ntp(ns: float) -> bytes:
    return struct.pack("!Q", ntp_from_wall(WALL_NS + int(ns)))


class Sender:
    """A gateway that stamps its packets; its clock shows ``WALL_NS`` at our 0."""

    def __init__(self, mansion: Mansion, peer: socket.socket) -> None:
        self.mansion, self.peer = mansion, peer
        self.counts: dict[str, Histogram] = histograms(mansion.segment.counters)
        self.now_ns = 0
        self.delays = Delays(self.counts, lambda ns: WALL_NS + ns, lambda: self.now_ns)
        port = peer.getsockname()[1]
        self.leg: Leg = mansion.put(rtp_leg(port=port, capture_ext=CAPTURE_ID))
        self.ingress = mansion.ingress()

    def packet(self, n: int, stamp: bytes = b"") -> None:
        """Captured at ``n`` times 20 ms; comes after ``SENT_MS`` and half a round trip."""
        extensions = ((CAPTURE_ID, stamp),) if stamp else ()
        packet = RtpPacket(111, n, n * 960, 7, bytes(960), extensions=extensions)
        self.peer.sendto(build(packet), self.mansion.socket.getsockname())
        assert select.select([self.mansion.socket], [], [], 5)[0], "nothing came within 5 s"
        arrival_ns = n * PACKET_NS + (SENT_MS + RTT_MS // 2) * NS_PER_MS
        self.ingress.drain(self.mansion.now_ns, 0, arrival_ns, arrival_ns)
        self.leg.stream.awake = self.leg.receiver.active

    def learn(self) -> None:
        """A first packet, a sender report, and a round trip."""
        self.packet(0)
        at_ns = 50 * NS_PER_MS
        sent_ns = ns_from_ntp(ntp_from_wall(WALL_NS + at_ns))
        self.leg.capture.report(sent_ns, at_ns + RTT_MS // 2 * NS_PER_MS)
        self.leg.reporting.rtt_ns = RTT_MS * NS_PER_MS
        self.leg.tolerance._trips.append(RTT_MS * NS_PER_MS)

    def seconds(self, part: str) -> list[float]:
        """Mean of a histogram, if it has any."""
        histogram = self.counts[f"delay_{part}"]
        return [histogram.sum_ns / histogram.count / NS_PER_S] if histogram.count else []


@pytest.fixture
def sender(mansion: Mansion, peer: socket.socket) -> Sender:
    return Sender(mansion, peer)


@pytest.mark.parametrize("at", [1, 3])
def test_from_capture_to_arrival_of_a_sender_that_stamps(sender: Sender, at: int) -> None:
    sender.learn()
    for n in range(1, 5):
        sender.packet(n, ntp(n * PACKET_NS) if n == at else b"")
    sender.delays.look(sender.leg)
    assert sender.seconds("origin") == pytest.approx([0.019], abs=1e-4)
    assert sender.seconds("network") == [0.01]
    assert sender.leg.captured is None, "each stamp is looked at once"


def test_the_long_form_takes_the_senders_offset_out(sender: Sender) -> None:
    sender.learn()
    offset = struct.pack("!q", 3 << 32)
    sender.packet(1)
    sender.packet(2, ntp(2 * PACKET_NS + 3 * NS_PER_S) + offset)
    sender.delays.look(sender.leg)
    assert sender.seconds("origin") == pytest.approx([0.019], abs=1e-4)


@pytest.mark.parametrize("stamp", [b"short", ntp(-NS_PER_S * 100), ntp(NS_PER_S * 100)])
def test_a_stamp_that_cannot_be_is_not_told(sender: Sender, stamp: bytes) -> None:
    sender.learn()
    sender.packet(1, stamp)
    sender.delays.look(sender.leg)
    assert sender.seconds("origin") == []
    assert sender.leg.origin_ns is None


def test_without_the_extension_no_stamp_is_looked_for(sender: Sender, mansion: Mansion) -> None:
    mansion.change(sender.leg, capture_ext=0)
    sender.packet(1, ntp(PACKET_NS))
    assert sender.leg.captured is None


def test_mix_and_encode_of_a_frame_that_sounds(sender: Sender) -> None:
    delays = sender.delays
    for sounds in (True, False):
        sender.now_ns = 1_000_000
        delays.begin(sender.now_ns)
        sender.now_ns += 2 * NS_PER_MS
        delays.collected()
        sender.now_ns += 3 * NS_PER_MS
        delays.end(sounds=sounds)
    assert (sender.seconds("mix"), sender.seconds("encode")) == ([0.002], [0.003])


def test_packets_tell_the_loudest_persons_times(sender: Sender) -> None:
    sender.leg.origin_ns = 19 * NS_PER_MS
    sender.now_ns = NS_PER_S
    sender.delays.begin(sender.now_ns - NS_PER_MS)
    sender.delays.collected()
    sender.now_ns += 4 * NS_PER_MS
    sender.delays.end(sounds=True)
    times = sender.delays.times(((0, 20), (3, 30)), {0: sender.leg})
    sent, *durations = struct.unpack("!IHHHH", times)
    assert sent == ntp_from_wall(WALL_NS + sender.now_ns) >> 16 & 0xFFFF_FFFF
    assert [round(units / 65.536) for units in durations] == [19, 0, 1, 4]
    assert sender.delays.times((), {0: sender.leg}) == b""
    assert sender.delays.times(((9, 20),), {0: sender.leg}) == b"", "he has just left"


def test_packets_that_are_sent_on_as_they_came_tell_nothing(sender: Sender) -> None:
    sender.delays.begin(0)
    sender.delays.end(sounds=False)
    assert sender.delays.times(((0, 20),), {0: sender.leg}) == b""


def test_what_is_not_known_or_too_long_has_its_own_values() -> None:
    durations = struct.unpack("!IHHHH", MixTimes(0, None, 2 * NS_PER_S, -5, 0).to_bytes())[1:]
    assert durations == (0xFFFF, 0xFFFE, 0, 0)
    assert parse_capture(bytes(9)) is None
