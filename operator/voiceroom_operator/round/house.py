"""What a pool has beside its pods: Secrets, Service, disruption budget, NetworkPolicy."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from voiceroom_operator.admin.access import Access, access
from voiceroom_operator.children.disruption import disruption_budget
from voiceroom_operator.children.networkpolicy import Peer, network_policy
from voiceroom_operator.children.secrets import ca_secret, pool_secret, tls_name
from voiceroom_operator.children.service import service
from voiceroom_operator.cluster.api import Api, ApiError, Body
from voiceroom_operator.cluster.kinds import BUDGETS, POLICIES, SECRETS, SERVICES, Kind
from voiceroom_operator.edge.clock import Clock
from voiceroom_operator.keys.material import LOOK_AGAIN_S, Held, data_of, wanted
from voiceroom_operator.round.seen import PoolRecord


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may reach mixers, where NetworkPolicies are made."""

    operator: Peer
    scrapers: tuple[Peer, ...] = ()


@dataclass(slots=True)
class _State:
    looked_s: float = float("-inf")
    generation: int = -1
    secrets: Held | None = None
    access: Access | None = None


class House:
    """Keeps them as they ought to be; looks once a minute, and when the pool has changed."""

    def __init__(self, api: Api, clock: Clock, policy: Policy | None) -> None:
        self._api = api
        self._clock = clock
        self._policy = policy
        self._states: dict[str, _State] = {}

    def access(self, uid: str) -> Access | None:
        """To the pods of the pool; None until its Secret is there."""
        state = self._states.get(uid)
        return state.access if state else None

    def keep(self, uids: set[str]) -> None:
        """Forget pools that are gone."""
        self._states = {uid: state for uid, state in self._states.items() if uid in uids}

    async def put_in_order(self, pool: PoolRecord) -> None:
        """Look, and write what differs. Raises ``ApiError``; the next round goes on with it."""
        state = self._states.setdefault(pool.ref.uid, _State())
        now_s = self._clock.monotonic_s()
        changed = state.generation != pool.read.generation
        if not changed and now_s - state.looked_s < LOOK_AGAIN_S:
            return
        await self._secrets(pool, state)
        if not pool.wanted.deleting:
            await self._objects(pool)
        state.generation, state.looked_s = pool.read.generation, now_s

    async def _secrets(self, pool: PoolRecord, state: _State) -> None:
        ref, name = pool.ref, pool.ref.object_name()
        ca = await self._find(SECRETS, ref.namespace, f"{name}-ca")
        held = await self._find(SECRETS, ref.namespace, name)
        want = wanted(data_of(ca), data_of(held), tls_name(ref), self._clock.unix_s())
        if not pool.wanted.deleting:
            # the CA first: what it has signed must never outlive it
            await self._keep(ca, ca_secret(ref, want.ca.cert, want.ca.key))
            await self._keep(held, pool_secret(ref, want.pool))
        if state.secrets != want:
            state.secrets, state.access = want, _access(want, tls_name(ref))

    async def _keep(self, live: Body | None, desired: Mapping[str, Any]) -> None:
        metadata = desired["metadata"]
        if live is None:
            await self._api.create(SECRETS, metadata["namespace"], desired)
        elif not covers(live, desired):
            at = {"resourceVersion": live["metadata"]["resourceVersion"]}
            patch = {
                "metadata": at | {k: metadata[k] for k in ("labels", "ownerReferences")},
                "data": desired["data"],
            }
            await self._api.merge(SECRETS, metadata["namespace"], metadata["name"], patch)

    async def _objects(self, pool: PoolRecord) -> None:
        ref, spec = pool.ref, pool.read.spec
        await self._ensure(SERVICES, service(ref))
        await self._ensure(BUDGETS, disruption_budget(ref))
        policy = None
        if self._policy is not None:
            scrapers = list(self._policy.scrapers)
            operator = self._policy.operator
            policy = network_policy(ref, spec.network, spec.media_processes, operator, scrapers)
        if policy is not None:
            await self._ensure(POLICIES, policy)
        else:
            await self._remove_policy(pool)

    async def _ensure(self, kind: Kind, desired: Mapping[str, Any]) -> None:
        namespace, name = desired["metadata"]["namespace"], desired["metadata"]["name"]
        live = await self._find(kind, namespace, name)
        if live is None or not covers(live, desired):
            await self._api.apply(kind, namespace, name, desired)

    async def _remove_policy(self, pool: PoolRecord) -> None:
        """One that an earlier setting made, if it is the pool's."""
        live = await self._find(POLICIES, pool.ref.namespace, pool.ref.object_name())
        owners = (live or {}).get("metadata", {}).get("ownerReferences") or ()
        if live is None or not any(owner.get("uid") == pool.ref.uid for owner in owners):
            return
        metadata = live["metadata"]
        await self._api.delete(
            POLICIES,
            pool.ref.namespace,
            pool.ref.object_name(),
            uid=metadata["uid"],
            resource_version=metadata["resourceVersion"],
        )

    async def _find(self, kind: Kind, namespace: str, name: str) -> Body | None:
        try:
            return await self._api.get(kind, namespace, name)
        except ApiError as error:
            if error.is_missing:
                return None
            raise


def _access(held: Held, name: str) -> Access | None:
    try:
        return access(held.pool, name)
    except (ValueError, ssl.SSLError):
        return None  # a person has spoilt a pool that is being deleted: its pods end unheard


def covers(live: object, desired: object) -> bool:
    """Whether ``live`` says all that ``desired`` says; the API server's own additions count for
    nothing."""
    if isinstance(desired, Mapping):
        if not isinstance(live, Mapping):
            return False
        return all(covers(live.get(key), value) for key, value in desired.items())
    if isinstance(desired, list):
        if not isinstance(live, list) or len(live) != len(desired):
            return False
        return all(covers(here, there) for here, there in zip(live, desired, strict=True))
    return live == desired
