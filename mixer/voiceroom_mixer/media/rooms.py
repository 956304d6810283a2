"""One room in the media process: control's rows made into a mix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from voiceroom_mixer.codec.base import Encoder
from voiceroom_mixer.core.defend.measures import LEVELS, Measures
from voiceroom_mixer.core.mix.pool import PcmPool
from voiceroom_mixer.core.mix.result import TickResult
from voiceroom_mixer.core.mix.room_mixer import COMPLEXITY, FrameKernels, MixConfig, RoomMixer
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
        self.frame_ms = state.frame_ms
        """Of the frames that are mixed now."""
        self.next_frame_ms = state.frame_ms
        """Of those that it should have."""
        self.measures = LEVELS[0]
        """What is taken away from it."""
        self.mixer = RoomMixer(self._config(), encoder_factory, pool, kernels)
        self.live = True
        """It is mixed here."""
        self.restless = False
        """A move of it is under way: its turn is asked at each frame even with nobody in."""
        self.shift = 0
        """The room's tick less the slot of our grid."""
        self.legs: dict[int, Leg] = {}
        self._slots: dict[str, int] = {}

    def update(self, state: RoomState) -> None:
        """Mute-all, or settings that can change live."""
        before, self.state = self.state, state
        self._configure()
        if before.mute_all != state.mute_all:
            for leg in self.legs.values():
                self._place_source(leg)

    def defend(self, measures: Measures) -> None:
        """Take away so much; another length of frames has to wait for ``reframe``."""
        self.measures = measures
        self.next_frame_ms = max(self.state.frame_ms, measures.min_frame_ms)
        self._configure()

    def reframe(self) -> None:
        """Frames of the next length from the one that is mixed next: it has to begin where both
        lengths have a frame begin, or there would be a hole."""
        self.frame_ms = self.next_frame_ms
        self._configure()

    def _configure(self) -> None:
        config = self._config()
        if config != self.mixer.config:
            self.mixer.configure(config)

    def _config(self) -> MixConfig:
        state, less = self.state, self.measures
        talkers, complexity = state.talkers, COMPLEXITY
        if less.max_talkers is not None:
            talkers = min(talkers or less.max_talkers, less.max_talkers)
        if less.complexity is not None:
            complexity = min(complexity, less.complexity)
        return MixConfig(
            frame_samples=self.frame_ms * 48,
            talkers=talkers,
            bitrate_kbps=state.bitrate_kbps,
            fec=state.fec and less.fec,
            dtx=state.dtx,
            complexity=complexity,
            shared=less.shared_mix,
            passthrough=less.passthrough,
        )

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

    def tick(self, late: Callable[[], bool], collected: Callable[[], None]) -> TickResult:
        """Mix one frame."""
        return self.mixer.tick(late, collected)

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
            loss_ppm=leg.expected_loss_ppm,
            levels=bool(leg.state.mixer_level_ext or leg.state.mix_times_ext),
        )

    def _rehear(self, newcomer: str) -> None:
        """Listeners whose ``hears`` names the newcomer."""
        for leg in self.legs.values():
            if newcomer in leg.state.hears:
                self._place_listener(leg)
