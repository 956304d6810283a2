"""WHIP from the client's side (RFC 9725): offer, answer, and the end."""

from __future__ import annotations

import json
import re
import secrets
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs, urljoin, urlsplit, urlunsplit

PAYLOAD_TYPE: Final = 111
_TIMEOUT_S: Final = 20.0
_MAX_BYTES: Final = 65_536
_OFFER: Final = """\
v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=mid:0
a=sendrecv
a=rtcp-mux
a=ice-ufrag:{ufrag}
a=ice-pwd:{pwd}
a=fingerprint:sha-256 {fingerprint}
a=setup:active
a=rtpmap:111 opus/48000/2
"""
_CANDIDATE: Final = re.compile(r"^a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host", re.M | re.I)


class Refused(ConnectionError):
    """The mixer said no, or cannot be reached; the text says why."""


@dataclass(frozen=True, slots=True)
class Link:
    """A join link: where the room is, and the token."""

    room: str
    """The room's URL without the token."""
    token: str

    @classmethod
    def parse(cls, text: str) -> Link:
        """``http(s)://HOST/rooms/ROOM?token=TOKEN``. Raises ``ValueError``."""
        parts = urlsplit(text)
        tokens = parse_qs(parts.query).get("token", [])
        if parts.scheme not in ("http", "https") or "/rooms/" not in parts.path or not tokens:
            raise ValueError("must be a join link, https://HOST/rooms/ROOM?token=TOKEN")
        return cls(urlunsplit((*parts[:3], "", "")).rstrip("/"), tokens[0])


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client needs of an answer."""

    location: str
    ufrag: str
    pwd: str
    fingerprint: str
    candidates: tuple[tuple[str, int], ...]


@dataclass(slots=True)
class Session:
    """One WHIP resource. ``tls``: who is trusted where the link is https; None = the system's."""

    link: Link
    fingerprint: str
    tls: ssl.SSLContext | None = None
    ufrag: str = field(default_factory=lambda: secrets.token_hex(4))
    pwd: str = field(default_factory=lambda: secrets.token_hex(16))
    location: str = ""

    def join(self) -> Answer:
        """Raises ``Refused``."""
        offer = _OFFER.format(ufrag=self.ufrag, pwd=self.pwd, fingerprint=self.fingerprint)
        url = f"{self.link.room}/whip"
        text, location = self._call("POST", url, offer.replace("\n", "\r\n").encode())
        self.location = urljoin(url, location)
        return parse_answer(text, self.location)

    def leave(self) -> None:
        """Raises ``Refused``."""
        if self.location:
            self._call("DELETE", self.location)

    def _call(self, method: str, url: str, body: bytes | None = None) -> tuple[str, str]:
        headers = {"Authorization": f"Bearer {self.link.token}", "Content-Type": "application/sdp"}
        request = urllib.request.Request(url, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S, context=self.tls) as answer:
                return answer.read(_MAX_BYTES).decode(), answer.headers.get("Location") or ""
        except urllib.error.HTTPError as error:
            with error:
                raise Refused(f"{method} {url}: {error.code} {_words(error)}") from error
        except (OSError, ValueError) as error:
            raise Refused(f"{method} {url}: {getattr(error, 'reason', error)}") from error


def _words(error: urllib.error.HTTPError) -> str:
    """The mixer's own sentence, where it has one."""
    try:
        return str(json.loads(error.read(_MAX_BYTES))["message"])
    except (ValueError, KeyError, TypeError):
        return str(error.reason)


def parse_answer(text: str, location: str) -> Answer:
    """Raises ``Refused`` when something is missing that every answer has."""
    found = [
        re.search(rf"^a={name}:(\S+(?: \S+)?)\s*$", text, re.M)
        for name in ("ice-ufrag", "ice-pwd", "fingerprint")
    ]
    candidates = tuple((ip, int(port)) for ip, port in _CANDIDATE.findall(text))
    if not all(found) or not candidates:
        raise Refused("the answer lacks ICE credentials, a fingerprint or candidates")
    ufrag, pwd, fingerprint = (match[1] for match in found if match)
    return Answer(location, ufrag, pwd, fingerprint.partition(" ")[2], candidates)
