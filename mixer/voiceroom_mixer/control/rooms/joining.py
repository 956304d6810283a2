"""A WebRTC leg comes in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.control.auth import roles
from voiceroom_mixer.control.rooms import views
from voiceroom_mixer.control.rooms.admission import Admission, admit
from voiceroom_mixer.control.rooms.house import House
from voiceroom_mixer.control.rooms.registry import Handshake, Leg, Room
from voiceroom_mixer.control.service import Claims, Joined
from voiceroom_mixer.control.signalling import ice
from voiceroom_mixer.control.signalling.pacing import HandshakePacer
from voiceroom_mixer.control.signalling.webrtc import LazyWebRtc
from voiceroom_mixer.core.state.legstate import LegState, SrtpKeys

if TYPE_CHECKING:
    from voiceroom_mixer.control.signalling.answer import Direct
    from voiceroom_mixer.control.signalling.offer import Offer
    from voiceroom_mixer.control.signalling.stack import WebRtc

CONNECT_NS: Final = 30 * NS_PER_S
"""From the answer to the keys: 15 s for ICE, 15 s for the handshake."""
Mode = Literal["whip", "whep"]


def called(name: str, claims: Claims, inherits: LegState | None) -> dict[str, str]:
    """The note of a name that says more than the token's sub; one who comes back keeps his."""
    chosen = name or (inherits.extra.get("name", "") if inherits else "")
    return {"name": chosen} if chosen not in ("", claims.sub) else {}


class Joining:
    """Answers offers."""

    def __init__(self, house: House, webrtc: LazyWebRtc, pacer: HandshakePacer) -> None:
        self._house = house
        self._webrtc = webrtc
        self._pacer = pacer

    async def join(
        self,
        room: Room,
        claims: Claims,
        text: str,
        *,
        mode: Mode,
        replaces: str | None,
        name: str,
    ) -> Joined:
        """Raises ``ApiError`` of ``admit``, of the offer, 503 ``busy``; then no leg is left."""
        roles.require(claims, mode, room.name)
        self._admit(room, claims, replaces)
        self._pacer.refuse_when_busy()
        webrtc = await self._webrtc.get()
        offer, direction = webrtc.understand(text, mode, claims.role)
        # From here to the leg nothing awaits, so that what is admitted is also there.
        room = self._house.registry.room(room.name)
        admission = self._admit(room, claims, replaces)
        leg = self._create(room, claims, offer, direction, admission, name)
        leg.handshake = self._handshake(webrtc, leg, offer)
        if leg.state.replaces:
            self._house.leaving.make_way(leg)
            self._house.came_back(leg, "rejoins")
        data = views.participant(leg) | {"replaces": leg.state.replaces}
        self._house.publish(room.name, "joined", data)
        return Joined(leg.id, leg.state.etag, self._answer(webrtc, leg, offer, direction))

    def _admit(self, room: Room, claims: Claims, replaces: str | None) -> Admission:
        house = self._house
        now_ns = house.clock.now_ns()
        return admit(house.registry, room, claims, replaces, limit=house.limit, now_ns=now_ns)

    def _create(
        self,
        room: Room,
        claims: Claims,
        offer: Offer,
        direction: Direct,
        admission: Admission,
        name: str,
    ) -> Leg:
        house, (algorithm, fingerprint) = self._house, offer.fingerprints[0]
        leg = house.book.create(
            room,
            claims,
            kind="webrtc",
            identity=claims.sub,
            role=claims.role,
            inherits=admission.inherits,
            sends=direction.sends,
            receives=direction.receives,
            payload_type=offer.payload_type,
            local_ice=ice.new_credentials(house.entropy),
            remote_ice=offer.ice,
            dtls_fingerprint=f"{algorithm} {fingerprint}",
            mid=offer.line.mid,
            level_ext=offer.level_ext,
            mixer_level_ext=offer.mixer_level_ext,
            capture_ext=offer.capture_ext,
            mix_times_ext=offer.mix_times_ext,
            etag=ice.new_etag(house.entropy),
            extra={"bundled": offer.bundled, "twin": house.twin(room).pod}
            | called(name, claims, admission.inherits),
        )
        leg.connect_by_ns = house.clock.now_ns() + CONNECT_NS
        return leg

    def _handshake(self, webrtc: WebRtc, leg: Leg, offer: Offer) -> Handshake:
        house = self._house

        def on_keys(keys: SrtpKeys) -> None:
            leg.connect_by_ns = 0
            house.book.update(leg, srtp=keys)
            house.registry.counters["dtls_connected"] += 1

        def on_end(reason: str) -> None:
            house.registry.counters[reason] += 1
            house.leaving.leave(leg, reason)

        return webrtc.session(offer, leg.link.send_datagram, on_keys, on_end)

    def _answer(self, webrtc: WebRtc, leg: Leg, offer: Offer, direction: Direct) -> str:
        state, house = leg.state, self._house
        assert state.local_ice is not None
        session = int.from_bytes(house.entropy(7), "big")  # fits the 63 bits of RFC 8829 §5.2.1
        candidates = house.twin(leg.room).behind(house.advertised[leg.link.index].candidates)
        return webrtc.answer(offer, direction, state.local_ice, candidates, leg.room.state, session)
