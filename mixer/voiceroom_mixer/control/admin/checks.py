"""Values of the operator's documents: of the right kind and in range, else 422 with the path.

What is not known is passed over: pods outlive upgrades of the operator.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import fields as dataclass_fields
from typing import Any, Final

from voiceroom_api import fields as api
from voiceroom_api.problems import Problem, shown
from voiceroom_api.rules import Section
from voiceroom_api.voiceroom import VoiceRoomSpec
from voiceroom_mixer.config import IceServer
from voiceroom_mixer.control.service import ApiError

MAX_NUMBER: Final = 1 << 53
MAX_TEXT: Final = 253
MAX_ICE_SERVERS: Final = 16
MAX_URLS: Final = 8
MAX_ADVERTISED: Final = 16
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_ADDRESS: Final = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]{1,253}):([0-9]{1,5})")
_ICE_URL: Final = re.compile(r"(stuns?|turns?):[^\s<>\"]{1,500}")


def refuse(path: str, message: str) -> ApiError:
    """422 for one field."""
    return ApiError(422, "invalid_field", f"{path}: {message}", field=path)


def mapping(value: object, path: str) -> Mapping[str, Any]:
    """An object."""
    if not isinstance(value, Mapping):
        raise refuse(path, f"must be an object (got {shown(value)})")
    return value


def entries(value: object, path: str, most: int) -> list[Any]:
    """A list of at most ``most`` entries."""
    if not isinstance(value, list) or len(value) > most:
        raise refuse(path, f"must be a list of at most {most} entries (got {shown(value)})")
    return value


def whole(body: Mapping[str, Any], name: str, path: str, low: int, high: int = MAX_NUMBER) -> int:
    """A whole number from ``low`` to ``high``."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise refuse(path, f"must be a whole number from {low} to {high} (got {shown(value)})")
    return value


def number(body: Mapping[str, Any], name: str, path: str, low: float, high: float) -> float:
    """A number from ``low`` to ``high``."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise refuse(path, f"must be a number from {low} to {high} (got {shown(value)})")
    return float(value)


def room_name(value: object, path: str) -> str:
    """A DNS label."""
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise refuse(path, f"must be a DNS label of a-z, 0-9 and - (got {shown(value)})")
    return value


def text(value: object, path: str, shortest: int = 1, longest: int = MAX_TEXT) -> str:
    """Printable text."""
    fits = isinstance(value, str) and shortest <= len(value) <= longest and value.isprintable()
    if not fits:
        raise refuse(path, f"must be {shortest} to {longest} printable characters")
    return str(value)


def address(value: object, path: str) -> str:
    """``HOST:PORT`` of a listener; IPv6 in brackets."""
    match = _ADDRESS.fullmatch(value) if isinstance(value, str) else None
    if match is None or not 0 < int(match[2]) <= 65_535:
        raise refuse(path, f"must be HOST:PORT, IPv6 in brackets (got {shown(value)})")
    return match[0]


def media(value: object, path: str, most: int) -> tuple[str, ...]:
    """``IP:PORT`` of media processes; IPv6 in brackets."""
    found = []
    for i, entry in enumerate(entries([] if value is None else value, path, most)):
        text_ = address(entry, f"{path}[{i}]")
        _literal(text_.rpartition(":")[0].strip("[]"), f"{path}[{i}]")
        found.append(text_)
    return tuple(found)


def pin_hash(value: object, path: str) -> str:
    """``SALT:HEX``; empty = no PIN."""
    if value in (None, ""):
        return ""
    found = text(value, path, 1, 512)
    if ":" not in found:
        raise refuse(path, "must be SALT:HEX, the HMAC-SHA-256 of the PIN under the salt")
    return found


def advertised(value: object, path: str) -> tuple[str, ...]:
    """Unicast address literals, best first."""
    found = [
        _literal(entry, f"{path}[{i}]")
        for i, entry in enumerate(entries([] if value is None else value, path, MAX_ADVERTISED))
    ]
    return tuple(dict.fromkeys(found))


def _literal(value: object, path: str) -> str:
    try:
        parsed = ipaddress.ip_address(value if isinstance(value, str) else "")
    except ValueError:
        raise refuse(path, f"must be an IP address (got {shown(value)})") from None
    if parsed.is_unspecified or parsed.is_multicast:
        raise refuse(path, f"{parsed} is no address that anybody can send to")
    return str(parsed)


def ice_servers(value: object, path: str) -> tuple[IceServer, ...]:
    """As in the W3C's RTCIceServer: ``[{urls, username?, credential?}]``; one entry a URL."""
    found: list[IceServer] = []
    for i, entry in enumerate(entries([] if value is None else value, path, MAX_ICE_SERVERS)):
        where = f"{path}[{i}]"
        server = mapping(entry, where)
        name = text(server.get("username") or "", f"{where}.username", 0, 512)
        secret = text(server.get("credential") or "", f"{where}.credential", 0, 512)
        for j, url in enumerate(entries(server.get("urls"), f"{where}.urls", MAX_URLS)):
            found.append(IceServer(_ice_url(url, f"{where}.urls[{j}]"), name, secret))
    return tuple(found)


def _ice_url(value: object, path: str) -> str:
    if not isinstance(value, str) or not _ICE_URL.fullmatch(value):
        raise refuse(path, f"must be a stun: or turn: URL (got {shown(value)})")
    return value


def room_spec(value: object, path: str) -> dict[str, Any]:
    """A VoiceRoom's ``spec`` by the rules of its resource, every default filled in."""
    problems: list[Problem] = []
    known = _known(VoiceRoomSpec, mapping(value, path))
    spec = api.read(VoiceRoomSpec, known, path, problems)
    if spec is None:
        first = problems[0]
        raise refuse(first.path, first.message)
    return spec.to_dict()


def _known(into: type[api.Spec], value: Mapping[str, Any]) -> dict[str, Any]:
    """``value`` without the fields that this version does not know."""
    rules = {api.key_of(f): api.rules(into)[f.name] for f in dataclass_fields(into)}
    return {key: _inner(rules[key], found) for key, found in value.items() if key in rules}


def _inner(rule: object, value: Any) -> Any:
    is_section = isinstance(rule, Section) and isinstance(value, Mapping)
    return _known(rule.into, value) if is_section else value  # type: ignore[attr-defined]
