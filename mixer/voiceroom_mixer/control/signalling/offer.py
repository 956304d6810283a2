"""SDP offers from anywhere: screened, parsed by aiortc, reduced to what an answer needs.

What is malformed is 400 ``invalid_sdp``; what is well-formed but of no use here is 422
``unusable_offer`` with what is needed. Nothing else is ever raised.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, NoReturn

from aiortc.sdp import MediaDescription, SessionDescription

from voiceroom_mixer.control.service import ApiError
from voiceroom_mixer.control.signalling.ice import checked_credentials
from voiceroom_mixer.core.state.legstate import IceCredentials

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
MAX_LINES: Final = 4000
MAX_MEDIA: Final = 32
MAX_FORMATS: Final = 128
MAX_FINGERPRINTS: Final = 8
LEVEL_URI: Final = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
MIXER_LEVEL_URI: Final = "urn:ietf:params:rtp-hdrext:csrc-audio-level"
URIS: Final = frozenset({LEVEL_URI, MIXER_LEVEL_URI})
"""Not sdes:mid: a client that was promised it drops our packets, which signal no SSRC and carry
no mid (RFC 8843 §9.2 then finds no m-section by payload type alone in libwebrtc)."""
DIGESTS: Final = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
"""Fingerprint algorithms that can be verified, and the bytes of each."""
_DIRECTIONS: Final = ("sendrecv", "sendonly", "recvonly", "inactive")
_ATTRIBUTES: Final = frozenset(
    ("fingerprint", "ice-ufrag", "ice-pwd", "setup", "group", "mid", "rtcp-mux", *_DIRECTIONS)
)
_TOKEN: Final = re.compile(r"[!#-'*+\-.0-9A-Z^-~]{1,64}")
_HEX: Final = re.compile(r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2})*")


@dataclass(frozen=True, slots=True)
class MediaLine:
    """One m-line as far as an answer has to repeat it."""

    kind: str
    profile: str
    formats: str
    mid: str
    """Empty when the offer has none."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A usable offer."""

    media: tuple[MediaLine, ...]
    audio: int
    """Index of the m-line that becomes the leg; the others are rejected."""
    bundled: bool
    """The audio line is in a BUNDLE group."""
    payload_type: int
    """Of opus/48000/2."""
    direction: Direction
    ice: IceCredentials
    fingerprints: tuple[tuple[str, str], ...]
    """(algorithm, colon-separated hex)."""
    setup: Literal["actpass", "active", "passive"]
    extensions: tuple[tuple[int, str], ...]
    """(id, URI) of those that we understand."""
    rtcp_rsize: bool

    @property
    def line(self) -> MediaLine:
        """The audio m-line."""
        return self.media[self.audio]

    @property
    def level_ext(self) -> int:
        """RFC 6464 (client to mixer) extension id; 0 = not offered."""
        return self._extension(LEVEL_URI)

    @property
    def mixer_level_ext(self) -> int:
        """RFC 6465 (mixer to client) extension id; 0 = not offered."""
        return self._extension(MIXER_LEVEL_URI)

    def _extension(self, uri: str) -> int:
        return next((id_ for id_, offered in self.extensions if offered == uri), 0)


def parse_offer(text: str) -> Offer:
    """Raises ``ApiError`` 400 ``invalid_sdp`` or 422 ``unusable_offer``, nothing else."""
    screened, reduced_size = _screen(text)
    try:
        session = SessionDescription.parse(screened)
    except Exception as error:
        # aiortc raises whatever the wrong place happens to raise: ValueError, KeyError, an assert.
        raise _malformed("it cannot be parsed as SDP") from error
    lines = tuple(_media_line(media) for media in session.media)
    index, payload_type = _choose(session)
    media = session.media[index]
    if not media.rtcp_mux:
        _unusable("a=rtcp-mux is needed: there is one port for all")
    setup, fingerprints = _dtls(media)
    mid = lines[index].mid
    return Offer(
        media=lines,
        audio=index,
        bundled=any(g.semantic == "BUNDLE" and mid in g.items for g in session.group),
        payload_type=payload_type,
        direction=_direction(media.direction),
        ice=_ice(media),
        fingerprints=fingerprints,
        setup=setup,
        extensions=_extensions(media),
        rtcp_rsize=reduced_size[index],
    )


