"""The detector matrix: every verdict, what it is seen by, from which figure on, and for how long.

The one place for thresholds. ``docs/detectors.md`` shows this table.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_mixer.core.timing.detect.verdicts import Kind

Fault = Literal["pod", "node", "load"]


class Row(NamedTuple):
    """One verdict."""

    kind: Kind
    seen_by: str
    told_from: str
    """What keeps it apart from the verdict that looks most like it."""
    fault: Fault
    """Whose fault it is on one witness (contract §9)."""
    weight: float
    """Of a millisecond of harm, when several faults compete for the verdict."""
    hold_ns: int
    """A verdict ends when nothing was claimed for so long, counted in ticks that were mixed."""


MATRIX: Final[tuple[Row, ...]] = (
    Row(
        "step-one",
        "a clock reading jumps against the same clock read by system call, and others do not",
        "step-all: not all of MONOTONIC, RAW and BOOTTIME jumped",
        "pod",
        1.0,
        3 * NS_PER_S,
    ),
    Row(
        "step-all",
        "all clock readings jump together against the system call, or against the kernel's sleep, "
        "or time jumped and the senders' packets of that time do not exist",
        "freeze: there the clocks agree with the kernel and the packets have queued up",
        "node",
        1.0,
        3 * NS_PER_S,
    ),
    Row(
        "rate",
        "slope of a reading against the system call; of RAW against MONOTONIC beyond what NTP may "
        "slew; of the median sender against both RAW and MONOTONIC",
        "a slew: the kernel's MONOTONIC slews as well, by 500 ppm at most, and RAW does not",
        "node",
        1.0,
        5 * NS_PER_S,
    ),
    Row(
        "freeze",
        "late, all clocks agree, and no account explains where the time went",
        "loop-block: the process was asleep, or was continued by a signal, or control stood still",
        "pod",
        1.0,
        2 * NS_PER_S,
    ),
    Row(
        "throttle",
        "late by what throttled time of the own cgroup grew, or by a wait for the CPU while all of "
        "the own quota is used: the pod's cgroup has the same one, and its books are not seen",
        "starved: the own quota was used up, not an ancestor's",
        "pod",
        1.0,
        2 * NS_PER_S,
    ),
    Row(
        "starved",
        "whole frames lost by what the run-queue delay grew without own throttling, or an "
        "ancestor's throttled time, or steal beyond its usual rate",
        "throttle: see there; gil: no other thread of the process used the CPU; a neighbour whose "
        "slices are waited for: no frame is lost by it",
        "node",
        1.0,
        2 * NS_PER_S,
    ),
    Row(
        "gc",
        "late by what the pauses of garbage collection grew",
        "overload: the CPU was used by the collector and not by the mix",
        "pod",
        1.0,
        2 * NS_PER_S,
    ),
    Row(
        "gil",
        "late by what other threads of the process used CPU, or the thread woke again and again "
        "(every switch interval) and got nothing done",
        "starved: the CPU was used by this very process",
        "pod",
        1.0,
        2 * NS_PER_S,
    ),
    Row(
        "loop-block",
        "late inside own code without using CPU (media), or the beat of control's event loop is "
        "overdue by ticks that media has mixed, while a witness thread beside it is on time",
        "freeze: the process ran; gil: the witness got the GIL",
        "pod",
        0.5,
        2 * NS_PER_S,
    ),
    Row(
        "overload",
        "tick work longer than the frame, and its CPU time was the mix's own",
        "starved: the thread had the CPU all that time",
        "load",
        1.0,
        2 * NS_PER_S,
    ),
)
ROW: Final[dict[Kind, Row]] = {row.kind: row for row in MATRIX}

# Clocks.
MAX_WIDTH_NS: Final = 20_000
"""A wider bracket was preempted and tells nothing."""
STEP_NS: Final = NS_PER_MS
"""A smaller jump is heard by nobody; the calibration counts it."""
STEP_SLOPE: Final = 0.01
"""Added to it for each nanosecond since the reading before: a rate must not look like steps."""
SLEW_SLOPE: Final = 0.1
"""The same for RAW against the kernel's MONOTONIC, which chrony may slew by 83,333 ppm."""
RATE_POINTS: Final = 8
"""The narrowest bracket of each second; a rate is known from so many."""
RATE_POINT_NS: Final = NS_PER_S
TRUTH_PPM: Final = 50.0
"""One clock read in two ways has no rate at all; this is far above what brackets can err."""
SLEW_PPM: Final = 1_000.0
"""RAW against MONOTONIC: twice the 500 ppm that NTP slews by."""
SENDERS_PPM: Final = 150.0
"""The median sender: crystals are within 100 ppm."""
MIN_SENDERS: Final = 3
SENDERS_SPREAD_PPM: Final = 150.0
"""Half of the senders must be within this of the median, in both halves of the time: a filling
queue on a shared path is neither as even nor as alike."""
SENDER_STEP_NS: Final = 5 * NS_PER_MS
"""A jump of one sender's transit begins its fit anew."""
RATE_CONFIRM: Final = 2
"""Seconds in a row over the limit."""

# Ticks.
WINDOW_TICKS: Final = 5
STALL_FRAMES: Final = 2
"""So many frames lost within ``WINDOW_TICKS`` are a fault, however they were lost."""
MIN_STALL_NS: Final = 30 * NS_PER_MS
STEADY_NS: Final = 4_500_000
STEADY_TICKS: Final = 4
"""So many of ``WINDOW_TICKS`` late by more than ``STEADY_NS`` are a fault: the article's 5 ms."""
LONG_TICKS: Final = 50
LONG_STALLS: Final = 3
"""So many of ``LONG_TICKS`` with half a frame lost each are a fault: a quota that is a little
short costs a frame in every period."""
NOTICE_NS: Final = 2 * NS_PER_MS
"""Less lateness of a tick is not looked into."""
SWITCH_INTERVAL_NS: Final = 5 * NS_PER_MS
"""CPython: a thread that waits for the GIL wakes so often to ask for it."""
MIN_ARRIVALS: Final = 4
"""Datagrams that should have come in a gap before their absence means anything."""
SPENT: Final = 0.9
"""So much of its quota is all of it: the kernel deals it out in slices, and some are left over."""
SPENT_NS: Final = 300 * NS_PER_MS
"""Looked at together, three of the usual periods: fewer are a burst, which the next one pays."""

# Control's loop.
LOOP_LAG_NS: Final = 200 * NS_PER_MS
WITNESS_LATE_NS: Final = 50 * NS_PER_MS
OF_LOOP: Final[frozenset[Kind]] = frozenset(("loop-block", "gil"))
"""What control's loop does itself is the pod's verdict where media has none. Whatever else keeps
it from running (it has less weight than media) is said apart: time is kept."""

RECOVERED_WITHIN_NS: Final = 10 * NS_PER_S
"""A verdict that ended within this recovered; after it, it ended ``late``."""
