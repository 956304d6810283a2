"""``jitter``: the mixer's jitter buffer beside one of 80 ms and aiortc's (S3.2, S5.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from voiceroom_driftlab.experiments import buffers, networks
from voiceroom_driftlab.experiments.buffers import BUFFERS, Outcome
from voiceroom_driftlab.experiments.networks import Path
from voiceroom_driftlab.experiments.result import Cell, Chart, Progress, Result, Table

_PACKETS: Final = (6_000, 1_000)
"""Two minutes; 20 s."""
_DRAWN: Final = "mobile"
SAYS: Final = (
    "A buffer with a target of 80 to 200 ms that follows the jitter; a loss makes it miss its "
    "refill, and the sound is silent frames. The network may jitter by up to 50 ms."
)
HOLDS: Final = (
    "A lower bound of 80 ms is paid on every path and for the whole call. Ours begins at 23 ms "
    "and takes the delay that the path shows it to need, less than 80 ms on most and more where a "
    "few packets in a minute need more; what is lost is concealed and costs no delay. A fixed "
    "buffer waits as long on a calm path, and drops what jitters beyond it on a bad one. aiortc's "
    "waits for four packets, and behind a hole until sixteen are there; each of its packets goes "
    "to an unbounded queue that is read once a frame, so that it gives back what it has waited "
    "only where it throws packets away. Waits are counted from the fastest packet of the path, "
    "with 7 ms between that and the tick behind it. Ours is without in-band FEC here, which "
    "recovers part of what is lost, and speech without any pause is the worst case for a buffer "
    "that shortens them."
)
_HEADER: Final = (
    "network", "lost, %", "buffer", "wait p50, ms", "wait p99, ms", "wait at the end, ms",
    "made up, %", "came and not played, %",
)  # fmt: skip


def run(quick: bool, seed: int, progress: Progress) -> Result:
    """Every network in a box, and the recording."""
    paths = [*networks.presets(_PACKETS[quick], seed), networks.recorded()]
    found: dict[str, dict[str, Outcome]] = {}
    for number, path in enumerate(paths):
        progress(f"{path.name}: {path.sent} packets", number / len(paths))
        found[path.name] = {name: buffers.listen(make(), path) for name, make in BUFFERS.items()}
    return result(paths, found, seed)


def result(paths: Sequence[Path], found: dict[str, dict[str, Outcome]], seed: int) -> Result:
    """From what each buffer made of each path."""
    rows = [_row(path, name, found[path.name][name]) for path in paths for name in BUFFERS]
    drawn = found.get(_DRAWN) or found[paths[0].name]
    return Result(
        "jitter", "S3.2, S5.3", SAYS, HOLDS,
        [Table("A sender of 20 ms packets, frames of 20 ms", _HEADER, rows)],
        [
            Chart("Share of the sound that was made up", "network", "%", _made_up(paths, found),
                  points=True, x_names=[path.name for path in paths]),
            Chart(f"How long sound waits: {_DRAWN}", "s", "ms",
                  {name: one.series for name, one in drawn.items()}),
        ],
        {
            "seed": seed,
            "networks": {
                network: {name: _data(one) for name, one in by.items()}
                for network, by in found.items()
            },
        },
    )  # fmt: skip


def _data(outcome: Outcome) -> dict[str, Any]:
    """All of it but for the series: that is the plot's."""
    return {key: value for key, value in asdict(outcome).items() if key != "series"}


def _made_up(
    paths: Sequence[Path], found: dict[str, dict[str, Outcome]]
) -> dict[str, list[tuple[float, float]]]:
    return {
        name: [(x, 100 * found[path.name][name].made_up) for x, path in enumerate(paths)]
        for name in BUFFERS
    }


def _row(path: Path, buffer: str, it: Outcome) -> list[Cell]:
    return [
        path.name, f"{100 * it.lost:.2f}", buffer, f"{it.wait_ms.p50:.0f}",
        f"{it.wait_ms.p99:.0f}", f"{it.end_wait_ms:.0f}", f"{100 * it.made_up:.2f}",
        f"{100 * it.unplayed:.2f}",
    ]  # fmt: skip
