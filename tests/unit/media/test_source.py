"""From a datagram to the jitter buffer: what is wrong is a counter, and changes nothing."""

from __future__ import annotations

import struct

import pytest
from pylibsrtp import Policy, Session

from fakes.mansion import AES_128_GCM, KEYS, Mansion, path, rtp_leg, web_leg
from voiceroom_mixer.edge import srtp
from voiceroom_mixer.edge.mmsg import RX_BYTES
from voiceroom_mixer.media.legs import Leg
from voiceroom_mixer.media.source import RtpSource, publish_indexes

SSRC = 7
SOUND = b"\0" * 960


class Door:
    """One row of a receive slab, and the source behind it."""

    def __init__(self, mansion: Mansion) -> None:
        self.mansion = mansion
        self.heard: list[Leg] = []
        self.reports: list[bytes] = []
        self.boot()

    def boot(self) -> None:
        """Behind it stands a new process."""
        self.slab = bytearray(RX_BYTES)
        self.source = RtpSource(
            memoryview(self.slab),
            self.mansion.board,
            on_rtcp=lambda leg, packet, now_ns: self.reports.append(packet),
            on_heard=self.heard.append,
        )
        address = srtp._ffi.cast("uintptr_t", srtp._ffi.from_buffer(self.slab))
        self.source.pointers = srtp.RowPointers(int(address), 1, RX_BYTES)

    def enter(self, leg: Leg, datagram: bytes) -> int:
        """Packets that the jitter buffer has counted afterwards."""
        self.slab[: len(datagram)] = datagram
        self.source.pointers.lengths[0] = len(datagram)
        self.source.now_ns = self.mansion.now_ns
        head = struct.unpack_from("!BBHII", self.slab)
        self.source.packet(leg, 0, len(datagram), head, self.mansion.now_ns)
        return leg.receiver.stats.rx_packets


@pytest.fixture
def door(mansion: Mansion) -> Door:
    return Door(mansion)


def rtp(seq: int, payload: bytes = SOUND, *, first: int = 0x80, kind: int = 111) -> bytes:
    return struct.pack("!BBHII", first, kind, seq & 0xFFFF, seq * 960 % 2**32, SSRC) + payload


def client() -> Session:
    """What the peer protects with."""
    return Session(
        Policy(
            key=bytes.fromhex(KEYS.rx),
            ssrc_type=Policy.SSRC_ANY_OUTBOUND,
            srtp_profile=AES_128_GCM,
        )
    )


@pytest.mark.parametrize(
    ("datagram", "reason"),
    [
        (rtp(1)[:11], "rtp_malformed"),
        (rtp(1, b""), "rtp_malformed"),
        (rtp(1, b"", first=0x83), "rtp_malformed"),
        (rtp(1, b"\xbe\xde", first=0x90), "rtp_malformed"),
        (rtp(1, b"\xbe\xde\xff\xff" + SOUND, first=0x90), "rtp_malformed"),
        (rtp(1, SOUND[:-1] + b"\xff\xff", first=0xA0)[:40], "rtp_malformed"),
        (rtp(1, kind=96), "rtp_payload_type"),
    ],
)
def test_what_is_malformed_is_counted(
    mansion: Mansion, door: Door, datagram: bytes, reason: str
) -> None:
    if datagram[0] == 0xA0:
        datagram = datagram[:-1] + b"\xff"  # more padding than there are bytes
    leg = mansion.put(rtp_leg())
    assert door.enter(leg, datagram) == 0
    assert mansion.counted("drop_" + reason) == 1
    assert door.heard == []


def test_csrcs_extensions_and_padding_are_stepped_over(mansion: Mansion, door: Door) -> None:
    leg = mansion.put(rtp_leg())
    block = b"\1\2\3\4" * 2 + b"\x42\x42\0\1abcd"
    assert door.enter(leg, rtp(1, block + SOUND + b"\0\2", first=0xB2)) == 1
    assert door.heard == [leg]


def test_a_listener_is_never_heard(mansion: Mansion, door: Door) -> None:
    leg = mansion.put(rtp_leg(sends=False))
    assert door.enter(leg, rtp(1)) == 0
    assert mansion.counted("drop_not_allowed") == 1


def test_only_the_first_packet_tells_that_a_leg_is_heard(mansion: Mansion, door: Door) -> None:
    leg = mansion.put(rtp_leg())
    for seq in (1, 2, 3):
        door.enter(leg, rtp(seq))
    assert door.heard == [leg]


def test_rtcp_goes_its_own_way(mansion: Mansion, door: Door) -> None:
    leg = mansion.put(rtp_leg())
    report = b"\x80\xc9\0\1" + bytes(4)
    door.enter(leg, report)
    assert door.reports == [report]


def test_srtp_before_the_keys_is_counted(mansion: Mansion, door: Door) -> None:
    leg = mansion.put(web_leg(srtp=None))
    door.enter(leg, client().protect(rtp(1)))
    assert mansion.counted("drop_srtp_no_keys") == 1


def test_forged_and_replayed_srtp_is_counted(mansion: Mansion, door: Door) -> None:
    leg = mansion.put(web_leg())
    packet = client().protect(rtp(1))
    assert door.enter(leg, packet) == 1
    assert door.enter(leg, packet) == 1
    assert door.enter(leg, packet[:-1] + bytes((packet[-1] ^ 1,))) == 1
    assert door.enter(leg, rtp(2)) == 1
    assert mansion.counted("drop_srtp_replay") == 2
    assert mansion.counted("drop_srtp_auth") == 1


def test_a_peer_may_not_use_any_number_of_ssrcs(mansion: Mansion, door: Door) -> None:
    leg, session = mansion.put(web_leg()), client()
    for ssrc in range(1, 41):
        head = struct.pack("!BBHII", 0x80, 111, 1, 0, ssrc)
        door.enter(leg, session.protect(head + SOUND))
    assert mansion.counted("drop_rtp_ssrc") == 40 - srtp.MAX_STREAMS


@pytest.mark.parametrize("begin", [100, 65_500])
def test_a_restart_goes_on_with_the_clients_stream(
    mansion: Mansion, door: Door, begin: int
) -> None:
    session = client()
    sent = [session.protect(rtp(begin + n)) for n in range(100)]
    leg = mansion.put(web_leg())
    mansion.house.select(leg, path(6_001))
    for packet in sent[:30]:
        door.enter(leg, packet)
    publish_indexes(door.source.touched, mansion.segment.columns)
    mansion.segment.columns["heard"][0] = 1
    mansion.boot()
    door.boot()
    leg = mansion.legs.by_slot[0]
    before = mansion.counted("drop_srtp_replay")
    for packet in sent[20:30]:
        door.enter(leg, packet)
    assert mansion.counted("drop_srtp_replay") - before == 10, "played before the restart"
    for packet in sent[40:]:
        door.enter(leg, packet)
    assert mansion.counted("drop_srtp_auth") == 0
    assert leg.rx_index == begin + 99
