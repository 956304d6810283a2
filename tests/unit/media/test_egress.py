"""One mix, many listeners: headers, keep-alive, and nothing unprotected."""

from __future__ import annotations

import socket
import struct

import numpy as np
import pytest
from pylibsrtp import Policy, Session

from fakes.mansion import KEYS, Mansion, path, rtp_leg, web_leg
from voiceroom_mixer.core.mix.result import MixOutput
from voiceroom_mixer.core.rtp.packet import parse
from voiceroom_mixer.media.egress import KEEPALIVE_SLOTS, SILENCE

INBOUND = {"ssrc_type": Policy.SSRC_ANY_INBOUND}


def mixed(*slots: int, payload: bytes | None = b"sound", **fields: object) -> MixOutput:
    """One distinct mix."""
    values = {"contributors": (), "resumed": False} | fields
    return MixOutput(np.array(slots), payload, **values)  # type: ignore[arg-type]


def packets(mansion: Mansion) -> list[bytes]:
    """What waits to be sent."""
    sender = mansion.egress.sender
    found = [sender.data[row, : sender.lengths[row]].tobytes() for row in range(sender.used)]
    sender.used = 0
    return found


def test_listeners_of_one_mix_get_their_own_headers(mansion: Mansion) -> None:
    for slot, payload_type in ((0, 111), (1, 96)):
        mansion.put(rtp_leg(slot, 6_001 + slot, payload_type=payload_type, rtp_epoch=slot * 5))
        mansion.transmit.index[slot] = mansion.transmit.bound[slot] = 65_535
    for grid_slot in (10, 12):
        mansion.egress.mix(mixed(0, 1), grid_slot, 20, dtx=True)
    heads = [struct.unpack("!BBHII", p[:12]) for p in packets(mansion)]
    assert heads == [
        (0x80, 111, 65_535, 4_800, 1_000),
        (0x80, 96, 65_535, 4_805, 1_001),
        (0x80, 111, 0, 5_760, 1_000),
        (0x80, 96, 0, 5_765, 1_001),
    ]


def test_the_first_packet_after_silence_is_marked(mansion: Mansion) -> None:
    mansion.put(rtp_leg())
    mansion.egress.mix(mixed(0, resumed=True), 0, 20, dtx=True)
    (packet,) = packets(mansion)
    assert packet[1] == 0x80 | 111


@pytest.mark.parametrize("frame_ms", [10, 20, 40])
def test_silence_is_sent_every_400_ms_at_most(mansion: Mansion, frame_ms: int) -> None:
    mansion.put(rtp_leg())
    sent = []
    step = frame_ms // 10
    for grid_slot in range(0, 400, step):
        mansion.egress.mix(mixed(0, payload=None), grid_slot, frame_ms, dtx=True)
        sent += [grid_slot] * len(packets(mansion))
    gaps = np.diff(sent)
    assert gaps.max() * 10 <= 400
    assert gaps.min() == -(-KEEPALIVE_SLOTS // step) * step


def test_without_dtx_silence_is_sent_each_frame(mansion: Mansion) -> None:
    mansion.put(rtp_leg())
    for grid_slot in (0, 2, 4):
        mansion.egress.mix(mixed(0, payload=None), grid_slot, 20, dtx=False)
    assert [p[12:] for p in packets(mansion)] == [SILENCE[20]] * 3
    mansion.egress.flush()
    assert mansion.counted("silence_frames_out") == 3


def test_levels_go_only_to_those_who_offered_them(mansion: Mansion) -> None:
    mansion.put(rtp_leg(0, 6_001))
    mansion.put(rtp_leg(1, 6_002, mixer_level_ext=3))
    mansion.segment.columns["rx_ssrc"][[4, 5]] = (44, 55)
    output = mixed(0, 1, contributors=((5, 20), (4, 31)))
    mansion.egress.mix(output, 0, 20, dtx=True)
    plain, full = packets(mansion)
    assert plain[12:] == b"sound"
    assert full[0] == 0x92
    assert struct.unpack("!II", full[12:20]) == (55, 44)
    assert full[20:] == b"\xbe\xde\0\1" + bytes((3 << 4 | 1, 20, 31, 0)) + b"sound"


TIMES = bytes(range(12))


def test_times_go_only_to_those_who_asked_for_them(mansion: Mansion) -> None:
    mansion.put(rtp_leg(0, 6_001))
    mansion.put(rtp_leg(1, 6_002, mix_times_ext=4))
    mansion.put(rtp_leg(2, 6_003, mix_times_ext=4, mixer_level_ext=3))
    mansion.segment.columns["rx_ssrc"][5] = 55
    output = mixed(0, 1, 2, contributors=((5, 20),))
    mansion.egress.mix(output, 0, 20, dtx=True, times=TIMES)
    sent = {parse(packet).ssrc: parse(packet) for packet in packets(mansion)}
    assert {packet.payload for packet in sent.values()} == {b"sound"}
    assert sent[1_000].extensions == ()
    assert sent[1_001].extensions == ((4, TIMES),)
    assert sent[1_002].extensions == ((3, bytes((20,))), (4, TIMES))
    assert [sent[ssrc].csrc for ssrc in (1_001, 1_002)] == [(), (55,)]


def test_silence_carries_no_times_and_who_has_left_gets_none(mansion: Mansion) -> None:
    mansion.put(rtp_leg(0, mix_times_ext=4))
    mansion.egress.mix(mixed(0, payload=None), 0, 20, dtx=False, times=TIMES)
    (packet,) = packets(mansion)
    assert parse(packet).extensions == ()
    assert mansion.egress.stamps
    mansion.take_out(0)
    assert not mansion.egress.stamps


def test_a_stamped_packet_is_protected_like_any_other(mansion: Mansion) -> None:
    mansion.house.select(mansion.put(web_leg(mix_times_ext=4)), path(6_001))
    mansion.egress.mix(mixed(0, contributors=((5, 20),)), 0, 20, dtx=True, times=TIMES)
    (packet,) = packets(mansion)
    assert b"sound" not in packet
    assert len(packet) == 12 + 4 + 16 + len(b"sound") + 16
    opened = Session(Policy(key=bytes.fromhex(KEYS.tx), srtp_profile=KEYS.profile, **INBOUND))
    assert parse(opened.unprotect(packet)).extensions == ((4, TIMES),)


def test_who_is_not_ready_gets_nothing(mansion: Mansion) -> None:
    mansion.put(web_leg(0, srtp=None))
    mansion.put(rtp_leg(1, 6_002, receives=False))
    mansion.egress.mix(mixed(0, 1), 0, 20, dtx=True)
    assert packets(mansion) == []


def test_what_cannot_be_protected_never_leaves_in_the_clear(mansion: Mansion) -> None:
    mansion.house.select(mansion.put(web_leg()), path(6_001))
    mansion.transmit.ssrc[0] = mansion.transmit.ssrcs[0] = 999  # libsrtp has no key for it
    mansion.egress.mix(mixed(0, payload=b"secret"), 0, 20, dtx=True)
    assert packets(mansion) == [b"\xff"]
    mansion.egress.flush()
    assert mansion.counted("tx_errors") == 1


def test_more_datagrams_than_a_batch_holds_are_all_sent(
    mansion: Mansion, peer: socket.socket
) -> None:
    to = path(peer.getsockname()[1])
    for n in range(1_030):
        mansion.egress.datagram(to, n.to_bytes(2, "big"))
        if n % 100 == 99:
            mansion.egress.flush()
    mansion.egress.flush()
    assert mansion.counted("tx_packets") == 1_030
    assert mansion.counted("tx_errors") == 0
