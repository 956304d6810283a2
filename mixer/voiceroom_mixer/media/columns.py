"""Reading and writing one leg's columns in the segment."""

from __future__ import annotations

import socket
from dataclasses import fields
from typing import Any, Final

from voiceroom_mixer.core.receive.model import ReceiverSnapshot
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.core.state.legstate import LegState
from voiceroom_mixer.core.state.marks import Mark
from voiceroom_mixer.edge.mmsg import V4_MAPPED
from voiceroom_mixer.media.legs import Leg

_RECEIVER_FIELDS: Final = (
    "rx_packets",
    "rx_octets",
    "rx_lost",
    "rx_late",
    "rx_duplicate",
    "concealed_frames",
    "fec_frames",
    "refill_timeouts",
    "jitter_us",
    "buffer_us",
    "target_us",
    "skew_ppb",
)


def reset(columns: dict[str, Any], state: LegState) -> None:
    """A new leg in this slot: nothing of the one before remains."""
    for column in columns.values():
        column[state.slot] = 0
    columns["level"][state.slot] = 127
    columns["generation"][state.slot] = state.generation
    columns["phase"][state.slot] = layout.PHASE_WAITING


def imprint(columns: dict[str, Any], state: LegState, mark: Mark) -> bool:
    """A leg of another pod, as if a process of ours had left it; False: nothing is known yet."""
    if not mark.tx_ssrc:
        return False
    slot = state.slot
    begin_sending(columns, slot, mark)
    columns["heard"][slot] = mark.rx_index >= 0
    columns["rx_ssrc"][slot], columns["rx_index"][slot] = mark.rx_ssrc, max(0, mark.rx_index)
    columns["rx_srtcp"][slot] = mark.rx_srtcp
    columns["target_us"][slot], columns["skew_ppb"][slot] = mark.target_us, mark.skew_ppb
    if mark.port:
        store_mark_address(columns, slot, mark)
    return True


def as_mark(columns: dict[str, Any], state: LegState) -> Mark:
    """Where the streams of a leg stood that was ours before."""
    slot = state.slot
    if int(columns["generation"][slot]) != state.generation:
        return Mark(state.generation)
    ip, port = address(columns, slot) or ("", 0)
    version = socket.AF_INET6 if ":" in ip else socket.AF_INET
    raw = socket.inet_pton(version, ip) if ip else b""
    return Mark(
        state.generation,
        tx_ssrc=int(columns["tx_ssrc"][slot]),
        tx_index=int(columns["tx_bound"][slot]),
        tx_srtcp=int(columns["srtcp_bound"][slot]),
        rx_ssrc=int(columns["rx_ssrc"][slot]),
        rx_index=int(columns["rx_index"][slot]) if int(columns["heard"][slot]) else -1,
        rx_srtcp=int(columns["rx_srtcp"][slot]),
        target_us=int(columns["target_us"][slot]),
        skew_ppb=int(columns["skew_ppb"][slot]),
        ip=V4_MAPPED + raw if len(raw) == 4 else raw.rjust(16, b"\0"),
        port=port,
    )


def begin_sending(columns: dict[str, Any], slot: int, mark: Mark) -> None:
    """What we send to a leg goes on from here."""
    columns["tx_ssrc"][slot] = mark.tx_ssrc
    columns["tx_index"][slot] = columns["tx_bound"][slot] = mark.tx_index
    columns["srtcp_bound"][slot] = mark.tx_srtcp


def store_mark_address(columns: dict[str, Any], slot: int, mark: Mark) -> None:
    """Where the client was; the kernel chooses which address of ours it hears from."""
    ip = mark.ip[12:] if mark.ip.startswith(V4_MAPPED) else mark.ip
    store_address(columns, slot, ip, mark.port, bytes(16))


def store_address(columns: dict[str, Any], slot: int, ip: bytes, port: int, local: bytes) -> None:
    """Write the address under its lock; ``ip`` is 4 or 16 bytes, ``local`` (ours) 16."""
    padded = ip.rjust(16, b"\0")
    lock = int(columns["address_lock"][slot]) | 1
    columns["address_lock"][slot] = lock
    columns["address_family"][slot] = 4 if len(ip) == 4 else 6
    columns["address_port"][slot] = port
    columns["address_high"][slot] = int.from_bytes(padded[:8], "big")
    columns["address_low"][slot] = int.from_bytes(padded[8:], "big")
    columns["local_high"][slot] = int.from_bytes(local[:8], "big")
    columns["local_low"][slot] = int.from_bytes(local[8:], "big")
    columns["address_lock"][slot] = (lock + 1) & 0xFFFF_FFFF


def address(columns: dict[str, Any], slot: int) -> tuple[str, int] | None:
    """The leg's address as (text, port); None when unknown or half written."""
    family = int(columns["address_family"][slot])
    if family == 0 or int(columns["address_lock"][slot]) & 1:
        return None
    high, low = int(columns["address_high"][slot]), int(columns["address_low"][slot])
    raw = high.to_bytes(8, "big") + low.to_bytes(8, "big")
    port = int(columns["address_port"][slot])
    if family == 4:
        return socket.inet_ntop(socket.AF_INET, raw[12:]), port
    return socket.inet_ntop(socket.AF_INET6, raw), port


def local(columns: dict[str, Any], slot: int) -> bytes | None:
    """Our own address that the leg sends to, 16 bytes; None while that is not known."""
    high, low = int(columns["local_high"][slot]), int(columns["local_low"][slot])
    if int(columns["address_family"][slot]) == 0 or not (high or low):
        return None
    return high.to_bytes(8, "big") + low.to_bytes(8, "big")


def restore(columns: dict[str, Any], leg: Leg) -> None:
    """What the killed process knew of this leg's stream."""
    slot = leg.slot
    stream = leg.stream
    stream.heard = bool(columns["heard"][slot])
    stream.rx_ssrc = int(columns["rx_ssrc"][slot])
    if stream.heard:
        stream.rx_index = stream.resume_index = int(columns["rx_index"][slot])
        leg.receiver.restore(snapshot(columns, slot))
    leg.phase = layout.PHASE_WAITING


def snapshot(columns: dict[str, Any], slot: int) -> ReceiverSnapshot:
    """The receiver's part of the columns."""
    names = (f.name for f in fields(ReceiverSnapshot))
    return ReceiverSnapshot(**{name: int(columns[name][slot]) for name in names})


def publish(columns: dict[str, Any], leg: Leg) -> None:
    """Write what people and control look at; once a second for each leg."""
    slot, stats = leg.slot, leg.receiver.stats
    for name in _RECEIVER_FIELDS:
        columns[name][slot] = getattr(stats, name)
    columns["rtt_us"][slot] = leg.reporting.rtt_ns // 1_000
    columns["remote_loss"][slot] = leg.loss_ppm
    columns["last_check_ns"][slot] = leg.last_check_ns
