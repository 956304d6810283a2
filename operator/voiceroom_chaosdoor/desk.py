"""Begins experiments and ends each of them: at its deadline, on demand, when the door ends, and
when it is started anew and finds what one before it had begun."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_chaosdoor.journal import Entry, Journal
from voiceroom_chaosdoor.means import Means, Undone
from voiceroom_chaosdoor.order import KINDS, Kind, Order
from voiceroom_chaosdoor.refusal import Refused
from voiceroom_chaosdoor.target import Target

MOST: Final = 4
"""Experiments at once on a node."""
Why = Literal["deadline", "asked", "stopped", "recovered", "failed"]
"""Of an end. failed: it could not be begun as a whole."""
WHYS: Final[tuple[Why, ...]] = ("deadline", "asked", "stopped", "recovered", "failed")
Tell = Callable[[Entry, str, str], None]
"""The entry, ``Began`` or ``Over``, and words for people."""
_log = logging.getLogger(__name__)


@dataclass
class Counts:
    """Since the start."""

    begun: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    undone: dict[tuple[Kind, Why], int] = field(
        default_factory=lambda: {(kind, why): 0 for kind in KINDS for why in WHYS}
    )
    undo_failures: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))


class Desk:
    """One experiment a pod, ``MOST`` in all. Every method may be called in any thread."""

    def __init__(
        self,
        means: Mapping[Kind, Means],
        journal: Journal,
        *,
        boot_ns: Callable[[], int],
        wall_s: Callable[[], int],
        tell: Tell,
    ) -> None:
        self._means, self._journal = means, journal
        self._boot_ns, self._wall_s, self._tell = boot_ns, wall_s, tell
        self._lock = threading.Lock()
        self._held = {entry.uid: entry for entry in journal.entries()}
        self._ending: dict[str, Why] = dict.fromkeys(self._held, "recovered")
        """By uid: what has to be undone now, perhaps for the second time."""
        self._complained: set[str] = set()
        self._stopped = False
        self.counts = Counts()

    def begin(self, order: Order, target: Target) -> dict[str, Any]:
        """The document afterwards. Raises ``Refused``."""
        with self._lock:
            self._look()
            self._check_room(target)
            means = self._means[order.kind]
            try:
                entry = self._entry(order, target, means)
                self._journal.write(entry)
                self._do(entry, means)
            except OSError as error:
                raise Refused(500, "cannot", f"{order.kind}: {error}") from error
            self.counts.begun[order.kind] += 1
            words = f"{_words(entry)} for {order.for_s} s"
            _log.warning("chaos: a fault is begun", extra=_shown(entry))
            self._tell(entry, "Began", words)
            return self._document(target.namespace, target.pod)

    def _check_room(self, target: Target) -> None:
        if self._stopped:
            raise Refused(503, "ending", "this door ends: its successor takes orders in a moment")
        now_ns, held = self._boot_ns(), self._held.get(target.uid)
        if held is not None:
            left_s = (held.until_ns - now_ns) / NS_PER_S
            words = f"{held.kind} runs for another {left_s:.1f} s: wait, or DELETE it"
            if held.uid in self._ending:
                words = f"{held.kind} is not undone yet: the door's log has the reason"
            raise Refused(409, "chaos_runs", words)
        if len(self._held) >= MOST:
            words = f"{MOST} experiments run on this node, and no more may: wait, or end one"
            raise Refused(409, "too_many", words)

    def _entry(self, order: Order, target: Target, means: Means) -> Entry:
        now_ns = self._boot_ns()
        return Entry(
            id=secrets.token_hex(4),
            kind=order.kind,
            namespace=target.namespace,
            pod=target.pod,
            uid=target.uid,
            began_ns=now_ns,
            until_ns=now_ns + order.for_s * NS_PER_S,
            strength=order.strength(),
            changes=means.plan(order, target),
        )

    def _do(self, entry: Entry, means: Means) -> None:
        """All of it, or nothing stays. Raises ``Refused``, ``OSError``."""
        self._held[entry.uid] = entry
        try:
            for change in entry.changes:
                means.do(change)
        except (Refused, OSError):
            self._end(entry, "failed")
            raise

    def end(self, namespace: str, pod: str) -> dict[str, Any]:
        """Before its time; the document afterwards. Harmless when none runs."""
        with self._lock:
            for entry in list(self._held.values()):
                if (entry.namespace, entry.pod) == (namespace, pod):
                    self._end(entry, "asked")
            return self._document(namespace, pod)

    def look(self) -> None:
        """Several times a second: end what is due, try again what could not be undone, and do again
        what somebody has put back meanwhile."""
        with self._lock:
            self._look()

    def _look(self) -> None:
        now_ns = self._boot_ns()
        for entry in list(self._held.values()):
            if entry.uid in self._ending or now_ns >= entry.until_ns:
                self._end(entry, self._ending.get(entry.uid, "deadline"))
            else:
                self._hold(entry)

    def _hold(self, entry: Entry) -> None:
        """What cannot be looked at now is looked at again a moment later."""
        means = self._means[entry.kind]
        with suppress(OSError):
            if sum(means.hold(change) for change in entry.changes):
                _log.info("chaos: a fault was put back, and is done again", extra=_shown(entry))

    def stop(self) -> None:
        """Undo all, and begin nothing any more: the door ends."""
        with self._lock:
            self._stopped = True
            for entry in list(self._held.values()):
                self._end(entry, "stopped")

    def _end(self, entry: Entry, why: Why) -> None:
        means = self._means[entry.kind]
        try:
            # the last first: each finds what it left
            found = [means.undo(change) for change in reversed(entry.changes)]
            self._journal.forget(entry.uid)
        except OSError as error:
            self._failed(entry, why, error)
            return
        del self._held[entry.uid]
        self._ending.pop(entry.uid, None)
        self._complained.discard(entry.uid)
        self.counts.undone[entry.kind, why] += 1
        _log.warning("chaos: a fault is over", extra=_shown(entry) | {"why": why, "found": found})
        self._tell(entry, "Over", f"{_words(entry)} is over ({why}): {_fate(found)}")

    def _failed(self, entry: Entry, why: Why, error: OSError) -> None:
        """It is tried again at each look, and said once."""
        self._ending.setdefault(entry.uid, why)
        self.counts.undo_failures[entry.kind] += 1
        if entry.uid not in self._complained:
            self._complained.add(entry.uid)
            more = {"error": str(error)}
            _log.error("chaos: a fault cannot be undone yet", extra=_shown(entry) | more)

    def active(self) -> dict[Kind, int]:
        """Experiments by kind; what is not undone yet counts."""
        with self._lock:
            kinds = [entry.kind for entry in self._held.values()]
        return {kind: kinds.count(kind) for kind in KINDS}

    def document(self, namespace: str, pod: str) -> dict[str, Any]:
        """What runs and until when."""
        with self._lock:
            return self._document(namespace, pod)

    def _document(self, namespace: str, pod: str) -> dict[str, Any]:
        for entry in self._held.values():
            if (entry.namespace, entry.pod) == (namespace, pod):
                left_ns = max(0, entry.until_ns - self._boot_ns())
                until = datetime.fromtimestamp(self._wall_s() + left_ns // NS_PER_S, UTC)
                when = until.isoformat().replace("+00:00", "Z")
                return {"active": _shown(entry) | {"until": when, "leftMs": left_ns // NS_PER_MS}}
        return {"active": None}


def _shown(entry: Entry) -> dict[str, Any]:
    names = {"id": entry.id, "kind": entry.kind, "namespace": entry.namespace, "pod": entry.pod}
    return names | dict(entry.strength) | {"changes": entry.changes}


def _words(entry: Entry) -> str:
    """``throttle (percent 50)``."""
    numbers = ", ".join(f"{name} {value:g}" for name, value in entry.strength.items())
    return f"{entry.kind} ({numbers})"


def _fate(found: list[Undone]) -> str:
    if "changed" in found:
        return "somebody else has set it meanwhile, and it is left as it is"
    return "the pod has ended" if "gone" in found else "all is as before"
