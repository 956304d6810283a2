"""A scored run: one injection after the other, then minutes with nothing but noise."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_driftlab.real import noise, scoring, truth
from voiceroom_driftlab.real.injecting import pause
from voiceroom_driftlab.real.plan import Injection
from voiceroom_driftlab.real.preparing import has_own_time
from voiceroom_driftlab.real.process import FRAME_NS
from voiceroom_driftlab.real.scoring import Quiet, Run
from voiceroom_driftlab.real.session import NEIGHBOUR_NICE, NEIGHBOURS, Session, is_root
from voiceroom_driftlab.real.spinner import Spinner
from voiceroom_driftlab.real.truth import Truth
from voiceroom_mixer.edge import clock

WARM_NS: Final = 12 * NS_PER_S
"""Rates are known from 8 s on."""
BEGIN_NS: Final = 3 * NS_PER_S
"""What has begun has its first ticks behind it."""
CALM_NS: Final = 700 * NS_PER_MS
"""Without a verdict, before the next injection."""
_PATIENCE_NS: Final = 30 * NS_PER_S
_LOOK_NS: Final = 20 * NS_PER_MS
_PROVEN_TICKS: Final = 100
"""Of a media process that has just begun: sound is back, and the garbage of its start is gone."""
_SLICE_MINUTES: Final = 0.5
"""The ring of ticks holds 80 s."""
Tell = Callable[[str], None]


def run_all(session: Session, plan: Sequence[Injection], tell: Tell) -> Iterator[Run]:
    """Each of them."""
    needs_rates = any(injection.kind in ("rate", None) for injection in plan)
    pause(WARM_NS if needs_rates else BEGIN_NS)
    for number, injection in enumerate(plan, 1):
        run = _run(session, injection)
        said = f"{run.outcome.named or 'none'} after {run.outcome.seconds:.2f} s [{run.result}]"
        tell(f"{number}/{len(plan)} {run.injection.label}: {said} {run.truth.record}")
        yield run


def in_time_namespace(session: Session, tell: Tell) -> Run:
    """A mixer whose clocks are ahead from the beginning, left alone."""
    injection = Injection(None, "time namespace", "none", 0.0, 10 * NS_PER_S)
    began_ns = clock.monotonic_ns()
    pause(WARM_NS + injection.lasts_ns)
    own = has_own_time(session.mixer.keeper)
    record = "a time namespace of its own" if own else "no time namespace"
    done = Truth(began_ns, clock.monotonic_ns(), own, record)
    said = scoring.outcome(injection, done, session.watcher.said(began_ns), 0)
    books = session.watcher.books(began_ns, done.ended_ns)
    run = scoring.judged(injection, done, said, truth.disturbance(injection, books, session.cpus))
    tell(f"{injection.label}: {said.named or 'none'} [{run.result}] {record}")
    return run


def _run(session: Session, injection: Injection) -> Run:
    watcher = session.watcher
    if not _settled(session):
        return _never(injection, "the verdict before it did not end")
    _take_fresh_media(session)
    injection = injection.at_least(session.mixer.frame_ns)
    try:
        if session.injector.prepare(injection) and not _settled(session):
            return _never(injection, "there was a verdict before it began")
        begun_tick, media = watcher.newest_tick(), session.mixer.media
        begun_ns = clock.monotonic_ns()
        done = session.injector.inject(injection, lambda: _named(session, begun_ns))
    except OSError as error:
        return _never(injection, str(error))
    _wait_for_word(session, injection, done)
    if session.mixer.media != media:
        done = done._replace(happened=False, record="media was restarted meanwhile")
    said = scoring.outcome(
        injection, done, watcher.said(begun_ns), _first_bad(session, injection, done, begun_tick)
    )
    books = watcher.books(begun_ns - CALM_NS, clock.monotonic_ns())
    why = truth.disturbance(injection, books, session.cpus)
    why = why or scoring.standing(watcher.said(begun_ns), done.began_ns)
    return scoring.judged(injection, done, said, why)


def _never(injection: Injection, why: str) -> Run:
    now_ns = clock.monotonic_ns()
    never = Truth(now_ns, now_ns, False, why)
    return scoring.judged(injection, never, scoring.outcome(injection, never, [], 0), "")


def _take_fresh_media(session: Session) -> None:
    """Where the ladder has lengthened frames what is weak would be no fault: end media, as a crash
    does, and have the keeper start another one, whose ladder begins at the top."""
    mixer = session.mixer
    if mixer.frame_ns <= FRAME_NS:
        return
    old, tick = mixer.media, session.watcher.newest_tick()
    os.kill(old, signal.SIGKILL)
    until_ns = clock.monotonic_ns() + _PATIENCE_NS
    while clock.monotonic_ns() < until_ns:
        pause(_LOOK_NS)
        if mixer.media != old and session.watcher.newest_tick() > tick + _PROVEN_TICKS:
            return


def _named(session: Session, since_ns: int) -> bool:
    return any(one.kind is not None for one in session.watcher.said(since_ns))


def _wait_for_word(session: Session, injection: Injection, done: Truth) -> None:
    until_ns = min(scoring.deadline_ns(injection, done), clock.monotonic_ns() + scoring.AFTER_NS)
    while clock.monotonic_ns() < until_ns and not _named(session, done.began_ns):
        pause(_LOOK_NS)


def _first_bad(session: Session, injection: Injection, done: Truth, begun_tick: int) -> int:
    """A step shows in the next tick, whether it is late or not."""
    if injection.method == "shim":
        return begun_tick + 1
    first = session.watcher.first_bad(begun_tick, session.mixer.frame_ns, done.began_ns)
    return begun_tick + 1 if first is None else first


def _settled(session: Session) -> bool:
    """Wait until no verdict has held for a while; whether that came."""
    until_ns = clock.monotonic_ns() + _PATIENCE_NS
    while clock.monotonic_ns() < until_ns:
        now = session.watcher.now
        calm = now is None or now.kind is None
        if calm and (now is None or clock.monotonic_ns() - now.at_ns >= CALM_NS):
            return True
        pause(_LOOK_NS)
    return False


def quiet(session: Session, seed: int, minutes: float) -> Quiet:
    """Noisy neighbours and nothing else."""
    _take_fresh_media(session)
    _settled(session)
    nice = NEIGHBOUR_NICE if is_root() else "0"
    neighbours = [Spinner(session.pod_cpu, nice) for _ in range(NEIGHBOURS)]
    found, begun_ns, part = Quiet(0.0), clock.monotonic_ns(), 0
    stolen_ns, waited = session.watcher.stolen_ns, dict[int, int]()
    try:
        while (left := minutes - found.minutes) > 0:
            waited |= _quiet_slice(session, neighbours, seed + part, left, found)
            part += 1
    finally:
        for neighbour in neighbours:
            neighbour.close()
    end_ns = clock.monotonic_ns()
    found.verdicts = scoring.quiet_verdicts(session.watcher.said(begun_ns), waited, end_ns)
    stolen_ns = session.watcher.stolen_ns - stolen_ns
    found.stolen_share = stolen_ns / max(1, (end_ns - begun_ns) * session.cpus)
    return found


def _quiet_slice(
    session: Session, neighbours: Sequence[Spinner], seed: int, minutes: float, found: Quiet
) -> dict[int, int]:
    """A part that ring and books can hold; the waits before what was said in it."""
    watcher, begun_ns = session.watcher, clock.monotonic_ns()
    tick = watcher.newest_tick()
    found.minutes += noise.disturb(neighbours, seed, min(minutes, _SLICE_MINUTES))
    found.ticks += watcher.newest_tick() - tick
    found.late += watcher.late_ticks(tick, FRAME_NS)
    found.late_5ms += watcher.late_ticks(tick, FRAME_NS // 4)
    books = watcher.books(begun_ns - scoring.BEFORE_NS, clock.monotonic_ns())
    return scoring.waited_before(watcher.said(begun_ns), books)
