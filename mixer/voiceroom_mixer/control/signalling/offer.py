"""SDP offers from anywhere: screened, parsed by aiortc, reduced to what an answer needs.

What is malformed is 400 ``invalid_sdp``; what is well-formed but of no use here is 422
``unusable_offer`` with what is needed. Nothing else is ever raised.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Literal, NoReturn

from aiortc.sdp import MediaDescription, SessionDescription

from voiceroom_mixer.control.service import ApiError
from voiceroom_mixer.control.signalling.ice import checked_credentials
from voiceroom_mixer.core.rtp.stamps import CAPTURE_URI, MIX_TIMES_URI
from voiceroom_mixer.core.state.legstate import IceCredentials

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
MAX_LINES: Final = 4000
MAX_MEDIA: Final = 32
MAX_FORMATS: Final = 128
MAX_FINGERPRINTS: Final = 8
LEVEL_URI: Final = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
MIXER_LEVEL_URI: Final = "urn:ietf:params:rtp-hdrext:csrc-audio-level"
URIS: Final = frozenset({LEVEL_URI, MIXER_LEVEL_URI, CAPTURE_URI, MIX_TIMES_URI})
"""Not sdes:mid: a client that was promised it drops our packets, which signal no SSRC and carry
no mid (RFC 8843 §9.2 then finds no m-section by payload type alone in libwebrtc)."""
DIGESTS: Final = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
"""Fingerprint algorithms that can be verified, and the bytes of each."""
_DIRECTIONS: Final = ("sendrecv", "sendonly", "recvonly", "inactive")
_ATTRIBUTES: Final = frozenset(
    ("fingerprint", "ice-ufrag", "ice-pwd", "setup", "group", "mid", "rtcp-mux", *_DIRECTIONS)
)
_TOKEN: Final = re.compile(r"[!#-'*+\-.0-9A-Z^-~]{1,64}")
_DESCRIBED: Final = re.compile(r"a=(?:rtpmap|fmtp):(\d{1,3}) [ -~]{1,256}|a=sctp-port:\d{1,5}")
MAX_DESCRIBED: Final = 3
_HEX: Final = re.compile(r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2})*")


@dataclass(frozen=True, slots=True)
class MediaLine:
    """One m-line as far as an answer has to repeat it."""

    kind: str
    profile: str
    formats: str
    mid: str
    """Empty when the offer has none."""
    described: tuple[str, ...] = ()
    """Attribute lines about its first format."""


@dataclass(slots=True)
class _Section:
    """What aiortc's parser does not keep of one media section."""

    first_format: str
    reduced_size: bool = False
    bundle_only: bool = False
    described: list[str] = field(default_factory=list)

    def note(self, line: str) -> None:
        """One attribute line."""
        self.reduced_size |= line == "a=rtcp-rsize"
        self.bundle_only |= line == "a=bundle-only"
        found = _DESCRIBED.fullmatch(line)
        if found and found[1] in (None, self.first_format) and len(self.described) < MAX_DESCRIBED:
            self.described.append(line)


@dataclass(frozen=True, slots=True)
class Offer:
    """A usable offer."""

    media: tuple[MediaLine, ...]
    audio: int
    """Index of the m-line that becomes the leg; the others are rejected."""
    bundled: bool
    """The audio line is in a BUNDLE group."""
    tag: int | None
    """Index of another m-line, the first of that group, whose transport the audio line shares."""
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

    @property
    def capture_ext(self) -> int:
        """abs-capture-time extension id, of what the client sends; 0 = not offered."""
        return self._extension(CAPTURE_URI)

    @property
    def mix_times_ext(self) -> int:
        """mix-times extension id, of what we send; 0 = not offered."""
        return self._extension(MIX_TIMES_URI)

    def _extension(self, uri: str) -> int:
        return next((id_ for id_, offered in self.extensions if offered == uri), 0)


