"""``chaos``: asks mixer pods to inject a fault into themselves, says what runs, ends it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from voiceroom_kubectl.arguments import ON_NODES
from voiceroom_kubectl.cluster import ClusterError, Object
from voiceroom_kubectl.output import shown
from voiceroom_kubectl.report import Answer, Call

PATH: Final = "/admin/v1/chaos"
"""Of a mixer."""
DOOR: Final = "/v1/pods/{namespace}/{pod}/chaos"
"""Of the door on a mixer's node."""
HEADS: Final = ("POD", "NODE", "FAULT", "BY", "LEFT", "VERDICT", "ANSWER")
_METHODS: Final = {"show": "GET", "end": "DELETE"}
_UNITS: Final = {"offsetMs": "ms", "ppm": "ppm", "freezeMs": "ms"}
_AMOUNTS: Final = {"percent": "{:g}%", "delayMs": "{:g}ms", "jitterMs": "±{:g}ms"} | {
    "lossPercent": "loss {:g}%"
}
Ask = Callable[[Object, Call], Answer]
"""Raises ``ClusterError`` when the pod does not answer."""


@dataclass(frozen=True)
class Outcome:
    """What a pod said."""

    pod: str
    node: str
    said: dict[str, Any]
    """Its document; empty when it refused."""
    error: str = ""

    @property
    def active(self) -> dict[str, Any]:
        """The fault that it has; empty = none."""
        found: dict[str, Any] = self.said.get("active") or {}
        return found

    @property
    def on_node(self) -> dict[str, Any]:
        """The fault that the door on its node has put upon it; empty = none."""
        found: dict[str, Any] = self.said.get("onNode") or {}
        return found

    @property
    def verdicts(self) -> list[str]:
        """What its media processes say of their time; empty = nothing is wrong."""
        return [str(one) for one in self.said.get("verdicts", ()) if one]

    def row(self) -> list[str]:
        """Of the table."""
        run = [one for one in (self.active, self.on_node) if one]
        left = f"{max(one['leftMs'] for one in run) / 1_000:.0f}s" if run else None
        faults = " and ".join(fault(one) for one in run)
        cells = (faults, self.active.get("by"), left, ", ".join(self.verdicts))
        return [self.pod, *(shown(cell) for cell in (self.node, *cells)), self.error or "ok"]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        found = {"pod": self.pod, "node": self.node} | self.said
        return found | ({"error": self.error} if self.error else {})


def fault(active: dict[str, Any]) -> str:
    """``step +50ms of monotonic``; empty without one."""
    if not active:
        return ""
    sizes = [f"{active[name]:+.0f}{unit}" for name, unit in _UNITS.items() if active.get(name)]
    sizes += [form.format(active[name]) for name, form in _AMOUNTS.items() if active.get(name)]
    of = f" of {active['clock']}" if active.get("clock") else ""
    every = f" every {active['periodMs']}ms" if active.get("periodMs") else ""
    return " ".join([str(active.get("kind")), *sizes]) + of + every


def call(args: argparse.Namespace) -> Call:
    """What every pod is asked."""
    if args.kind in _METHODS:
        return Call(_METHODS[args.kind], PATH)
    return Call("POST", DOOR if args.kind in ON_NODES else PATH, order(args))


def amounts(args: argparse.Namespace) -> dict[str, float]:
    """How much of a fault on the node is ordered."""
    if args.kind == "throttle":
        return {"percent": args.percent}
    return {"delayMs": args.delay, "jitterMs": args.jitter, "lossPercent": args.loss}


def order(args: argparse.Namespace) -> dict[str, Any]:
    """The body of the POST."""
    if args.kind in ON_NODES:
        return {"kind": args.kind, "for": f"{args.seconds}s"} | amounts(args)
    body: dict[str, Any] = {"kind": args.kind, "for": f"{args.seconds}s"}
    body["freezeMs" if args.kind == "freeze" else "offsetMs"] = args.strength
    if args.kind == "rate":
        body["ppm"] = body.pop("offsetMs")
    if args.kind in ("saw", "freeze"):
        body["periodMs"] = args.period_ms
    return body if args.kind == "freeze" else body | {"clock": args.clock}


def each(pods: Sequence[Object], ask: Ask, wanted: Call) -> list[Outcome]:
    """Every pod is asked, whatever the others say."""
    return [_one(pod, ask, wanted) for pod in pods]


def beside(mixers: Sequence[Outcome], doors: Sequence[Outcome]) -> list[Outcome]:
    """What each pod said, and what the door on its node says of it."""
    return [_with(*pair) for pair in zip(mixers, doors, strict=True)]


def _with(mixer: Outcome, door: Outcome) -> Outcome:
    said = mixer.said | ({"onNode": door.active} if door.active else {})
    return replace(mixer, said=said, error=mixer.error or door.error)


def _one(pod: Object, ask: Ask, wanted: Call) -> Outcome:
    name, node = pod["metadata"]["name"], pod.get("spec", {}).get("nodeName", "")
    try:
        answer = ask(pod, wanted)
    except ClusterError as error:
        return Outcome(name, node, {}, str(error))
    if answer.status >= 400:
        return Outcome(name, node, {}, answer.refusal)
    return Outcome(name, node, dict(answer.body))
