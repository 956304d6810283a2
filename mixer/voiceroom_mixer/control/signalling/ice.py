"""ICE credentials, and what a PATCH of a leg's resource means (RFC 8445 §5.3, RFC 9725 §4.3)."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Final, Literal

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.control.service import ApiError
from voiceroom_mixer.control.signalling.sdpfrag import SdpFragment
from voiceroom_mixer.core.state.legstate import IceCredentials

PREVIOUS_NS: Final = 30 * NS_PER_S
"""Credentials from before an ICE restart are answered this long."""
UFRAG_BYTES: Final = 9
PWD_BYTES: Final = 24
_UFRAG: Final = re.compile(r"[A-Za-z0-9+/]{4,256}")
_PWD: Final = re.compile(r"[A-Za-z0-9+/]{22,256}")


def new_credentials(entropy: Callable[[int], bytes]) -> IceCredentials:
    """12 and 32 ice-chars: 72 and 192 random bits. The ufrag is what datagrams are told apart by,
    hence longer than the RFC's 24 bits."""
    return IceCredentials(_ice_chars(entropy(UFRAG_BYTES)), _ice_chars(entropy(PWD_BYTES)))


def _ice_chars(raw: bytes) -> str:
    """Base64 without padding is exactly the alphabet of ice-char; ``raw`` is n * 3 bytes."""
    return base64.b64encode(raw).decode()


def checked_credentials(ufrag: str, pwd: str) -> IceCredentials:
    """Raises ``ApiError`` 400 ``invalid_sdp`` for what is not ice-char or of a wrong length."""
    if not _UFRAG.fullmatch(ufrag):
        raise ApiError(400, "invalid_sdp", "a=ice-ufrag must be 4 to 256 of A-Z a-z 0-9 + /")
    if not _PWD.fullmatch(pwd):
        raise ApiError(400, "invalid_sdp", "a=ice-pwd must be 22 to 256 of A-Z a-z 0-9 + /")
    return IceCredentials(ufrag, pwd)


def new_etag(entropy: Callable[[int], bytes]) -> str:
    """A strong entity tag with its quotes; one for each ICE session."""
    return f'"{entropy(8).hex()}"'


def decide(
    if_match: str | None, etag: str, fragment: SdpFragment, remote: IceCredentials | None
) -> Literal["candidates", "restart"]:
    """What the client wants, by header and credentials.

    Raises ``ApiError``: 428 without If-Match, 412 for a stale one, 400 for half credentials.
    ``*`` with the credentials of the running session is trickling and not a restart.
    """
    if if_match is None:
        raise ApiError(428, "if_match_required", 'send If-Match: the ETag, or "*" for ICE restart')
    tags = [tag.strip() for tag in if_match.split(",")]
    if "*" not in tags and etag not in tags:
        raise ApiError(412, "stale_etag", "the ICE session is another by now: send its ETag")
    if fragment.ufrag is None and fragment.pwd is None:
        return "candidates"
    offered = checked_credentials(fragment.ufrag or "", fragment.pwd or "")
    return "candidates" if offered == remote else "restart"
