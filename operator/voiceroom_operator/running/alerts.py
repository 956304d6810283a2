"""``POST /alerts``: what monitoring has found. An alert is a hint and never an order: it names a
pod or a node, and what is done about it the guard rails say.
"""

from __future__ import annotations

import hmac
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, Final, Literal, Protocol

from aiohttp import web

from voiceroom_operator.edge.clock import Clock
from voiceroom_operator.reading.alerts import AlertSaid, read_delivery
from voiceroom_operator.remediation.suspects import Alarm
from voiceroom_operator.round.everyone import Inbox

MOST_BYTES: Final = 1 << 20
LASTS_S: Final = 600.0
"""A firing alert counts for so long unless it is sent again."""
WAITING: Final = 500
"""Alerts that are remembered; those that come on top are dropped and counted."""
DELIVERED: Final = 4096
"""Deliveries that are known again."""

Result = Literal[
    "taken",
    "resolved",
    "duplicate",
    "unknown_target",
    "dropped",
    "malformed",
    "unauthorized",
    "too_large",
    "standby",
]


class Meter(Protocol):
    """Who counts."""

    def alerted(self, result: Result) -> None:
        """One alert, or one delivery that was refused as a whole."""


class Alerts:
    """What fires now, by the alerts that were delivered."""

    def __init__(
        self,
        clock: Clock,
        meter: Meter,
        find: Callable[[AlertSaid], Iterable[str]],
        wake: Callable[[str], None],
    ) -> None:
        """``find``: namespaces that have something to do with an alert's target; ``wake``: told
        of each that has news."""
        self._clock = clock
        self._meter = meter
        self._find = find
        self._wake = wake
        self._firing: OrderedDict[str, tuple[str, Alarm]] = OrderedDict()
        self._resolved: OrderedDict[str, float] = OrderedDict()
        self._delivered: OrderedDict[tuple[str, str], float] = OrderedDict()

    def inbox(self) -> Inbox:
        """For the plans."""
        self._forget(self._clock.unix_s())
        return Inbox(tuple(self._firing.values()), frozenset(self._resolved))

    def take(self, said: Iterable[AlertSaid]) -> None:
        """One delivery."""
        now_s = self._clock.unix_s()
        self._forget(now_s)
        for alert in said:
            self._meter.alerted(self._take(alert, now_s))

    def _take(self, alert: AlertSaid, now_s: float) -> Result:
        if self._is_known(alert, now_s):
            return "duplicate"
        concerned = tuple(self._find(alert))
        if not concerned:
            return "unknown_target"
        if alert.status == "firing" and len(self._firing) >= WAITING:
            return "dropped"
        self._delivered[alert.key, alert.status] = now_s
        self._note(alert, concerned[0], now_s)
        for namespace in concerned:
            self._wake(namespace)
        return "taken" if alert.status == "firing" else "resolved"

    def _is_known(self, alert: AlertSaid, now_s: float) -> bool:
        """It was delivered already. What is sent again later counts anew: it still fires. What has
        ended does not fire again, however late its copy comes."""
        if alert.key in self._resolved:
            return True
        delivered_s = self._delivered.get((alert.key, alert.status))
        return delivered_s is not None and now_s - delivered_s < _AGAIN_S

    def _note(self, alert: AlertSaid, namespace: str, now_s: float) -> None:
        """``namespace``: the pod's; of a node it does not matter."""
        if alert.status == "resolved":
            self._firing.pop(alert.key, None)
            self._resolved[alert.key] = now_s
            return
        node = "" if alert.pod else alert.node
        until_s = float(int(now_s + LASTS_S))
        alarm = Alarm(alert.key, alert.since_s, until_s, alert.cause, alert.pod, node)
        self._firing[alert.key] = (namespace, alarm)

    def _forget(self, now_s: float) -> None:
        for key, (_, alarm) in tuple(self._firing.items()):
            if now_s >= alarm.until_s:
                del self._firing[key]
        _drop_old(self._resolved, now_s)
        _drop_old(self._delivered, now_s)

    def clear(self) -> None:
        """Whoever leads next is sent them again."""
        self._firing.clear()
        self._resolved.clear()
        self._delivered.clear()


_AGAIN_S: Final = 30.0
"""The copies of a pair of Alertmanagers come within this; their repeats are minutes apart."""


def _drop_old(times: OrderedDict[Any, float], now_s: float) -> None:
    for key, at_s in tuple(times.items()):
        if now_s - at_s < LASTS_S and len(times) <= DELIVERED:
            break
        del times[key]


class Door:
    """The HTTP side."""

    def __init__(
        self,
        alerts: Alerts,
        meter: Meter,
        leads: Callable[[], bool],
        token: Callable[[], bytes],
    ) -> None:
        """``token``: the bearer that is wanted; empty = it is not known yet."""
        self._alerts = alerts
        self._meter = meter
        self._leads = leads
        self._token = token

    def application(self) -> web.Application:
        """With the one route."""
        app = web.Application(client_max_size=MOST_BYTES)
        app.router.add_post("/alerts", self._post)
        return app

    async def _post(self, request: web.Request) -> web.Response:
        """202 at once; 503 makes the sender try again, on another connection."""
        if not self._leads() or not self._token():
            return self._refused(503, "standby", "another replica leads")
        if not self._is_known(request):
            return self._refused(401, "unauthorized", "a bearer token is needed")
        try:
            raw = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return self._refused(413, "too_large", f"more than {MOST_BYTES} bytes")
        try:
            said = read_delivery(raw)
        except ValueError as error:
            return self._refused(400, "malformed", str(error))
        self._alerts.take(said)
        return web.Response(status=202, text="taken\n")

    def _is_known(self, request: web.Request) -> bool:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        given = token.strip().encode(errors="replace")
        return kind.lower() == "bearer" and hmac.compare_digest(given, self._token())

    def _refused(self, status: int, result: Result, words: str) -> web.Response:
        self._meter.alerted(result)
        headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
        response = web.Response(status=status, text=f"{words}\n", headers=headers)
        if status == 503:
            response.force_close()
        return response
