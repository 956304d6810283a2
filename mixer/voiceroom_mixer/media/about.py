"""What media tells control about its clocks and its scheduling, as JSON rows of the segment."""

from __future__ import annotations

import json
import os
from dataclasses import asdict

from voiceroom_mixer import config as run_config
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.core.timing.calibration import Calibration
from voiceroom_mixer.core.timing.grade import grade
from voiceroom_mixer.edge import node, placement, realtime, selftest
from voiceroom_mixer.edge.realtime import Granted
from voiceroom_mixer.edge.selftest import ReadCost
from voiceroom_mixer.edge.shm import Segment


def ask_for_real_time(index: int) -> Granted:
    """What the pool asks for; on a machine of one's own as much as can be had."""
    if not os.environ.get(run_config.CONFIG_FD_ENV):
        return realtime.request()
    config = run_config.load()
    ask = config.realtime
    if ask is None:
        return realtime.request()
    cpus = sorted(os.sched_getaffinity(0))
    shares = placement.share_out(ask, cpus, config.media_processes)
    return realtime.request(ask.priority, fifo=ask.mode == "Fifo", cpus=shares.media[index])


def publish_about(segment: Segment, granted: Granted, costs: tuple[ReadCost, ...]) -> None:
    """Once at start: scheduling, read costs, node grade."""
    monotonic = next(cost for cost in costs if cost.clock == "monotonic")
    facts = node.read_facts(read_ns=monotonic.mean_ns)
    verdict = grade(facts)
    about = {
        "scheduling": asdict(granted),
        "readCost": [cost._asdict() for cost in costs],
        "selfTest": selftest.passed(costs),
        "node": asdict(facts),
        "grade": asdict(verdict),
    }
    _write(segment, layout.REPORT_ABOUT, about)


def publish_clock(segment: Segment, calibration: Calibration) -> None:
    """After every calibration window."""
    clock = {
        "epoch": calibration.epoch,
        "monoNs": calibration.mono_ns,
        "rawOffsetNs": calibration.offset_ns,
        "pairs": {name: rate._asdict() for name, rate in calibration.pairs},
    }
    _write(segment, layout.REPORT_CLOCK, clock)


def _write(segment: Segment, row: int, value: object) -> None:
    segment.tables["reports"].write(
        row, json.dumps(value, separators=(",", ":"), default=sorted).encode()
    )
