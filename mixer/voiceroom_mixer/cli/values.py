"""Reads the values of options. Each function raises ``argparse.ArgumentTypeError`` with the fix."""

from __future__ import annotations

import argparse
import ipaddress
import os
import re
import socket
from pathlib import Path
from typing import Any, Final

from voiceroom_api.duration import format_duration, parse_duration
from voiceroom_mixer.config import (
    CA_FILE,
    CERT_FILE,
    KEY_FILE,
    KEYS_FILE,
    Endpoint,
    IceServer,
)

Refused = argparse.ArgumentTypeError

_ICE_URL: Final = re.compile(
    r"(?P<scheme>stuns?|turns?):(?:(?P<user>[^:@\s]+):(?P<password>\S+)@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?P<port>:[0-9]{1,5})?"
    r"(?P<transport>\?transport=(?:udp|tcp))?"
)


def endpoint(text: str) -> Endpoint:
    """``HOST:PORT`` or ``[IPv6]:PORT``; a host name is looked up. Port 0 = any free one."""
    host, colon, port = text.rpartition(":")
    if not colon:
        raise Refused(f"{text!r} has no port: write HOST:PORT, such as 127.0.0.1:8080")
    if not host:
        raise Refused(f"{text!r} has no host: write 0.0.0.0{text} or [::]{text} to listen on all")
    if host.startswith("[") != host.endswith("]") or (":" in host and not host.startswith("[")):
        raise Refused(f"{text!r}: put an IPv6 address in brackets, such as [::1]:8080")
    return Endpoint(_literal(host.strip("[]"), in_brackets=host.startswith("[")), _port(port))


def _port(text: str) -> int:
    if not re.fullmatch("[0-9]{1,5}", text) or int(text) > 65_535:
        raise Refused(f"port {text!r} must be a number from 0 to 65535")
    return int(text)


def _literal(host: str, *, in_brackets: bool) -> str:
    try:
        parsed = ipaddress.ip_address(host)
    except ValueError:
        return _looked_up(host, in_brackets=in_brackets)
    if in_brackets != (parsed.version == 6):
        raise Refused(f"{host!r} in brackets must be an IPv6 address")
    return str(parsed)


def _looked_up(host: str, *, in_brackets: bool) -> str:
    if in_brackets or re.fullmatch(r"[0-9.]+", host):
        raise Refused(f"{host!r} is not an IP address")
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Refused(f"the host name {host!r} cannot be looked up: {error}") from error
    addresses = [str(address[0]) for *_, address in found]
    return next((address for address in addresses if ":" not in address), addresses[0])


def advertised(text: str) -> str:
    """An address that clients can send to."""
    try:
        parsed = ipaddress.ip_address(text.strip("[]"))
    except ValueError as error:
        raise Refused(f"{text!r} must be an IP address without a port") from error
    if parsed.is_unspecified or parsed.is_multicast:
        raise Refused(f"{text} is no address that anybody can send to: name one of this machine's")
    return str(parsed)


def networks(text: str) -> tuple[str, ...]:
    """``CIDR,CIDR,...``."""
    from voiceroom_mixer.control.auth.proxies import parse_networks

    parts = [part for part in text.split(",") if part.strip()]
    try:
        return tuple(str(network) for network in parse_networks(parts))
    except ValueError as error:
        raise Refused(str(error)) from error


def ice_server(text: str) -> IceServer:
    """A STUN or TURN URL (RFC 7064, 7065); before a TURN host may stand ``USER:PASSWORD@``."""
    match = _ICE_URL.fullmatch(text)
    if not match:
        raise Refused(
            f"{text!r} must be stun:HOST[:PORT] or turn:USER:PASSWORD@HOST[:PORT][?transport=tcp]"
        )
    part = {name: value or "" for name, value in match.groupdict().items()}
    is_turn = part["scheme"].startswith("turn")
    if is_turn != bool(part["user"]):
        fix = f"write {part['scheme']}:USER:PASSWORD@HOST" if is_turn else "stun takes no user"
        raise Refused(f"{part['scheme']}:{part['host']}: {fix}")
    url = f"{part['scheme']}:{part['host']}{part['port']}{part['transport']}"
    return IceServer(url, part["user"], part["password"])


def duration(low_s: int, high_s: int, text: str) -> int:
    """Seconds, from ``low_s`` to ``high_s``."""
    try:
        seconds = parse_duration(text)
    except ValueError as error:
        raise Refused(str(error)) from error
    if not low_s <= seconds <= high_s:
        low, high = format_duration(low_s), format_duration(high_s)
        raise Refused(f"{text} must be from {low} to {high}")
    return seconds


def whole(low: int, high: int, text: str) -> int:
    """A whole number from ``low`` to ``high``."""
    if not re.fullmatch("[0-9]{1,9}", text) or not low <= int(text) <= high:
        raise Refused(f"{text!r} must be a whole number from {low} to {high}")
    return int(text)


def media_processes(text: str) -> int:
    """1 to 64."""
    return whole(1, 64, text)


def pool_dir(text: str) -> str:
    """The absolute path of a folder with all that the pool's Secret holds."""
    path = Path(text).absolute()
    for name in (KEYS_FILE, CA_FILE, CERT_FILE, KEY_FILE):
        readable_file(str(path / name))
    return str(path)


def writable_dir(text: str) -> str:
    """The absolute path of a folder in which files can be made."""
    path = Path(text).absolute()
    if not path.is_dir():
        raise Refused(f"{text}: is no folder: mount an emptyDir there")
    if not os.access(path, os.W_OK | os.X_OK):
        raise Refused(f"{text}: cannot be written by user {os.geteuid()}: set fsGroup")
    return str(path)


def readable_file(text: str) -> str:
    """The absolute path of a file that can be read."""
    path = Path(text).absolute()
    try:
        with path.open("rb"):
            return str(path)
    except OSError as error:
        raise Refused(f"{text}: {error.strerror}") from error


def pin_file(text: str) -> tuple[str, str]:
    """``ROOM=FILE``: the room's name and the PIN in the file's first line."""
    room, equals, file = text.partition("=")
    if not room or not equals or not file:
        raise Refused(f"{text!r} must be ROOM=FILE, such as lobby=/run/secrets/lobby-pin")
    try:
        with Path(readable_file(file)).open(encoding="utf-8") as lines:
            pin = lines.readline(1024).rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise Refused(f"{file} is not UTF-8 text") from error
    _refuse_pin(pin, file)
    return room, pin


def _refuse_pin(pin: str, file: str) -> None:
    from voiceroom_mixer.control.auth.pin import MAX_PIN_CHARS, MIN_PIN_CHARS

    if not MIN_PIN_CHARS <= len(pin) <= MAX_PIN_CHARS:
        raise Refused(
            f"{file}: the first line must be a PIN of {MIN_PIN_CHARS} to {MAX_PIN_CHARS} characters"
        )


def join_link(text: str) -> Any:
    """A ``Link``."""
    from voiceroom_mixer.cli.probing.signalling import Link

    try:
        return Link.parse(text)
    except ValueError as error:
        raise Refused(f"{text.partition('?')[0]!r} {error}") from error


class OneOrTwo(argparse.Action):
    """Takes one value or two."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        given: Any,
        option_string: str | None = None,
    ) -> None:
        """Refuses more."""
        if len(given) > 2:
            parser.error(f"{self.metavar}: at most two, one for each client (got {len(given)})")
        setattr(namespace, self.dest, given)
