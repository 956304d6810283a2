"""RTCP reports of one leg: what we send of ourselves, of the peer, and the round trip.

Durations are measured on the steady clock, also the round trip: the NTP time in a sender report
is only a name by which the peer quotes it back, so a step of wall time moves no figure.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.core.rtp.reception import ReceptionFigures
from voiceroom_mixer.core.rtp.rtcp import ReportBlock, SenderReport
from voiceroom_mixer.core.rtp.xr import DelayBlock, Dlrr, ReferenceTime, VoipMetrics

NTP_EPOCH_S: Final = 2_208_988_800
"""1900 to 1970."""
REMEMBERED_REPORTS: Final = 8
"""A quote of an older report gives no round trip."""
MAX_RTT_NS: Final = 60 * NS_PER_S


def ntp_from_wall(wall_ns: int) -> int:
    """NTP time, 32.32 fixed point, of nanoseconds since 1970 (RFC 3550 §4)."""
    seconds, rest = divmod(wall_ns, NS_PER_S)
    return ((seconds + NTP_EPOCH_S) & 0xFFFF_FFFF) << 32 | (rest << 32) // NS_PER_S


def middle32(ntp: int) -> int:
    """The middle 32 bits, in 1/65536 s: LSR and LRR."""
    return (ntp >> 16) & 0xFFFF_FFFF


def ns_from_units(units: int) -> int:
    """1/65536 s to ns."""
    return units * NS_PER_S >> 16


def units_from_ns(ns: int) -> int:
    """Ns to 1/65536 s, within 32 bits."""
    return min(max(0, (ns << 16) // NS_PER_S), 0xFFFF_FFFF)


class Reporting:
    """One peer's reporting state. ``now_ns`` is the steady clock, ``wall_ns`` since 1970."""

    def __init__(self) -> None:
        self._sent: deque[tuple[int, int]] = deque(maxlen=REMEMBERED_REPORTS)
        self._peer_sr: tuple[int, int] | None = None
        self._peer_rr: tuple[int, int] | None = None
        self.rtt_ns = 0
        """Latest round trip; 0 = not known."""

    def sender_report(
        self,
        ssrc: int,
        *,
        now_ns: int,
        wall_ns: int,
        rtp_timestamp: int,
        packets: int,
        octets: int,
        reports: tuple[ReportBlock, ...] = (),
    ) -> SenderReport:
        """Our SR; counters wrap at 32 bits as the format has them."""
        ntp = ntp_from_wall(wall_ns)
        self._sent.append((middle32(ntp), now_ns))
        mask = 0xFFFF_FFFF
        return SenderReport(ssrc, ntp, rtp_timestamp & mask, packets & mask, octets & mask, reports)

    def reference_time(self, *, now_ns: int, wall_ns: int) -> ReferenceTime:
        """XR RRTR: how one who sends nothing asks for a round trip."""
        ntp = ntp_from_wall(wall_ns)
        self._sent.append((middle32(ntp), now_ns))
        return ReferenceTime(ntp)

    def on_sender_report(self, ntp: int, now_ns: int) -> None:
        """The peer's SR: what our next report block quotes."""
        self._peer_sr = middle32(ntp), now_ns

    def on_reference_time(self, ntp: int, now_ns: int) -> None:
        """The peer's RRTR: what our next DLRR quotes."""
        self._peer_rr = middle32(ntp), now_ns

    def report_block(self, ssrc: int, reception: ReceptionFigures, now_ns: int) -> ReportBlock:
        """What we say of the peer's stream; begins the next loss interval."""
        loss = reception.report_loss()
        last, heard_ns = self._peer_sr or (0, now_ns)
        return ReportBlock(
            ssrc,
            loss.fraction,
            loss.cumulative,
            reception.highest & 0xFFFF_FFFF,
            min(reception.jitter_samples, 0xFFFF_FFFF),
            last,
            units_from_ns(now_ns - heard_ns),
        )

    def dlrr(self, ssrc: int, now_ns: int) -> Dlrr | None:
        """The answer to the peer's latest reference time; None before one came."""
        if self._peer_rr is None:
            return None
        last, heard_ns = self._peer_rr
        return Dlrr((DelayBlock(ssrc, last, units_from_ns(now_ns - heard_ns)),))

    def on_quote(self, last: int, delay: int, now_ns: int) -> int | None:
        """The peer quotes a report of ours (LSR and DLSR, or LRR and DLRR): the round trip in ns,
        also kept in ``rtt_ns``. None when it is none of ours, or impossible."""
        for name, sent_ns in reversed(self._sent):
            if name == last:
                rtt_ns = now_ns - sent_ns - ns_from_units(delay)
                # The delay is rounded to 15 µs, so a round trip on one host may come out below 0.
                if -NS_PER_S // 1000 <= rtt_ns <= MAX_RTT_NS:
                    self.rtt_ns = max(1, rtt_ns)
                    return self.rtt_ns
                return None
        return None


def voip_metrics(
    ssrc: int, *, lost: int, discarded: int, expected: int, rtt_ns: int, target_ms: int, max_ms: int
) -> VoipMetrics:
    """XR BT 7 from what the jitter buffer counted. Loss and discard rates are over the stream."""
    expected = max(1, expected)
    return VoipMetrics(
        ssrc=ssrc,
        loss_rate=min(255, max(0, lost) * 256 // expected),
        discard_rate=min(255, max(0, discarded) * 256 // expected),
        round_trip_ms=min(rtt_ns // 1_000_000, 0xFFFF),
        end_system_delay_ms=min(target_ms, 0xFFFF),
        rx_config=0b10_11_0000,  # enhanced concealment, adaptive buffer (§4.7.6)
        buffer_nominal_ms=min(target_ms, 0xFFFF),
        buffer_max_ms=min(max_ms, 0xFFFF),
        buffer_abs_max_ms=min(max_ms, 0xFFFF),
    )
