"""``describe``: what happened to a room so far, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from voiceroom_api import names, reasons
from voiceroom_kubectl.cluster import Object, event_time
from voiceroom_kubectl.listing import condition
from voiceroom_kubectl.output import age
from voiceroom_kubectl.tokens import pool_of

_GOOD = {
    names.READY: "True",
    names.BOUND: "True",
    names.REALTIME_GRANTED: "True",
    names.TIMING_HEALTHY: "True",
    names.MOVING: "False",
    names.REMEDIATION_BLOCKED: "False",
}
_MAX_EVENTS = 20


def story(room: Object, pool: Object | None, events: list[Object], now_s: float) -> list[str]:
    """Lines. ``pool``: None when it is not there."""
    lines = [*_state(room), *_place(room, pool), *_timing(room, now_s)]
    lines += [*_troubles(room, now_s), *_moves(room, now_s), *_paused(room)]
    return lines + list(_events(events, now_s))


def _state(room: Object) -> Iterator[str]:
    status, name = room.get("status", {}), room["metadata"]["name"]
    phase = status.get("phase")
    if phase is None:
        yield f"{name}: nobody has looked at it yet. Does the operator run, for this namespace too?"
        return
    people = status.get("participants", 0)
    count = {0: "Nobody is", 1: "One person is"}.get(people, f"{people} people are")
    locked = ", and it is locked: nobody else gets in" if room["spec"].get("locked") else ""
    yield f"{name} is {phase}. {count} in{locked}."


def _place(room: Object, pool: Object | None) -> Iterator[str]:
    status = room.get("status", {})
    if pod := status.get("podName"):
        twin = status.get("twinPodName")
        stand_by = f"; {twin} stands by to take it over" if twin else "; no pod stands by for it"
        node = status.get("nodeName") or "an unknown node"
        yield f"It runs in the pod {pod} on {node} (binding {status.get('epoch', 0)}){stand_by}."
    endpoint = status.get("endpoint", {})
    if url := endpoint.get("url"):
        media = ", ".join(endpoint.get("udp", [])) or "not known yet"
        yield f"People join at {url}; media goes to {media} (UDP)."
    yield from _pool(room, pool)


def _pool(room: Object, pool: Object | None) -> Iterator[str]:
    name = pool_of(room)
    if pool is None:
        yield f"Its pool {name} is not there."
        return
    mode = pool.get("spec", {}).get("realtime", {}).get("mode", "Quota")
    pods = pool.get("status", {}).get("pods", {})
    granted = room.get("status", {}).get("realtime", {}).get("granted")
    word = {True: "granted", False: "NOT granted"}.get(granted, "not known yet")
    yield (
        f"Its pool {name} has {pods.get('ready', 0)} of {pods.get('desired', 0)} pods ready; "
        f"real-time mode {mode}: {word}."
    )


def _timing(room: Object, now_s: float) -> Iterator[str]:
    timing = room.get("status", {}).get("timing", {})
    if "p99Ms" not in timing:
        return
    since = age(timing.get("since"), now_s)
    lasting = "" if since == "-" else f" for {since}"
    verdict = timing.get("verdict")
    state = f"is off ({verdict}: {_verdict(verdict)})" if verdict else "keeps time"
    yield f"Its timer {state}{lasting}; 99 of 100 ticks begin within {timing['p99Ms']:.2f} ms."


def _verdict(verdict: str) -> str:
    meanings = reasons.VOICE_ROOM[names.TIMING_HEALTHY].reasons
    return meanings.get(names.verdict_reason(verdict), "see the docs")


def _troubles(room: Object, now_s: float) -> Iterator[str]:
    """Each condition that is not as one would have it, with what the reason means."""
    for kind, good in _GOOD.items():
        found = condition(room, kind)
        if not found or found.get("status") == good:
            continue
        reason = found.get("reason", "")
        meaning = reasons.VOICE_ROOM[kind].reasons.get(reason, "")
        words = ". ".join(text.rstrip(".") for text in (found.get("message"), meaning) if text)
        since = age(found.get("lastTransitionTime"), now_s)
        yield f"{kind} is {found.get('status')} since {since} ({reason}): {words}."


def _moves(room: Object, now_s: float) -> Iterator[str]:
    moves = room.get("status", {}).get("moves", {})
    if not moves.get("count"):
        yield "It has never been moved."
        return
    times = "once" if moves["count"] == 1 else f"{moves['count']} times"
    yield f"It has been moved {times}:"
    known = moves.get("history") or [moves.get("last", {})]
    yield from (f"  {_move(move, now_s)}" for move in known)


def _move(move: Mapping[str, object], now_s: float) -> str:
    when = age(str(move.get("switchedAt") or move.get("startedAt") or ""), now_s)
    what = f"{when} ago from {move.get('from', '?')} to {move.get('to', '?')}"
    return f"{what}, reason {move.get('reason', 'unknown')}: {_outcome(move)}"


def _outcome(move: Mapping[str, object]) -> str:
    if move.get("switchedAt"):
        return f"{move.get('gapMs', 0)} ms of silence, {move.get('lostFrames', 0)} frames lost"
    return "it was given up" if move.get("endedAt") else "it is under way"


def _paused(room: Object) -> Iterator[str]:
    remediation = room.get("spec", {}).get("remediation", {})
    if paused := remediation.get("paused"):
        yield f"It is not moved away from a bad timer: paused, because {paused['reason']!r}."
    elif mode := remediation.get("mode"):
        yield f"Its own remediation mode is {mode}."


def _events(events: list[Object], now_s: float) -> Iterator[str]:
    if not events:
        return
    yield "Recorded:"
    for event in events[-_MAX_EVENTS:]:
        when = age(event_time(event) or None, now_s)
        often = event.get("count") or 1
        times = f" ({often} times)" if often > 1 else ""
        yield f"  {when} ago  {event.get('reason', '')}: {event.get('message', '')}{times}"
