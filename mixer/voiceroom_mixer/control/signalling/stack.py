"""What needs aiortc's SDP and OpenSSL, in one place: ``signalling.webrtc`` imports it in the
background."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from voiceroom_mixer.control.signalling import answer
from voiceroom_mixer.control.signalling.answer import Direct, Transport
from voiceroom_mixer.control.signalling.candidates import Candidate
from voiceroom_mixer.control.signalling.certificate import kept
from voiceroom_mixer.control.signalling.dtls import Callbacks, DtlsSession, SendTo
from voiceroom_mixer.control.signalling.offer import Offer, parse_offer
from voiceroom_mixer.control.signalling.pacing import HandshakePacer
from voiceroom_mixer.core.state.legstate import IceCredentials, Role, RoomState, SrtpKeys
from voiceroom_mixer.edge.shm import BlobTable


class WebRtc:
    """Offers in, answers and DTLS sessions out, under one certificate."""

    def __init__(self, table: BlobTable, pacer: HandshakePacer) -> None:
        self._certificate = kept(table)
        self._pacer = pacer

    def understand(
        self, text: str, mode: Literal["whip", "whep"], role: Role
    ) -> tuple[Offer, Direct]:
        """A hostile text as an offer of use here. Raises ``ApiError`` 400, 422."""
        offer = parse_offer(text)
        return offer, answer.direct(offer, mode, role)

    def answer(
        self,
        offer: Offer,
        direction: Direct,
        ice: IceCredentials,
        candidates: Sequence[Candidate],
        room: RoomState,
        session: int,
    ) -> str:
        """The SDP answer; DTLS server unless the offer is passive."""
        fingerprints, passive = self._certificate.fingerprints(), offer.setup != "passive"
        transport = Transport(ice, candidates, fingerprints, passive)
        return answer.build_answer(offer, direction, transport, room, session)

    def session(
        self,
        offer: Offer,
        send: SendTo,
        on_keys: Callable[[SrtpKeys], None],
        on_end: Callable[[str], None],
    ) -> DtlsSession:
        """A DTLS association for that offer; ``on_end`` as ``dtls.Callbacks`` says."""
        return DtlsSession(
            self._certificate,
            offer.fingerprints,
            send,
            self._pacer,
            Callbacks(on_keys, on_end),
            server=offer.setup != "passive",
        )