def parse_offer(text: str) -> Offer:
    """Raises ``ApiError`` 400 ``invalid_sdp`` or 422 ``unusable_offer``, nothing else."""
    screened, sections = _screen(text)
    try:
        session = SessionDescription.parse(screened)
    except Exception as error:
        # aiortc raises whatever the wrong place happens to raise: ValueError, KeyError, an assert.
        raise _malformed("it cannot be parsed as SDP") from error
    lines = tuple(map(_media_line, session.media, sections))
    index, payload_type = _choose(session, sections)
    media = session.media[index]
    group = _bundle(session, lines[index].mid)
    tag = _tag(session, group, index, shared=sections[index].bundle_only)
    # RFC 9143 §7.1.3: a bundle-only section leaves its transport to the first of the group.
    bearer = media if tag is None or _ufrag(media) else session.media[tag]
    if not (media.rtcp_mux or bearer.rtcp_mux):
        _unusable("a=rtcp-mux is needed: there is one port for all")
    setup, fingerprints = _dtls(bearer)
    return Offer(
        media=lines,
        audio=index,
        bundled=bool(group),
        tag=tag,
        payload_type=payload_type,
        direction=_direction(media.direction),
        ice=_ice(bearer),
        fingerprints=fingerprints,
        setup=setup,
        extensions=_extensions(media),
        rtcp_rsize=sections[index].reduced_size,
    )


def _bundle(session: SessionDescription, mid: str) -> list[str]:
    """The mids of the BUNDLE group that this one is in; empty when it is in none."""
    groups = (g for g in session.group if g.semantic == "BUNDLE" and mid in g.items)
    return next(([str(item) for item in group.items] for group in groups), [])


def _tag(session: SessionDescription, group: list[str], audio: int, *, shared: bool) -> int | None:
    """The m-line that the audio's transport belongs to, when that is not the audio itself.

    With bundlePolicy max-bundle there is but one transport, that of the group's first line: its
    credentials stand at the audio as well, or nowhere there.
    """
    mids = [media.rtp.muxId for media in session.media]
    if not group or group[0] == mids[audio] or group[0] not in mids:
        return None
    tag = mids.index(group[0])
    own, its = _ufrag(session.media[audio]), _ufrag(session.media[tag])
    return tag if shared or own in (None, its) else None


def _ufrag(media: MediaDescription) -> str | None:
    return media.ice.usernameFragment if media.ice else None


def _screen(text: str) -> tuple[str, list[_Section]]:
    """Only the lines that matter, so that the parser's work stays small whatever is sent; and
    what it does not keep of each media section."""
    lines = text.splitlines()
    if not lines or lines[0].strip() != "v=0":
        raise _malformed("an SDP offer begins with v=0")
    if len(lines) > MAX_LINES:
        raise _malformed(f"it has more than {MAX_LINES} lines")
    kept = ["v=0"]
    sections: list[_Section] = []
    for line in lines[1:]:
        if line.startswith("m="):
            kept.append(_checked_media(line))
            sections.append(_Section((line.split() + [""] * 4)[3]))
        elif line.startswith("a="):
            if sections:
                sections[-1].note(line)
            if _matters(line):
                kept.append(line)
    if not 1 <= len(sections) <= MAX_MEDIA:
        raise _malformed(f"it needs 1 to {MAX_MEDIA} m-lines")
    return "\r\n".join(kept) + "\r\n", sections


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


def _media_line(media: MediaDescription, section: _Section) -> MediaLine:
    mid = media.rtp.muxId
    if mid and not _TOKEN.fullmatch(mid):
        raise _malformed("a=mid must be a token of at most 64 characters")
    formats = " ".join(map(str, media.fmt))
    described = tuple(section.described)
    return MediaLine(media.kind, media.profile, formats, mid, described)


def _choose(session: SessionDescription, sections: list[_Section]) -> tuple[int, int]:
    """The first audio line that has Opus and is not switched off: its index, and the payload
    type."""
    audio = [(i, m) for i, m in enumerate(session.media) if m.kind == "audio"]
    if not audio:
        _unusable("an m=audio line is needed")
    for index, media in audio:
        # Port 0 is bundle-only (RFC 9143 §6) or has credentials of its own: not a rejection.
        bundle_only = sections[index].bundle_only
        live = media.port != 0 or bundle_only or _ufrag(media)
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
