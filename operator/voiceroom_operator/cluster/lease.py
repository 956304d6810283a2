"""Which replica acts: a Lease (coordination.k8s.io), as client-go's leader election holds it.

A holder counts as alive while its Lease changes, by the watcher's own clock: clocks of machines
are never compared. ``leaseTransitions`` is the *term* of what pods are told. It grows with each
holder, and every start of a replica is a holder of its own.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Final

from voiceroom_operator.cluster.api import Api, ApiError, Body
from voiceroom_operator.cluster.kinds import LEASES
from voiceroom_operator.edge.clock import Clock
from voiceroom_operator.status.conditions import timestamp

DURATION_S: Final = 15.0
"""A Lease that has not changed for so long is up."""
RENEW_S: Final = 5.0
HOLD_S: Final = 10.0
"""A holder acts so long after it last renewed, which leaves others 5 s."""
LEFT_S: Final = 6.0
"""A replica that does not keep time itself takes a free Lease only when nobody has wanted it for so
long: three times what others wait between two tries."""
_MINUTE_S: Final = 60

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A version of the Lease, and when it was first seen (monotonic)."""

    resource_version: str
    at_s: float


class Lease:
    """This replica's view of the Lease."""

    def __init__(self, api: Api, clock: Clock, namespace: str, name: str, identity: str) -> None:
        """``identity``: REPLICA_START, the replica's name and a word for this start of it."""
        self._api = api
        self._clock = clock
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._held_until_s = float("-inf")
        self._seen = _Seen("", float("-inf"))
        self._outbid = -1
        """The highest term that a pod knows and that is not this holder's."""
        self.term = 0
        """Of this holder; 0 = it never held."""
        self.observed = False
        """The Lease was read or made at least once."""

    def holds(self) -> bool:
        """Whether this replica may act now."""
        return self._clock.monotonic_s() < self._held_until_s

    async def step(self, *, shy: bool = False) -> None:
        """Renew it, or take it when it is free; ``shy``: only when nobody else wants it. Raises
        ``ApiError``."""
        try:
            lease = await self._api.get(LEASES, self._namespace, self._name)
        except ApiError as error:
            if not error.is_missing:
                raise
            await self._make()
            return
        self.observed = True
        self._note(lease)
        spec = lease.get("spec") or {}
        last = int(spec.get("leaseTransitions") or 0)
        if spec.get("holderIdentity") == self._identity:
            await self._write(lease, last if last > self._outbid else self._outbid + 1)
        elif self._is_free(spec) and not (shy and self._is_wanted(spec)):
            await self._write(lease, max(last, self._outbid) + 1)
        else:
            self._held_until_s = float("-inf")

    def _note(self, lease: Body) -> None:
        at = str(lease["metadata"].get("resourceVersion", ""))
        if at != self._seen.resource_version:
            self._seen = _Seen(at, self._clock.monotonic_s())

    def _is_free(self, spec: dict[str, Any]) -> bool:
        """Released, run out, or left by an earlier start of this replica."""
        holder = str(spec.get("holderIdentity") or "")
        mine = self._identity.rpartition("_")[0]
        if not holder or (mine and holder.rpartition("_")[0] == mine):
            return True
        return self._clock.monotonic_s() - self._seen.at_s > DURATION_S

    def _is_wanted(self, spec: dict[str, Any]) -> bool:
        """Others may still take it."""
        free_after_s = DURATION_S if spec.get("holderIdentity") else 0.0
        return self._clock.monotonic_s() - self._seen.at_s <= free_after_s + LEFT_S

    async def _make(self) -> None:
        """A Lease that somebody deleted must not let terms begin anew: its count starts with the
        minutes since 1970, of which there are always more than there were holders."""
        term = int(self._clock.unix_s()) // _MINUTE_S
        spec = self._spec(term) | {"acquireTime": self._now()}
        body: dict[str, Any] = {"apiVersion": LEASES.api_version, "kind": LEASES.kind}
        body |= {"metadata": {"name": self._name, "namespace": self._namespace}, "spec": spec}
        await self._commit(self._api.create(LEASES, self._namespace, body), term)

    async def _write(self, lease: Body, term: int) -> None:
        spec = self._spec(term)
        if (lease.get("spec") or {}).get("holderIdentity") != self._identity:
            spec["acquireTime"] = self._now()
        at = {"resourceVersion": lease["metadata"]["resourceVersion"]}
        patch = {"metadata": at, "spec": spec}
        await self._commit(self._api.merge(LEASES, self._namespace, self._name, patch), term)

    async def _commit(self, call: Any, term: int) -> None:
        """Held from the moment before the call: the answer may take long."""
        began_s = self._clock.monotonic_s()
        try:
            written = await call
        except ApiError as error:
            if error.is_stale or error.exists:
                return  # another replica was faster
            raise
        if term != self.term:
            _log.info("leading", extra={"term": term, "identity": self._identity})
        self.term, self.observed = term, True
        self._held_until_s = began_s + HOLD_S
        self._note(written)

    def _spec(self, term: int) -> dict[str, Any]:
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": int(DURATION_S),
            "renewTime": self._now(),
            "leaseTransitions": term,
        }

    def _now(self) -> str:
        """MicroTime."""
        return timestamp(self._clock.unix_s()).replace("Z", ".000000Z")

    def lose(self, term: int) -> None:
        """A pod has heard of ``term``, which is a later leader's: act no more. If that leader
        does not hold the Lease any more, the next term is above."""
        self._outbid = max(self._outbid, term)
        self._held_until_s = float("-inf")

    async def release(self) -> None:
        """Let another replica have it at once. Raises ``ApiError``."""
        if not self.holds():
            return
        self._held_until_s = float("-inf")
        lease = await self._api.get(LEASES, self._namespace, self._name)
        if (lease.get("spec") or {}).get("holderIdentity") != self._identity:
            return
        at = {"resourceVersion": lease["metadata"]["resourceVersion"]}
        spec = {"holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": self._now()}
        await self._api.merge(LEASES, self._namespace, self._name, {"metadata": at, "spec": spec})
