"""``application/trickle-ice-sdpfrag`` (RFC 8840 §9, RFC 9725 §4.3): parse and build."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from voiceroom_mixer.control.service import ApiError
from voiceroom_mixer.control.signalling.candidates import Candidate
from voiceroom_mixer.core.state.legstate import IceCredentials

MAX_LINES: Final = 500
MAX_LINE: Final = 1024


@dataclass(frozen=True, slots=True)
class SdpFragment:
    """What of a fragment matters to an ICE-lite agent with one bundled stream."""

    ufrag: str | None
    pwd: str | None
    candidates: int
    """How many; an ICE-lite agent has no use for their content (RFC 8445 §2.5)."""
    end_of_candidates: bool


def parse_fragment(text: str) -> SdpFragment:
    """Raises ``ApiError`` 400 ``invalid_sdpfrag``. The first credentials count (BUNDLE)."""
    lines = text.splitlines()
    if not lines or len(lines) > MAX_LINES:
        raise _malformed(f"it needs 1 to {MAX_LINES} lines")
    values: dict[str, str] = {}
    candidates = 0
    for line in lines:
        if len(line) > MAX_LINE or (line and line[1:2] != "="):
            raise _malformed(f"each line is <letter>=<text>, at most {MAX_LINE} characters")
        if line.startswith("a=candidate:"):
            candidates += 1
        elif line.startswith("a="):
            name, _, value = line[2:].partition(":")
            values.setdefault(name, value.strip())
    ufrag, pwd = values.get("ice-ufrag"), values.get("ice-pwd")
    if (ufrag is None) != (pwd is None):
        raise _malformed("a=ice-ufrag and a=ice-pwd come together")
    return SdpFragment(ufrag, pwd, candidates, "end-of-candidates" in values)


def build_fragment(
    ice: IceCredentials,
    candidates: Sequence[Candidate],
    *,
    mid: str,
    payload_type: int,
    bundled: bool = True,
) -> str:
    """The answer to an ICE restart: our new credentials and all of our candidates."""
    lines = ["a=ice-lite"]
    if bundled and mid:
        lines.append(f"a=group:BUNDLE {mid}")
    lines.append(f"m=audio 9 UDP/TLS/RTP/SAVPF {payload_type}")
    if mid:
        lines.append(f"a=mid:{mid}")
    lines += ice_lines(ice, candidates)
    return "\r\n".join(lines) + "\r\n"


def ice_lines(ice: IceCredentials, candidates: Sequence[Candidate]) -> list[str]:
    """Credentials and host candidates, complete at once (RFC 8839 §5.1, §5.4)."""
    lines = [f"a=ice-ufrag:{ice.ufrag}", f"a=ice-pwd:{ice.pwd}"]
    for number, (ip, port, priority) in enumerate(candidates, 1):
        lines.append(f"a=candidate:{number} 1 udp {priority} {ip} {port} typ host")
    return [*lines, "a=end-of-candidates"]


def _malformed(message: str) -> ApiError:
    return ApiError(400, "invalid_sdpfrag", f"the fragment cannot be read: {message}")
