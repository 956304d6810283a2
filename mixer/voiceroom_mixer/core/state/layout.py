"""The shared memory between keeper, control and media: one segment for each media process.

One writer per field. Control owns the blob tables (rooms, legs, events, revoked tokens); each
row is sequence-locked and checksummed, so that a writer killed in the middle leaves an unreadable
row and never half a one. Media owns the columns (a value per leg slot), the statistics and the
ring of recent ticks; every value there is at most eight aligned bytes, hence never torn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAGIC: Final = 0x766F_6963_6572_6F6F  # "voiceroo"
LAYOUT_VERSION: Final = 3
HEADER_BYTES: Final = 4096
ROW_HEADER_BYTES: Final = 16
"""sequence u32, length u32, crc32 u32, spare u32."""
TICK_RING: Final = 4096
"""Recent ticks: 80 s at 20 ms."""


REPORT_ROWS: Final = 4
REPORT_ABOUT: Final = 0
"""Row of ``reports`` (the one table that media writes), JSON: scheduling granted, read costs, node
grade; once at start."""
REPORT_CLOCK: Final = 1
"""The newest calibration, every 5 s."""
REPORT_TIMING: Final = 2
"""The verdict on the process's timing, at each change and every second while there is one."""
REPORT_LOOP: Final = 3
"""The same on control's event loop, by the first media process: it does not stand still with it."""


CONTROL_CHAOS: Final = 3
"""Row of ``control``: the fault that is being injected, with its deadline (``core/chaos.py``);
empty = none."""
CONTROL_CERTIFICATE: Final = 0
"""Row of ``control``: the DTLS key and certificate."""
CONTROL_RELAY: Final = 1
"""What media needs to speak with the other mixers of its pool (``core/state/seat.py``)."""
CONTROL_WEIGHTS: Final = 2
"""In which order media mixes its rooms (``core/defend/urgency.py``)."""


@dataclass(frozen=True, slots=True)
class Table:
    """A blob table: ``rows`` rows of ``row_bytes`` (header included)."""

    name: str
    rows: int
    row_bytes: int

    @property
    def nbytes(self) -> int:
        """Size in bytes."""
        return self.rows * self.row_bytes


@dataclass(frozen=True, slots=True)
class Capacity:
    """How much one segment holds; memory is touched only where rows are used."""

    rooms: int = 1024
    legs: int = 5120
    events: int = 4096
    revoked: int = 4096

    def tables(self) -> tuple[Table, ...]:
        """The blob tables in their order in memory."""
        return (
            Table("rooms", self.rooms, 4096),
            Table("legs", self.legs, 8192),
            Table("events", self.events, 1024),
            Table("revoked", self.revoked, 128),
            Table("reports", REPORT_ROWS, 16384),
            Table("control", 4, 8192),  # rows CONTROL_*; in memory only
            Table("marks", self.legs, 160),  # of legs that another pod sends to; by leg slot
        )


# Header words (int64 each), by index.
HEADER_WORDS: Final[tuple[str, ...]] = (
    "magic",
    "layout_version",
    "leg_capacity",
    "room_capacity",
    "grid_origin_ns",  # CLOCK_MONOTONIC of grid slot 0; written once by the first media process
    "media_pid",
    "media_boots",
    "media_beat_ns",  # CLOCK_MONOTONIC at the end of the last drain
    "grid_slot",  # last grid slot that was mixed, in units of 10 ms from the origin
    "media_ready",  # 1 when clock self-test and the first 20 ticks are good
    "control_pid",
    "control_boots",
    "control_beat_ns",  # of its event loop; 0 = it beats no longer, as it ends
    "control_witness_ns",  # of a thread of control's that needs the interpreter, but not the loop
    "next_event_id",
    "draining",  # 1 after SIGTERM
    "event_drops",
    "media_stacks",  # descriptor of media_pid, by which control/stacks.py reads where it is
    "control_gap_ns",  # control's newest silence of two beats or more: how long it was
    "control_gap_end_ns",  # CLOCK_MONOTONIC of the beat that ended it; written after its length
)

