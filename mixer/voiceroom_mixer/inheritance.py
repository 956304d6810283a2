"""What outlives a crash: sockets and shared memory that the keeper opens and its children inherit.

Standard library only. The keeper calls ``open_estate``; control and media call ``inherited``.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from voiceroom_mixer.config import ConfigError, Endpoint, RunConfig

FDS_ENV: Final = "VOICEROOM_FDS"
SPARE_FD_ENV: Final = "VOICEROOM_SPARE_FD"
"""In a spare media process: the pipe down which its index will come."""
EXIT_CONFIG: Final = 78
"""EX_CONFIG of sysexits.h: a child that exits so can never run as asked, and has said why."""

_UDP_RECEIVE_BYTES: Final = 8 << 20
_UDP_SEND_BYTES: Final = 4 << 20
_PAIR_BYTES: Final = 1 << 20
_BACKLOG: Final = 1024
# Not in the socket module: asm-generic/socket.h, linux/in.h, linux/in6.h.
_SO_SNDBUFFORCE: Final = 32
_SO_RCVBUFFORCE: Final = 33
_IP_RECVERR: Final = 11
_IPV6_RECVERR: Final = 25


class ListenError(RuntimeError):
    """An address cannot be listened on; the text names the option and what to change."""


@dataclass(frozen=True, slots=True)
class MediaFds:
    """Of one media process: its segment (memfd), this side's end of the pair, its UDP socket."""

    segment: int
    pair: int
    udp: int


@dataclass(frozen=True, slots=True)
class Inherited:
    """The descriptors of one child; None: that listener is not there, or not for this child."""

    http: int | None
    admin: int | None
    metrics: int | None
    keeper: int | None
    """SOCK_STREAM of lines: ``drain`` comes, ``drained`` goes."""
    media: tuple[MediaFds, ...]
    probe: int | None = None
    """The page of the clock probe (memfd)."""

    def to_json(self) -> str:
        """For the environment."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, raw: str) -> Self:
        """Raises ``ConfigError`` for anything but what ``to_json`` gives."""
        try:
            value: dict[str, Any] = json.loads(raw)
            return cls(**value | {"media": tuple(MediaFds(**entry) for entry in value["media"])})
        except (ValueError, TypeError, KeyError) as error:
            raise ConfigError(f"{FDS_ENV} is unreadable: {error}") from error

    def numbers(self) -> tuple[int, ...]:
        """All descriptors."""
        single = (self.http, self.admin, self.metrics, self.keeper, self.probe)
        of_media = [fd for m in self.media for fd in (m.segment, m.pair, m.udp)]
        return (*(fd for fd in single if fd is not None), *of_media)


def inherited(environ: Mapping[str, str]) -> Inherited:
    """What the keeper handed to this process. Raises ``ConfigError``."""
    raw = environ.get(FDS_ENV)
    if raw is None:
        raise ConfigError(f"{FDS_ENV} is not set: start the mixer with voiceroom-mixer run")
    return Inherited.from_json(raw)


@dataclass(frozen=True, slots=True)
class Estate:
    """Everything that the keeper holds open for as long as it lives; both ends of each pair."""

    http: socket.socket
    admin: socket.socket | None
    metrics: socket.socket | None
    keeper: socket.socket
    """The keeper's own end."""
    control: socket.socket
    """Control's end of the same."""
    segments: tuple[int, ...]
    pairs: tuple[tuple[socket.socket, socket.socket], ...]
    """(control's end, media's end) for each media process."""
    udp: tuple[socket.socket, ...]
    probe: int
    """Memory that the clock probe writes and control reads."""

    def for_control(self) -> Inherited:
        """All but the keeper's own end."""
        return Inherited(
            http=self.http.fileno(),
            admin=self.admin.fileno() if self.admin else None,
            metrics=self.metrics.fileno() if self.metrics else None,
            keeper=self.control.fileno(),
            media=self._media(end=0),
            probe=self.probe,
        )

    def for_media(self) -> Inherited:
        """Every media process gets those of all: a spare may become any of them."""
        return Inherited(None, None, None, None, self._media(end=1))

    def for_probe(self) -> Inherited:
        """Media's segments tell it the grid of ticks."""
        return Inherited(None, None, None, None, self._media(end=1), self.probe)

    def _media(self, end: int) -> tuple[MediaFds, ...]:
        parts = zip(self.segments, self.pairs, self.udp, strict=True)
        return tuple(MediaFds(s, pair[end].fileno(), u.fileno()) for s, pair, u in parts)


