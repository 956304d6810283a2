"""Taints of nodes, where pools want them and the operator may."""

from __future__ import annotations

from collections.abc import Iterator

from voiceroom_operator.children.taints import owners, taint_patch
from voiceroom_operator.cluster.api import Body
from voiceroom_operator.cluster.events import Events, Note
from voiceroom_operator.cluster.kinds import NODES
from voiceroom_operator.remediation.case import Remedies
from voiceroom_operator.round.acting import Hands
from voiceroom_operator.round.findings import Findings
from voiceroom_operator.round.outcome import Outcome
from voiceroom_operator.round.saying import TAINT_NOT_ALLOWED


async def put_taints(findings: Findings, hands: Hands, events: Events, outcome: Outcome) -> None:
    """Those of a namespace's pools."""
    for pool in findings.seen.pools.values():
        if pool.policy.taints and not hands.taints:
            events.say(Note(pool.body, "Warning", TAINT_NOT_ALLOWED, _NOT_ALLOWED))
    if not hands.taints:
        return
    wanted = set(_wanted(findings))
    for node in tuple(hands.mirror.all(NODES)):
        await _put(findings, node, wanted, hands, outcome)


_NOT_ALLOWED = (
    "spec.remediation.quarantine is Taint, and the operator may not patch nodes: pods of the pool "
    "avoid them by affinity; the chart's operator.taintNodes allows it"
)


def _wanted(findings: Findings) -> Iterator[tuple[str, str]]:
    """Node and pool."""
    for name, pool in findings.seen.pools.items():
        if pool.policy.taints and not pool.wanted.deleting:
            for node in findings.remedies.get(name, Remedies()).quarantined:
                yield node, f"{pool.ref.namespace}/{name}"


async def _put(
    findings: Findings, node: Body, wanted: set[tuple[str, str]], hands: Hands, outcome: Outcome
) -> None:
    """One change in a round: the next one sees what became of it."""
    name, namespace = node["metadata"]["name"], findings.seen.namespace
    mine = {owner for owner in owners(node) if owner.startswith(f"{namespace}/")}
    asking = {owner for of, owner in wanted if of == name}
    for owner in sorted(mine | asking):
        patch = taint_patch(node, owner, wanted=owner in asking)
        if patch is not None:
            await outcome.done("taint a node", hands.taint_node(name, patch))
            return
