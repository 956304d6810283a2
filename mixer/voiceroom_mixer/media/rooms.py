"""One room in the media process: control's rows made into a mix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from voiceroom_mixer.codec.base import Encoder
from voiceroom_mixer.core.mix.pool import PcmPool
from voiceroom_mixer.core.mix.room_mixer import FrameKernels, MixConfig, RoomMixer, TickResult
from voiceroom_mixer.core.state.legstate import MUTE, RoomState
from voiceroom_mixer.media.legs import Leg

SLOT_MS: Final = 10


class MediaRoom:
    """Legs of one room and their mixer. Knows leg ids, so that ``hears`` can name them."""

    def __init__(
        self,
        state: RoomState,
        encoder_factory: Callable[[], Encoder],
        pool: PcmPool,
        kernels: FrameKernels | None = None,
    ) -> None:
        """``kernels``: compiled arithmetic, for encoders and decoders of libopus."""
        self.state = state
        self.frame_slots = state.frame_ms // SLOT_MS
        self.mixer = RoomMixer(_config(state), encoder_factory, pool, kernels)
        self.live = True
        """It is mixed here."""
        self.shift = 0
        """The room's tick less the slot of our grid."""
        self.legs: dict[int, Leg] = {}
        self._slots: dict[str, int] = {}

    def update(self, state: RoomState) -> None:
        """Mute-all, or settings that can change live."""
        before, self.state = self.state, state
        if _config(before) != _config(state):
            self.mixer.configure(_config(state))
        if before.mute_all != state.mute_all:
            for leg in self.legs.values():
                self._place_source(leg)

    def add(self, leg: Leg) -> None:
        """A leg joins the mix; others may name it in ``hears`` from now on."""
        assert leg.slot not in self.legs, "legs are keyed by slot: a second never replaces a first"
        self.legs[leg.slot] = leg
        self._slots[leg.state.leg] = leg.slot
        self._place_source(leg)
        self._place_listener(leg)
        self._rehear(leg.state.leg)

    def refresh(self, leg: Leg) -> None:
        """The leg's gains or mutes have changed."""
        self._place_source(leg)
        self._place_listener(leg)

    def remove(self, leg: Leg) -> None:
        """The leg leaves the mix."""
        self.silence(leg)
        self.mixer.remove_listener(leg.slot)
        self.legs.pop(leg.slot, None)
        self._slots.pop(leg.state.leg, None)

    def silence(self, leg: Leg) -> None:
        """The leg is no longer heard (gone, or its replacement speaks)."""
        self.mixer.remove_source(leg.slot)

    def supersede(self, leg: Leg) -> None:
        """The replacing leg's first packet has come: the microphone changes over."""
        slot = self._slots.get(leg.state.replaces)
        if slot is not None and slot in self.legs:
            self.silence(self.legs[slot])

    def tick(self, late: Callable[[], bool]) -> TickResult:
        """Mix one frame."""
        return self.mixer.tick(late)

    def _place_source(self, leg: Leg) -> None:
        if not leg.state.sends:
            self.mixer.remove_source(leg.slot)
            return
        self.mixer.set_source(
            leg.slot,
            leg.receiver,
            participant=leg.state.participant,
            gain_db=leg.state.gain_db,
            muted=not leg.may_be_heard(self.state.mute_all),
        )

    def _place_listener(self, leg: Leg) -> None:
        if not leg.state.receives:
            self.mixer.remove_listener(leg.slot)
            return
        hears = {
            self._slots[other]: 0.0 if gain == MUTE else 10.0 ** (float(gain) / 20.0)
            for other, gain in leg.state.hears.items()
            if other in self._slots
        }
        self.mixer.set_listener(
            leg.slot,
            participant=leg.state.participant,
            hears=hears,
            loss_ppm=leg.loss_ppm,
            levels=bool(leg.state.mixer_level_ext),
        )

    def _rehear(self, newcomer: str) -> None:
        """Listeners whose ``hears`` names the newcomer."""
        for leg in self.legs.values():
            if newcomer in leg.state.hears:
                self._place_listener(leg)


def _config(state: RoomState) -> MixConfig:
    return MixConfig(
        frame_samples=state.frame_ms * 48,
        talkers=state.talkers,
        bitrate_kbps=state.bitrate_kbps,
        fec=state.fec,
        dtx=state.dtx,
    )
