"""``diagnose``: what pods say of their timers, the cause and the remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from voiceroom_api import names, reasons
from voiceroom_api.diagnosis import SILENT_REMEDY, Diagnosis, Step, diagnose, signs_of
from voiceroom_kubectl import controlloop, pressure
from voiceroom_kubectl.cluster import Cluster, ClusterError, NotFound, Object
from voiceroom_kubectl.controlloop import ControlLoop
from voiceroom_kubectl.output import parse_time, span
from voiceroom_kubectl.pressure import Pressure

Ask = Callable[[Object], Mapping[str, Any]]
"""A pod's report. Raises ``ClusterError``."""
KINDS: Final = ("room", "pod", "node")
NO_ANSWER: Final = "it does not answer"


@dataclass(frozen=True)
class Case:
    """One pod, as it was found."""

    namespace: str
    pod: str
    node: str
    rooms: tuple[str, ...]
    found: Diagnosis
    pressure: Pressure = field(default_factory=Pressure)
    loop: ControlLoop = field(default_factory=ControlLoop)
    since_s: float | None = None
    """Unix time."""
    error: str = ""
    """Why its report could not be had."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        told = {"namespace": self.namespace, "pod": self.pod, "node": self.node}
        known = {"rooms": list(self.rooms), "error": self.error} | asdict(self.found)
        known |= asdict(self.pressure) | (asdict(self.loop) if self.loop.control else {})
        return told | {key: value for key, value in known.items() if value not in ("", None)}


def pods_of(cluster: Cluster, namespace: str, target: str) -> list[Object]:
    """The pods that ``room/NAME``, ``pod/NAME``, ``node/NAME`` or a bare name mean; a bare one is a
    room's, else a pod's, else a node's. Raises ``NotFound``."""
    kind, slash, name = target.partition("/")
    if not slash:
        kind, name = "", target
    for one in KINDS if not kind else (kind,):
        found = _FINDERS[one](cluster, namespace, name)
        if found:
            return found
    what = kind or "room, mixer pod or node with mixers"
    raise NotFound(f"there is no {what} {name}")


def _of_room(cluster: Cluster, namespace: str, name: str) -> list[Object]:
    try:
        room = cluster.room(namespace, name)
    except NotFound:
        return []
    pod = room.get("status", {}).get("podName", "")
    found = _of_pod(cluster, namespace, pod)
    if not found:
        raise NotFound(f"the room {name} is in no pod: kubectl voiceroom describe {name}")
    return found


def _of_pod(cluster: Cluster, namespace: str, name: str) -> list[Object]:
    return [pod for pod in cluster.mixers(namespace) if pod["metadata"]["name"] == name]


def _of_node(cluster: Cluster, _: str, name: str) -> list[Object]:
    return [pod for pod in cluster.mixers(None) if pod.get("spec", {}).get("nodeName") == name]


_FINDERS: Final = {"room": _of_room, "pod": _of_pod, "node": _of_node}


def examine(pod: Object, ask: Ask, now_s: float) -> Case:
    """Ask one pod."""
    metadata, node = pod["metadata"], pod.get("spec", {}).get("nodeName", "")
    where = (metadata.get("namespace", ""), metadata["name"], node)
    try:
        said = ask(pod)
    except ClusterError as error:
        silent = Diagnosis("", True, (NO_ANSWER,), (), SILENT_REMEDY)
        return Case(*where, rooms=(), found=silent, error=str(error))
    since = said.get("timing", {}).get("since")
    return Case(
        *where,
        rooms=tuple(sorted(_rooms(said))),
        found=diagnose(signs_of(said)),
        pressure=pressure.read(said),
        loop=controlloop.read(said),
        since_s=_unix(since, now_s),
    )


def _rooms(said: Mapping[str, Any]) -> Iterator[str]:
    for entry in said.get("rooms") or ():
        if isinstance(entry, Mapping) and entry.get("role") == "owner":
            yield str(entry.get("name"))


def _unix(since: object, now_s: float) -> float | None:
    found = float(since) if isinstance(since, int | float) else parse_time(str(since or ""))
    return found if found is not None and 0 < found <= now_s else None


def lines(case: Case, now_s: float) -> Iterator[str]:
    """In plain words."""
    rooms = f" (rooms {', '.join(case.rooms)})" if case.rooms else ""
    lasting = "" if case.since_s is None else f" for {span(now_s - case.since_s)}"
    yield f"{case.pod} on {case.node or 'no node'}{rooms} {_state(case)}{lasting}."
    if case.found.evidence and not case.error:
        yield f"  Evidence: {'; '.join(case.found.evidence)}."
    if case.found.remedy:
        yield f"  Remedy: {case.found.remedy}."
    yield from controlloop.lines(case.loop)
    yield from pressure.lines(case.pressure)
    if case.found.steps:
        yield f"  Asked: {'; '.join(map(_step, case.found.steps))}."


def _state(case: Case) -> str:
    if case.error:
        return f"does not answer: {case.error}"
    if not case.found.bad:
        return "keeps time"
    meanings = reasons.VOICE_ROOM[names.TIMING_HEALTHY].reasons
    meaning = meanings.get(names.verdict_reason(case.found.cause), "no known cause")
    return f"does not keep time: {case.found.cause or 'late'}, {meaning}"


def _step(step: Step) -> str:
    word = {True: "yes", False: "no", None: "not known"}[step.answer]
    return f"{step.question}? {word}" + (f" ({step.shown})" if step.shown else "")
