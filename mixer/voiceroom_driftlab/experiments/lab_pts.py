"""``pts``: timestamps by the wall clock beside timestamps by a sample counter (S5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_driftlab.experiments import timestamps
from voiceroom_driftlab.experiments.result import Cell, Chart, Progress, Result, Table
from voiceroom_driftlab.experiments.timestamps import Nanoseconds, Stamps

FRAME_NS: Final = 20 * NS_PER_MS
_SECONDS: Final = (30, 2)
SPINNERS: Final = 4
STEP_NS: Final = -100 * NS_PER_MS
SAYS: Final = (
    "After Go 1.21 time.Now jitters by 8 to 12 ms under load, without being monotonic, because it "
    "beats with the kernel's tick of 10 ms; WriteSample takes timestamps from it, and the standard "
    "deviation of their distances goes from 1.2 to 27 ms."
)
HOLDS: Final = (
    "WriteSample of pion advances by the sample's duration and reads no clock; time.Now is not "
    "quantised by the tick (only the COARSE clocks are, by one jiffy). What jitters is when the "
    "frame is made, and whoever stamps it with that moment sends his own scheduling as media "
    "time; an NTP step goes into the stamps whole. The lesson stands: a timestamp is a count of "
    "samples. Then the packet may be late and its timestamp is still right to the sample."
)


def run(quick: bool, progress: Progress) -> Result:
    """Frames of 20 ms, alone and beside threads that compute."""
    count = _SECONDS[quick] * NS_PER_S // FRAME_NS
    progress(f"{count} frames alone", 0.0)
    idle = timestamps.record(FRAME_NS, count)
    progress(f"{count} frames beside {SPINNERS} threads that compute", 0.5)
    with timestamps.spinning(SPINNERS):
        busy = timestamps.record(FRAME_NS, count)
    return result(idle, busy)


def series(idle: Stamps, busy: Stamps) -> Mapping[str, Nanoseconds]:
    """Every kind of stamp, by what it is called."""
    count = len(busy.wall_ns)
    kinds = {
        "wall clock, idle": idle.wall_ns,
        f"wall clock, {SPINNERS} busy threads": busy.wall_ns,
        "the same, NTP steps by -100 ms once": timestamps.stepped(
            busy.wall_ns, count // 2, STEP_NS
        ),
    }
    if len(idle.coarse_ns):
        kinds["the tick's clock (REALTIME_COARSE), idle"] = idle.coarse_ns
    kinds["sample counter, any load, any step"] = timestamps.counted(FRAME_NS, count)
    return kinds


def result(idle: Stamps, busy: Stamps) -> Result:
    """From what was read."""
    kinds = series(idle, busy)
    rows: list[list[Cell]] = [
        ["article: before", "1.2", "", "", ""],
        ["article: after Go 1.21 (time.Now jitters by 8 to 12 ms)", "27", "", "", ""],
    ]
    data = {}
    for name, stamps in kinds.items():
        found = timestamps.spread_ms(stamps, FRAME_NS)
        worst = float(max(abs(timestamps.errors_ms(stamps, FRAME_NS))))
        back = timestamps.backwards(stamps)
        rows.append([name, f"{found.std:.3f}", f"{found.p99:.3f}", f"{worst:.3f}", str(back)])
        data[name] = {**asdict(found), "worst_ms": worst, "backwards": back}
    header = ("timestamps by", "sigma, ms", "p99, ms", "worst, ms", "went back")
    return Result(
        "pts", "S5.1", SAYS, HOLDS,
        [Table("S5.1: distance of successive timestamps, less 20 ms", header, rows)],
        [_chart(kinds)],
        {"frames": len(busy.wall_ns), "spinners": SPINNERS, "rows": data},
    )  # fmt: skip


def _chart(kinds: Mapping[str, Nanoseconds]) -> Chart:
    """By the frame; the stepped one would flatten all others."""
    return Chart(
        "Distance of successive timestamps, less a frame of 20 ms", "s", "ms",
        {
            name: [
                (n * FRAME_NS / NS_PER_S, float(ms))
                for n, ms in enumerate(timestamps.errors_ms(stamps, FRAME_NS))
            ]
            for name, stamps in kinds.items()
            if "NTP" not in name
        },
    )  # fmt: skip
