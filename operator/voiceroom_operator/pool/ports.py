"""Ports of the nodes, dealt out to pods before it is known where they will run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from voiceroom_operator.wanted import PortRange


def deal(
    ports: PortRange,
    held: Iterable[tuple[int, ...]],
    nodes: int | None,
    foreign: Collection[int] = (),
) -> tuple[int, ...] | None:
    """The block for the next pod; None when every node's ports are given out.

    ``held``: blocks of all pods that exist, those that are being deleted too: a port is free when
    the pod is really gone. A block that nobody has is taken first; after that the one that
    the fewest have, and the scheduler keeps its holders on different nodes. ``nodes``: how many
    there are, None = not known. ``foreign``: ports of other pools, never dealt.
    """
    holders = Counter(port for block in held for port in block)
    free = [block for block in ports.blocks() if not any(port in foreign for port in block)]
    if not free:
        return None
    crowd = {block: max(holders[port] for port in block) for block in free}
    best = min(free, key=lambda block: (crowd[block], block))
    return None if nodes is not None and crowd[best] >= max(nodes, 1) else best
