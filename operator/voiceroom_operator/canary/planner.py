"""What becomes of a canary: a pure function of what is on record and what was seen.

Waiting -> Observing -> Promoting -> Promoted, and from each of the first two to RolledBack. Another
revision of the canary begins anew. Nothing is acted on before it is on record.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from voiceroom_operator.canary import words
from voiceroom_operator.canary.case import CanaryCase, Order, Say, Trial
from voiceroom_operator.canary.indicators import Indicator, judge
from voiceroom_operator.canary.record import Answered, Phase, Record

JUDGE_EVERY_S: Final = 10.0
"""Figures are written this often at most, unless something is decided."""


def plan_canary(case: CanaryCase, now_s: float) -> Trial:
    """The next step; ``now_s`` in Unix seconds."""
    now_s = float(int(now_s))
    before = _begun(case, now_s)
    now = _judged(case, _attended(case, before, now_s), now_s)
    order = _open(case.order, now)
    now = _ordered(case, now, order, now_s) if order else _decided(case, now, now_s)
    apply = case.record is not None and case.record.phase == now.phase == "Promoting"
    return Trial(
        record=now,
        apply=apply and not now.applied and not case.target.alike,
        says=tuple(_says(case, now)),
        requeue_after_s=_requeue(case, now, now_s),
    )


def _begun(case: CanaryCase, now_s: float) -> Record:
    """The trial that runs, or a new one; a person's decision is answered once for all trials."""
    known = case.record
    if known is not None and (known.revision, known.of) == (case.revision, case.of):
        return known
    fresh = _fresh(case, now_s)
    return fresh if known is None else replace(fresh, answered=known.answered)


def _fresh(case: CanaryCase, now_s: float) -> Record:
    words_ = words.waiting(case.name)
    return Record(
        "Waiting",
        words.WAITING_FOR_POD,
        words_,
        now_s,
        case.of,
        case.revision,
        restarts_before=case.restarts,
    )


def _attended(case: CanaryCase, record: Record, now_s: float) -> Record:
    """Since when no pod is in service."""
    known = record.unready_since_s
    since_s = None if case.serving else now_s if known is None else known
    return replace(record, unready_since_s=since_s)


def _judged(case: CanaryCase, record: Record, now_s: float) -> Record:
    """With fresh figures: while it is observed, and not more often than they are worth it."""
    found = judge(case.seen, case.gate, now_s)
    urgent = not case.paused and (any(map(_is_bad, found)) or _would_pass(case, record, now_s))
    due = urgent or now_s - record.judged_s >= JUDGE_EVERY_S or now_s < record.judged_s
    if record.phase != "Observing" or not due:
        return record
    return replace(record, judged_s=now_s, indicators=found, rooms=case.rooms)


def _would_pass(case: CanaryCase, record: Record, now_s: float) -> bool:
    """By figures that may be of another operator, which has seen more than this one: they are
    worked out once more."""
    good = record.indicators and all(each.verdict == "Good" for each in record.indicators)
    over = now_s >= record.since_s + case.gate.observe_s
    return bool(good) and over and record.unready_since_s is None


def _is_bad(indicator: Indicator) -> bool:
    return indicator.verdict == "Bad"


def _decided(case: CanaryCase, record: Record, now_s: float) -> Record:
    match record.phase:
        case "Waiting":
            return _waiting(case, record, now_s)
        case "Observing":
            return _observing(case, record, now_s)
        case "Promoting":
            return _promoting(case, record, now_s)
    return _counted(case, record)


def _counted(case: CanaryCase, record: Record) -> Record:
    """Of one that is over: how many rooms have still to go back."""
    return replace(record, rooms=case.rooms, unready_since_s=None)


def _waiting(case: CanaryCase, record: Record, now_s: float) -> Record:
    if case.trouble is not None:
        # what keeps it from being tried is no fault of the image
        said = replace(record, reason=case.trouble.reason, message=case.trouble.message)
        return replace(said, unready_since_s=None)
    if case.paused:
        return replace(record, reason=words.PAUSED, message=words.paused(case.paused))
    if case.serving:
        words_ = words.observing(case.of, case.percent)
        return _turned(record, "Observing", words.OBSERVING, words_, now_s)
    late = _broken(case, record, now_s)
    if late is not None:
        return late
    return replace(record, reason=words.WAITING_FOR_POD, message=words.waiting(case.name))


def _broken(case: CanaryCase, record: Record, now_s: float) -> Record | None:
    """Rolled back for what its pods are, whatever they measure; None = they run."""
    gate = case.gate
    restarts = case.restarts - record.restarts_before
    if restarts > gate.max_restarts:
        said = words.crashed(restarts, gate.max_restarts)
        return _turned(record, "RolledBack", words.CRASHED, said, now_s)
    since_s = record.unready_since_s
    if since_s is not None and now_s - since_s >= gate.deadline_s:
        return _turned(record, "RolledBack", words.NOT_READY, words.unready(gate), now_s)
    return None


