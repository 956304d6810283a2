"""What a pool has beside its pods: Secrets, Service, disruption budget, NetworkPolicy."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from voiceroom_operator.admin.access import Access, access
from voiceroom_operator.children.disruption import disruption_budget
from voiceroom_operator.children.marks import PoolRef, belongs_to
from voiceroom_operator.children.networkpolicy import Peer, network_policy
from voiceroom_operator.children.secrets import ca_secret, pool_secret, tls_name
from voiceroom_operator.children.service import service
from voiceroom_operator.cluster.api import NOT_OURS, Api, ApiError, Body, not_ours
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
    looked_s: dict[str, float] = field(default_factory=dict)
    """When each part was last in order: what fails costs the others nothing."""
    generation: int = -1
    family: tuple[str, ...] = ()
    head: str = ""
    """Uid of the pool whose Secrets it uses; empty = its own."""
    secrets: Held | None = None
    access: Access | None = None


class House:
    """Keeps them as they ought to be; looks once a minute, and when the pool has changed."""

    def __init__(
        self, api: Api, clock: Clock, policy: Policy | None, check: Callable[[], None]
    ) -> None:
        """``check``: called before every write; raises when another replica leads."""
        self._api = api
        self._clock = clock
        self._policy = policy
        self._check = check
        self._states: dict[str, _State] = {}

    def access(self, uid: str) -> Access | None:
        """To the pods of the pool; None until its Secret is there."""
        state = self._states.get(uid)
        if state is not None and state.head:
            state = self._states.get(state.head)
        return state.access if state else None

    def keep(self, uids: set[str]) -> None:
        """Forget pools that are gone."""
        self._states = {uid: state for uid, state in self._states.items() if uid in uids}

    async def put_in_order(
        self, pool: PoolRecord, head: PoolRecord | None = None, family: tuple[str, ...] = ()
    ) -> None:
        """Look, and write what differs. Raises ``ApiError``; the next round goes on with it.

        ``head``: the pool whose Secrets it uses, where that is another one. ``family``: names of
        all that use them."""
        state = self._states.setdefault(pool.ref.uid, _State())
        if (state.generation, state.family) != (pool.read.generation, family):
            state.generation, state.family = pool.read.generation, family
            state.looked_s.clear()
        state.head = head.ref.uid if head is not None else ""
        if head is None:
            await self._look(state, "secrets", lambda: self._secrets(pool, state))
        if pool.wanted.deleting:
            return
        ref = pool.ref
        await self._look(state, "service", lambda: self._ensure(SERVICES, ref, service(ref)))
        await self._look(
            state, "budget", lambda: self._ensure(BUDGETS, ref, disruption_budget(ref))
        )
        await self._look(state, "policy", lambda: self._network_policy(pool, family))

    async def _look(
        self, state: _State, part: str, put_in_order: Callable[[], Awaitable[None]]
    ) -> None:
        now_s = self._clock.monotonic_s()
        if now_s - state.looked_s.get(part, float("-inf")) < LOOK_AGAIN_S:
            return
        await put_in_order()
        state.looked_s[part] = now_s

    async def _secrets(self, pool: PoolRecord, state: _State) -> None:
        ref, name = pool.ref, pool.ref.object_name()
        ca = await self._find(SECRETS, ref, f"{name}-ca")
        held = await self._find(SECRETS, ref, name)
        want = wanted(data_of(ca), data_of(held), tls_name(ref), self._clock.unix_s())
        if not pool.wanted.deleting:
            # the CA first: what it has signed must never outlive it
            await self._keep(ca, ca_secret(ref, want.ca.cert, want.ca.key))
            await self._keep(held, pool_secret(ref, want.pool))
        if state.secrets != want:
            state.secrets, state.access = want, _access(want, tls_name(ref))

    async def _keep(self, live: Body | None, desired: Mapping[str, Any]) -> None:
        metadata = desired["metadata"]
        self._check()
        if live is None:
            await self._api.create(SECRETS, metadata["namespace"], desired)
        elif not covers(live, desired):
            at = {"resourceVersion": live["metadata"]["resourceVersion"]}
            patch = {
                "metadata": at | {k: metadata[k] for k in ("labels", "ownerReferences")},
                "data": desired["data"],
            }
            await self._api.merge(SECRETS, metadata["namespace"], metadata["name"], patch)

    async def _network_policy(self, pool: PoolRecord, family: tuple[str, ...]) -> None:
        if self._policy is None:
            await self._remove_policy(pool)
            return
        ref, spec = pool.ref, pool.read.spec
        scrapers = list(self._policy.scrapers)
        made = network_policy(
            ref, spec.network, spec.media_processes, self._policy.operator, scrapers, family
        )
        if made is None:
            await self._remove_policy(pool)
        else:
            await self._ensure(POLICIES, ref, made)

    async def _ensure(self, kind: Kind, ref: PoolRef, desired: Mapping[str, Any]) -> None:
        namespace, name = desired["metadata"]["namespace"], desired["metadata"]["name"]
        live = await self._find(kind, ref, name)
        if live is None or not covers(live, desired):
            self._check()
            await self._api.apply(kind, namespace, name, desired)

    async def _remove_policy(self, pool: PoolRecord) -> None:
        """One that an earlier setting made."""
        ref = pool.ref
        try:
            live = await self._find(POLICIES, ref, ref.object_name())
        except ApiError as error:
            if error.reason != NOT_OURS:
                raise
            return
        if live is None:
            return
        uid, version = (live["metadata"][key] for key in ("uid", "resourceVersion"))
        self._check()
        await self._api.delete(
            POLICIES, ref.namespace, ref.object_name(), uid=uid, resource_version=version
        )

    async def _find(self, kind: Kind, ref: PoolRef, name: str) -> Body | None:
        """The pool's own object. Raises ``ApiError`` where somebody else's has its name."""
        try:
            live = await self._api.get(kind, ref.namespace, name)
        except ApiError as error:
            if error.is_missing:
                return None
            raise
        if not belongs_to(live, ref):
            raise not_ours(kind, name, ref.name)
        return live


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
