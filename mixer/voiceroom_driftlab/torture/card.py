"""``torture``: a tone through a mixer under each fault, and a score card."""

from __future__ import annotations

import contextlib
import signal
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_driftlab.experiments.result import Cell, Chart, Progress, Result, Table
from voiceroom_driftlab.experiments.sound import TONE_HZ
from voiceroom_driftlab.torture import faults
from voiceroom_driftlab.torture.continuity import LISTENER_NS, Continuity, continuity
from voiceroom_driftlab.torture.faults import INJECTED, Bench, NotInjectable
from voiceroom_driftlab.torture.line import Listener, Lost, Talker, bound, listening, sparse
from voiceroom_driftlab.torture.line import tone_packets as packets_of
from voiceroom_driftlab.torture.skew import skew
from voiceroom_driftlab.torture.subjects import (
    Log,
    Subject,
    SubjectError,
    janus,
    janus_plugins,
    voiceroom,
)
from voiceroom_mixer.codec.opus import OpusDecoder
from voiceroom_mixer.edge import clock

WARM_UP_S: Final = 1.5
_BEFORE_S: Final = 3.0
_AFTER_S: Final = 4.0
FAULT_S: Final = (4.0, 1.0)
QUICK: Final = ("clock step", "freeze", "loss")
_LINE_LATE_NS: Final = 15 * NS_PER_MS
"""Less than the smallest jitter buffer: a mixer may be expected to bear it."""
_DTX_HZ: Final = 300.0
_DTX_LEVEL: Final = 0.02
_OPUS_SILENCE: Final = b"\xf8\xff\xfe"
_LOSS: Final = 0.05
_BURST_EVERY: Final = 50
_BURST: Final = 3
Make = Callable[[Log, Mapping[str, str]], contextlib.AbstractContextManager[Subject]]
SUBJECTS: Final[Mapping[str, Make]] = MappingProxyType({"voiceroom": voiceroom, "Janus": janus})
WHAT: Final = {
    "nothing": "the control",
    "clock step": f"MONOTONIC reads {faults.STEP_NS / 1e6:g} ms more",
    "wall step": "REALTIME reads an hour more",
    "clock rate": f"all clocks run {faults.PPM:g} ppm fast",
    "throttle": f"{faults.QUOTA_US / 1e3:g} ms of CPU in each {faults.PERIOD_US / 1e3:g}",
    "steal": "its CPU is gone for 8 ms of each 20",
    "freeze": f"stopped for {faults.FREEZE_NS / 1e6:g} ms",
    "loss": "5 % of packets, and 3 in a row each second",
    "DTX": "another talker comes and goes under DTX",
    "slow disk": f"nobody takes its log, {faults.PEOPLE} legs come and go",
    "fork pause": "a spare process has to be forked again",
}
SAYS: Final = (
    "Seams of time show in the sound: phase, distortion, clicks; a mixer has to hold a clock that "
    "jumps by 50 ms, a stop of the world, a starved scheduler."
)
HOLDS: Final = (
    "What counts is what a listener hears. A tone goes in at one leg and is looked at, "
    "as decoded and without any concealment, at another, in windows of 10 ms. Steal is made by a "
    "real-time thief on the mixer's CPU, since no guest can ask its hypervisor for it; clocks are "
    "wrong as under a patched vDSO, not in the kernel."
)


@dataclass(frozen=True, slots=True)
class Run:
    """One fault and one mixer."""

    subject: str
    fault: str
    verdict: str
    """``whole``, ``mended``, ``broken``, ``inconclusive``, ``not injected``, ``failed``."""
    note: str = ""
    line_late_ms: float = 0.0
    heard: Continuity | None = None


def verdict(heard: Continuity, line_late_ns: int) -> str:
    """Whole: not one window is missing; mended: none of the last two seconds. Broken also where
    timestamps have left time behind. Nothing is held against a mixer while our talker was late."""
    lost_clock = abs(heard.rtp_error_ms) > LISTENER_NS / NS_PER_MS
    if not (heard.dropouts or heard.phase_breaks or lost_clock):
        return "whole"
    if line_late_ns > _LINE_LATE_NS:
        return "inconclusive"
    return "broken" if heard.late_dropouts or lost_clock else "mended"


def lost(fault: str, seed: int, frames: int) -> Lost:
    """Which of the talker's frames never arrive, while the fault lasts."""
    if fault != "loss":
        return lambda _: False
    gone = np.random.default_rng(seed).random(frames) < _LOSS
    burst = np.arange(frames) % _BURST_EVERY
    gone |= (burst >= 10) & (burst < 10 + _BURST)
    gone[: int(_BEFORE_S * 50)] = False
    gone[frames - int(_AFTER_S * 50) :] = False
    return lambda number: bool(gone[number])


def run(quick: bool, progress: Progress, seed: int = 20_478) -> Result:
    """Each fault against each mixer that is there. Raises ``BuildError``."""
    with _ended_in_order():
        return result(_runs(quick, progress, seed))


