"""Settings of a process, read back from the kernel in a process of their own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from voiceroom_mixer.edge import prctl


def run(code: str) -> subprocess.CompletedProcess[str]:
    code = f"import os, signal\nfrom voiceroom_mixer.edge import prctl\n{code}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_timer_slack_is_set_and_told() -> None:
    assert run("print(prctl.set_timer_slack(1000))").stdout == "1000\n"


def test_no_slack_at_all_means_the_least_and_not_the_default() -> None:
    assert run("print(prctl.set_timer_slack(0))").stdout == "1\n"


def test_the_name_shows() -> None:
    code = "prctl.set_name('voiceroom-media')\nprint(open('/proc/self/comm').read().strip())"
    assert run(code).stdout == "voiceroom-media\n"


def test_a_process_whose_parent_has_died_before_does_not_stay() -> None:
    gone = run("prctl.die_with_parent(os.getppid() + 1, signal.SIGKILL)\nprint('stayed')")
    assert (gone.returncode, gone.stdout) == (1, "")
    here = run("prctl.die_with_parent(os.getppid(), signal.SIGKILL)\nprint('stayed')")
    assert here.stdout == "stayed\n"


def test_a_refusal_says_which_setting() -> None:
    with pytest.raises(OSError, match="prctl"):
        prctl._prctl(12_345)
