"""``voiceroom-mixer pod``: rooms come from the operator; everything else from flags and the pod."""

from __future__ import annotations

import argparse
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NoReturn

from voiceroom_mixer.cli.arguments import fail
from voiceroom_mixer.cli.run import become_keeper, listener_conflicts
from voiceroom_mixer.config import KEYS_FILE, Limits, PodPlace, RealtimeAsk, RunConfig

PROG: Final = "voiceroom-mixer pod"
_FIFO_PRIORITY: Final = 10
_REQUIRED: Final = {
    "POD_NAME": "metadata.name",
    "POD_NAMESPACE": "metadata.namespace",
    "POOL_NAME": "metadata.labels['voiceroom.dev/pool']",
}
"""Environment variables, and the field of the pod that each is (the downward API)."""


def pod(args: argparse.Namespace) -> NoReturn:
    """Replace this process by the keeper; exits with code 2 when something is wrong."""
    become_keeper(configure(args, os.environ))


def configure(args: argparse.Namespace, environ: Mapping[str, str]) -> RunConfig:
    """The configuration that ``args`` and the pod's variables ask for; exits with code 2 when
    something is wrong."""
    for option, message in (*_conflicts(args), *listener_conflicts(args)):
        fail(PROG, f"{option}: {message}")
    return RunConfig(
        rooms=(),
        http=args.http,
        udp=args.udp,
        admin=args.admin,
        metrics=args.metrics,
        advertise=(),
        keys=str(Path(args.pool_dir, KEYS_FILE)),
        tls=None,
        trusted_proxies=args.trusted_proxies,
        rtp_allow=args.rtp_allow,
        ice_servers=(),
        drain_deadline_s=args.drain_deadline,
        media_processes=args.media_processes,
        log_format=args.log_format,
        limits=Limits(),
        pod=_place(args, environ),
        realtime=RealtimeAsk(
            mode=args.realtime,
            priority=args.realtime_priority or _FIFO_PRIORITY,
            required=args.realtime_required,
            cpus=args.realtime_cpus or 0,
        ),
        chaos=args.chaos,
    )


def _place(args: argparse.Namespace, environ: Mapping[str, str]) -> PodPlace:
    for variable, path in _REQUIRED.items():
        if not environ.get(variable):
            fail(PROG, f"{variable} is not set: give it by the downward API, fieldPath {path}")
    return PodPlace(
        name=environ["POD_NAME"],
        namespace=environ["POD_NAMESPACE"],
        pool=environ["POOL_NAME"],
        pool_dir=args.pool_dir,
        state_dir=args.state_dir,
        boot_id=secrets.token_hex(8),
        node=environ.get("NODE_NAME", ""),
        uid=environ.get("POD_UID", ""),
    )


def _conflicts(args: argparse.Namespace) -> Iterator[tuple[str, str]]:
    """Options that do not go together: the option to blame, and the fix."""
    if args.realtime_priority is not None and args.realtime != "Fifo":
        yield "--realtime-priority", "goes with --realtime Fifo only"
    if args.realtime_cpus is not None and args.realtime not in ("Exclusive", "Fifo"):
        yield "--realtime-cpus", "goes with --realtime Exclusive or Fifo only"
