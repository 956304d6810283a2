"""A missed deadline counts unless the machine, or the test's own sender, was at fault."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import disturbance
from disturbance import Look, Witness, sender_was_late, stolen_share


class Still(Witness):
    """A witness whose stalls are written by the test."""

    def __init__(self, folder: Path) -> None:
        self._seen = folder / "stalls"
        self._seen.touch()

    def see(self, at_ns: int, late_ns: int) -> None:
        """One late wake-up."""
        with self._seen.open("a") as seen:
            seen.write(f"{at_ns} {late_ns}\n")


@pytest.fixture
def witness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Still:
    """Nothing seen yet, nobody late, and a machine of which nothing is stolen."""
    monkeypatch.setattr(disturbance, "_late_senders", [])
    monkeypatch.setattr(disturbance, "cpu_times", lambda: (0, 1_000))
    return Still(tmp_path)


def test_a_quiet_machine_excuses_nothing(witness: Still) -> None:
    assert Look.now().disturbance(witness) == ""


def test_a_stall_of_half_a_frame_is_an_excuse(witness: Still) -> None:
    look = Look.now()
    witness.see(look.at_ns + 1, 9_000_000)
    assert look.disturbance(witness) == ""
    witness.see(look.at_ns + 2, 43_000_000)
    assert "stood still for 43 ms" in look.disturbance(witness)


def test_what_was_before_is_none(witness: Still) -> None:
    witness.see(time.monotonic_ns() - 1, 43_000_000)
    sender_was_late(time.monotonic_ns(), 90_000_000)
    assert Look.now().disturbance(witness) == ""


def test_a_late_sender_of_the_test_is_an_excuse(witness: Still) -> None:
    look = Look.now()
    sender_was_late(look.at_ns, 39_000_000)
    assert look.disturbance(witness) == ""
    sender_was_late(look.at_ns, 55_000_000)
    assert "55 ms late" in look.disturbance(witness)


def test_the_stolen_share_is_of_what_passed() -> None:
    assert stolen_share((10, 1_000), (70, 2_000)) == pytest.approx(0.06)
