"""The signal of a node's clock probe: taken when the loop asks, and never the end of a process."""

from __future__ import annotations

import subprocess
import sys

from voiceroom_mixer.children import ALARM
from voiceroom_mixer.edge.alarms import SIGNAL

CHILD = """
import os, signal
from concurrent.futures import ThreadPoolExecutor
from voiceroom_mixer.edge import stacks
from voiceroom_mixer.edge.alarms import SIGNAL, Alarms

def me(number=SIGNAL):
    os.kill(os.getpid(), number)

signal.signal(SIGNAL, signal.SIG_IGN)  # as the keeper starts it
me()
other = ThreadPoolExecutor(1)
if {threads}:
    other.submit(int).result()
fd, alarms = stacks.offer(), Alarms()
alarms.offer()

def once():
    # Who does not block it, and is the only one, has it before kill() returns (POSIX, kill).
    other.submit(me).result() if {threads} else me()

seen = [alarms.take()]
once()
seen.append(alarms.take())
seen.append(alarms.take())
for _ in range(5):
    once()
seen.append(alarms.take())
seen.append(alarms.take())
mask = next(line for line in open("/proc/self/status") if line.startswith("SigCgt"))
other.shutdown()
print(seen, bool(int(mask.split()[1], 16) >> SIGNAL - 1 & 1), os.fstat(fd).st_size)
"""


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_it_is_taken_once_when_asked_and_writes_nothing_where_stacks_are_written() -> None:
    assert run(CHILD.format(threads=False)) == "[False, True, False, True, False] True 0"


def test_a_library_with_a_thread_of_its_own_takes_none_away() -> None:
    seen, catches, _ = run(CHILD.format(threads=True)).rsplit(" ", 2)
    assert (seen, catches) == ("[False, True, False, True, False]", "True")


def test_what_the_keeper_has_ignored_is_what_media_takes() -> None:
    assert ALARM == SIGNAL