def open_estate(config: RunConfig) -> Estate:
    """Open all of it. Raises ``ListenError``, with nothing left open."""
    indexes = range(config.media_processes)
    with ExitStack() as opened:
        ours, controls = _pair(opened, socket.SOCK_STREAM)
        estate = Estate(
            http=_listen(opened, "--http", config.http),
            admin=_listen(opened, "--admin", config.admin) if config.admin else None,
            metrics=_listen(opened, "--metrics", config.metrics) if config.metrics else None,
            keeper=ours,
            control=controls,
            segments=tuple(_memory(opened, f"voiceroom-media-{index}") for index in indexes),
            pairs=tuple(_pair(opened, socket.SOCK_SEQPACKET) for _ in indexes),
            udp=tuple(_open_udp(opened, _nth(config.udp, index)) for index in indexes),
            probe=_memory(opened, "voiceroom-clock-probe"),
        )
        opened.pop_all()
    return estate


def _memory(opened: ExitStack, name: str) -> int:
    fd = os.memfd_create(name)
    opened.callback(os.close, fd)
    return fd


def _nth(first: Endpoint, index: int) -> Endpoint:
    return Endpoint(first.host, first.port + index if first.port else 0)


def _pair(opened: ExitStack, kind: socket.SocketKind) -> tuple[socket.socket, socket.socket]:
    ends = socket.socketpair(socket.AF_UNIX, kind)
    for end in ends:
        opened.enter_context(end)
        end.setblocking(False)
        _grow(end, socket.SO_SNDBUF, _SO_SNDBUFFORCE, _PAIR_BYTES)
    return ends


def _listen(opened: ExitStack, option: str, at: Endpoint) -> socket.socket:
    listener = _bound(opened, option, at, socket.SOCK_STREAM)
    listener.listen(_BACKLOG)
    return listener


def _open_udp(opened: ExitStack, at: Endpoint) -> socket.socket:
    bound = _bound(opened, "--udp", at, socket.SOCK_DGRAM)
    _grow(bound, socket.SO_RCVBUF, _SO_RCVBUFFORCE, _UDP_RECEIVE_BYTES)
    _grow(bound, socket.SO_SNDBUF, _SO_SNDBUFFORCE, _UDP_SEND_BYTES)
    # "Port unreachable" is how a plain-RTP leg that is gone shows.
    bound.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
    if bound.family == socket.AF_INET6:
        bound.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
    return bound


def _bound(opened: ExitStack, option: str, at: Endpoint, kind: socket.SocketKind) -> socket.socket:
    try:
        found = socket.getaddrinfo(at.host, at.port, type=kind, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise ListenError(f"{option} {at}: the host is not known: {error.strerror}") from error
    family, _, protocol, _, address = found[0]
    bound = opened.enter_context(socket.socket(family, kind, protocol))
    bound.setblocking(False)
    if kind == socket.SOCK_STREAM:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    try:
        bound.bind(address)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ListenError(f"{option} {at}: {reason}; choose another {option} HOST:PORT") from error
    return bound


def _grow(sock: socket.socket, option: int, forced: int, size: int) -> None:
    # Past net.core.[rw]mem_max where CAP_NET_ADMIN allows it, else as far as that limit.
    sock.setsockopt(socket.SOL_SOCKET, option, size)
    with suppress(PermissionError):
        sock.setsockopt(socket.SOL_SOCKET, forced, size)
