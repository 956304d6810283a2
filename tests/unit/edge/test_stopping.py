"""A process that stops itself, and is continued by the kernel alone."""

from __future__ import annotations

import os
import subprocess
import sys

_STOPS: str = """\
import signal, time
from voiceroom_mixer.edge.stopping import stop_for
continued = []
signal.signal(signal.SIGCONT, lambda *_: continued.append(1))
for ms in (20, 60):
    before = time.monotonic_ns()
    stop_for(ms * 1_000_000)
    print(ms, time.monotonic_ns() - before >= ms * 1_000_000, len(continued) > 0)
    continued.clear()
"""


def test_it_stops_for_that_long_and_was_continued_by_a_signal() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _STOPS], stdout=subprocess.PIPE, text=True
    ) as child:
        _, how = os.waitpid(child.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(how), "it is stopped as SIGSTOP stops, not asleep"
        out, _ = child.communicate(timeout=20)
    assert out.splitlines() == ["20 True True", "60 True True"]
