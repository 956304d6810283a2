"""The running commentary: from facts, in the order in which they were seen, to lines."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from demo.facts import (
    Act,
    Decision,
    Fact,
    Hearing,
    Judgement,
    Move,
    Place,
    Release,
    Seat,
    Stall,
)
from voiceroom_api.diagnosis import REMEDIES

NOBODY = "nobody"
WIDTH = 100
_STATES = {
    "live": "is in the call",
    "restarting": "restarts ICE: same leg, same keys",
    "kept": "is in the room by the leg that was there at the beginning",
}


class Story:
    """Says what is new. A fact that was told already gives no line."""

    def __init__(self) -> None:
        self._zero_s: float | None = None
        self._stalled = ""
        self._place: Place | None = None
        self._verdicts: dict[str, str] = {}
        self._hearing: dict[str, frozenset[str]] = {}
        self._seats: dict[str, tuple[str, str]] = {}
        self._told: set[object] = set()

    def see(self, fact: Fact) -> list[str]:
        """Lines with their moment: seconds since the stall, once there is one."""
        if isinstance(fact, Stall) and fact.begins:
            self._zero_s = fact.at_s
        moment = self._moment(fact.at_s)
        return [line for words in self._words(fact) for line in _wrapped(f"{moment}  {words}")]

    def _moment(self, at_s: float) -> str:
        return " " * 9 if self._zero_s is None else f"{at_s - self._zero_s:+7.1f} s"

    def _words(self, fact: Fact) -> Iterator[str]:
        match fact:
            case Act(words=words):
                yield words
            case Stall():
                yield from self._stall(fact)
            case Place():
                yield from self._placed(fact)
            case Judgement():
                yield from self._judged(fact)
            case Decision() | Release():
                yield from self._decided(fact)
            case Move():
                yield from self._moved(fact)
            case Hearing():
                yield from self._heard(fact)
            case Seat():
                yield from self._seated(fact)

    def _stall(self, fact: Stall) -> Iterator[str]:
        if fact.begins:
            self._stalled = fact.node
            yield f"STALL     {fact.node}: {fact.words}"
        else:
            yield f"STALL     over: {fact.node} has its CPUs back"

    def _placed(self, fact: Place) -> Iterator[str]:
        before, self._place = self._place, fact
        if before is None:
            yield f"room      in pod {fact.pod} on {fact.node}"
        elif (before.pod, before.node) != (fact.pod, fact.node):
            yield f"MOVED     the room is in pod {fact.pod} on {fact.node}"

    def _judged(self, fact: Judgement) -> Iterator[str]:
        before = self._verdicts.get(fact.pod, "")
        self._verdicts[fact.pod] = fact.verdict
        if before == fact.verdict:
            return
        if not fact.verdict:
            yield f"noticed   {fact.pod} on {fact.node} keeps time again"
            return
        says = f"{fact.pod} on {fact.node} says: {fact.verdict}, ticks {fact.late_ms:.0f} ms late"
        if fact.node != self._stalled:  # what a busy machine does to it, for moments
            yield f"noticed   {says}"
            return
        yield f"DETECTED  {says}"
        yield f"why       {'; '.join(fact.evidence) or 'no evidence given'}"
        if self._is_new(("remedy", fact.verdict)):
            yield f"helps     {REMEDIES.get(fact.verdict, REMEDIES[''])}"

    def _decided(self, fact: Decision | Release) -> Iterator[str]:
        if isinstance(fact, Release):
            yield f"GOOD      {fact.name} has kept time for long enough: it may have rooms again"
        elif self._is_new((fact.what, fact.name)):
            whose = "every pod on it is left" if fact.what == "Node" else "its rooms are moved"
            yield f"DECIDED   {fact.what.lower()} {fact.name} is left ({fact.cause}): {whose}"

    def _moved(self, fact: Move) -> Iterator[str]:
        if not self._is_new((fact.id, fact.state)):
            return
        way = f"from {fact.source} to {fact.to}"
        words = {
            "begun": f"move      begun {way}, reason {fact.reason}",
            "done": f"move      done {way}, reason {fact.reason}",
        }
        yield words.get(fact.state, f"move      given up {way}")

    def _heard(self, fact: Hearing) -> Iterator[str]:
        before = self._hearing.get(fact.who)
        self._hearing[fact.who] = fact.heard
        if before == fact.heard:
            return
        missing = [name for name in fact.talkers if name not in fact.heard]
        names = listed([name for name in fact.talkers if name in fact.heard])
        lacks = f", and not {listed(missing)}" if missing else ""
        yield f"{'HEARD ' if not missing else 'LACKS '}    {fact.who} hears {names}{lacks}"

    def _seated(self, fact: Seat) -> Iterator[str]:
        leg, state = self._seats.get(fact.who, (fact.leg, ""))
        self._seats[fact.who] = (fact.leg, fact.state)
        if leg != fact.leg:
            yield f"REJOINED  {fact.who} is in the room by another leg: {fact.leg}, not {leg}"
        if state != fact.state:
            yield f"caller    {fact.who} {_STATES.get(fact.state, f'says: {fact.state}')}"

    def _is_new(self, what: object) -> bool:
        known = what in self._told
        self._told.add(what)
        return not known


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(line, WIDTH, subsequent_indent=" " * 21, break_on_hyphens=False)


def listed(names: list[str]) -> str:
    """``Ada, Ina and Jon``."""
    if len(names) < 2:
        return names[0] if names else NOBODY
    return f"{', '.join(names[:-1])} and {names[-1]}"
