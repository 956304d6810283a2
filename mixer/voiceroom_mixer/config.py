"""What a run was asked for: made by the command line, read by keeper, control and media.

Standard library only, so that the keeper can import it. The value travels as JSON in a memfd
whose number stands in the environment variable ``VOICEROOM_CONFIG_FD``; every process of the run
inherits the descriptor and reads it with ``load()``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, NotRequired, Self, TypedDict, TypeVar

CONFIG_VERSION: Final = 1
CONFIG_FD_ENV: Final = "VOICEROOM_CONFIG_FD"
_MAX_BYTES: Final = 16 * 1024 * 1024
_T = TypeVar("_T")
KEYS_FILE: Final = "keys.json"
"""This and those below: in a pool's Secret."""
CA_FILE: Final = "ca.crt"
CERT_FILE: Final = "tls.crt"
KEY_FILE: Final = "tls.key"

LogFormat = Literal["text", "json"]
RealtimeMode = Literal["Shared", "Quota", "Exclusive", "Fifo"]


class ConfigError(ValueError):
    """The handed-over configuration is missing or not of this version."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to listen: a literal address or host name (IPv6 without brackets) and a port."""

    host: str
    port: int

    @property
    def is_ipv6(self) -> bool:
        """Whether ``host`` is an IPv6 literal."""
        return ":" in self.host

    def __str__(self) -> str:
        """``HOST:PORT``, with brackets around IPv6: fit for a URL."""
        return f"[{self.host}]:{self.port}" if self.is_ipv6 else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files for the listener of people."""

    cert: str
    key: str


@dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN or TURN server told to clients (RFC 9725 §4.6); the mixer itself uses none."""

    url: str
    username: str = ""
    credential: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What this run may hold (contract: MixerPool ``spec.capacity``)."""

    rooms: int = 1000
    participants: int = 5000


@dataclass(frozen=True, slots=True)
class AdminTls:
    """PEM files for ``--admin``: clients have to show a certificate of ``ca``."""

    cert: str
    key: str
    ca: str


@dataclass(frozen=True, slots=True)
class RealtimeAsk:
    """What a pool asks for (contract: MixerPool ``spec.realtime``)."""

    mode: RealtimeMode = "Quota"
    priority: int = 10
    """Of SCHED_FIFO, with mode Fifo."""
    required: bool = False
    """Not granted = never ready."""
    cpus: int = 0
    """Whole CPUs that the pod should have for itself, with Exclusive and Fifo; 0 = unknown."""

    @property
    def whole_cpus(self) -> bool:
        """Whether the mode asks for CPUs that nobody else has."""
        return self.mode in ("Exclusive", "Fifo")


@dataclass(frozen=True, slots=True)
class PodPlace:
    """A mixer in a pod: its rooms are assigned, not given on the command line."""

    name: str
    namespace: str
    pool: str
    pool_dir: str
    """The pool's Secret: keys.json, ca.crt, tls.crt, tls.key."""
    state_dir: str
    """Outlives the container: what the pod was assigned last."""
    boot_id: str
    """Of this start of the container."""
    node: str = ""
    uid: str = ""

    @property
    def tls_name(self) -> str:
        """The fixed name that both sides of an admin connection show."""
        return f"mixer.{self.pool}.{self.namespace}"


class RoomEntry(TypedDict):
    """One room to run."""

    name: str
    """``metadata.name``: the room's path."""
    spec: dict[str, Any]
    """The VoiceRoom's ``spec``, checked, keys as in YAML, every default filled in. ``tokenTtl``
    and other durations stay strings; an optional field that was not given is absent."""
    pinHash: str
    """For ``control.auth.pin``; empty = the room has no PIN."""
    uid: NotRequired[str]
    """Of the VoiceRoom, in a pod: a room made anew under the old name is another room."""
    epoch: NotRequired[int]
    """Of its binding to this pod."""
    iceServers: NotRequired[tuple[IceServer, ...]]
    """Of this room; absent = those of the run."""


