"""The offer of a lean WebRTC client, and what it needs of the answer (RFC 8866, RFC 8839)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from bench.errors import BenchError

PAYLOAD_TYPE: Final = 111
LEVEL_EXT: Final = 1
_LEVEL_URI: Final = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"


@dataclass(frozen=True, slots=True)
class Ours:
    """This client's side."""

    ufrag: str
    pwd: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Theirs:
    """The server's side, out of its answer."""

    ufrag: str
    pwd: str
    fingerprint: str
    ip: str
    port: int
    payload_type: int
    level_ext: int
    """0 when it was not accepted."""


def offer(ours: Ours, number: int) -> str:
    """One audio m-line, Opus, sendrecv, BUNDLE, as browsers do it."""
    lines = (
        "v=0",
        f"o=- {number + 1} 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0",
        "a=msid-semantic: WMS",
        f"m=audio 9 UDP/TLS/RTP/SAVPF {PAYLOAD_TYPE}",
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
        f"a=ice-ufrag:{ours.ufrag}",
        f"a=ice-pwd:{ours.pwd}",
        "a=ice-options:trickle",
        f"a=fingerprint:sha-256 {ours.fingerprint}",
        "a=setup:actpass",
        "a=mid:0",
        f"a=extmap:{LEVEL_EXT} {_LEVEL_URI}",
        "a=sendrecv",
        "a=rtcp-mux",
        f"a=rtpmap:{PAYLOAD_TYPE} opus/48000/2",
        f"a=fmtp:{PAYLOAD_TYPE} minptime=10;useinbandfec=1",
    )
    return "\r\n".join(lines) + "\r\n"


def _find(pattern: str, answer: str, what: str) -> re.Match[str]:
    match = re.search(pattern, answer, re.MULTILINE)
    if match is None:
        raise BenchError(f"the answer has no {what}:\n{answer[:1000]}")
    return match


def read_answer(answer: str) -> Theirs:
    """Raises ``BenchError`` when something is missing, or when we are not to be DTLS client."""
    answer = answer.replace("\r", "")
    if _find(r"^a=setup:(\S+)", answer, "DTLS role")[1] != "passive":
        raise BenchError("the server wants to be the DTLS client; this client cannot answer that")
    candidate = _find(r"^a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host", answer, "UDP candidate")
    level = re.search(rf"^a=extmap:(\d+)\S* {re.escape(_LEVEL_URI)}$", answer, re.MULTILINE)
    return Theirs(
        ufrag=_find(r"^a=ice-ufrag:(\S+)", answer, "ice-ufrag")[1],
        pwd=_find(r"^a=ice-pwd:(\S+)", answer, "ice-pwd")[1],
        fingerprint=_find(r"^a=fingerprint:sha-256 (\S+)", answer, "SHA-256 fingerprint")[1],
        ip=candidate[1],
        port=int(candidate[2]),
        payload_type=int(_find(r"^a=rtpmap:(\d+) opus/48000", answer, "Opus")[1]),
        level_ext=int(level[1]) if level else 0,
    )
