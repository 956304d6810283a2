"""Which pods are made."""

from __future__ import annotations

from dataclasses import dataclass

from voiceroom_operator.limits import Limits
from voiceroom_operator.pool.actions import CreatePod, Note
from voiceroom_operator.pool.crew import Crew, PoolObserved
from voiceroom_operator.pool.naming import free_names
from voiceroom_operator.pool.ports import deal
from voiceroom_operator.wanted import PoolWanted

_MOST_PORTLESS = 3
"""So many pods whose ports are taken everywhere are evidence enough."""


@dataclass(frozen=True, slots=True)
class Births:
    """Pods to make now."""

    create: tuple[CreatePod, ...] = ()
    held_back: int = 0
    """How many more are wanted and not made in this plan."""
    notes: tuple[Note, ...] = ()


def births(
    wanted: PoolWanted, observed: PoolObserved, crew: Crew, missing: int, limits: Limits
) -> Births:
    """``missing`` pods, as far as the budgets, names and ports go."""
    if missing > 0 and len(crew.portless) >= _MOST_PORTLESS:
        return Births(notes=(_ports_taken(wanted),))
    room = max(0, limits.pending - len(crew.unready) - len(crew.portless))
    now = max(0, min(missing, limits.creates, room))
    names = free_names(wanted.name, {pod.name for pod in observed.pods} | observed.reserved)
    held = [pod.ports for pod in observed.pods]
    create: list[CreatePod] = []
    for _ in range(now):
        ports = _deal(wanted, observed, held)
        if ports is None:
            return Births(tuple(create), notes=(_ports_exhausted(wanted),))
        held.append(ports)
        create.append(CreatePod(next(names), ports))
    return Births(tuple(create), held_back=max(0, missing - now))


def _deal(
    wanted: PoolWanted, observed: PoolObserved, held: list[tuple[int, ...]]
) -> tuple[int, ...] | None:
    if wanted.ports is None:
        return ()
    nodes = None if observed.nodes is None else len(observed.nodes)
    return deal(wanted.ports, held, nodes, observed.foreign_ports)


def _ports_exhausted(wanted: PoolWanted) -> Note:
    message = (
        f"every port of pool {wanted.name} is given out on every node: raise "
        "spec.network.udpPortCount, or add a node"
    )
    return Note("PortsExhausted", message)


def _ports_taken(wanted: PoolWanted) -> Note:
    message = (
        f"ports of pool {wanted.name} are used by something else on every node: change "
        "spec.network.udpPort, or free them"
    )
    return Note("PortsTaken", message)