def _observing(case: CanaryCase, record: Record, now_s: float) -> Record:
    if case.trouble is not None:
        return _turned(record, "Waiting", case.trouble.reason, case.trouble.message, now_s)
    if case.paused:
        return replace(record, reason=words.PAUSED, message=words.paused(case.paused))
    broken = _broken(case, record, now_s)
    if broken is not None:
        return broken
    for indicator in record.indicators:
        if _is_bad(indicator):
            reason = words.BAD[indicator.name]
            return _turned(record, "RolledBack", reason, indicator.words(), now_s)
    return _observed(case, record, now_s)


def _observed(case: CanaryCase, record: Record, now_s: float) -> Record:
    """Nothing speaks against it: whether enough speaks for it."""
    if record.unready_since_s is not None:
        return replace(record, reason=words.NO_POD, message=words.no_pod(case.of))
    left_s = record.since_s + case.gate.observe_s - now_s
    if left_s > 0:
        ends_s = record.since_s + case.gate.observe_s
        return replace(record, reason=words.OBSERVING, message=words.until(ends_s))
    short = [each for each in record.indicators if each.verdict != "Good"]
    if short or not record.indicators:
        said = "; ".join(each.words() for each in short)
        return replace(record, reason=words.TOO_FEW, message=said or words.NOTHING_YET)
    said = "; ".join(each.words() for each in record.indicators)
    return _turned(record, "Promoting", words.GATE_PASSED, said, now_s)


def _promoting(case: CanaryCase, record: Record, now_s: float) -> Record:
    """Its spec is written once: whoever changes it after that is not fought."""
    record = replace(record, rooms=case.rooms)
    if case.trouble is not None:
        return _turned(record, "RolledBack", case.trouble.reason, case.trouble.message, now_s)
    if case.refusal:
        return replace(record, reason=words.REFUSED, message=case.refusal)
    if not case.target.alike:
        # one that is older than what is on record is only old news of it
        if record.applied and case.target.generation > record.applied:
            return _turned(record, "RolledBack", words.OVERRULED, words.overruled(case.of), now_s)
        return record
    record = replace(record, applied=record.applied or max(1, case.target.generation))
    if not case.target.rolled:
        return replace(record, reason=words.ROLLING, message=words.rolling(case.of))
    return _turned(record, "Promoted", words.ROLLED_OUT, words.promoted(case.of), now_s)


def _turned(record: Record, phase: Phase, reason: str, message: str, now_s: float) -> Record:
    return replace(record, phase=phase, reason=reason, message=message, since_s=now_s)


# A person's decision


def _open(order: Order | None, record: Record) -> Order | None:
    """One that was not answered yet."""
    done = record.answered is not None and order is not None and record.answered.id == order.id
    return None if done else order


def _ordered(case: CanaryCase, record: Record, order: Order, now_s: float) -> Record:
    """It counts while the canary is paused as well, and whatever the indicators say."""
    problem = order.problem or words.against(order.wish, record, case.trouble)
    if problem:
        refused = Answered(order.id, "Refused", problem)
        return replace(_decided(case, record, now_s), answered=refused)
    done = replace(record, answered=Answered(order.id, "Done"))
    said = words.asked(order)
    match order.wish:
        case "Promote":
            return _turned(done, "Promoting", words.REQUESTED, said, now_s)
        case "RollBack":
            return _turned(done, "RolledBack", words.REQUESTED, said, now_s)
    return replace(_fresh(case, now_s), answered=done.answered)


# What is told, and when to look again


def _says(case: CanaryCase, now: Record) -> list[Say]:
    before = case.record or _fresh(case, 0.0)
    found: list[Say] = []
    turned = (before.phase, before.since_s) != (now.phase, now.since_s)
    if turned and now.phase in words.EVENTS:
        said = f"{now.reason}: {now.message}"
        found.append(Say(words.EVENTS[now.phase], said, now.phase == "RolledBack"))
    if now.reason == words.REFUSED != before.reason:
        found.append(Say(words.CANARY_REFUSED, now.message, warning=True))
    answered = now.answered
    if answered is not None and answered != before.answered and answered.state == "Refused":
        said = f"decision {answered.id}: {answered.message}"
        found.append(Say(words.CANARY_REFUSED, said, warning=True))
    return found


def _requeue(case: CanaryCase, now: Record, now_s: float) -> float | None:
    if now != case.record:
        return None  # what is written is news
    waits = [JUDGE_EVERY_S] if now.phase == "Promoting" else []
    if now.phase in ("Waiting", "Observing") and now.unready_since_s is not None:
        waits.append(now.unready_since_s + case.gate.deadline_s - now_s)
    if now.phase == "Observing":
        waits.append(now.judged_s + JUDGE_EVERY_S - now_s)
        waits.append(now.since_s + case.gate.observe_s - now_s)
    return min((wait for wait in waits if wait > 0), default=None)