@contextlib.contextmanager
def _ended_in_order() -> Iterator[None]:
    """SIGTERM ends this process as SIGINT does, and with it the mixer and the fault."""

    def end(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _runs(quick: bool, progress: Progress, seed: int) -> list[Run]:
    runs: list[Run] = []
    chosen = QUICK if quick else tuple(INJECTED)
    for name, make in SUBJECTS.items():
        if name == "Janus" and not janus_plugins():
            runs += [Run(name, fault, "not installed") for fault in chosen]
            continue
        for fault in chosen:
            progress(f"{name}: {fault}", len(runs) / (len(SUBJECTS) * len(chosen)))
            runs.append(one_run(name, make, fault, FAULT_S[quick], seed))
    return runs


def one_run(name: str, make: Make, fault: str, fault_s: float, seed: int) -> Run:
    """A mixer of its own for each fault."""
    log = Log()
    try:
        with skew() as skewed, make(log, skewed.env) as subject:
            return _listened(Bench(subject, log, skewed), fault, fault_s, seed)
    except NotInjectable as error:
        return Run(name, fault, "not injected", str(error))
    except (SubjectError, OSError, ValueError) as error:
        return Run(name, fault, "failed", str(error)[:500])


def _listened(bench: Bench, fault: str, fault_s: float, seed: int) -> Run:
    with _call(bench, fault, _BEFORE_S + fault_s + _AFTER_S, seed) as (talker, listener):
        _rest(_BEFORE_S)
        ends_ns = clock.monotonic_ns() + int(fault_s * NS_PER_S)
        with INJECTED[fault](bench):
            clock.sleep_until(ends_ns)
        talker.join()
    arrived = [one for one in listener.arrived if one.at_ns < talker.ended_wall_ns]
    heard = continuity(arrived, OpusDecoder(), WARM_UP_S)
    return Run(
        bench.subject.name, fault, verdict(heard, talker.late_ns), "; ".join(bench.notes),
        talker.late_ns / 1e6, heard,
    )  # fmt: skip


def _rest(seconds: float) -> None:
    clock.sleep_until(clock.monotonic_ns() + int(seconds * NS_PER_S))


@contextlib.contextmanager
def _call(bench: Bench, fault: str, seconds: float, seed: int) -> Iterator[tuple[Talker, Listener]]:
    """A talker and a listener; under DTX another talker."""
    packets = packets_of(seconds, TONE_HZ)
    with contextlib.ExitStack() as stack:
        ears, mouth, other = (stack.enter_context(bound()) for _ in range(3))
        # Janus sends to nobody who has never sent; a gateway under DTX does, now and then.
        quiet: list[bytes | None] = [None if n % 20 else _OPUS_SILENCE for n in range(len(packets))]
        stack.enter_context(_also(bench.subject, ears, "listener", quiet))
        talker = Talker(
            mouth, bench.subject.add_leg(_port(mouth), "talker"), list(packets),
            lost(fault, seed, len(packets)), ssrc=1,
        )  # fmt: skip
        listener = stack.enter_context(listening(ears))
        if fault == "DTX":
            dealt = sparse(packets_of(seconds, _DTX_HZ, _DTX_LEVEL), _OPUS_SILENCE)
            stack.enter_context(_also(bench.subject, other, "other", dealt))
        talker.start()
        stack.callback(talker.join)
        yield talker, listener


@contextlib.contextmanager
def _also(
    subject: Subject, sock: socket.socket, identity: str, packets: list[bytes | None]
) -> Iterator[None]:
    """Somebody else who sends these."""
    where = subject.add_leg(_port(sock), identity)
    talker = Talker(sock, where, packets, lambda _: False, ssrc=_port(sock))
    talker.start()
    try:
        yield
    finally:
        talker.join()


def _port(sock: socket.socket) -> int:
    return int(sock.getsockname()[1])


def result(runs: Sequence[Run]) -> Result:
    """The card."""
    names = list(dict.fromkeys(run.subject for run in runs))
    done = list(dict.fromkeys(run.fault for run in runs))
    by = {(run.subject, run.fault): run for run in runs}
    card: list[list[Cell]] = [
        [fault, WHAT[fault], *(by[name, fault].verdict for name in names)] for fault in done
    ]
    return Result(
        "torture", "S2.5, S4.4, S5", SAYS, HOLDS,
        [
            Table("Score card", ("fault", "what happens", *names), card),
            *(_details(name, [run for run in runs if run.subject == name]) for name in names),
        ],
        [_chart(names, done, by)],
        {"runs": [asdict(run) for run in runs]},
    )  # fmt: skip


def _chart(names: Sequence[str], done: Sequence[str], by: Mapping[tuple[str, str], Run]) -> Chart:
    """How long the tone was gone."""
    lines = {}
    for name in names:
        heard = [(n, by[name, fault].heard) for n, fault in enumerate(done)]
        lines[name] = [(float(n), float(one.silent_ms)) for n, one in heard if one]
    return Chart("The tone was gone for", "", "ms", lines, points=True, x_names=done)


def _details(name: str, runs: Sequence[Run]) -> Table:
    header = (
        "fault", "verdict", "dropouts", "longest, ms", "silent, ms", "phase breaks",
        "greatest gap, ms", "RTP clock off by, ms", "our talker late, ms", "note",
    )  # fmt: skip
    return Table(f"What was heard of {name}", header, [_detail(run) for run in runs])


def _detail(run: Run) -> list[Cell]:
    heard = run.heard
    if not heard:
        return [run.fault, run.verdict, *[""] * 7, run.note]
    return [
        run.fault, run.verdict, heard.dropouts, heard.longest_ms, heard.silent_ms,
        heard.phase_breaks, f"{heard.greatest_gap_ms:.0f}", f"{heard.rtp_error_ms:.2f}",
        f"{run.line_late_ms:.1f}", run.note,
    ]  # fmt: skip
