"""RTCP of all legs: ours in the spare time, theirs into loss settings and round trips."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from voiceroom_api.units import NS_PER_MS, NS_PER_S, ns_to_samples
from voiceroom_mixer.core.rtp import reporting, rtcp, xr
from voiceroom_mixer.core.rtp.rtcp import ReportBlock, RtcpPacket
from voiceroom_mixer.core.rtp.stamps import ns_from_ntp
from voiceroom_mixer.core.timing.wall import WallAnchor
from voiceroom_mixer.edge import clock, kept
from voiceroom_mixer.media.board import Board
from voiceroom_mixer.media.egress import SAMPLES_PER_SLOT, Egress
from voiceroom_mixer.media.legs import Leg, LegTable
from voiceroom_mixer.media.transmit import Transmit

INTERVAL_NS: Final = 5 * NS_PER_S
"""RFC 3550 §6.2 recommends five seconds; a room's legs are spread over it by their slots."""
CNAME: Final = "voiceroom"
_SPREAD: Final = 61
_MAX_QUEUE: Final = 1024


class Reports:
    """Builds and reads compound packets. ``send`` does as much as the time allows."""

    def __init__(
        self,
        legs: LegTable,
        transmit: Transmit,
        egress: Egress,
        board: Board,
        *,
        on_loss: Callable[[Leg], None],
        origin_ns: Callable[[], int],
        out: Callable[[Leg, bytes], None] | None = None,
        shift: Callable[[Leg], int] = lambda _: 0,
    ) -> None:
        """``out``: another way to a leg than straight along its path; ``shift``: slots between our
        grid and its room's ticks."""
        self._legs, self._transmit, self._egress = legs, transmit, egress
        self._board = board
        self._on_loss = on_loss
        self._origin_ns = origin_ns
        self._out = out or self._straight
        self._shift = shift
        self._wall = WallAnchor(kept.monotonic_ns(), clock.wall_ns())
        self._due: deque[int] = deque(maxlen=_MAX_QUEUE)
        """Slots whose turn it is; not legs, which would live on in here when they have gone."""
        self._look_ns = 0

    def received(self, leg: Leg, packet: bytes, now_ns: int) -> None:
        """A compound packet of an authentic source."""
        self._board.add("rtcp_rx")
        try:
            packets = rtcp.parse_compound(packet)
        except ValueError:
            self._board.drop("rtcp_malformed")
            return
        for part in packets:
            self._take(leg, part, now_ns)

    def _take(self, leg: Leg, part: RtcpPacket, now_ns: int) -> None:
        if isinstance(part, rtcp.SenderReport):
            leg.reporting.on_sender_report(part.ntp, now_ns)
            leg.capture.report(ns_from_ntp(part.ntp), leg.report_arrival_ns)
        if isinstance(part, rtcp.SenderReport | rtcp.ReceiverReport):
            for block in part.reports:
                self._take_block(leg, block, now_ns)
        elif isinstance(part, xr.ExtendedReport):
            for entry in part.blocks:
                if isinstance(entry, xr.ReferenceTime):
                    leg.reporting.on_reference_time(entry.ntp, now_ns)

    def _take_block(self, leg: Leg, block: ReportBlock, now_ns: int) -> None:
        """What the peer says of our stream: round trip, and loss for Opus's setting."""
        if block.ssrc != self._transmit.ssrcs[leg.slot]:
            return
        leg.reporting.on_quote(block.last_sr, block.delay_since_last_sr, now_ns)
        loss_ppm = block.fraction_lost * 1_000_000 // 256
        # Half of each new report: one unlucky interval must not cost 10 s of dearer frames.
        loss_ppm = (leg.loss_ppm + loss_ppm) // 2
        if loss_ppm != leg.loss_ppm:
            leg.loss_ppm = loss_ppm
            self._on_loss(leg)

    def send(self, now_ns: int, stop_ns: int) -> None:
        """Reports of the legs whose turn it is, until ``stop_ns``; the rest keeps its turn."""
        if now_ns >= self._look_ns:
            self._look_ns = now_ns + 100 * NS_PER_MS
            queued = set(self._due)
            self._due.extend(
                leg.slot
                for leg in self._legs
                if leg.rtcp_due_ns <= now_ns and _reached(leg) and leg.slot not in queued
            )
        while self._due and kept.monotonic_ns() < stop_ns:
            leg = self._legs.by_slot.get(self._due.popleft())
            if leg is not None:
                leg.rtcp_due_ns = now_ns + INTERVAL_NS + leg.slot % _SPREAD * NS_PER_MS
                self._send(leg, self._regular(leg, now_ns))
        self._egress.flush()

    def _regular(self, leg: Leg, now_ns: int) -> list[RtcpPacket]:
        """SR or RR, SDES, XR (RFC 3611)."""
        slot, ssrc = leg.slot, self._transmit.ssrcs[leg.slot]
        blocks: tuple[ReportBlock, ...] = ()
        if leg.heard:
            reception = leg.receiver.reception
            blocks = (leg.reporting.report_block(leg.rx_ssrc, reception, now_ns),)
        packets = int(self._transmit.packets[slot])
        report: RtcpPacket = rtcp.ReceiverReport(ssrc, blocks)
        if packets != leg.sent_at_report:
            leg.sent_at_report = packets
            report = leg.reporting.sender_report(
                ssrc,
                now_ns=now_ns,
                wall_ns=self._wall_at(now_ns),
                rtp_timestamp=int(self._transmit.epoch[slot])
                + ns_to_samples(now_ns - self._origin_ns())
                + self._shift(leg) * SAMPLES_PER_SLOT,
                packets=packets,
                octets=int(self._transmit.octets[slot]),
                reports=blocks,
            )
        parts = [report, rtcp.cname(ssrc, CNAME)]
        extended = self._extended(leg, now_ns)
        return [*parts, xr.ExtendedReport(ssrc, extended)] if extended else parts

    def _extended(self, leg: Leg, now_ns: int) -> tuple[xr.XrBlock, ...]:
        """Answer to the peer's reference time, and what our jitter buffer did."""
        found: list[xr.XrBlock] = []
        dlrr = leg.reporting.dlrr(leg.rx_ssrc, now_ns)
        if dlrr is not None:
            found.append(dlrr)
        stats = leg.receiver.stats
        if leg.heard:
            found.append(
                reporting.voip_metrics(
                    leg.rx_ssrc,
                    lost=stats.rx_lost,
                    discarded=stats.rx_late,
                    expected=stats.rx_packets + max(0, stats.rx_lost),
                    rtt_ns=leg.reporting.rtt_ns,
                    target_ms=stats.target_us // 1_000,
                    max_ms=leg.receiver.config.max_ms,
                )
            )
        return tuple(found)

    def wall_ns(self, now_ns: int) -> int:
        """As in the newest sender report, without a look at the wall clock."""
        return self._wall.wall_ns(now_ns)

    def _wall_at(self, now_ns: int) -> int:
        """Wall time of the grid: a bracketed look follows a step of the wall clock."""
        look = clock.sample(1, kept.monotonic_ns)
        self._wall.update(look.mono, look.wall, look.width)
        return self._wall.wall_ns(now_ns)

    def goodbye(self, leg: Leg) -> None:
        """RTCP BYE; the leg is not sent to any more."""
        if not self._transmit.ready[leg.slot] and not self._transmit.relayed[leg.slot]:
            return
        ssrc = self._transmit.ssrcs[leg.slot]
        self._send(leg, [rtcp.ReceiverReport(ssrc), rtcp.cname(ssrc, CNAME), rtcp.Bye((ssrc,))])
        self._egress.flush()

    def _straight(self, leg: Leg, sealed: bytes) -> None:
        self._egress.datagram(leg.selected, sealed)

    def _send(self, leg: Leg, packets: list[RtcpPacket]) -> None:
        sealed = self._transmit.protect_report(leg.slot, rtcp.build_compound(packets))
        if sealed is not None and _reached(leg):
            self._out(leg, sealed)
            self._board.add("rtcp_tx")


def _reached(leg: Leg) -> bool:
    return leg.live and (bool(leg.selected) or leg.via is not None)