PHASE_FREE: Final = 0
PHASE_WAITING: Final = 1
"""Adopted; no address or no keys yet."""
PHASE_CONNECTED: Final = 2
PHASE_ENDED: Final = 3
"""Media has let go of the leg; ``end_reason`` says why; control frees the row."""

END_NONE: Final = 0
END_TIMEOUT: Final = 1
"""WebRTC: 15 s without authenticated STUN or SRTP."""
END_UNREACHABLE: Final = 2
"""RTP: 60 s of port unreachable."""
END_REMOVED: Final = 3
"""Control took the leg out."""
END_FAULT: Final = 4
"""A broken invariant ended this leg only; counted as a bug."""

MEDIA_COLUMNS: Final[tuple[tuple[str, str], ...]] = (
    ("generation", "u4"),
    ("phase", "u1"),
    ("end_reason", "u1"),
    ("talking", "u1"),
    ("level", "u1"),  # -dBov of what is heard from this leg, 127 = silent
    ("heard", "u1"),  # 1 after the first valid media packet
    ("address_lock", "u4"),  # odd while the address columns change
    ("address_family", "u2"),
    ("address_port", "u2"),
    ("address_high", "u8"),  # the 16 bytes of an IPv6 address; IPv4 stands in address_low
    ("address_low", "u8"),
    ("local_high", "u8"),  # our address that the leg sends to, as in a path of edge/mmsg.py
    ("local_low", "u8"),
    ("tx_ssrc", "u4"),  # that we send under: the leg's own, or another since a take-over
    ("tx_index", "u8"),  # 48-bit SRTP index of the next packet (RFC 3711 §3.3.1)
    ("tx_bound", "u8"),  # reserved: no index at or above it has been used
    ("srtcp_bound", "u8"),  # the same for SRTCP
    ("tx_timestamp", "u4"),
    ("rx_ssrc", "u4"),
    ("rx_index", "u8"),  # highest index received
    ("rx_srtcp", "u8"),  # newest report taken: its SSRC << 32 | its SRTCP index
    ("tx_packets", "u8"),
    ("tx_octets", "u8"),
    ("rx_packets", "u8"),
    ("rx_octets", "u8"),
    ("rx_lost", "i8"),  # cumulative, RFC 3550 A.3
    ("rx_late", "u8"),
    ("rx_duplicate", "u8"),
    ("concealed_frames", "u8"),
    ("fec_frames", "u8"),
    ("refill_timeouts", "u8"),
    ("jitter_us", "u4"),
    ("buffer_us", "u4"),
    ("target_us", "u4"),
    ("skew_ppb", "i8"),
    ("rtt_us", "u4"),
    ("remote_loss", "u4"),  # parts per million, from the peer's reports
    ("last_rx_ns", "i8"),  # CLOCK_MONOTONIC
    ("last_check_ns", "i8"),  # last authenticated STUN
)

ROOM_COLUMNS: Final[tuple[tuple[str, str], ...]] = (
    ("generation", "u4"),
    ("began_epoch", "u4"),  # that media began to mix under, by a move or a take-over; 0 = none
    ("began_how", "u1"),  # BEGAN_*
    ("stopped_epoch", "u4"),  # that media has stopped for good under; 0 = none
    ("warm_epoch", "u4"),  # of the seat for which all legs are ready to begin
    ("gap_us", "u4"),  # silence between the one before us and us, as far as we can tell
    ("shift", "i8"),  # the room's tick less the slot of our grid: its ticks go on over moves
)
"""One value a room slot, written by media before it acts on it."""

BEGAN_NONE: Final = 0
BEGAN_MOVED: Final = 1
"""By the last word of the one before: its streams go on."""
BEGAN_TAKEN: Final = 2
"""Without it: under SSRCs of our own."""
