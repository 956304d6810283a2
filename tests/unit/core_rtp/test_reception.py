"""Reception statistics and reports, against the formulas of RFC 3550."""

from __future__ import annotations

import pytest

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_mixer.core.rtp.reception import Arrival, Loss, Reception
from voiceroom_mixer.core.rtp.reporting import (
    Reporting,
    middle32,
    ns_from_units,
    ntp_from_wall,
    voip_metrics,
)

MS = NS_PER_MS


def observe(reception: Reception, number: int, late_ms: float = 0.0) -> Arrival:
    """Packet ``number`` of a 20 ms stream that began with 0."""
    return reception.observe(
        number & 0xFFFF, number * 960 & 0xFFFF_FFFF, int((number * 20 + late_ms) * MS)
    )


def test_sequence_numbers_are_extended_over_wraps() -> None:
    reception = Reception(65_534, 0, 0)
    for number, seq in enumerate((65_535, 0, 1, 2), start=1):
        assert reception.observe(seq, number * 960, number * 20 * MS) is Arrival.NEXT
    assert reception.highest == 65_538
    assert reception.cumulative_lost == 0


def test_jitter_is_the_sixteenth_of_the_rfc() -> None:
    reception = Reception(0, 0, 0)
    expected = 0.0
    transit = 0.0
    for number, late_ms in enumerate((3, 0, 7, 7, 1, 12, 0, 0, 5), start=1):
        observe(reception, number, late_ms)
        expected += (abs(late_ms - transit) - expected) / 16
        transit = late_ms
    assert reception.jitter_ns / MS == pytest.approx(expected, abs=0.01)
    assert reception.jitter_samples == int(expected * 48)


def test_loss_is_reported_for_each_interval_and_in_sum() -> None:
    reception = Reception(0, 0, 0)
    for number in range(1, 100):
        if number % 4:
            observe(reception, number)
    assert reception.report_loss() == Loss(fraction=(24 << 8) // 100, cumulative=24)
    for number in range(100, 200):
        observe(reception, number)
    assert reception.report_loss() == Loss(0, 24)


def test_duplicates_count_as_received_so_that_loss_may_be_negative() -> None:
    reception = Reception(0, 0, 0)
    assert observe(reception, 1) is Arrival.NEXT
    assert observe(reception, 1) is Arrival.DUPLICATE
    assert reception.report_loss() == Loss(0, -1)


def test_a_hole_is_filled_by_what_was_reordered() -> None:
    reception = Reception(0, 0, 0)
    assert observe(reception, 3) is Arrival.GAP
    assert observe(reception, 1) is Arrival.REORDERED
    assert (reception.index, reception.stamp & 0xFFFF_FFFF) == (1, 960)
    assert reception.cumulative_lost == 1
    assert observe(reception, 1) is Arrival.DUPLICATE


def test_a_jump_far_ahead_needs_two_in_a_row() -> None:
    reception = Reception(0, 0, 0)
    assert observe(reception, 20_000) is Arrival.SUSPECT
    assert observe(reception, 30_000) is Arrival.SUSPECT
    assert observe(reception, 30_001) is Arrival.RESTARTED
    assert reception.highest == 30_001
    assert reception.cumulative_lost == 0


def test_a_jump_of_the_timestamp_is_another_timeline_and_not_jitter() -> None:
    reception = Reception(0, 0, 0)
    assert reception.observe(1, 1 << 31, 20 * MS) is Arrival.JUMPED
    assert reception.jitter_ns == 0
    assert reception.observe(2, (1 << 31) + 960, 40 * MS) is Arrival.NEXT
    assert reception.jitter_ns == 0


def test_a_window_gives_the_extremes_of_transit_once() -> None:
    reception = Reception(0, 0, 0)
    observe(reception, 1, 5)
    observe(reception, 2, -2)
    low_ns, high_ns = reception.take_window() or (0, 0)
    assert (high_ns - low_ns) / MS == pytest.approx(7, abs=0.001)
    assert reception.take_window() is None


def test_holes_are_remembered_within_a_bound() -> None:
    reception = Reception(0, 0, 0)
    for number in range(0, 60_000, 2_500):
        observe(reception, number)
    assert len(reception._missing) <= 512


def test_ntp_time_of_the_epoch_and_of_a_half_second() -> None:
    assert ntp_from_wall(0) == 2_208_988_800 << 32
    assert ntp_from_wall(NS_PER_S // 2) & 0xFFFF_FFFF == 1 << 31


def test_round_trip_from_a_quoted_sender_report() -> None:
    reporting = Reporting()
    wall_ns = 1_700_000_000 * NS_PER_S
    report = reporting.sender_report(
        1, now_ns=5 * NS_PER_S, wall_ns=wall_ns, rtp_timestamp=1 << 33, packets=1, octets=2
    )
    assert report.rtp_timestamp == 0
    delay_units = 65_536 // 2
    rtt_ns = reporting.on_quote(middle32(report.ntp), delay_units, 5 * NS_PER_S + 540 * MS)
    assert rtt_ns is not None
    assert rtt_ns / MS == pytest.approx(40, abs=0.1)
    assert reporting.rtt_ns == rtt_ns


def test_a_step_of_wall_time_moves_no_round_trip() -> None:
    reporting = Reporting()
    for step in (0, 3_600 * NS_PER_S, -7_200 * NS_PER_S):
        request = reporting.reference_time(now_ns=10**9, wall_ns=10**18 + step)
        assert reporting.on_quote(middle32(request.ntp), 0, 10**9 + 25 * MS) == 25 * MS


def test_quotes_of_reports_that_were_never_sent_are_ignored() -> None:
    reporting = Reporting()
    assert reporting.on_quote(12_345, 0, NS_PER_S) is None
    for second in range(20):
        reporting.reference_time(now_ns=second * NS_PER_S, wall_ns=second * NS_PER_S)
    oldest = middle32(ntp_from_wall(0))
    assert reporting.on_quote(oldest, 0, 21 * NS_PER_S) is None
    newest = middle32(ntp_from_wall(19 * NS_PER_S))
    assert reporting.on_quote(newest, 10 * 65_536, 20 * NS_PER_S) is None, "below zero"
    assert reporting.rtt_ns == 0


def test_our_report_block_quotes_the_peer() -> None:
    reporting, reception = Reporting(), Reception(0, 0, 0)
    assert reporting.report_block(7, reception, 0).last_sr == 0
    assert reporting.dlrr(7, 0) is None
    reporting.on_sender_report(0x1234_5678_9ABC_DEF0, NS_PER_S)
    reporting.on_reference_time(0x1234_5678_9ABC_DEF0, NS_PER_S)
    block = reporting.report_block(7, reception, 3 * NS_PER_S)
    assert (block.ssrc, block.last_sr) == (7, 0x5678_9ABC)
    assert ns_from_units(block.delay_since_last_sr) == 2 * NS_PER_S
    answer = reporting.dlrr(7, 3 * NS_PER_S)
    assert answer is not None
    assert answer.blocks[0].last_rr == 0x5678_9ABC


def test_voip_metrics_say_what_the_buffer_did() -> None:
    metrics = voip_metrics(
        7, lost=10, discarded=5, expected=100, rtt_ns=42 * MS, target_ms=60, max_ms=200
    )
    assert (metrics.loss_rate, metrics.discard_rate) == (25, 12)
    assert (metrics.round_trip_ms, metrics.buffer_nominal_ms) == (42, 60)
    assert metrics.rx_config == 0b1011_0000
