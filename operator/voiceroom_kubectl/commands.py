"""Carries the commands out. Each gives the exit code."""

from __future__ import annotations

import argparse
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass

from voiceroom_kubectl import canary as grey
from voiceroom_kubectl import chaos as injecting
from voiceroom_kubectl import check as checking
from voiceroom_kubectl import doctor, drill, listing, moving, nodedoor, story, top
from voiceroom_kubectl.cluster import Cluster, ClusterError, NotFound, Object
from voiceroom_kubectl.output import Terminal, listed
from voiceroom_kubectl.reach import signalling
from voiceroom_kubectl.report import Answer, Call, report
from voiceroom_kubectl.report import ask as ask_pod
from voiceroom_kubectl.tokens import Wanted, link, pool_of, token
from voiceroom_kubectl.watch import Watch

FINE, NOT_SO = 0, 1


@dataclass(frozen=True)
class Session:
    """All that a command works with."""

    cluster: Cluster
    terminal: Terminal
    args: argparse.Namespace
    watch: Watch
    browse: Callable[[str], bool] = webbrowser.open
    ask: doctor.Ask | None = None
    """A pod's report; None = it is asked."""
    call: injecting.Ask | None = None
    """A pod's answer on its admin port; None = it is asked."""

    @property
    def namespace(self) -> str:
        """Where the command acts."""
        return self.args.namespace or self.cluster.namespace

    @property
    def scope(self) -> str | None:
        """The same, or None for all namespaces."""
        return None if self.args.all_namespaces else self.namespace

    def room(self) -> Object:
        """The one that the command line names. Raises ``NotFound``."""
        return self.cluster.room(self.namespace, self.args.room)


def rooms(session: Session) -> int:
    """The table of rooms."""
    listing.show(
        session.terminal,
        session.cluster.rooms(session.scope),
        form=session.args.output,
        heads=listing.ROOM_HEADS,
        row=listing.room_row,
        now_s=session.watch.wall_s(),
        with_namespace=session.args.all_namespaces,
        empty=_nothing("rooms", session.scope),
    )
    return FINE


def pools(session: Session) -> int:
    """The table of pools."""
    listing.show(
        session.terminal,
        session.cluster.pools(session.scope),
        form=session.args.output,
        heads=listing.POOL_HEADS,
        row=listing.pool_row,
        now_s=session.watch.wall_s(),
        with_namespace=session.args.all_namespaces,
        empty=_nothing("pools", session.scope),
    )
    return FINE


def _nothing(what: str, namespace: str | None) -> str:
    return f"No {what} found" + (f" in the namespace {namespace}." if namespace else ".")


def top_pods(session: Session) -> int:
    """Two readings of every mixer pod, and what lies between."""
    pods = session.cluster.mixers(session.scope)
    before = [top.reading(session.cluster, pod) for pod in pods]
    if pods:
        session.watch.sleep(session.args.seconds)
    loads = [
        top.load(session.cluster, pod, first, top.reading(session.cluster, pod))
        for pod, first in zip(pods, before, strict=True)
    ]
    if session.args.output != "table":
        session.terminal.show(listed([load.to_dict() for load in loads]), session.args.output)
        return FINE
    lead = ["NAMESPACE"] if session.args.all_namespaces else []
    rows = [([load.namespace] if lead else []) + load.row() for load in loads]
    session.terminal.table([*lead, *top.HEADS], rows, _nothing("mixer pods", session.scope))
    for load in loads:
        if load.error:
            session.terminal.remark(f"{load.namespace}/{load.pod}: {load.error}")
    return FINE


def describe(session: Session) -> int:
    """The story of a room."""
    room = session.room()
    namespace, uid = room["metadata"]["namespace"], room["metadata"].get("uid", "")
    pool_name = pool_of(room)
    pools_there = session.cluster.pools(namespace)
    pool = next((pool for pool in pools_there if pool["metadata"]["name"] == pool_name), None)
    events = session.cluster.events(namespace, uid)
    lines = story.story(room, pool, events, session.watch.wall_s())
    if session.args.output == "table":
        session.terminal.say("\n".join(lines))
    else:
        told = {"room": room, "pool": pool, "events": events, "story": lines}
        session.terminal.show(told, session.args.output)
    return FINE


def print_token(session: Session) -> int:
    """Nothing but the token."""
    session.terminal.say(_token(session, session.room()))
    return FINE


def _token(session: Session, room: Object) -> str:
    args = session.args
    wanted = Wanted(args.role, args.identity, args.ttl)
    return token(session.cluster, room, wanted, session.watch.wall_s())


def join(session: Session) -> int:
    """Prints the link, opens it, and forwards until it is interrupted."""
    room = session.room()
    join_token = _token(session, room)
    args, say = session.args, session.terminal.remark
    with signalling(session.cluster, room, port=args.port, url=None, refused=say) as base:
        address = link(base, args.room, join_token)
        session.terminal.say(address)
        if not args.no_open and not session.browse(address):
            say("no browser here: open the link in one")
        say("Forwarding to the room's pod; Ctrl-C ends it. Media goes straight to the node.")
        try:
            while True:
                session.watch.sleep(3600)
        except KeyboardInterrupt:
            return FINE


def pause(session: Session) -> int:
    """``spec.remediation.paused``."""
    return _set_paused(session, {"reason": session.args.reason}, "is not moved any more")


