"""``voiceroom-mixer run``: check everything, then become the keeper."""

from __future__ import annotations

import argparse
import ipaddress
import os
import sys
from collections.abc import Iterator
from typing import NoReturn

from voiceroom_api.problems import InvalidDocument
from voiceroom_mixer.cli import keys
from voiceroom_mixer.cli.arguments import fail
from voiceroom_mixer.cli.rooms import load_rooms
from voiceroom_mixer.config import (
    AdminTls,
    Endpoint,
    Limits,
    RunConfig,
    TlsFiles,
    hand_over,
)
from voiceroom_mixer.control.auth.keys import KeysError

PROG = "voiceroom-mixer run"


def run(args: argparse.Namespace) -> NoReturn:
    """Replace this process by the keeper; exits with code 2 when something is wrong."""
    config = configure(args)
    for line in notes(config):
        print(f"{PROG}: note: {line}", file=sys.stderr)
    become_keeper(config)


def become_keeper(config: RunConfig) -> NoReturn:
    """Replace this process by the keeper of ``config``."""
    hand_over(config)
    sys.stderr.flush()
    # -P: a file in the current folder must not stand in for a module
    os.execv(sys.executable, [sys.executable, "-P", "-m", "voiceroom_mixer.keeper"])


def configure(args: argparse.Namespace) -> RunConfig:
    """The configuration that ``args`` ask for; exits with code 2 when something is wrong."""
    for option, message in _conflicts(args):
        fail(PROG, f"{option}: {message}")
    try:
        rooms = load_rooms(args.rooms, dict(args.pin))
    except InvalidDocument as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from error
    return RunConfig(
        rooms=rooms,
        http=args.http,
        udp=args.udp,
        admin=args.admin,
        metrics=args.metrics,
        advertise=tuple(dict.fromkeys(args.advertise)),
        keys=_keys(args.keys),
        tls=TlsFiles(args.tls_cert, args.tls_key) if args.tls_cert else None,
        trusted_proxies=args.trusted_proxies,
        rtp_allow=args.rtp_allow,
        ice_servers=tuple(args.ice_server),
        drain_deadline_s=args.drain_deadline,
        media_processes=args.media_processes,
        log_format=args.log_format,
        limits=Limits(),
        admin_tls=_admin_tls(args),
        chaos=args.chaos,
    )


def _admin_tls(args: argparse.Namespace) -> AdminTls | None:
    if not args.admin_tls_cert:
        return None
    return AdminTls(args.admin_tls_cert, args.admin_tls_key, args.admin_tls_ca)


def _keys(option: str | None) -> str:
    try:
        path, _ = keys.find(option)
    except KeysError as error:
        fail(PROG, f"--keys: {error}")
    return path


def _conflicts(args: argparse.Namespace) -> Iterator[tuple[str, str]]:
    """Options that do not go together: the option to blame, and the fix."""
    yield from _tls_conflicts(args.tls_cert, args.tls_key)
    yield from _admin_tls_conflicts(args)
    yield from listener_conflicts(args)
    for address in args.advertise:
        if not _is_served(address, args.udp):
            yield "--advertise", f"{address} is not served by --udp {args.udp}: use --udp [::]:PORT"
    rooms = [room for room, _ in args.pin]
    for room in {room for room in rooms if rooms.count(room) > 1}:
        yield "--pin", f"the room {room} is given twice"


def _tls_conflicts(cert: str | None, key: str | None) -> Iterator[tuple[str, str]]:
    if cert and not key:
        yield "--tls-cert", "needs --tls-key FILE as well"
    elif key and not cert:
        yield "--tls-key", "needs --tls-cert FILE as well"
    elif cert and key:
        import ssl  # slow to import, seldom needed

        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password="")
        except (ssl.SSLError, OSError) as error:
            yield "--tls-cert", f"{cert} and {key} are no PEM certificate and its key: {error}"


def _admin_tls_conflicts(args: argparse.Namespace) -> Iterator[tuple[str, str]]:
    given = [args.admin_tls_cert, args.admin_tls_key, args.admin_tls_ca]
    if any(given) and not (all(given) and args.admin):
        yield "--admin-tls-cert", "goes with --admin, --admin-tls-key and --admin-tls-ca"


def listener_conflicts(args: argparse.Namespace) -> Iterator[tuple[str, str]]:
    """Two listeners on one port, or ports that do not exist."""
    if args.udp.port and args.udp.port + args.media_processes > 65_536:
        yield "--udp", f"{args.media_processes} media processes take ports beyond 65535"
    taken: dict[Endpoint, str] = {}
    for option, where in (
        ("--http", args.http),
        ("--admin", args.admin),
        ("--metrics", args.metrics),
    ):
        if where is None or where.port == 0:
            continue
        if where in taken:
            yield option, f"{where} is {taken[where]}'s: give it a port of its own"
        taken[where] = option


def _is_served(address: str, udp: Endpoint) -> bool:
    """An IPv6 wildcard serves both families; other sockets only their own."""
    return udp.host == "::" or (":" in address) == udp.is_ipv6


def notes(config: RunConfig) -> Iterator[str]:
    """What is allowed, and yet may surprise."""
    is_local = ipaddress.ip_address(config.http.host).is_loopback
    if not is_local and config.tls is None and not config.trusted_proxies:
        yield (
            "browsers give the microphone only to https and to this machine itself: "
            "add --tls-cert and --tls-key, or put a TLS proxy before it"
        )
