"""Two pods of different nodes that do not reach each other, while everybody else reaches both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from harness.drift import node_of
from harness.voice import Body, Voice
from localcluster import network
from localcluster.shell import run


@contextmanager
def cut_between(voice: Voice, one: str, other: str) -> Iterator[None]:
    """Neither way: packets to the other's address and to its node's are dropped where they leave
    their own node. Whoever sends is told nothing, as in a network."""
    bodies = [voice.get("pod", name) for name in (one, other)]
    with ExitStack() as rules:
        for here, there in (bodies, bodies[::-1]):
            for address in _addresses(voice, there):
                rules.enter_context(_dropped(voice, here, address))
        yield


def _addresses(voice: Voice, pod: Body) -> tuple[str, str]:
    """Its own, and its node's: ports of the node lead to it."""
    return pod["status"]["podIP"], node_of(voice, pod["spec"]["nodeName"]).address


@contextmanager
def _dropped(voice: Voice, source: Body, address: str) -> Iterator[None]:
    inside = network.enter(node_of(voice, source["spec"]["nodeName"]))
    rule = ("FORWARD", "-s", source["status"]["podIP"], "-d", address, "-j", "DROP")
    run(*inside, "iptables", "-w", "-I", *rule)
    try:
        yield
    finally:
        run(*inside, "iptables", "-w", "-D", *rule)