@dataclass(frozen=True, slots=True)
class RunConfig:
    """One run, whole. All paths are absolute; all addresses were checked."""

    rooms: tuple[RoomEntry, ...]
    http: Endpoint
    udp: Endpoint
    """Of media process 0; process i listens on ``port + i``."""
    admin: Endpoint | None
    """None: no operator's listener; ``/debug`` is on ``http`` for the admin token."""
    metrics: Endpoint | None
    """None: ``/metrics`` and ``/clockz`` are on ``http``."""
    advertise: tuple[str, ...]
    """Addresses for candidates, literals; empty = find out (never a wildcard address)."""
    keys: str
    tls: TlsFiles | None
    trusted_proxies: tuple[str, ...]
    """CIDRs whose ``X-Forwarded-*`` counts."""
    rtp_allow: tuple[str, ...]
    """CIDRs that plain-RTP legs may point to."""
    ice_servers: tuple[IceServer, ...]
    drain_deadline_s: float
    media_processes: int
    log_format: LogFormat
    limits: Limits
    version: int = CONFIG_VERSION
    admin_tls: AdminTls | None = None
    """None in a pod too: there the pool's Secret has what is needed."""
    pod: PodPlace | None = None
    """None: a run on this machine alone."""
    realtime: RealtimeAsk | None = None
    """None: as much as can be had, and nothing is promised."""
    chaos: bool = False
    """Faults are injected on order (docs/chaos.md)."""

    def to_json(self) -> str:
        """The JSON that ``from_json`` reads."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, raw: str | bytes) -> Self:
        """Raises ``ConfigError`` for anything but a configuration of this version."""
        try:
            value = json.loads(raw)
            if value["version"] != CONFIG_VERSION:
                raise ConfigError(f"configuration version {value['version']} != {CONFIG_VERSION}")
            return cls(**(value | _typed_parts(value)))
        except (ValueError, TypeError, KeyError) as error:
            raise ConfigError(f"unreadable configuration: {error}") from error

    def room(self, name: str) -> RoomEntry | None:
        """The room of that name."""
        return next((entry for entry in self.rooms if entry["name"] == name), None)


def _part(kind: type[_T], value: Mapping[str, Any] | None) -> _T | None:
    return kind(**value) if value is not None else None


def _typed_parts(value: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "rooms": tuple(value["rooms"]),
        "http": Endpoint(**value["http"]),
        "udp": Endpoint(**value["udp"]),
        "admin": _part(Endpoint, value["admin"]),
        "metrics": _part(Endpoint, value["metrics"]),
        "advertise": tuple(value["advertise"]),
        "tls": TlsFiles(**value["tls"]) if value["tls"] else None,
        "trusted_proxies": tuple(value["trusted_proxies"]),
        "rtp_allow": tuple(value["rtp_allow"]),
        "ice_servers": tuple(IceServer(**server) for server in value["ice_servers"]),
        "limits": Limits(**value["limits"]),
        "admin_tls": _part(AdminTls, value["admin_tls"]),
        "pod": _part(PodPlace, value["pod"]),
        "realtime": _part(RealtimeAsk, value["realtime"]),
    }


def hand_over(config: RunConfig) -> int:
    """Put ``config`` into an inheritable memfd and name it in the environment; the descriptor."""
    fd = os.memfd_create("voiceroom-config", 0)
    view = memoryview(config.to_json().encode())
    while view:
        view = view[os.write(fd, view) :]
    os.environ[CONFIG_FD_ENV] = str(fd)
    return fd


def load() -> RunConfig:
    """The configuration that was handed to this process. Raises ``ConfigError``."""
    number = os.environ.get(CONFIG_FD_ENV, "")
    if not number.isdigit():
        raise ConfigError(f"{CONFIG_FD_ENV} is not set: start the mixer with voiceroom-mixer run")
    try:
        raw = os.pread(int(number), _MAX_BYTES, 0)
    except OSError as error:
        raise ConfigError(f"{CONFIG_FD_ENV}={number} cannot be read: {error}") from error
    return RunConfig.from_json(raw)
