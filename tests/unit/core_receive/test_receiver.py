"""What a listener would notice of one sender, in virtual time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes.arithmetic import both_arithmetics  # noqa: F401 - both, for all tests here
from fakes.speech import (
    CLEAN_STEP,
    MS,
    Call,
    Holding,
    Sent,
    ToneDecoder,
    dropping,
    largest_step,
    tone_payload,
)
from voiceroom_mixer.core.netem import PRESETS, GilbertElliott, NetemConfig
from voiceroom_mixer.core.receive.receiver import (
    PushResult,
    Receiver,
    ReceiverConfig,
    TickTime,
)
from voiceroom_mixer.core.receive.source import FrameKind


def test_a_clean_call_is_bit_exact_and_waits_for_the_target_only() -> None:
    call = Call().run(1_000)
    assert call.kinds[1:] == [FrameKind.AUDIO] * 49
    assert call.delay_ms == pytest.approx(23, abs=0.1)
    assert largest_step(call.pcm[2_000:]) < CLEAN_STEP
    assert call.receiver.stats.rx_lost == 0


@pytest.mark.parametrize("phase_ms", [0.1, 5.0, 12.5, 19.9])
def test_delay_does_not_depend_on_the_phase_of_packets_and_ticks(phase_ms: float) -> None:
    call = Call(phase_ms=phase_ms).run(1_000)
    assert call.delay_ms == pytest.approx(23, abs=0.1)
    assert call.count(FrameKind.PLC) == 0


@pytest.mark.parametrize("frame_ms", [10, 20, 40])
@pytest.mark.parametrize("packet_ms", [10, 20, 40, 60, 120])
def test_any_packet_length_plays_in_any_frame_length(frame_ms: int, packet_ms: int) -> None:
    call = Call(frame_ms=frame_ms, packet_ms=packet_ms).run(2_000)
    assert call.count(FrameKind.PLC) == 0
    assert largest_step(call.pcm[-24_000:]) < CLEAN_STEP
    assert call.delay_ms == pytest.approx(max(20, frame_ms + 3), abs=1.5)


def test_one_lost_packet_is_concealed_and_never_raises_delay() -> None:
    call = Call().run(2_000)
    before = call.delay_ms
    call.run(2_000, dropping(120))
    assert call.receiver.stats.rx_lost == 1
    assert 1 <= call.count(FrameKind.PLC) <= 2
    assert call.delay_ms == pytest.approx(before, abs=0.5)
    assert call.receiver.stats.target_us == 23_000


def test_a_lost_packet_is_taken_from_the_next_one_when_that_is_there() -> None:
    call = Call(min_ms=60, fec=True).run(2_000, dropping(50))
    assert call.receiver.stats.fec_frames == 1
    assert call.receiver.stats.concealed_frames == 0
    assert largest_step(call.pcm[6_000:]) < CLEAN_STEP, "the copy fits without a seam"


def test_reordered_packets_are_played_in_their_order() -> None:
    held: list[Sent] = []

    def swap(number: int, sent: Sent) -> list[Sent]:
        if number % 10 == 5:
            held.append(sent)
            return []
        return [sent, held.pop()] if held else [sent]

    call = Call(min_ms=60).run(2_000, swap)
    assert call.count(FrameKind.PLC) == 0
    assert call.receiver.stats.rx_lost == 0
    assert call.decoder.decoded == sorted(call.decoder.decoded)
    assert largest_step(call.pcm[6_000:]) < CLEAN_STEP


def test_duplicates_are_counted_and_not_played_twice() -> None:
    call = Call().run(1_000, lambda number, sent: (sent, sent))
    assert call.receiver.stats.rx_duplicate == call._sent
    assert len(set(call.decoder.decoded)) == len(call.decoder.decoded)
    assert largest_step(call.pcm[2_000:]) < CLEAN_STEP


def test_a_packet_behind_its_time_is_late() -> None:
    call = Call().run(1_000, dropping(20))
    stale = call.packet(20)
    assert call.push(stale, call.now_ns) is PushResult.LATE
    assert call.receiver.stats.rx_late == 1


def test_sequence_and_timestamp_wrap_unheard() -> None:
    call = Call(first_seq=65_500, first_timestamp=(1 << 32) - 960 * 40 - 17).run(2_000)
    assert call.count(FrameKind.AUDIO) >= 98
    assert largest_step(call.pcm[2_000:]) < CLEAN_STEP
    assert call.receiver.stats.rx_lost == 0
    assert call.receiver.stats.resets == 0
    assert call.receiver.reception.highest == 65_500 + call._sent - 1


def test_jitter_raises_the_target_at_once_and_it_comes_back_down() -> None:
    call = Call(first_timestamp=0).run(3_000)
    call.link.config = NetemConfig(jitter_ms=30, correlation=0.3)
    call.run(10_000)
    grown = call.delay_ms
    assert grown > 60
    settled = call.count(FrameKind.PLC)
    call.run(5_000)
    assert call.count(FrameKind.PLC) - settled <= 3, "the grown buffer absorbs the jitter"
    call.link.config = NetemConfig()
    call.run(45_000)
    assert call.receiver.stats.target_us == pytest.approx(23_000, abs=1_500)
    call.run(20 * (-call._sent % 8))  # so that the tone itself starts and stops without a click
    for _ in range(8):
        call.run(640)
        call.run(480, level=70, voice=False)
    call.run(200)
    assert call.delay_ms == pytest.approx(24, abs=3), "pauses in speech bring the delay down"
    assert largest_step(call.pcm[-48_000:]) < CLEAN_STEP * 1.5


def test_without_any_pause_delay_comes_down_by_resampling_alone() -> None:
    call = Call(keep=False).run(3_000)
    call.run(1_000, lambda number, sent: (sent,))
    call.link.config = NetemConfig(delay_ms=60)
    call.run(500)
    call.link.config = NetemConfig()
    call.run(1_000)
    grown = call.delay_ms
    assert grown > 50
    concealed = call.receiver.stats.concealed_frames
    call.run(100_000)
    assert call.delay_ms < grown - 25
    assert call.receiver.stats.concealed_frames == concealed
    assert call.receiver.counts.cuts == 0


def test_a_burst_after_two_seconds_of_nothing_leaves_no_delay_behind() -> None:
    call = Call().run(2_000)
    held = Holding()
    call.run(2_000, held)
    for sent in held.packets:
        call.push(sent, call.now_ns)
    call.run(3_000)
    assert call.delay_ms < 210
    assert len(call.events) == 1
    call.run(20_000, level=70, voice=False)
    call.run(1_000)
    assert call.delay_ms < 60
    assert call.kinds[-1] is FrameKind.AUDIO


@pytest.mark.parametrize("jump", [0, 7_777_777, -7_777_777, 1 << 31])
def test_a_sender_that_stops_and_starts_is_heard_again(jump: int) -> None:
    call = Call().run(1_000)
    call.run(3_000, lambda number, sent: ())
    silent_packets = 150

    def resumed(number: int, sent: Sent) -> list[Sent]:
        stamp = (sent.timestamp + jump) & 0xFFFF_FFFF
        seq = (sent.seq - silent_packets) & 0xFFFF
        return [replace(sent, seq=seq, timestamp=stamp, payload=tone_payload(stamp))]

    call.run(1_000, resumed)
    assert call.kinds[-40:] == [FrameKind.AUDIO] * 40
    assert call.delay_ms == pytest.approx(23, abs=3)
    assert call.receiver.stats.rx_lost == 0


def test_a_paused_timestamp_clock_is_not_taken_for_delay() -> None:
    call = Call().run(2_000).run(700, lambda number, sent: ())
    behind = 35

    def later(number: int, sent: Sent) -> list[Sent]:
        stamp = sent.timestamp - behind * 960
        return [replace(sent, seq=sent.seq - behind, timestamp=stamp, payload=tone_payload(stamp))]

    call.run(15_000, later)
    call.run(5_000, later, level=20)
    assert call.kinds[-100:] == [FrameKind.AUDIO] * 100
    assert call.delay_ms < 205


def test_another_ssrc_is_believed_after_three_packets_in_order() -> None:
    call = Call().run(1_000)
    results = []
    for number in range(3):
        sent = replace(call.packet(500 + number), ssrc=0x9999)
        results.append(call.push(sent, call.now_ns + number * 20 * MS))
    assert results == [PushResult.PROBATION, PushResult.PROBATION, PushResult.ACCEPTED]
    assert call.receiver.ssrc == 0x9999
    assert call.receiver.stats.rx_packets == 3
    assert call.receiver.stats.source_changes == 1
    assert call.decoder.resets >= 2


def test_a_stray_ssrc_changes_nothing() -> None:
    call = Call().run(1_000)
    for number in (500, 507, 503, 900):
        stray = replace(call.packet(number), ssrc=0x9999)
        assert call.push(stray, call.now_ns) is PushResult.PROBATION
    call.run(1_000)
    assert call.receiver.ssrc == 0x1234
    assert call.count(FrameKind.PLC) == 0


def test_packets_far_out_of_sequence_are_believed_when_two_follow_each_other() -> None:
    call = Call().run(1_000)
    assert call.push(call.packet(20_000), call.now_ns) is PushResult.PROBATION
    assert call.push(call.packet(20_001), call.now_ns + 20 * MS) is PushResult.ACCEPTED
    assert call.receiver.stats.resets == 1


def test_undecodable_payloads_are_concealed_and_counted() -> None:
    call = Call().run(1_000, lambda n, s: (replace(s, payload=b"rubbish") if n == 20 else s,))
    assert call.receiver.stats.decode_errors == 1
    assert call.count(FrameKind.PLC) >= 1
    assert call.kinds[-10:] == [FrameKind.AUDIO] * 10


def test_a_leg_that_nobody_pulls_holds_a_bounded_number_of_packets() -> None:
    call = Call()
    for number in range(1_000):
        call.push(call.packet(number), call.sent_ns(number))
    assert call.receiver.stats.overflows == 800
    call._sent, call.now_ns = 1_000, call.sent_ns(1_000)
    call.run(1_000)
    assert call.delay_ms < 200


def test_a_sender_not_chosen_costs_no_decoding_and_comes_back_in_time() -> None:
    call = Call().run(1_000)
    decoded = len(call.decoder.decoded)
    for _ in range(100):
        call.now_ns += 20 * MS
        while call.sent_ns(call._sent) <= call.now_ns:
            call.push(call.packet(call._sent), call.sent_ns(call._sent))
            call._sent += 1
        call.tick.now_ns = call.now_ns
        call.receiver.skip(960)
    assert len(call.decoder.decoded) == decoded
    assert call.delay_ms == pytest.approx(23, abs=0.5)
    call.run(500)
    assert call.delay_ms == pytest.approx(23, abs=0.5)
    assert call.kinds[-24:] == [FrameKind.AUDIO] * 24


def test_wall_time_is_no_input_and_a_mixer_pause_is_made_up_by_skipping() -> None:
    call = Call().run(1_000)
    call.now_ns += 200 * MS
    for number in range(call._sent, call._sent + 10):
        call.push(call.packet(number), call.sent_ns(number))
    call._sent += 10
    call.tick.now_ns = call.now_ns
    call.receiver.skip(10 * 960)
    call.run(500)
    assert call.delay_ms == pytest.approx(23, abs=0.5)
    assert call.receiver.stats.concealed_frames == 0


def test_a_mixer_pause_that_nobody_tells_of_is_cut_to_the_target() -> None:
    call = Call().run(1_000)
    call.now_ns += 500 * MS
    call.run(1_000)
    assert call.receiver.counts.cuts == 1
    assert call.delay_ms == pytest.approx(23, abs=20)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_network_preset_is_intelligible_and_bounded(name: str) -> None:
    call = Call(net=PRESETS[name], keep=False, fec=True, seed=7).run(20_000)
    frames = len(call.kinds)
    bad = frames - call.count(FrameKind.AUDIO) - call.count(FrameKind.FEC)
    expected = {"lossy": 0.2, "mobile": 0.15, "wifi": 0.1}.get(name, 0.03)
    assert bad / frames < expected
    assert max(call.depths[50:]) < 265 * 48
    assert call.receiver.stats.rx_lost == pytest.approx(
        call.link.lost + call.link.overflowed - call.link.duplicated, abs=3
    )


def test_the_articles_setting_waits_80_ms_and_rides_out_jitter_unheard() -> None:
    net = NetemConfig(delay_ms=30, jitter_ms=18)
    wide = Call(min_ms=80, max_ms=200, net=net, keep=False).run(20_000)
    assert wide.count(FrameKind.PLC) == 0
    assert min(wide.depths[50:]) >= 75 * 48
    calm = Call(min_ms=80, max_ms=200, keep=False).run(5_000)
    assert calm.delay_ms == pytest.approx(80, abs=0.5)


def test_no_setting_waits_longer_than_its_upper_bound() -> None:
    net = NetemConfig(jitter_ms=150, loss=GilbertElliott(0.02, 0.3))
    for low, high in ((20, 200), (80, 200), (10, 40)):
        call = Call(min_ms=low, max_ms=high, net=net, keep=False).run(15_000)
        assert call.receiver.stats.target_us <= high * 1_000
        assert max(call.depths) <= (high + 60) * 48


@pytest.mark.parametrize("min_ms", [20, 80])
def test_refill_rule_fires_once_an_episode_after_120_ms(min_ms: int) -> None:
    call = Call(min_ms=min_ms).run(1_000)
    last_seq, last_ns = (call.first_seq + call._sent - 1) & 0xFFFF, call.sent_ns(call._sent - 1)
    fired_ms = 0.0
    for _ in range(100):
        call.run(20, lambda number, sent: ())
        if call.events and not fired_ms:
            fired_ms = (call.now_ns - last_ns) / MS
    assert 120 < fired_ms <= 160
    (event,) = call.events
    assert event.last_seq == last_seq
    assert event.target_ms == max(23, min_ms)
    assert event.size_ms == 0
    ladder = [kind for i, kind in enumerate(call.kinds[50:]) if kind != call.kinds[49 + i]]
    assert ladder == [FrameKind.PLC, FrameKind.NOISE, FrameKind.SILENCE]
    assert call.receiver.stats.refill_timeouts == 1
    call.run(1_000)
    call.run(1_000, lambda number, sent: ())
    assert call.receiver.stats.refill_timeouts == 2


def test_restored_receivers_refuse_what_was_played_and_keep_their_target() -> None:
    call = Call(net=NetemConfig(jitter_ms=25), sender_ppm=60).run(40_000)
    snapshot = call.receiver.snapshot()
    assert snapshot is not None
    successor = Call(first_timestamp=call.first_timestamp, sender_ppm=60)
    successor.receiver.restore(snapshot)
    successor.now_ns, successor._sent = call.now_ns, call._sent
    old = call.packet(call._sent - 3)
    assert successor.push(old, call.now_ns) is PushResult.REPLAYED
    successor.run(2_000)
    assert successor.kinds[-90:] == [FrameKind.AUDIO] * 90
    assert successor.receiver.stats.target_us >= snapshot.target_us - 25_000
    assert successor.receiver.stats.skew_ppb == snapshot.skew_ppb
    assert successor.receiver.reception.highest >= snapshot.rx_index + 99
    assert successor.receiver.stats.rx_packets == snapshot.rx_packets + successor._sent - call._sent


def test_a_restored_receiver_counts_the_packets_of_its_absence_as_lost() -> None:
    call = Call().run(2_000)
    snapshot = call.receiver.snapshot()
    assert snapshot is not None
    successor = Call()
    successor.receiver.restore(snapshot)
    successor.now_ns, successor._sent = call.now_ns + 500 * MS, call._sent + 25
    successor.run(1_000)
    assert successor.receiver.stats.rx_lost == 25


def test_a_sender_without_levels_must_be_decoded_to_be_heard() -> None:
    call = Call(levels=False).run(500)
    assert call.receiver.must_decode
    assert call.receiver.level == 9
    assert Call().run(500).receiver.must_decode is False


@pytest.mark.parametrize("ppm", [100.0, -100.0])
def test_an_hour_of_skew_neither_underruns_nor_gains_delay(ppm: float) -> None:
    """A second of each minute is heard, the rest is passed over at packet level."""
    call = Call(sender_ppm=ppm, packet_ms=120, keep=False, net=NetemConfig(jitter_ms=1))
    call.run(60_000)
    target_ms = call.receiver.stats.target_us / 1_000
    for _ in range(59):
        call.pass_over(59_000)
        call.run(1_000)
        assert call.delay_ms == pytest.approx(target_ms, abs=2.5)
    assert call.count(FrameKind.AUDIO) == len(call.kinds)
    assert call.receiver.stats.skew_ppb == pytest.approx(ppm * 1_000, abs=8_000)
    assert call.receiver.counts.cuts == 0


@pytest.mark.parametrize(("ppm", "within_ms"), [(100.0, 2), (-100.0, 2), (400.0, 6)])
def test_resampled_speech_has_no_click(ppm: float, within_ms: float) -> None:
    call = Call(sender_ppm=ppm).run(40_000)
    assert call.count(FrameKind.AUDIO) == len(call.kinds)
    assert largest_step(call.pcm[2_000:]) < CLEAN_STEP
    assert call.delay_ms == pytest.approx(23, abs=within_ms)


def test_an_impossible_jitter_buffer_is_refused() -> None:
    with pytest.raises(ValueError, match=r"200\.\.20 ms"):
        Receiver(ReceiverConfig(min_ms=200, max_ms=20), ToneDecoder(), 1, TickTime())
