"""The process around the operator: configuration, signals, its own HTTP, exit code."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import signal
import socket
from typing import Any

from voiceroom_operator.admin.client import HttpAdmin
from voiceroom_operator.cluster.client import HttpApi, load_configuration
from voiceroom_operator.cluster.streams import Streams
from voiceroom_operator.edge.clock import SystemClock
from voiceroom_operator.edge.logqueue import QueuedHandler
from voiceroom_operator.round.house import Policy
from voiceroom_operator.running.alerts import Door
from voiceroom_operator.running.meters import Meters
from voiceroom_operator.running.operator import Operator, World
from voiceroom_operator.running.web import Server, application
from voiceroom_operator.settings import Settings

_log = logging.getLogger(__name__)


async def serve(settings: Settings, log: QueuedHandler) -> None:
    """Until SIGTERM or SIGINT. Raises ``ConfigException`` without a cluster."""
    from kubernetes.aio.client import ApiClient

    configuration = await load_configuration()
    clock, meters = SystemClock(), Meters()
    log.on_drop = meters.log_dropped
    client, admin = ApiClient(configuration), HttpAdmin(clock)
    world = World(
        api=HttpApi(client, meters.called),
        admin=admin,
        clock=clock,
        streams=lambda on_event: Streams(configuration, settings.namespaces, on_event),
    )
    operator = Operator(settings, world, meters, identity(settings), policy(settings))
    web = application(operator.pulse, operator.unready, meters.exposition)
    server = Server(web, settings.host, settings.port)
    alerts = door(settings, operator, meters)
    try:
        _log.info("listening", extra={"port": await server.start()})
        if alerts is not None:
            _log.info("listening for alerts", extra={"port": await alerts.start()})
        await operator.run(_stop_on_signals())
    finally:
        if alerts is not None:
            await alerts.stop()
        await server.stop()
        await admin.close()
        await client.close()  # type: ignore[no-untyped-call]


def door(settings: Settings, operator: Operator, meters: Meters) -> Server | None:
    """Where alerts are taken, if anywhere."""
    if settings.alerts is None:
        return None
    app = Door(operator.alerts, meters, operator.lease.holds, operator.bearer.token)
    return Server(app.application(), *settings.alerts)


def identity(settings: Settings) -> str:
    """REPLICA_START. Without a name of its own a replica is not taken for its predecessor."""
    start = secrets.token_hex(4)
    return (
        f"{settings.identity}_{start}" if settings.identity else f"{socket.gethostname()}-{start}_"
    )


def policy(settings: Settings) -> Policy | None:
    """Who may reach mixers; None = no NetworkPolicies are made."""
    if not settings.network_policy:
        return None
    labels = {"app.kubernetes.io/name": "voiceroom", "app.kubernetes.io/component": "operator"}
    operator: dict[str, Any] = {
        "namespaceSelector": _namespace(settings.own_namespace),
        "podSelector": {"matchLabels": labels},
    }
    scrapers = tuple({"namespaceSelector": _namespace(n)} for n in settings.scraper_namespaces)
    return Policy(operator, scrapers)


def _namespace(name: str) -> dict[str, Any]:
    return {"matchLabels": {"kubernetes.io/metadata.name": name}}


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stop.set)
    return stop