def _screen(text: str) -> tuple[str, list[bool]]:
    """Only the lines that matter, so that the parser's work stays small whatever is sent; and
    which media sections have a=rtcp-rsize, which the parser does not keep."""
    lines = text.splitlines()
    if not lines or lines[0].strip() != "v=0":
        raise _malformed("an SDP offer begins with v=0")
    if len(lines) > MAX_LINES:
        raise _malformed(f"it has more than {MAX_LINES} lines")
    kept = ["v=0"]
    reduced_size: list[bool] = []
    for line in lines[1:]:
        if line.startswith("m="):
            kept.append(_checked_media(line))
            reduced_size.append(False)
        elif line == "a=rtcp-rsize" and reduced_size:
            reduced_size[-1] = True
        elif line.startswith("a=") and _matters(line):
            kept.append(line)
    if not 1 <= len(reduced_size) <= MAX_MEDIA:
        raise _malformed(f"it needs 1 to {MAX_MEDIA} m-lines")
    return "\r\n".join(kept) + "\r\n", reduced_size


def _checked_media(line: str) -> str:
    if len(line.split()) > MAX_FORMATS or not line.isascii() or not line.isprintable():
        raise _malformed(f"an m-line has at most {MAX_FORMATS} formats, in ASCII")
    return line


def _matters(line: str) -> bool:
    name, _, value = line[2:].partition(":")
    if name == "extmap":
        parts = value.split()
        return len(parts) == 2 and parts[1] in URIS
    if name == "rtpmap":
        return "opus/" in value.lower()
    return name in _ATTRIBUTES


def _media_line(media: MediaDescription) -> MediaLine:
    mid = media.rtp.muxId
    if mid and not _TOKEN.fullmatch(mid):
        raise _malformed("a=mid must be a token of at most 64 characters")
    formats = " ".join(map(str, media.fmt))
    return MediaLine(media.kind, media.profile, formats, mid)


def _choose(session: SessionDescription) -> tuple[int, int]:
    """The first audio line that has Opus and is not switched off: its index, and the payload
    type."""
    audio = [(i, m) for i, m in enumerate(session.media) if m.kind == "audio"]
    if not audio:
        _unusable("an m=audio line is needed")
    for index, media in audio:
        # Port 0 with credentials of its own is bundle-only (RFC 9143 §6), not a rejection.
        live = media.port != 0 or (media.ice and media.ice.usernameFragment)
        payload_type = _opus(media)
        if live and payload_type is not None and media.profile.endswith("TLS/RTP/SAVPF"):
            return index, payload_type
    _unusable("an m=audio line with UDP/TLS/RTP/SAVPF and opus/48000/2 is needed")


def _opus(media: MediaDescription) -> int | None:
    """The payload type of opus/48000/2 in an m-line (RFC 7587 §7)."""
    for codec in media.rtp.codecs:
        payload_type = codec.payloadType or 0
        described = (codec.name.lower(), codec.clockRate, codec.channels)
        if described == ("opus", 48000, 2) and payload_type in media.fmt and payload_type < 128:
            return payload_type
    return None


def _direction(value: str | None) -> Direction:
    for direction in ("sendonly", "recvonly", "inactive"):
        if value == direction:
            return direction
    return "sendrecv"


def _ice(media: MediaDescription) -> IceCredentials:
    ice = media.ice
    if ice is None or ice.usernameFragment is None or ice.password is None:
        _unusable("a=ice-ufrag and a=ice-pwd are needed")
    return checked_credentials(ice.usernameFragment, ice.password)


def _dtls(
    media: MediaDescription,
) -> tuple[Literal["actpass", "active", "passive"], tuple[tuple[str, str], ...]]:
    if media.dtls is None:
        _unusable("a=setup and a=fingerprint are needed: sound is sent by DTLS-SRTP only")
    found = [(f.algorithm.lower(), f.value) for f in media.dtls.fingerprints]
    usable = tuple((name, value) for name, value in found if name in DIGESTS)
    if not usable:
        _unusable(f"a=fingerprint with {', '.join(DIGESTS)} is needed")
    for name, value in usable[: MAX_FINGERPRINTS + 1]:
        if not _HEX.fullmatch(value) or len(value) != DIGESTS[name] * 3 - 1:
            raise _malformed(f"a=fingerprint:{name} must be {DIGESTS[name]} bytes in hex")
    if len(usable) > MAX_FINGERPRINTS:
        raise _malformed(f"it has more than {MAX_FINGERPRINTS} fingerprints")
    setups: dict[str, Literal["actpass", "active", "passive"]] = {
        "auto": "actpass",
        "client": "active",
        "server": "passive",
    }
    return setups[media.dtls.role], usable


def _extensions(media: MediaDescription) -> tuple[tuple[int, str], ...]:
    """Those that we understand; one-byte ids only (RFC 8285 §4.2)."""
    known = [(h.id, h.uri) for h in media.rtp.headerExtensions if 1 <= h.id <= 14]
    return tuple(sorted({uri: (id_, uri) for id_, uri in known}.values()))


def _malformed(message: str) -> ApiError:
    return ApiError(400, "invalid_sdp", f"the offer is not usable SDP: {message}")


def _unusable(message: str) -> NoReturn:
    raise ApiError(422, "unusable_offer", f"the offer does not fit: {message}")
