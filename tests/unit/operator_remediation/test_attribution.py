"""Whose fault it is: contract section 9, row by row."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from voiceroom_api import names
from voiceroom_operator.remediation.attribution import OF_EITHER, OF_NODE, OF_POD, attribute
from voiceroom_operator.remediation.suspects import PodView, Suspect

NOW_S = 1_800_000_000.0


def shown(pod: str, cause: str, *at_s: float, node: str = "n", of_node: bool = False) -> Suspect:
    view = PodView(pod, f"uid-{pod}", node=node)
    return Suspect(view, cause, tuple(NOW_S + at for at in at_s or (0.0,)), of_node)


def faults(
    suspects: Sequence[Suspect], witnesses: Sequence[Suspect] = (), pods: int = 3
) -> list[tuple[str, str, str]]:
    population = {suspect.pod.node: pods for suspect in (*suspects, *witnesses)}
    return [(f.at, f.name, f.cause) for f in attribute(suspects, witnesses, population)]


def test_every_verdict_has_one_place() -> None:
    assert OF_NODE | OF_POD | OF_EITHER | {names.OVERLOAD} == {
        *names.VERDICTS,
        names.LATE,
        names.NO_ANSWER,
    }
    assert len(OF_NODE) + len(OF_POD) + len(OF_EITHER) == len(OF_NODE | OF_POD | OF_EITHER)


@pytest.mark.parametrize("cause", ["rate", "step-all", "starved"])
def test_one_witness_is_enough_against_a_node(cause: str) -> None:
    assert faults([shown("a", cause)]) == [("Node", "n", cause)]


@pytest.mark.parametrize("cause", ["throttle", "gc", "gil", "loop-block"])
def test_a_pods_own_fault_is_never_its_nodes(cause: str) -> None:
    both = [shown("a", cause), shown("b", cause)]
    assert faults(both) == [("Pod", "a", cause), ("Pod", "b", cause)]
    assert faults(both[:1], pods=1) == [("Pod", "a", cause)]


@pytest.mark.parametrize("cause", ["freeze", "step-one", names.LATE, names.NO_ANSWER])
def test_what_may_be_either_is_the_nodes_when_two_show_it_within_two_seconds(cause: str) -> None:
    assert faults([shown("a", cause)]) == [("Pod", "a", cause)]
    assert faults([shown("a", cause, 0.0), shown("b", cause, 2.0)]) == [("Node", "n", cause)]
    apart = [shown("a", cause, 0.0), shown("b", cause, 2.1)]
    assert [at for at, *_ in faults(apart)] == ["Pod", "Pod"]
    elsewhere = [shown("a", cause), shown("b", cause, node="m")]
    assert [at for at, *_ in faults(elsewhere)] == ["Pod", "Pod"]


@pytest.mark.parametrize("cause", ["freeze", "step-one", names.LATE, names.NO_ANSWER])
def test_a_node_with_one_pod_is_blamed_with_it(cause: str) -> None:
    assert faults([shown("a", cause)], pods=1) == [("Node", "n", cause)]


def test_any_moment_of_one_may_meet_any_of_the_other() -> None:
    found = faults([shown("a", "freeze", 0.0, 9.0), shown("b", names.NO_ANSWER, 4.0, 10.5)])
    assert found == [("Node", "n", "freeze")]


def test_a_pod_that_is_nearly_suspected_is_a_witness() -> None:
    assert faults([shown("a", "freeze")], [shown("b", "freeze", 1.0)]) == [("Node", "n", "freeze")]
    assert faults([shown("a", "freeze")], [shown("b", "gc", 1.0)]) == [("Pod", "a", "freeze")]
    assert faults([], [shown("b", "freeze")]) == []


def test_overload_is_nobodys_fault() -> None:
    assert faults([shown("a", "overload")], pods=1) == [("Load", "a", "overload")]


def test_a_nodes_fault_takes_its_pods_with_it_and_comes_first() -> None:
    found = faults(
        [shown("a", "gc", node="m"), shown("b", "gc"), shown("c", "starved"), shown("d", "rate")]
    )
    assert found[0][:2] == ("Node", "n")
    assert found[1:] == [("Pod", "a", "gc")]


def test_an_alert_about_a_node_is_about_the_node() -> None:
    assert faults([shown("a", names.LATE, of_node=True)]) == [("Node", "n", names.LATE)]
