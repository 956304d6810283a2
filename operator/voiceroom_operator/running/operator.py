"""One replica: it waits for the Lease, acts while it holds it, and waits again when it is lost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from voiceroom_api import names
from voiceroom_operator.admin.access import Resolve, admin_address
from voiceroom_operator.admin.client import Admin
from voiceroom_operator.admin.looks import PERIOD_S, Looks, Target
from voiceroom_operator.admin.mail import Mail
from voiceroom_operator.cluster.api import Api, ApiError, Body
from voiceroom_operator.cluster.events import Events, Note
from voiceroom_operator.cluster.kinds import NODES, PODS, POOLS, ROOMS, WATCHED, Kind
from voiceroom_operator.cluster.lease import RENEW_S, Lease
from voiceroom_operator.cluster.mirror import Mirror
from voiceroom_operator.cluster.sweeper import Sweeper
from voiceroom_operator.edge.clock import Clock
from voiceroom_operator.limits import Limits
from voiceroom_operator.reading.alerts import AlertSaid
from voiceroom_operator.reading.pods import node_seen
from voiceroom_operator.reading.reports import StatusReport
from voiceroom_operator.round import saying
from voiceroom_operator.round.acting import Hands, NotLeading
from voiceroom_operator.round.bearer import Bearer
from voiceroom_operator.round.canarying import Canarying
from voiceroom_operator.round.eyes import Eyes
from voiceroom_operator.round.house import House, Policy
from voiceroom_operator.round.reconciler import Parts, Reconciler
from voiceroom_operator.round.remedying import Remedying
from voiceroom_operator.round.secrets import SecretReader
from voiceroom_operator.round.specs import pool_specs, room_specs
from voiceroom_operator.round.telling import Teller
from voiceroom_operator.running.alerts import Alerts
from voiceroom_operator.running.lateness import Lateness, measure
from voiceroom_operator.running.meters import Meters
from voiceroom_operator.running.pulse import Pulse
from voiceroom_operator.running.watching import Scope, Streams, Watching
from voiceroom_operator.running.work import Work
from voiceroom_operator.settings import Settings

RESYNC_S: Final = 30.0
MOVES_AT_ONCE: Final = 8
"""Rooms on the move in a namespace."""
LEASE_RETRY_S: Final = 2.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class World:
    """What is outside of the operator; tests put their own in."""

    api: Api
    admin: Admin
    clock: Clock
    streams: Callable[[Callable[[Kind, str | None, Body], None]], Streams]
    resolve: Resolve = admin_address
    limits: Limits = field(default_factory=lambda: Limits(moves=MOVES_AT_ONCE))


class Operator:
    """Everything, put together."""

    def __init__(
        self,
        settings: Settings,
        world: World,
        meters: Meters,
        identity: str,
        policy: Policy | None = None,
    ) -> None:
        """``identity``: REPLICA_START, for the Lease."""
        self._world = world
        clock, api = world.clock, world.api
        self.pulse = Pulse(clock)
        self.lease = Lease(api, clock, settings.own_namespace, settings.lease_name, identity)
        self.mirror = Mirror(self._changed)
        self.lateness = Lateness()
        self._stalled = asyncio.Event()
        self._nodes: dict[str, object] = {}
        self._meters = meters
        self._filled = False
        self._events = Events(api, clock, meters.event_dropped)
        sweeper = Sweeper(api, self.mirror, meters.missed)
        scope = Scope(settings.namespaces)
        self._watching = Watching(api, clock, self.mirror, scope, sweeper, meters)
        self._looks = Looks(
            world.admin, clock, self._heard, self._answered, world.limits.lost_after_s
        )
        self._mail = Mail(world.admin, self._looks, self._term, self._stale, self._refused)
        self._house = House(api, clock, policy, self._check_leading)
        self._teller = Teller(
            self._mail,
            SecretReader(api, clock),
            world.resolve,
            self._house.access,
            self._events.say,
        )
        self._takes_alerts = settings.alerts is not None
        self.bearer = Bearer(api, settings.own_namespace)
        self.alerts = Alerts(clock, meters, self._concerned, lambda key: self._work.add(key))
        self._reconciler = Reconciler(self._parts(settings))
        self._work = Work(clock, self._reconciler, meters)
        self._measure(meters)

    def _measure(self, meters: Meters) -> None:
        meters.leads(self.lease.holds)
        meters.depth(self._work.depth)
        meters.lateness(lambda: self.lateness.worst_s(self._world.clock.monotonic_s()))

    def _parts(self, settings: Settings) -> Parts:
        world = self._world
        eyes = Eyes(
            self.mirror,
            self._looks,
            room_specs(),
            pool_specs(chaos=settings.pods.chaos),
            lambda: self._watching.nodes_readable,
            world.clock.unix_s,
        )
        hands = Hands(
            world.api,
            self.mirror,
            world.clock,
            self.lease.holds,
            settings.pods,
            settings.default_pool,
            settings.taint_nodes,
        )
        remedying = Remedying(
            eyes,
            self._looks,
            self._teller,
            self._events,
            self._meters,
            world.limits,
            self.alerts.inbox,
        )
        canarying = Canarying(eyes, self._looks, hands, self._events, self._meters, world.limits)
        return Parts(
            eyes,
            hands,
            self._house,
            self._teller,
            remedying,
            canarying,
            self._events,
            self._meters,
            world.limits,
        )

    def unready(self) -> str:
        """Why this replica is of no use yet; empty when it acts, or could."""
        if self.lease.holds():
            return "" if self._filled else "reading the cluster"
        return "" if self.lease.observed else "the Lease has not been read yet"

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``. A replica that loses the Lease waits for it again."""
        clock = self._world.clock
        own = asyncio.ensure_future(measure(clock, self.lateness, self._stalled.set))
        try:
            while not stop.is_set():
                await self._elect()
                if self.lease.holds():
                    await self._lead(stop)
                else:
                    await _either(stop.wait(), clock.sleep(LEASE_RETRY_S))
        finally:
            await _end({own})
            await self._close()

    async def _elect(self) -> None:
        self.pulse.beat("lease")
        try:
            await self.lease.step(shy=self.lateness.is_shy(self._world.clock.monotonic_s()))
        except ApiError as error:
            _log.warning("the Lease cannot be had", extra={"error": str(error)})

    async def _lead(self, stop: asyncio.Event) -> None:
        """Act until told to stop, until the Lease is lost, or until this process is stalled."""
        self._stalled.clear()
        streams = self._world.streams(self._watching.on_event)
        hold, act = asyncio.ensure_future(self._hold()), asyncio.ensure_future(self._act(streams))
        others: set[asyncio.Future[Any]] = {
            asyncio.ensure_future(self._events.run()),
            asyncio.ensure_future(self._give_up()),
            asyncio.ensure_future(stop.wait()),
        }
        try:
            tasks = {hold, act, *others}
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # a loop that crashed ends the process
            if act in done:
                stop.set()
        finally:
            await _end({hold, act, *others})
            await self._forget()

    async def _forget(self) -> None:
        """Whoever leads next may change everything: look anew, tell all anew."""
        self.pulse.stop("sweep", "looks", "work")
        self._filled = False
        self.alerts.clear()
        await self._mail.close()
        await self._looks.close()
        for kind in WATCHED:
            self.mirror.clear(kind)
        self._reconciler.forget()

    async def _give_up(self) -> None:
        """Ends when this process is stalled, with the Lease left to another replica."""
        await self._stalled.wait()
        _log.error("this process does not keep time: another one may lead")
        self._meters.gave_up()
        try:
            await self.lease.release()
        except ApiError as error:
            _log.info("the Lease was not released", extra={"error": str(error)})

    async def _hold(self) -> None:
        """Renew the Lease; ends when it is lost."""
        clock = self._world.clock
        while self.lease.holds():
            await clock.sleep(RENEW_S / 2)
            await self._elect()
        _log.error("the Lease is lost")

    async def _act(self, streams: Streams) -> None:
        """Ends when the streams say that the process is to end."""
        await self._fill()
        self._resync()
        others = {
            asyncio.ensure_future(loop)
            for loop in (
                self._watching.sweep(lambda: self.pulse.beat("sweep")),
                self._look(),
                self._work.run(),
                self._resyncs(),
                self._read_bearer(),
            )
        }
        stream = asyncio.ensure_future(self._watching.stream(streams))
        try:
            done, _ = await asyncio.wait({*others, stream}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await _end({*others, stream})

    async def _fill(self) -> None:
        while True:
            try:
                await self._watching.fill()
            except ApiError as error:
                hint = "; are the CustomResourceDefinitions installed?" if error.is_missing else ""
                _log.error("the cluster cannot be read", extra={"error": f"{error}{hint}"})
                await self._world.clock.sleep(LEASE_RETRY_S)
            else:
                self._filled = True
                return

    async def _look(self) -> None:
        """At every pod, on a grid of a second."""
        clock = self._world.clock
        due_s = clock.monotonic_s()
        while True:
            self._looks.round(self._targets())
            self.pulse.beat("looks")
            if self._work.goes_on():
                self.pulse.beat("work")
            due_s = max(due_s + PERIOD_S, clock.monotonic_s())
            await clock.sleep(due_s - clock.monotonic_s())

    def _targets(self) -> list[Target]:
        found: list[Target] = []
        for namespace in self.mirror.namespaces(PODS):
            for pod in self.mirror.all(PODS, namespace):
                uid = _owner(pod)
                target = self._teller.target(pod, uid) if uid else None
                if target is not None:
                    found.append(target)
        return found

    async def _resyncs(self) -> None:
        while True:
            await self._world.clock.sleep(RESYNC_S)
            self._resync()

    async def _read_bearer(self) -> None:
        """Again and again, where it is needed: somebody may have changed it."""
        while True:
            if self._takes_alerts:
                await self.bearer.refresh()
            await self._world.clock.sleep(RESYNC_S)

    def _concerned(self, alert: AlertSaid) -> tuple[str, ...]:
        """Namespaces of the pods that an alert means; a pod's name alone means one pod."""
        given = [alert.namespace] if alert.pod and alert.namespace else None
        found = {
            namespace
            for namespace in given or self.mirror.namespaces(PODS)
            for pod in self.mirror.all(PODS, namespace)
            if is_meant(alert, pod)
        }
        return () if alert.pod and len(found) > 1 else tuple(sorted(found))

    def _resync(self) -> None:
        """All namespaces again, and nothing kept of what is gone."""
        present = self.mirror.namespaces(ROOMS, POOLS, PODS)
        self._work.forget(present)
        for namespace in present:
            self._work.add(namespace)
        uids = {
            kind: {
                str(body["metadata"]["uid"])
                for namespace in self.mirror.namespaces(kind)
                for body in self.mirror.all(kind, namespace)
            }
            for kind in (ROOMS, POOLS, PODS)
        }
        self._reconciler.keep(set().union(*uids.values()))
        self._mail.forget(uids[PODS])

    def _changed(self, kind: Kind, namespace: str, name: str) -> None:
        """The mirror has news."""
        if kind is not NODES:
            self._work.add(namespace)
            return
        body = self.mirror.get(NODES, "", name)
        said = None if body is None else (node_seen(body), str(body["status"].get("addresses")))
        if self._nodes.get(name) != said:
            self._nodes[name] = said
            for each in self.mirror.namespaces(PODS, ROOMS, POOLS):
                self._work.add(each)

    def _heard(self, target: Target, _: StatusReport) -> None:
        self._work.add(target.namespace)

    def _answered(self, uid: str) -> None:
        self._mail.nudge(uid)

    def _term(self) -> int:
        return self.lease.term if self.lease.holds() else 0

    def _check_leading(self) -> None:
        if not self.lease.holds():
            raise NotLeading

    def _stale(self, term: int) -> None:
        _log.error("a pod has heard of a later leader", extra={"term": term})
        self.lease.lose(term)

    def _refused(self, target: Target, words: str) -> None:
        body = self.mirror.get(PODS, target.namespace, target.name)
        if body is not None:
            about = {"apiVersion": "v1", "kind": "Pod"} | dict(body)
            self._events.say(Note(about, "Warning", saying.DOCUMENT_REFUSED, words))

    async def _close(self) -> None:
        try:
            await self._events.drain()
            await self.lease.release()
        except ApiError as error:
            _log.info("the Lease was not released", extra={"error": str(error)})


def is_meant(alert: AlertSaid, pod: Body) -> bool:
    """Whether the alert names the pod, or the pod's node alone."""
    metadata, node = pod["metadata"], (pod.get("spec") or {}).get("nodeName", "")
    pool = (metadata.get("labels") or {}).get(names.POOL_LABEL, "")
    if alert.pool not in ("", pool):
        return False
    named = alert.pod == metadata["name"] if alert.pod else bool(node) and alert.node == node
    return named


def _owner(pod: Body) -> str:
    owners = pod["metadata"].get("ownerReferences") or ()
    return next((str(o["uid"]) for o in owners if o.get("kind") == POOLS.kind), "")


async def _either(*waits: Coroutine[Any, Any, Any]) -> None:
    tasks = {asyncio.ensure_future(wait) for wait in waits}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _end(tasks)


async def _end(tasks: Iterable[asyncio.Future[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
