"""What the laboratory does inside a media process, done inside this one."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from voiceroom_driftlab.real import inside, process
from voiceroom_driftlab.real.inside import carry_out

MS = 1_000_000


def test_a_hold_takes_what_it_was_to() -> None:
    said = carry_out({"act": "hold", "lasts_ns": 0, "ns": 5 * MS})
    assert said["events"] == 1
    assert said["worst_ns"] >= 5 * MS


def test_a_thread_that_computes_uses_the_cpu() -> None:
    assert carry_out({"act": "spin", "lasts_ns": 20 * MS})["total_ns"] > 0


def test_an_act_follows_the_first_call_and_then_each_nth_and_none_afterwards() -> None:
    class Work:
        def run(self, number: int) -> int:
            return number + 1

    acts: list[int] = []
    work, original = Work(), Work.run
    with inside._after(Work, "run", 3, lambda: acts.append(1)):
        assert [work.run(n) for n in range(7)] == [1, 2, 3, 4, 5, 6, 7]
        assert len(acts) == 3
    assert work.run(1) == 2
    assert len(acts) == 3
    assert Work.run is original


def test_ballast_is_few_containers_so_that_nobody_collects_because_of_it() -> None:
    ballast = inside.Ballast()
    ballast.load(10 * inside.CHUNK)
    assert len(ballast._lists) == 10
    ballast.drop()
    assert ballast._lists == []


def test_ballast_is_where_only_a_full_collection_comes() -> None:
    ballast = inside.Ballast()
    ballast.load(2 * inside.CHUNK)
    oldest = {id(one) for one in gc.get_objects(2)}
    assert {id(one) for one in ballast._lists} <= oldest
    ballast.drop()


def test_an_unknown_act_is_an_error() -> None:
    with pytest.raises(ValueError, match="no act 'dance'"):
        carry_out({"act": "dance", "lasts_ns": 0})


@pytest.mark.parametrize("process_name", ["media", "control", "keeper"])
def test_only_media_and_control_let_the_laboratory_in(process_name: str, tmp_path: Path) -> None:
    look = "import threading; print([t.name for t in threading.enumerate()])"
    (tmp_path / "m.py").write_text(look)
    environ = os.environ | {
        "PYTHONPATH": os.pathsep.join((str(process.HOOK), *filter(None, sys.path))),
        inside.DOOR_ENV: str(tmp_path),
    }
    command = [sys.executable, "-P", str(tmp_path / "m.py"), f"voiceroom_mixer.{process_name}"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    listens = process_name != "keeper"
    assert ("laboratory" in done.stdout) == listens
    assert len([path for path in tmp_path.iterdir() if path.is_socket()]) == listens


def test_an_error_inside_comes_out_as_one(tmp_path: Path) -> None:
    door = inside.Door(tmp_path)
    said = json.dumps({"error": "KeyError"}).encode()
    try:
        door._socket.sendto(said, str(tmp_path / "laboratory"))
        with pytest.raises(OSError, match="inside the mixer: KeyError"):
            door.answer(5.0)
        with pytest.raises(FileNotFoundError):
            door.order(4_194_304, {"act": "spin"})
    finally:
        door.close()
