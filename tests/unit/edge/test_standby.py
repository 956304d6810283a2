"""The spare that waits for its turn."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from voiceroom_mixer.edge.standby import media_index
from voiceroom_mixer.inheritance import SPARE_FD_ENV


def test_an_ordinary_process_is_told_its_index() -> None:
    assert media_index(["3"], {}) == 3


def test_a_spare_becomes_what_comes_down_the_pipe() -> None:
    inner, outer = os.pipe()
    os.write(outer, b"12\n")
    assert media_index(["spare"], {SPARE_FD_ENV: str(inner)}) == 12
    os.close(outer)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(inner)


def test_a_spare_that_is_not_needed_leaves() -> None:
    inner, outer = os.pipe()
    os.close(outer)
    with pytest.raises(SystemExit) as left:
        media_index(["spare"], {SPARE_FD_ENV: str(inner)})
    assert left.value.code == 0


@pytest.mark.parametrize("arguments", [[], ["-1"], ["x"], ["0", "1"], ["spare"]])
def test_another_command_line_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="started by the keeper"):
        media_index(arguments, {})


def test_it_then_goes_by_the_name_of_media() -> None:
    """In ``ps`` the process is voiceroom-media from then on, its other arguments unharmed."""
    inner, outer = os.pipe()
    code = (
        "import os, sys\nfrom voiceroom_mixer.edge.standby import media_index\n"
        "media_index(sys.argv[1:], os.environ)\nprint(open('/proc/self/cmdline').read())"
    )
    name = os.path.join(os.path.dirname(sys.executable), "voiceroom-spare")
    os.write(outer, b"0\n")
    shown = subprocess.run(
        [name, "-c", code, "spare"],
        executable=sys.executable,
        env={**os.environ, SPARE_FD_ENV: str(inner)},
        pass_fds=(inner,),
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    os.close(inner)
    os.close(outer)
    words = shown.strip("\n").split("\0")
    assert words[0].endswith("/voiceroom-media")
    assert words[1] == "-c"
    assert words[-2] == "spare"
