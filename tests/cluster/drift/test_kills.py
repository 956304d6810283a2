"""Whoever dies in the middle of a move: the call goes on, and one pod has the room."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from harness import drift
from harness.apiproxy import ApiProxy
from harness.drift import a_call, captured, mixed_at, mixes, request_move
from harness.operators import LocalOperator, begin_anew, die_after
from harness.voice import OFF, Voice, until

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("resting")]
SETTLED = ("Ready", "Degraded")
SILENT_MS = 2_000
STEPS = 5
"""Writes of a move, after each of which the operator is killed once."""


def test_an_operator_killed_at_each_step_of_a_move_ends_it_all_the_same(
    tended: tuple[Voice, LocalOperator], proxy: ApiProxy
) -> None:
    voice, operator = tended
    with a_call(voice, remediation=OFF) as call:
        begun = len(call.bob.heard)
        for step in range(1, STEPS + 1):
            die_after(proxy, operator, step)
            request_move(voice, step)
            until(partial(_dead_or_moved, operator, voice, step), 30, "killed, or moved")
            begin_anew(proxy, operator, voice)
            until_moved(voice, step, operator)
            voice.ready("lobby")
            try:
                call.goes_on()
            except AssertionError as error:
                raise AssertionError(f"step {step}: {error}; {what_they_say(voice)}") from None
            until(lambda: len(mixed_at(voice)) == 1, 30, "one pod has it")
        found = call.passage(begun)
        print(f"operator killed {STEPS} times: {found}")
        assert (found.lost, found.repeated) == (0, 0)


def what_they_say(voice: Voice) -> dict[str, object]:
    """The room's status, and what each pod shows of it."""
    said: dict[str, object] = {"status": voice.status("lobby")}
    for pod in voice.pods():
        door = voice.door("lobby", pod)
        token = door.sign("listener", "lobby")
        said[pod] = door.call("GET", "/rooms/lobby", token, Accept="application/json")[:2]
    return said


def until_moved(voice: Voice, times: int, operator: LocalOperator) -> None:
    """So many moves are on record as done."""
    try:
        until(partial(_moved, voice, times), 60, f"move {times}")
    except AssertionError as error:
        raise AssertionError(f"{error}; {voice.status('lobby')}; {operator.said()}") from None


def _moved(voice: Voice, times: int) -> bool:
    return int(voice.status("lobby").get("moves", {}).get("count", 0)) == times


def _dead_or_moved(operator: LocalOperator, voice: Voice, times: int) -> bool:
    assert operator.process is not None
    return operator.process.poll() is not None or _moved(voice, times)


@pytest.mark.parametrize("who", ["owner", "successor"])
def test_a_pod_killed_in_a_hand_over_costs_no_call(watched: Voice, who: str) -> None:
    with a_call(watched, remediation=OFF) as call:
        cyd, old, begun = captured(call), call.pod, len(call.bob.heard)
        (new,) = set(watched.pods()) - {old}
        _when_moving(watched, lambda: drift.kill(watched, old if who == "owner" else new))
        # Ready by the conditions all the time: what is under way is in the phase
        until(lambda: watched.status("lobby")["phase"] in SETTLED, 60, "it has settled")
        call.goes_on()
        print(f"{who} killed: {call.passage(begun)}; {call.last_move}")
        cyd.no_index_came_twice()


def test_a_new_pod_killed_after_the_cut_is_missed_by_the_old_one(watched: Voice) -> None:
    with a_call(watched, remediation=OFF) as call:
        cyd, old, begun = captured(call), call.pod, len(call.bob.heard)
        (new,) = set(watched.pods()) - {old}
        there = watched.door("lobby", new)
        request_move(watched)
        until(lambda: mixes(there), 20, "the new pod has it")
        drift.kill(watched, new)
        # Ada sends to the old pod all the time: it relays, and then mixes
        until(lambda: mixes(watched.door("lobby", old)), 10, "the old pod has it again")
        until(lambda: call.pod == old, 30, "and that is on record")
        until(lambda: watched.status("lobby")["phase"] in SETTLED, 60, "it has settled")
        call.goes_on()
        found = call.passage(begun)
        print(f"new pod killed after the cut: {found}; {call.last_move}")
        assert found.gap_ms < SILENT_MS
        cyd.no_index_came_twice()


def _when_moving(voice: Voice, act: Callable[[], None]) -> None:
    """At once when the move is on record."""
    request_move(voice)
    until(lambda: voice.status("lobby").get("moves", {}).get("last", {}).get("to"), 20, "begun")
    act()
