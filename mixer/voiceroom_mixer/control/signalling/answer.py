"""The ICE-lite answer (RFC 8829, RFC 9725): one audio stream, everything else rejected.

It signals no SSRC, so that a successor may send under another one, and lists as many candidates
as there are addresses of ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from voiceroom_mixer.control.service import ApiError
from voiceroom_mixer.control.signalling.candidates import Candidate
from voiceroom_mixer.control.signalling.offer import MediaLine, Offer
from voiceroom_mixer.control.signalling.sdpfrag import ice_lines
from voiceroom_mixer.core.state.legstate import IceCredentials, Role, RoomState

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
STREAM: Final = "voiceroom"
TRACK: Final = "mix"
_DIRECTIONS: Final[dict[tuple[bool, bool], Direction]] = {
    (True, True): "sendrecv",
    (True, False): "recvonly",
    (False, True): "sendonly",
    (False, False): "inactive",
}


@dataclass(frozen=True, slots=True)
class Direct:
    """Which ways sound goes: ``sends``: the client may be heard; ``receives``: it hears."""

    sends: bool
    receives: bool

    @property
    def answered(self) -> Direction:
        """The direction attribute of our answer."""
        return _DIRECTIONS[self.sends, self.receives]


def direct(offer: Offer, mode: Literal["whip", "whep"], role: Role) -> Direct:
    """Directions by what is offered, how it came, and the role: a listener never sends, nor does
    a WHEP player. Raises ``ApiError`` 422 ``unusable_offer`` when there would be nothing to do."""
    offers_sound = offer.direction in ("sendrecv", "sendonly")
    wants_sound = offer.direction in ("sendrecv", "recvonly")
    if offer.direction == "inactive":
        raise _nothing("a=inactive: there is nothing to send or to receive")
    if mode == "whep" and not wants_sound:
        raise _nothing("a player's offer is recvonly")
    return Direct(offers_sound and mode == "whip" and role != "listener", wants_sound)


def _nothing(message: str) -> ApiError:
    return ApiError(422, "unusable_offer", f"the offer does not fit: {message}")


@dataclass(frozen=True, slots=True)
class Transport:
    """Our side of the leg's transport."""

    ice: IceCredentials
    candidates: Sequence[Candidate]
    fingerprints: Sequence[tuple[str, str]]
    passive: bool
    """We are DTLS server."""


def build_answer(
    offer: Offer, direction: Direct, transport: Transport, room: RoomState, session: int
) -> str:
    """The SDP answer. ``session``: the number in the o= line, which starts at version 1."""
    lines = ["v=0", f"o=- {session} 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=ice-lite"]
    if offer.bundled:
        group = [offer.media[i].mid for i in (offer.tag, offer.audio) if i is not None]
        lines.append(f"a=group:BUNDLE {' '.join(group)}")
    lines.append(f"a=msid-semantic: WMS {STREAM}")
    for index, line in enumerate(offer.media):
        if index == offer.audio:
            lines += _audio(offer, direction, transport, room)
        elif index == offer.tag:
            lines += _held(line, transport)
        else:
            lines += _rejected(line)
    return "\r\n".join(lines) + "\r\n"


def _rejected(line: MediaLine) -> list[str]:
    """Port 0 (RFC 3264 §6), and not in the BUNDLE group (RFC 9143 §7.3.3)."""
    lines = [f"m={line.kind} 0 {line.profile} {line.formats}", "c=IN IP4 0.0.0.0", "a=inactive"]
    return [*lines, f"a=mid:{line.mid}"] if line.mid else lines


def _held(line: MediaLine, transport: Transport) -> list[str]:
    """The line whose transport the audio goes over: accepted, and nothing flows in it.

    RFC 9143 §7.3.1 lets an answer reject the first line of a group and go by another; Chromium with
    bundlePolicy max-bundle has no other, and refuses such an answer.
    """
    lines = [
        f"m={line.kind} {transport.candidates[0].port} {line.profile} {line.formats.split()[0]}",
        "c=IN IP4 0.0.0.0",
        f"a=mid:{line.mid}",
    ]
    if line.kind != "application":
        lines += ["a=inactive", "a=rtcp-mux"]
    return [*lines, *line.described, *_bearer(transport)]


def _bearer(transport: Transport) -> list[str]:
    """ICE and DTLS."""
    return [
        *ice_lines(transport.ice, transport.candidates),
        *(f"a=fingerprint:{name} {value}" for name, value in transport.fingerprints),
        "a=setup:passive" if transport.passive else "a=setup:active",
    ]


def _audio(offer: Offer, direction: Direct, transport: Transport, room: RoomState) -> list[str]:
    first = transport.candidates[0]
    version = 6 if ":" in first.ip else 4
    lines = [
        f"m=audio {first.port} {offer.line.profile} {offer.payload_type}",
        f"c=IN IP{version} {first.ip}",
        "a=rtcp:9 IN IP4 0.0.0.0",
    ]
    if offer.line.mid:
        lines.append(f"a=mid:{offer.line.mid}")
    lines.append(f"a={direction.answered}")
    if direction.receives:
        lines.append(f"a=msid:{STREAM} {TRACK}")
    lines.append("a=rtcp-mux")
    if offer.rtcp_rsize:
        lines.append("a=rtcp-rsize")
    lines += [f"a=extmap:{id_} {uri}" for id_, uri in offer.extensions]
    lines += _codec(offer.payload_type, room)
    return lines + _bearer(transport)


def _codec(payload_type: int, room: RoomState) -> list[str]:
    """What we like to receive: mono at the room's bitrate, steering the client's encoder."""
    fmtp = (
        f"minptime=10;useinbandfec={int(room.fec)};usedtx={int(room.dtx)};stereo=0"
        f";maxaveragebitrate={room.bitrate_kbps * 1000}"
    )
    return [
        f"a=rtpmap:{payload_type} opus/48000/2",
        f"a=fmtp:{payload_type} {fmtp}",
        f"a=ptime:{room.frame_ms}",
    ]
