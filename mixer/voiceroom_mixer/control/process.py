"""The composition root of ``voiceroom-control``: descriptors in, served rooms out."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from aiohttp import web

import voiceroom_mixer
from voiceroom_api.units import NS_PER_S
from voiceroom_mixer import config as run_config
from voiceroom_mixer import inheritance, outflow
from voiceroom_mixer.config import ConfigError, RunConfig
from voiceroom_mixer.control import logs, stacks
from voiceroom_mixer.control.admin.desk import Desk
from voiceroom_mixer.control.admin.hop import receive
from voiceroom_mixer.control.admin.pod import PodSide, as_assigned, open_desk
from voiceroom_mixer.control.admin.routes import Routes, own_certificate
from voiceroom_mixer.control.admin.trust import Trust
from voiceroom_mixer.control.auth.keyfile import KeyFile
from voiceroom_mixer.control.auth.keys import KeysError
from voiceroom_mixer.control.auth.proxies import Proxies, parse_networks
from voiceroom_mixer.control.auth.tokens import Tokens
from voiceroom_mixer.control.chaos.desk import ChaosDesk
from voiceroom_mixer.control.drain import KeeperChannel, drain
from voiceroom_mixer.control.events.bus import EventBus
from voiceroom_mixer.control.events.journal import Journal
from voiceroom_mixer.control.events.live import LEVELS_NS, LiveFigures
from voiceroom_mixer.control.export import clockfacts, defences, status_line
from voiceroom_mixer.control.export.alarmlog import AlarmLog
from voiceroom_mixer.control.export.exposition import Exposition
from voiceroom_mixer.control.export.figures import tick_figures, worst_figures
from voiceroom_mixer.control.export.gather import Gather
from voiceroom_mixer.control.export.numbers import Numbers
from voiceroom_mixer.control.http.apps import (
    admin_app,
    metrics_app,
    people_app,
    pod_admin_app,
)
from voiceroom_mixer.control.http.assets import Assets
from voiceroom_mixer.control.http.context import HttpContext, Operations
from voiceroom_mixer.control.http.listeners import Listener, raise_file_limit, tls_context
from voiceroom_mixer.control.link import MediaLink
from voiceroom_mixer.control.logs import RateFilter
from voiceroom_mixer.control.moving.feeds import PUMP_NS
from voiceroom_mixer.control.periodic import Periodic
from voiceroom_mixer.control.readiness import Readiness
from voiceroom_mixer.control.rooms.context import ControlClock
from voiceroom_mixer.control.rooms.facts import RoomFacts
from voiceroom_mixer.control.rooms.service import build_service
from voiceroom_mixer.control.stacks import StacksError
from voiceroom_mixer.control.watchdog import PROBE_NS, LoopProbe, Watchdog
from voiceroom_mixer.control.welcome import Welcome, links
from voiceroom_mixer.core.state.messages import Kind, Message
from voiceroom_mixer.edge import clock, placement
from voiceroom_mixer.edge.probepage import ProbePage
from voiceroom_mixer.edge.shm import Segment, SegmentError
from voiceroom_mixer.inheritance import EXIT_CONFIG, Inherited
from voiceroom_mixer.outflow import Outflow

HOUSEKEEPING_NS: Final = NS_PER_S
_MAIN_TASKS: Final = 1


class ControlProcess:
    """Everything of the control process, wired."""

    def __init__(
        self,
        config: RunConfig,
        fds: Inherited,
        keys: KeyFile,
        log_filter: RateFilter,
        log: Outflow,
    ) -> None:
        desk = open_desk(config.pod) if config.pod else None
        config = as_assigned(config, desk) if desk else config
        self._config, self._fds, self._keys, self._log = config, fds, keys, log
        self._links = [
            MediaLink.from_fds(i, media.segment, media.pair, media.udp)
            for i, media in enumerate(fds.media)
        ]
        self._segments: Sequence[Segment] = [link.segment for link in self._links]
        self._numbers = Numbers()
        self._pressure = defences.PressureLog(self._segments)
        self._alarms = AlarmLog(self._segments)
        self._looking = asyncio.Lock()
        self._bus = EventBus(Journal(self._segments[0]))
        self._service = build_service(
            config,
            self._links,
            self._bus.publish,
            ControlClock(clock.monotonic_ns, clock.wall_ns),
            tick_figures=lambda index: tick_figures(self._segments[index]),
        )
        self._readiness = Readiness(self._segments, clock.monotonic_ns)
        self._facts = RoomFacts(config)
        self._pod = self._make_pod(desk) if desk else None
        self._probe = LoopProbe(self._numbers, clock.monotonic_ns())
        self._watchdog = Watchdog(self._probe, clock.monotonic_ns, self._witness)
        self._chaos = self._make_chaos() if config.chaos else None
        self._context = self._make_context()
        self._exposition = self._make_exposition(log_filter)
        self._open_outward()
        self._periodics = self._make_periodics()

    def _open_outward(self) -> None:
        """The terminal, the keeper, and what listeners are made of; nothing listens yet."""
        config = self._config
        self._line = status_line.StatusLine(sys.stdout, self._segments, self._people)
        self._welcome = Welcome(sys.stdout, self._link_lines, self._is_ready)
        self._welcome.done = config.pod is not None
        self._tls = tls_context(config.tls.cert, config.tls.key) if config.tls else None
        self._trust = self._pod.trust if self._pod else _own_trust(config)
        self._channel = KeeperChannel(_keeper_socket(self._fds))
        if self._pod is not None:
            self._pod.announce.tell_keeper = self._channel.say_beats
        self._listeners: list[Listener] = []
        self._port = config.http.port

    async def run(self) -> None:
        """Serve until the keeper says drain, and then until drained."""
        self._mark_start()
        if self._pod is not None:
            await self._pod.start()
        await self._listen()
        await self._service.start()
        self._readiness.listening = True
        self._watchdog.start()
        tasks = [asyncio.create_task(p.run(), name=n) for n, p in self._periodics.items()]
        wanted = await self._channel.drain_or_gone()
        self._welcome.done = True
        if wanted:
            seconds = self._config.drain_deadline_s
            await drain(self._service, self._readiness, clock.monotonic_ns, seconds)
        await self._stop(tasks)
        if wanted:
            self._log.drain(outflow.EXIT_S)  # the keeper ends us at that word
            self._channel.say_drained()

    def _mark_start(self) -> None:
        boots = self._segments[0].word("control_boots") + 1
        self._beats_no_longer()  # a predecessor's beats are not ours
        for segment in self._segments:
            segment.set_word("control_pid", os.getpid())
            segment.set_word("control_boots", boots)
        self._welcome.done |= boots > 1  # the links of the first start are still good

    async def _listen(self) -> None:
        limit = raise_file_limit()
        doors = (
            (self._fds.http, people_app, self._tls),
            (self._fds.admin, self._admin_app, self._trust.server if self._trust else None),
            (self._fds.metrics, metrics_app, None),
        )
        for fd, make_app, secure in doors:
            if fd is None:
                continue
            sock = socket.socket(fileno=fd)
            if make_app is people_app:
                self._port = sock.getsockname()[1]
            listener = Listener(
                make_app(self._context), sock, limit=limit, now_ns=clock.monotonic_ns, tls=secure
            )
            await listener.start()
            self._listeners.append(listener)

    def _admin_app(self, context: HttpContext) -> web.Application:
        pod = self._pod
        if pod is None:
            return admin_app(context)
        return pod_admin_app(context, Routes(pod).table(), own_certificate(pod), receive)

    def _make_periodics(self) -> dict[str, Periodic]:
        live = LiveFigures(
            self._bus,
            self._service,
            lambda: worst_figures(self._segments),
            lambda: defences.pressure(self._segments),
        )
        actions = {
            "probe": (PROBE_NS, self._beat),
            "live-figures": (LEVELS_NS, live.tell),
            "housekeeping": (HOUSEKEEPING_NS, self._keep_house),
        }
        periodics = {
            name: Periodic(period_ns, action, clock.monotonic_ns)
            for name, (period_ns, action) in actions.items()
        }
        if self._pod is not None:
            handover = self._pod.handover
            periodics["handover"] = Periodic(
                PUMP_NS, handover.look, clock.monotonic_ns, handover.rests
            )
            for link in self._links:
                link.on_written = periodics["handover"].poke
        return periodics

    def _beat(self, now_ns: int) -> None:
        silent_ns = now_ns - self._probe.beat_ns
        self._probe.beat(now_ns)
        for segment in self._segments:
            if silent_ns >= 2 * PROBE_NS:
                segment.set_word("control_gap_ns", silent_ns)
                segment.set_word("control_gap_end_ns", now_ns)
            segment.set_word("control_beat_ns", now_ns)
        self._welcome.look(now_ns)

    def _witness(self, now_ns: int) -> None:
        """By the watchdog's thread, which needs the interpreter and not the loop."""
        for segment in self._segments:
            segment.set_word("control_witness_ns", now_ns)

    def _beats_no_longer(self) -> None:
        """Until the next beat nobody is to wait for one."""
        for segment in self._segments:
            segment.set_word("control_beat_ns", 0)

    def _keep_house(self, now_ns: int) -> None:
        for listener in self._listeners:
            listener.sweep(now_ns)
        if self._trust is not None:
            self._trust.look()
        if self._chaos is not None:
            self._chaos.look()
        if self._pod is not None:
            self._pod.look(now_ns)
        self._pressure.look()
        self._alarms.look(now_ns)
        if self._welcome.done:
            self._line.draw(now_ns)

    async def _stop(self, tasks: list[asyncio.Task[None]]) -> None:
        self._bus.end_all()
        if self._pod is not None:
            await self._pod.stop()
        for periodic in self._periodics.values():
            periodic.stop()
        await asyncio.gather(*tasks)
        self._beats_no_longer()
        self._watchdog.stop()
        self._line.erase()
        for listener in self._listeners:
            await listener.stop()
        await self._service.stop()

    def _make_context(self) -> HttpContext:
        config = self._config
        return HttpContext(
            config=config,
            service=self._service,
            bus=self._bus,
            keys=self._keys.current,
            numbers=self._numbers,
            operations=Operations(
                unready=self._readiness.unready,
                detail=self._readiness.detail,
                alive=self._readiness.alive,
                clockz=lambda: clockfacts.clockz(self._segments, clock.monotonic_ns()),
                expose=lambda accept: self._exposition.expose(accept),
                collect_media=self._collect_media,
                media_stacks=self._media_stacks,
            ),
            now_ns=clock.monotonic_ns,
            wall_ns=clock.wall_ns,
            assets=Assets(Path(voiceroom_mixer.__path__[0], "page")),
            proxies=Proxies(parse_networks(config.trusted_proxies)),
            tokens=Tokens(self._keys.current),
            rooms=self._facts,
            elsewhere=self._pod.forwarder if self._pod else None,
            chaos=self._chaos,
        )

    def _make_chaos(self) -> ChaosDesk:
        return ChaosDesk(
            self._segments,
            self._numbers,
            publish=self._bus.publish,
            rooms=self._service.participant_counts,
            true_ns=clock.true_ns,
            wall_ns=clock.wall_ns,
        )

    def _make_pod(self, desk: Desk) -> PodSide:
        return PodSide(
            self._config,
            desk,
            self._service,
            self._facts,
            self._readiness,
            self._segments,
            self._numbers,
            self._keys.current,
            self._bus.journal,
            now_ns=clock.monotonic_ns,
            wall_ns=clock.wall_ns,
        )

    def _make_exposition(self, log_filter: RateFilter) -> Exposition:
        gather = Gather(
            segments=self._segments,
            numbers=self._numbers,
            service=self._service,
            bus=self._bus,
            limits=self._context.limits,
            pins=self._context.pins,
            readiness=self._readiness,
            watchdog=self._watchdog,
            log_filter=log_filter,
            log_dropped=lambda: self._log.dropped,
            expected_tasks=self._expected_tasks,
            relayed=self._service.standing.relayed,
            unprotected=self._pod.handover.owning.unprotected if self._pod else lambda: 0,
            probe=ProbePage(self._fds.probe) if self._fds.probe is not None else None,
        )
        return Exposition(self._segments, self._numbers, gather.refresh, gather.infos)

    def _expected_tasks(self) -> int:
        """Ours, the service's, one for each connection and one for each request in progress."""
        serving = sum(listener.tasks() for listener in self._listeners)
        of_pod = self._pod.handover.tasks() if self._pod is not None else 0
        own = _MAIN_TASKS + len(self._periodics) + self._service.expected_tasks()
        return own + serving + of_pod

    def _collect_media(self) -> int:
        return sum(link.send(Message(Kind.COLLECT, 0, 0)) for link in self._links)

    async def _media_stacks(self) -> list[dict[str, Any]]:
        async with self._looking:  # each of them has one file for all who ask
            return [await _stacks_of(segment) for segment in self._segments]

    def _people(self) -> int:
        return sum(self._service.participant_counts().values())

    def _is_ready(self) -> bool:
        return not self._readiness.unready()

    def _link_lines(self) -> Iterator[str]:
        now_s = clock.wall_ns() / NS_PER_S
        return links(self._config, self._keys.current(), self._port, now_s)


