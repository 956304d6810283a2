"""What speaks against a pod: its own seconds, and its silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from voiceroom_api import names
from voiceroom_operator.remediation.policy import Policy
from voiceroom_operator.remediation.windows import History, Window

LATE: Final = names.LATE
"""Ticks are bad and the pod does not say why."""
NO_ANSWER: Final = names.NO_ANSWER
"""The pod does not answer: nothing is known, which counts as bad."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of one pod, now."""

    had: bool = False
    """There is something to judge by; False = the own look could not be had."""
    bad: int = 0
    """Bad windows among the last ``spec.remediation.ofWindows``."""
    cause: str = ""
    """The verdict of most seconds, else ``LATE`` or ``NO_ANSWER``; empty = none is bad."""
    bad_ago_s: tuple[int, ...] = ()
    """How long ago each bad second was, the latest first."""
    steady: bool = False
    """It has kept time for ``minHealthyAge``, one bad second in ten apart."""
    good: bool = False
    """The newest second was good, by the stricter threshold."""
    work_ms: float = 0.0
    """p99 of a tick's work, the worst of the seconds that were looked at."""


_MISSED: Final = Window(-1)


def weigh(history: History, silent_s: float, policy: Policy) -> Evidence:
    """``silent_s``: for how long the pod has been asked and has not answered."""
    missed = min(int(silent_s), policy.keep_s)
    if not history and not missed:
        return Evidence()
    seconds: Sequence[Window] = (*history, *(_MISSED,) * missed)
    flags = [window.is_bad(policy.threshold) for window in seconds]
    looked_at = list(zip(seconds, flags, strict=True))[-policy.span_s :]
    bad = [window for window, flag in looked_at if flag]
    ago = range(len(looked_at) - 1, -1, -1)
    return Evidence(
        had=True,
        bad=_bad_windows(flags, policy),
        cause=_cause([window for window, _ in looked_at], bad),
        bad_ago_s=tuple(sorted(at for at, (_, flag) in zip(ago, looked_at, strict=True) if flag)),
        steady=_is_steady(flags, policy),
        good=not missed and seconds[-1].is_good(policy.threshold),
        work_ms=max((window.work_ms for window, _ in looked_at), default=0.0),
    )


def _bad_windows(flags: Sequence[bool], policy: Policy) -> int:
    """A window is bad when half of its seconds are; the newest ends with the newest second."""
    size = policy.window_s
    ends = range(len(flags), max(0, len(flags) - policy.span_s), -size)
    windows = [flags[max(0, end - size) : end] for end in ends]
    return sum(2 * sum(window) >= size for window in windows)


def _cause(looked_at: Sequence[Window], bad: Sequence[Window]) -> str:
    """The word that was said most, of the latest where two are even: it comes up to a second
    before the second that it is about."""
    if not bad:
        return ""
    named = Counter(window.verdict for window in reversed(looked_at) if window.verdict)
    if named:
        return named.most_common(1)[0][0]
    silent = sum(window is _MISSED for window in bad)
    return NO_ANSWER if 2 * silent > len(bad) else LATE


def _is_steady(flags: Sequence[bool], policy: Policy) -> bool:
    least = max(1, int(policy.min_healthy_age_s))
    newest = flags[-least:]
    # a pod shows ten seconds: more are known only of one that was watched for so long
    return len(newest) >= least and not newest[-1] and 10 * sum(newest) <= len(newest)
