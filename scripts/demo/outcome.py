"""What came of it: the figures, what is not as promised, and the table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from demo.facts import Decision, Fact, Hearing, Judgement, Place, Release, Seat, Stall
from harness.captures import Passage

PROMISED_S = 10.0
"""From the stall on, until the room is elsewhere."""


@dataclass
class Outcome:
    """Added up from facts. Moments are seconds since the stall; None = it did not happen."""

    node: str = ""
    """That was stalled."""
    verdict: str = ""
    detected_s: float | None = None
    decided_s: float | None = None
    cause: str = ""
    moved_s: float | None = None
    to: str = ""
    whole_s: float | None = None
    """Everybody heard everybody again, after the move."""
    lifted_s: float | None = None
    good_s: float | None = None
    passage: Passage | None = None
    """What the gateway that listens had, from the stall on until the end."""
    verdicts: dict[str, Judgement] = field(default_factory=dict)
    """The last word of each pod."""
    rejoined: set[str] = field(default_factory=set)
    zero_s: float | None = None
    """The stall, CLOCK_MONOTONIC."""
    _legs: dict[str, str] = field(default_factory=dict)
    _whole: dict[str, bool] = field(default_factory=dict)

    def see(self, fact: Fact) -> None:
        """Every fact, in its order."""
        if isinstance(fact, Seat):
            self._seated(fact)
        if isinstance(fact, Hearing):
            self._whole[fact.who] = fact.heard >= set(fact.talkers)
        if isinstance(fact, Judgement):
            self.verdicts[fact.pod] = fact
        if isinstance(fact, Stall):
            self._stalled(fact)
        elif self.zero_s is not None:
            self._since(fact, fact.at_s - self.zero_s)

    def _seated(self, fact: Seat) -> None:
        """A page's leg is its own for the whole call, and so is its call."""
        first = self._legs.setdefault(fact.who, fact.leg)
        if first != fact.leg or fact.state in ("joining", "reconnecting", "ended", "idle"):
            self.rejoined.add(fact.who)

    def _stalled(self, fact: Stall) -> None:
        if fact.begins:
            self.node, self.zero_s = fact.node, fact.at_s
        elif self.zero_s is not None:
            self.lifted_s = fact.at_s - self.zero_s

    def _since(self, fact: Fact, at_s: float) -> None:
        match fact:
            case Judgement(node=self.node) if fact.verdict and self.detected_s is None:
                self.detected_s, self.verdict = at_s, fact.verdict
            case Decision() if self.decided_s is None:
                self.decided_s, self.cause = at_s, fact.cause
            case Place() if self.moved_s is None and fact.node != self.node:
                self.moved_s, self.to = at_s, fact.node
                self._whole = dict.fromkeys(self._whole, False)
            case Hearing() if self.is_whole and self.whole_s is None:
                self.whole_s = at_s
            case Release(name=self.node) if self.good_s is None:
                self.good_s = at_s

    @property
    def is_calm(self) -> bool:
        """Every pod has spoken, and none finds its time bad."""
        return bool(self.verdicts) and not any(one.verdict for one in self.verdicts.values())

    @property
    def is_whole(self) -> bool:
        """Everybody hears everybody, by what was last heard since the room moved."""
        return self.moved_s is not None and bool(self._whole) and all(self._whole.values())

    def faults(self) -> list[str]:
        """What is not as promised; empty = all is."""
        found = []
        if self.moved_s is None:
            found.append(f"the room did not leave {self.node or 'its node'}")
        elif self.moved_s > PROMISED_S:
            found.append(f"the room moved after {self.moved_s:.1f} s, promised {PROMISED_S:g}")
        found += [f"{who} had to rejoin" for who in sorted(self.rejoined)]
        if self.moved_s is not None and not self.is_whole:
            lacking = ", ".join(sorted(who for who, whole in self._whole.items() if not whole))
            found.append(f"somebody is not heard by {lacking or 'anybody'}")
        return found

    def table(self) -> list[tuple[str, str, str]]:
        """Heads first: what, measured, promised."""
        return [
            ("what", "measured", "promised"),
            ("verdict of the stalled pod", self.verdict or "none", ""),
            ("  known outside after", _seconds(self.detected_s), ""),
            ("decision", f"{self.node} is left ({self.cause})" if self.cause else "none", ""),
            ("  on record after", _seconds(self.decided_s), ""),
            ("room on another node after", _seconds(self.moved_s), f"<= {PROMISED_S:g} s"),
            ("everybody hears everybody again after", _seconds(self.whole_s), ""),
            *_gap(self.passage),
            ("callers who had to rejoin", _people(self.rejoined), "none"),
            ("stall taken back after", _seconds(self.lifted_s), ""),
            ("node good again after", _seconds(self.good_s), ""),
        ]


def _gap(found: Passage | None) -> list[tuple[str, str, str]]:
    if found is None:
        return [("the gateway's longest gap", "not measured", "")]
    return [
        ("the gateway's longest gap", f"{found.gap_ms:.0f} ms", ""),
        ("  packets lost, repeated", f"{found.lost}, {found.repeated}", ""),
    ]


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.1f} s"


def _people(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def lines(table: list[tuple[str, str, str]]) -> list[str]:
    """In columns."""
    widths = [max(len(row[column]) for row in table) for column in range(3)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]
