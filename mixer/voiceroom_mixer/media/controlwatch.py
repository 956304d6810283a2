"""Control's event loop as media feels it: a loop that is blocked cannot say so itself.

Called after a tick. With nothing wrong it reads two words, and with each beat of control's one
small file; what it finds it writes into the table ``reports``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.core.timing.detect.detector import Books, LoopDetector
from voiceroom_mixer.core.timing.detect.observations import Accounts, Tick
from voiceroom_mixer.edge import clock
from voiceroom_mixer.edge.accounts import OpenFile, numbers
from voiceroom_mixer.edge.shm import Segment

REPORT_NS: Final = NS_PER_S
"""The report is written at each change of the verdict, and so often while there is one."""
_STOPPED: Final = (b"T", b"t")


class ControlWatch:
    """Of the first media process. ``look`` after every tick."""

    def __init__(self, segment: Segment, root: Path = Path("/")) -> None:
        self._segment, self._proc = segment, root / "proc"
        self.detector = LoopDetector()
        self._pid = 0
        self._schedstat = self._stat = OpenFile(self._proc / "nonexistent")
        self._throttled_ns = 0
        self._version = self._since_ns = 0

    def start(self) -> None:
        """Before the first tick: what a predecessor said is no longer true; its counts are."""
        raw = self._segment.tables["reports"].read(layout.REPORT_LOOP)
        raised = json.loads(raw).get("raised", {}) if raw else {}
        counts = self.detector.judge.raised
        counts.update({kind: int(raised.get(kind, 0)) for kind in counts})
        self._report()

    def look(self, tick: Tick) -> None:
        """After a tick as it was seen."""
        segment, detector = self._segment, self.detector
        if (pid := segment.word("control_pid")) != self._pid:
            self._follow(pid)
        self._throttled_ns = tick.accounts.throttled_ns  # one cgroup, two processes
        beat_ns, witness_ns = segment.word("control_beat_ns"), segment.word("control_witness_ns")
        verdict = detector.feel(beat_ns, witness_ns, tick.frame_ns, self._read)
        self._since_ns += tick.frame_ns
        changed = detector.judge.version != self._version
        if changed or (verdict is not None and self._since_ns >= REPORT_NS):
            self._report()

    def _follow(self, pid: int) -> None:
        """Another control process."""
        self._schedstat.close()
        self._stat.close()
        self._pid = pid
        self._schedstat = OpenFile(self._proc / f"{pid}/task/{pid}/schedstat")
        self._stat = OpenFile(self._proc / f"{pid}/stat")
        self.detector.begin_anew()

    def _read(self) -> Books | None:
        """None: the process is gone, and what is gone is not blocked."""
        used_ns, waited_ns, slices = numbers(self._schedstat.read(), 3)
        process_ns = clock.cpu_of_process_ns(self._pid)
        if not used_ns or process_ns is None:
            return None
        state = self._stat.read().rpartition(b")")[2].split()[:1]
        accounts = Accounts(used_ns, process_ns, waited_ns, slices, self._throttled_ns, 0)
        return accounts, bool(state) and state[0] in _STOPPED

    def _report(self) -> None:
        self._version, self._since_ns = self.detector.judge.version, 0
        text = json.dumps(self.detector.report(), separators=(",", ":"))
        self._segment.tables["reports"].write(layout.REPORT_LOOP, text.encode())