def resume(session: Session) -> int:
    """Takes it away."""
    return _set_paused(session, None, "may be moved again")


def _set_paused(session: Session, paused: Object | None, words: str) -> int:
    patch = {"spec": {"remediation": {"paused": paused}}}
    session.cluster.patch_room(session.namespace, session.args.room, patch)
    session.terminal.say(f"{session.args.room} {words}")
    return FINE


def move(session: Session) -> int:
    """Exit code 1 when it was waited for and is not where it should be."""
    args, namespace = session.args, session.namespace
    request = moving.ask(session.cluster, namespace, args.room, args.to or "", args.why)
    if not args.wait:
        session.terminal.say(f"{args.room}: asked for, request {request}")
        return FINE
    said = moving.wait(session.cluster, namespace, args.room, request, args.timeout, session.watch)
    done = said.get("state") == "Done"
    (session.terminal.say if done else session.terminal.remark)(moving.words(args.room, said))
    return FINE if done else NOT_SO


def canary(session: Session) -> int:
    """The table of indicators, or a decision."""
    args, namespace, terminal = session.args, session.namespace, session.terminal
    found = grey.pool(session.cluster, namespace, args.pool)
    if args.wish:
        made = grey.decide(session.cluster, namespace, args.pool, args.wish, args.why)
        terminal.say(f"{args.pool}: {args.wish} asked for, decision {made}")
    elif args.output != "table":
        terminal.show(grey.status(found), args.output)
    else:
        terminal.say("\n".join(grey.lines(found)))
        if rows := grey.rows(found):
            terminal.table(grey.HEADS, rows, "")
    return FINE


def diagnose(session: Session) -> int:
    """Exit code 1 when one of the pods does not keep time."""
    now_s = session.watch.wall_s()
    pods = doctor.pods_of(session.cluster, session.namespace, session.args.target)
    ask = session.ask or (lambda pod: report(session.cluster, pod, now_s))
    cases = [doctor.examine(pod, ask, now_s) for pod in pods]
    if session.args.output == "table":
        for case in cases:
            session.terminal.say("\n".join(doctor.lines(case, now_s)))
    else:
        session.terminal.show(listed([case.to_dict() for case in cases]), session.args.output)
    return NOT_SO if any(case.found.bad for case in cases) else FINE


def check(session: Session) -> int:
    """Exit code 1 when somebody does not hear what they should."""
    args = session.args
    order = checking.Order(session.namespace, args.room, args.url, args.keep, args.timeout)
    try:
        report = checking.check(session.cluster, order, session.terminal, session.watch)
    except ConnectionError as error:
        session.terminal.remark(str(error))
        return NOT_SO
    if args.output == "table":
        session.terminal.say("\n".join(report.lines()))
    else:
        session.terminal.show(report.to_dict(), args.output)
    return FINE if report.fine else NOT_SO


def chaos(session: Session) -> int:
    """Exit code 1 when a pod refuses, or the drill is not passed."""
    args, cluster = session.args, session.cluster
    pods = cluster.mixers(session.namespace, args.pod_selector)
    if not pods:
        raise NotFound(f"no mixer pod in {session.namespace} has the labels {args.pod_selector}")

    def asked(pod: Object, call: Call) -> Answer:
        if call.path == injecting.DOOR:
            return nodedoor.ask(cluster, args.door_namespace, pod, call)
        return ask_pod(cluster, pod, session.watch.wall_s(), call)

    ask = session.call or asked
    if args.drill:
        terminal = session.terminal
        exercise = drill.Drill(cluster, pods, ask, session.watch, terminal.remark)
        return _judged(session, exercise.run(injecting.call(args), args.seconds))
    wanted = injecting.call(args)
    outcomes = injecting.each(pods, ask, wanted)
    if wanted.method != "POST" and _has_doors(session):
        doors = injecting.each(pods, ask, Call(wanted.method, injecting.DOOR))
        outcomes = injecting.beside(outcomes, doors)
    if args.output == "table":
        session.terminal.table(injecting.HEADS, [one.row() for one in outcomes], "")
    else:
        session.terminal.show(listed([one.to_dict() for one in outcomes]), args.output)
    return NOT_SO if any(one.error for one in outcomes) else FINE


def _has_doors(session: Session) -> bool:
    """Who may not see whether there are any is told so."""
    try:
        return bool(session.cluster.node_doors(session.args.door_namespace))
    except ClusterError as error:
        session.terminal.remark(f"doors on nodes were not asked: {error}")
        return False


def _judged(session: Session, trials: list[drill.Trial]) -> int:
    terminal, form = session.terminal, session.args.output
    if form == "table":
        terminal.table(drill.HEADS, [row for trial in trials for row in trial.rows()], "")
    else:
        terminal.show(listed([trial.to_dict() for trial in trials]), form)
    for trial in trials:
        terminal.remark(f"{trial.pod}: {'; '.join(trial.faults()) or 'passed'}")
    return NOT_SO if any(trial.faults() for trial in trials) else FINE


COMMANDS: dict[str, Callable[[Session], int]] = {
    "rooms": rooms,
    "pools": pools,
    "top": top_pods,
    "describe": describe,
    "token": print_token,
    "join": join,
    "pause": pause,
    "resume": resume,
    "move": move,
    "canary": canary,
    "diagnose": diagnose,
    "check": check,
    "chaos": chaos,
}
