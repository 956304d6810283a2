"""Messages of rtnetlink: what tc(8) sends, and answers that a kernel gave."""

from __future__ import annotations

import struct

import pytest

from voiceroom_chaosdoor import rtnetlink
from voiceroom_chaosdoor.rtnetlink import HANDLE, Interface, Message, Shape

OF_TC = bytes.fromhex(
    # tc qdisc add dev lo root handle 7ec0: netem delay 50ms 10ms loss 2% limit 20000
    "4c000000" "2400" "0506" "01000000" "00000000"
    "00000000" "01000000" "0000c07e" "ffffffff" "00000000"
    "0a000100" "6e6574656d000000"
    "1c000200" "c2eb0b00" "204e0000" "52b81e05" "00000000" "00000000" "5a620200"
)  # fmt: skip
"""iproute2 6.1, with the sequence number set to 1."""


def test_a_netem_queue_is_asked_for_as_tc_does() -> None:
    assert rtnetlink.add_netem(1, 1, Shape(50, 10, 2.0)) == OF_TC


def test_all_packets_of_all_are_the_kernels_greatest_number() -> None:
    asked = rtnetlink.add_netem(1, 1, Shape(0, 0, 100.0))
    assert struct.unpack_from("=I", asked, len(asked) - 16) == (0xFFFF_FFFF,)


def test_a_root_is_deleted_by_its_handle() -> None:
    asked = rtnetlink.delete_root(7, 3)
    assert struct.unpack_from("=IHHI", asked) == (len(asked), 37, 0x5, 7)
    assert struct.unpack_from("=iII", asked, 20) == (3, HANDLE, 0xFFFF_FFFF)


def link(index: int, flags: int, name: bytes) -> Message:
    body = struct.pack("=BxHiII", 0, 1, index, flags, 0)
    attribute = struct.pack("=HH", 4 + len(name), 3) + name + bytes(-len(name) % 4)
    other = struct.pack("=HHI", 8, 13, 1000)
    return Message(rtnetlink.NEWLINK, body + other + attribute)


@pytest.mark.parametrize(
    ("message", "found"),
    [
        (link(2, 0x1043, b"eth0\0"), Interface(2, "eth0", carries=True)),
        (link(1, 0x49, b"lo\0"), Interface(1, "lo", carries=False)),
        (link(3, 0x1002, b"eth1\0"), Interface(3, "eth1", carries=False)),
    ],
)
def test_links_that_are_up_and_no_loopback_carry(message: Message, found: Interface) -> None:
    assert rtnetlink.interface(message) == found


def qdisc(index: int, handle: int, parent: int) -> Message:
    return Message(rtnetlink.NEWQDISC, struct.pack("=BxxxiIII", 0, index, handle, parent, 1))


def test_the_root_is_told_from_what_hangs_below_it() -> None:
    assert rtnetlink.root_qdisc(qdisc(2, HANDLE, 0xFFFF_FFFF)) == (2, HANDLE)
    assert rtnetlink.root_qdisc(qdisc(2, 0, 0xFFFF_FFFF)) == (2, 0)
    assert rtnetlink.root_qdisc(qdisc(2, 0x10_0000, 0x8001_0001)) is None
    assert rtnetlink.root_qdisc(qdisc(2, 0xFFFF_0000, 0xFFFF_FFF1)) is None


def test_several_messages_stand_in_one_datagram() -> None:
    error = struct.pack("=IHHII", 20, rtnetlink.ERROR, 0, 1, 0) + struct.pack("=i", -17)
    done = struct.pack("=IHHII", 16, rtnetlink.DONE, 0, 1, 0)
    first, second = rtnetlink.messages(error + done)
    assert (first.kind, first.errno, second.kind) == (rtnetlink.ERROR, 17, rtnetlink.DONE)


@pytest.mark.parametrize(
    "data", [b"\x10", struct.pack("=IHHII", 400, 3, 0, 0, 0), struct.pack("=IHHII", 0, 3, 0, 0, 0)]
)
def test_what_is_cut_off_is_said(data: bytes) -> None:
    with pytest.raises(ValueError, match="netlink"):
        list(rtnetlink.messages(data))


def test_cut_off_links_and_qdiscs_are_said() -> None:
    with pytest.raises(ValueError, match="a link is cut off"):
        rtnetlink.interface(Message(rtnetlink.NEWLINK, b""))
    with pytest.raises(ValueError, match="a qdisc is cut off"):
        rtnetlink.root_qdisc(Message(rtnetlink.NEWQDISC, b""))
