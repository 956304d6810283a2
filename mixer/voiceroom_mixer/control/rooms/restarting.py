"""PATCH of a leg's resource: trickled candidates, and ICE restart (RFC 9725 §4.3).

DTLS and SRTP stay as they are, so a restart is not heard; the old credentials are answered for a
while, because the client goes on with its old path until the new one is chosen.
"""

from __future__ import annotations

from voiceroom_mixer.control.rooms.house import House
from voiceroom_mixer.control.rooms.registry import Leg
from voiceroom_mixer.control.service import ApiError, Joined
from voiceroom_mixer.control.signalling import ice
from voiceroom_mixer.control.signalling.sdpfrag import SdpFragment, build_fragment, parse_fragment


class Restarting:
    """Answers sdpfrags."""

    def __init__(self, house: House) -> None:
        self._house = house

    def patch(self, leg: Leg, text: str, if_match: str | None) -> Joined | None:
        """None after candidates, else the answering fragment. Raises ``ApiError`` 400, 404 for a
        leg without ICE, 412, 428; then nothing has changed."""
        if leg.state.local_ice is None:
            raise ApiError(404, "no_ice", "a plain-RTP leg has no ICE")
        fragment = parse_fragment(text)
        wants = ice.decide(if_match, leg.state.etag, fragment, leg.state.remote_ice)
        return self._restart(leg, fragment) if wants == "restart" else None

    def _restart(self, leg: Leg, fragment: SdpFragment) -> Joined:
        house, before = self._house, leg.state
        fresh, twin = ice.new_credentials(house.entropy), house.twin(leg.room)
        house.book.update(
            leg,
            local_ice=fresh,
            previous_ice=before.local_ice,
            remote_ice=ice.checked_credentials(fragment.ufrag or "", fragment.pwd or ""),
            etag=ice.new_etag(house.entropy),
            ice_restarts=before.ice_restarts + 1,
            extra=before.extra | {"twin": twin.pod},
        )
        leg.previous_ice_until_ns = house.clock.now_ns() + ice.PREVIOUS_NS
        house.came_back(leg, "ice_restarts")
        answer = build_fragment(
            fresh,
            twin.behind(house.advertised[leg.link.index].candidates),
            mid=before.mid,
            payload_type=before.payload_type,
            bundled=bool(before.extra.get("bundled")),
        )
        return Joined(leg.id, leg.state.etag, answer)
