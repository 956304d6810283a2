"""Whose fault a bad timer is: the pod's, the node's, or that of too much load (contract §9)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from voiceroom_api import names
from voiceroom_operator.remediation.evidence import LATE, NO_ANSWER
from voiceroom_operator.remediation.suspects import PodView, Suspect

At = Literal["Node", "Pod", "Load"]
OF_NODE: Final = frozenset({names.RATE, names.STEP_ALL, names.STARVED})
"""A node's fault on one witness."""
OF_POD: Final = frozenset({names.THROTTLE, names.GC, names.GIL, names.LOOP_BLOCK})
OF_EITHER: Final = frozenset({names.FREEZE, names.STEP_ONE, LATE, NO_ANSWER})
"""The pod's, and the node's when two pods of it show them together or it has but one. What gives
no cause, and silence, are taken for a freeze."""
TOGETHER_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Fault:
    """What is to be left."""

    at: At
    name: str
    """The node, or the pod."""
    node: str
    cause: str
    pods: tuple[PodView, ...]
    """Who shows it."""


def attribute(
    suspects: Sequence[Suspect], witnesses: Iterable[Suspect], population: Mapping[str, int]
) -> list[Fault]:
    """Faults of nodes first. ``witnesses``: pods that are nearly suspects; ``population``: mixer
    pods on each node, of all pools."""
    by_node: dict[str, list[Suspect]] = defaultdict(list)
    for suspect in suspects:
        by_node[suspect.pod.node].append(suspect)
    beside: dict[str, list[Suspect]] = defaultdict(list)
    for witness in witnesses:
        beside[witness.pod.node].append(witness)
    faults: list[Fault] = []
    for node, shown in by_node.items():
        faults.extend(_of_node(node, shown, beside[node], population.get(node, 1)))
    return sorted(faults, key=lambda fault: (_ORDER.index(fault.at), fault.name))


_ORDER: Final = ("Node", "Pod", "Load")


def _of_node(
    node: str, shown: Sequence[Suspect], beside: Sequence[Suspect], pods: int
) -> Iterable[Fault]:
    guilty = [each for each in shown if _blames_node(each, (*shown, *beside), pods)]
    if guilty:
        cause = Counter(each.cause for each in guilty).most_common(1)[0][0]
        yield Fault("Node", node, node, cause, tuple(each.pod for each in shown))
        return
    for each in shown:
        at: At = "Load" if each.cause == names.OVERLOAD else "Pod"
        yield Fault(at, each.pod.name, node, each.cause, (each.pod,))


def _blames_node(suspect: Suspect, others: Iterable[Suspect], pods: int) -> bool:
    if suspect.of_node or suspect.cause in OF_NODE:
        return True
    if suspect.cause not in OF_EITHER:
        return False
    return pods <= 1 or any(
        other.pod.uid != suspect.pod.uid and other.cause in OF_EITHER and _together(suspect, other)
        for other in others
    )


def _together(one: Suspect, other: Suspect) -> bool:
    return any(
        abs(mine_s - theirs_s) <= TOGETHER_S
        for mine_s in one.bad_at_s
        for theirs_s in other.bad_at_s
    )
