"""Plans carried out: each step is one call, and a call that was made already does no harm."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from voiceroom_api import names
from voiceroom_operator.binding.planner import DEFAULT_POOL
from voiceroom_operator.children.marks import belongs_to
from voiceroom_operator.children.patches import pod_patch, resize_patch
from voiceroom_operator.children.pod import PodDefaults, pod
from voiceroom_operator.cluster.api import Api, ApiError, Body, not_ours
from voiceroom_operator.cluster.kinds import NODES, PODS, POOLS, ROOMS, Kind
from voiceroom_operator.cluster.mirror import Mirror
from voiceroom_operator.edge.clock import Clock
from voiceroom_operator.pool.actions import CreatePod, DeletePod, PatchPod
from voiceroom_operator.reading.pods import pod_seen
from voiceroom_operator.round.seen import PoolRecord, RoomRecord

IDLE_ONLY: Final = frozenset(
    {"Drained", "Superfluous", "Outdated", "NodeLeaving", "PortsTaken", "Released"}
)
"""Reasons for deletions that hold only while nobody is in the pod."""


PLANNED: Final = ("podName", "twinPodName", "epoch", "moves", "budget", "canary")
"""Parts of the statuses of rooms and pools that plans look at."""


class NotLeading(Exception):
    """Another replica leads by now: nothing more is written."""


@dataclass(frozen=True, slots=True)
class Hands:
    """What may be written, and by whom."""

    api: Api
    mirror: Mirror
    clock: Clock
    leads: Callable[[], bool]
    defaults: PodDefaults
    default_pool: Mapping[str, Any]
    """Spec of the pool ``default``."""
    taints: bool = False
    """Nodes may be tainted."""

    def check(self) -> None:
        """Before every write. Raises ``NotLeading``."""
        if not self.leads():
            raise NotLeading

    async def make_default_pool(self, namespace: str) -> Body:
        """The pool ``default``, for a room that asked."""
        self.check()
        body = {
            "apiVersion": POOLS.api_version,
            "kind": POOLS.kind,
            "metadata": {
                "name": DEFAULT_POOL,
                "namespace": namespace,
                "labels": {names.AUTO_LABEL: "true"},
            },
            "spec": dict(self.default_pool),
        }
        made = await self.api.create(POOLS, namespace, body)
        self.mirror.put(POOLS, made)
        return made

    async def create_pod(self, pool: PoolRecord, birth: CreatePod, avoid: tuple[str, ...]) -> None:
        """A new pod. One of the pool's that has the name already is left as it is."""
        self.check()
        body = pod(
            pool.ref,
            pool.read.spec,
            birth.name,
            birth.ports,
            pool.wanted.revision,
            self.defaults,
            avoid,
        )
        try:
            made = await self.api.create(PODS, pool.ref.namespace, body)
        except ApiError as error:
            if not error.exists:
                raise
            made = await self._already_there(pool, birth.name)
        self.mirror.put(PODS, made)

    async def _already_there(self, pool: PoolRecord, name: str) -> Body:
        """News of it had not come yet, or it is somebody else's, of which none ever will."""
        live = await self.api.get(PODS, pool.ref.namespace, name)
        if not belongs_to(live, pool.ref):
            raise not_ours(PODS, name, pool.ref.name)
        return live

    async def patch_pod(self, namespace: str, patch: PatchPod, seen: Body) -> None:
        """Labels and annotations of the pod that was ``seen``. Its protection is taken away only
        as long as nothing else has changed: another replica may have put a room there."""
        self.check()
        body = pod_patch(patch, self.clock.unix_s())
        if patch.occupied is False:
            body["metadata"]["resourceVersion"] = seen["metadata"]["resourceVersion"]
        self.mirror.put(PODS, await self.api.merge(PODS, namespace, patch.name, body))

    async def raise_limit(self, seen: Body, cpu_m: int) -> None:
        """The CPU limit of the pod that was ``seen``, in place (Kubernetes 1.33 or newer)."""
        self.check()
        metadata, body = seen["metadata"], resize_patch(seen, cpu_m)
        at = (metadata["namespace"], metadata["name"])
        self.mirror.put(PODS, await self.api.apply(PODS, *at, body, "resize"))

    async def delete_pod(self, namespace: str, death: DeletePod, *, occupied: bool) -> None:
        """The pod that was seen, if it is still as idle as it was; ``occupied``: its label then,
        which is set before a room is bound."""
        live = await self.api.get(PODS, namespace, death.name)
        metadata = live["metadata"]
        self.mirror.put(PODS, live)
        if metadata["uid"] != death.uid or "deletionTimestamp" in metadata:
            return
        if death.reason in IDLE_ONLY and pod_seen(live).occupied and not occupied:
            return
        self.check()
        await self.api.delete(
            PODS,
            namespace,
            death.name,
            uid=death.uid,
            resource_version=metadata["resourceVersion"],
        )

    async def taint_node(self, name: str, patch: Mapping[str, Any]) -> None:
        """The taint of the node that was seen, as it was seen."""
        self.check()
        self.mirror.put(NODES, await self.api.merge(NODES, "", name, patch))

    async def set_finalizer(self, pool: PoolRecord, *, present: bool) -> None:
        """Add the pool's finalizer, or release it; those of others stay."""
        self.check()
        metadata = pool.body["metadata"]
        others = [f for f in metadata.get("finalizers") or () if f != names.POOL_FINALIZER]
        finalizers = [*others, names.POOL_FINALIZER] if present else others
        patch = {
            "metadata": {
                "uid": metadata["uid"],
                "resourceVersion": metadata["resourceVersion"],
                "finalizers": finalizers,
            }
        }
        written = await self.api.merge(POOLS, pool.ref.namespace, pool.ref.name, patch)
        if present or others:
            self.mirror.put(POOLS, written)
        else:
            self.mirror.drop(POOLS, pool.ref.namespace, pool.ref.name, pool.ref.uid)

    async def respec_pool(self, pool: PoolRecord, spec: Mapping[str, Any]) -> None:
        """Change parts of the spec of the pool that was seen, as it was seen."""
        self.check()
        metadata = pool.body["metadata"]
        at = {key: metadata[key] for key in ("uid", "resourceVersion")}
        patch = {"metadata": at, "spec": dict(spec)}
        self.mirror.put(
            POOLS, await self.api.merge(POOLS, pool.ref.namespace, pool.ref.name, patch)
        )

    async def write_room(self, room: RoomRecord, status: Mapping[str, Any]) -> None:
        """The status of the room that was seen, as it was seen, after a decision."""
        self.mirror.put(ROOMS, await self._write(ROOMS, room.body, status))

    async def say(self, kind: Kind, seen: Body, status: Mapping[str, Any]) -> None:
        """The status of the object that was seen, as it was seen. It is no news, unless it is of
        what plans look at."""
        before = seen.get("status") or {}
        if any(before.get(part) != status.get(part) for part in PLANNED):
            self.mirror.put(kind, await self._write(kind, seen, status))
            return
        with self.mirror.expecting(kind, seen, status):
            self.mirror.put(kind, await self._write(kind, seen, status))

    async def _write(self, kind: Kind, seen: Body, status: Mapping[str, Any]) -> Body:
        self.check()
        metadata = seen["metadata"]
        body = {"metadata": _seen(seen), "status": dict(status)}
        return await self.api.apply(kind, metadata["namespace"], metadata["name"], body, "status")


def _seen(body: Body) -> dict[str, Any]:
    metadata = body["metadata"]
    return {key: metadata[key] for key in ("name", "namespace", "uid", "resourceVersion")}