async def _stacks_of(segment: Segment) -> dict[str, Any]:
    pid = segment.word("media_pid")
    try:
        text = await stacks.ask(pid, segment.word("media_stacks"))
    except StacksError as error:
        return {"pid": pid, "error": str(error)}
    return {"pid": pid, "stack": text.splitlines()}


def _own_trust(config: RunConfig) -> Trust | None:
    return Trust(config.admin_tls) if config.admin_tls else None


def _keeper_socket(fds: Inherited) -> socket.socket:
    if fds.keeper is None:
        raise ConfigError("control is started by the keeper: no channel to it was inherited")
    return socket.socket(fileno=fds.keeper)


def main() -> int:
    """Run until drained; the exit code."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # the keeper alone acts on these
    log = outflow.take_over()
    try:
        config = run_config.load()
        log.note = logs.drop_note(config.log_format)
        log_filter = logs.configure(config.log_format, clock.monotonic_ns, log.stream())
        fds = inheritance.inherited(os.environ)
        refused = placement.settle_control(config.realtime, config.media_processes)
        if refused:
            logging.getLogger(__name__).warning(refused)
        process = ControlProcess(config, fds, KeyFile(Path(config.keys)), log_filter, log)
    except (ConfigError, KeysError, SegmentError, ValueError) as error:
        sys.stderr.write(f"voiceroom-control: {error}\n")
        return EXIT_CONFIG
    asyncio.run(process.run())
    return 0
