"""A sender whose packets are sent on, and one who is made to wait longer, in virtual time."""

from __future__ import annotations

import pytest

from fakes.speech import CLEAN_STEP, MS, Call, largest_step
from voiceroom_mixer.core.receive.source import FrameKind, PacketOut


def pass_on(call: Call, milliseconds: float, lost: frozenset[int] = frozenset()) -> list[PacketOut]:
    """Go on for so long, passing on; what was passed on."""
    end_ns, passed = call.now_ns + int(milliseconds * MS), []
    while call.now_ns < end_ns:
        call.now_ns += call.frame_ms * MS
        while (at_ns := call.sent_ns(call._sent)) <= call.now_ns:
            if call._sent not in lost:
                call.link.send(at_ns, call.packet(call._sent), 60)
            call._sent += 1
        for arrival_ns, sent in call.link.receive(call.now_ns):
            call.push(sent, arrival_ns)
        call.tick.now_ns = call.now_ns
        passed += call.receiver.pass_on(call.frame_ms * 48)
    return passed


def numbers(call: Call, passed: list[PacketOut]) -> list[int]:
    """Of the packets, as the sender counts them."""
    sent = {call.packet(n).payload: n for n in range(call._sent)}
    return [sent[packet.payload] for packet in passed]


@pytest.mark.parametrize("frame_ms", [10, 20, 40])
@pytest.mark.parametrize("packet_ms", [10, 20, 40, 60])
def test_all_packets_are_passed_on_once_and_in_order(frame_ms: int, packet_ms: int) -> None:
    call = Call(frame_ms=frame_ms, packet_ms=packet_ms).run(1_000)
    passed = pass_on(call, 2_000)
    found = numbers(call, passed)
    assert found == list(range(found[0], found[0] + len(found)))
    assert abs(len(found) * packet_ms - 2_000) <= 2 * packet_ms + frame_ms
    assert {packet.samples for packet in passed} == {packet_ms * 48}


def test_a_lost_packet_is_a_hole_and_the_rest_is_there() -> None:
    call = Call().run(1_000)
    found = numbers(call, pass_on(call, 1_000, frozenset({70, 71})))
    assert set(range(found[0], found[-1] + 1)) - set(found) == {70, 71}


def test_decoding_goes_on_after_it_with_a_warm_decoder() -> None:
    call = Call().run(1_000)
    pass_on(call, 1_000)
    call.sound.clear()
    call.kinds.clear()
    call.run(1_000)
    assert call.count(FrameKind.PLC) == 0
    assert call.delay_ms == pytest.approx(23, abs=1.5)
    assert largest_step(call.pcm) < 1.02 * CLEAN_STEP


def test_packets_that_do_not_fit_the_grid_are_not_passable() -> None:
    assert Call(packet_ms=20).run(500).receiver.passable
    assert not Call(packet_ms=5, frame_ms=20).run(500).receiver.passable


def test_more_delay_is_taken_when_it_is_asked_for_and_given_back() -> None:
    call = Call().run(1_000)
    assert call.delay_ms == pytest.approx(23, abs=0.5)
    call.tick.extra_samples = 40 * 48
    call.run(500, level=70, voice=False)  # a pause, as speech has them
    call.run(1_000)
    assert call.delay_ms == pytest.approx(63, abs=2.5)
    assert call.count(FrameKind.PLC) == 0
    call.tick.extra_samples = 0
    call.run(500, level=70, voice=False)
    call.run(1_000)
    assert call.delay_ms == pytest.approx(23, abs=2.5)
    assert call.receiver.stats.rx_late == 0
