"""What must hold for any room: nobody hears himself, sums are exact, peaks are held, nothing
leaks."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.arithmetic import both_arithmetics  # noqa: F401 - both, for all tests here
from fakes.rooms import Room, in_time
from fakes.sources import ScriptedSource
from voiceroom_mixer.core.mix.limiter import CEILING, DELAY_SAMPLES, Limiter
from voiceroom_mixer.core.mix.room_mixer import MixConfig
from voiceroom_mixer.core.receive.source import FrameKind, Pcm

PEOPLE = 5
VICTIM = 0
_NOISE = np.random.default_rng(11).uniform(-1.0, 1.0, (PEOPLE + 1, 96_000))

gains_db = st.sampled_from([-60.0, -6.0, 0.0, 5.5])
wishes = st.dictionaries(
    st.integers(0, PEOPLE - 1), st.sampled_from([0.0, 0.3, 1.0, 1.9]), max_size=3
)
levels = st.integers(10, 70)


@st.composite
def changes(draw: st.DrawFn) -> list[tuple[str, int, object]]:
    """What may happen to a room between two frames."""
    kinds = st.sampled_from(["mute", "unmute", "gain", "wish", "level", "gone", "late", "fade"])
    found = []
    for kind in draw(st.lists(kinds, max_size=4)):
        slot = draw(st.integers(0, PEOPLE - 1))
        value = draw({"gain": gains_db, "wish": wishes, "level": levels}.get(kind, st.none()))
        found.append((kind, slot, value))
    return found


def noise(row: int, level: int) -> ScriptedSource:
    return ScriptedSource(lambda n: 0.02 * _NOISE[row, n % 96_000], level=level)


class Script:
    """Plays changes on a room; the same changes give the same room, whatever people say."""

    def __init__(self, talkers: int, victim_row: int) -> None:
        self.room = Room(MixConfig(frame_samples=480, talkers=talkers, dtx=False))
        self.sources = {
            slot: noise(victim_row if slot == VICTIM else slot, 20 + slot) for slot in range(PEOPLE)
        }
        self.gains = dict.fromkeys(range(PEOPLE), 0.0)
        self.late = False
        for slot in range(PEOPLE):
            self._place(slot, muted=False)
            self._listen(slot, {})
        # A second leg of the victim, which only listens.
        self.room.mixer.set_listener(90, participant=f"p{VICTIM}", hears={}, loss_ppm=0)

    def _place(self, slot: int, *, muted: bool) -> None:
        self.room.mixer.set_source(
            slot,
            self.sources[slot],
            participant=f"p{slot}",
            gain_db=self.gains[slot],
            muted=muted,
        )

    def _listen(self, slot: int, hears: dict[int, float]) -> None:
        self.room.mixer.set_listener(slot, participant=f"p{slot}", hears=hears, loss_ppm=0)

    def change(self, kind: str, slot: int, value: object) -> None:
        if kind in ("mute", "unmute"):
            self._place(slot, muted=kind == "mute")
        elif kind == "gain":
            assert isinstance(value, float)
            self.gains[slot] = value
            self._place(slot, muted=False)
        elif kind == "wish":
            assert isinstance(value, dict)
            self._listen(slot, value)
        elif kind == "level":
            assert isinstance(value, int)
            self.sources[slot].level = value
        elif kind == "gone":
            self.room.mixer.remove_source(slot)
        elif kind == "fade":
            self.room.mixer.fade_in()
        else:
            self.late = True

    def play(self, script: list[list[tuple[str, int, object]]]) -> None:
        for happening in script:
            self.late = False
            for kind, slot, value in happening:
                self.change(kind, slot, value)
            self.room.tick((lambda: True) if self.late else in_time)


@settings(max_examples=80)
@given(st.integers(0, 3), st.lists(changes(), min_size=1, max_size=20))
def test_nobody_ever_hears_himself(
    talkers: int, script: list[list[tuple[str, int, object]]]
) -> None:
    """If it does not matter to the bit what the victim says, his voice is not there."""
    one, other = Script(talkers, VICTIM), Script(talkers, PEOPLE)
    one.play(script)
    other.play(script)
    for slot in (VICTIM, 90):
        np.testing.assert_array_equal(one.room.sound(slot), other.room.sound(slot))


@settings(max_examples=60)
@given(
    st.lists(gains_db, min_size=1, max_size=PEOPLE),
    st.lists(wishes, min_size=PEOPLE, max_size=PEOPLE),
)
def test_every_mix_is_the_sum_of_the_others(
    gains: list[float], hears: list[dict[int, float]]
) -> None:
    room = Room(MixConfig(frame_samples=480, talkers=0, dtx=False))
    for slot in range(PEOPLE):
        room.mixer.set_listener(slot, participant=f"p{slot}", hears=hears[slot], loss_ppm=0)
    for slot, gain_db in enumerate(gains):
        room.mixer.set_source(
            slot, noise(slot, 20), participant=f"p{slot}", gain_db=gain_db, muted=False
        )
    room.run(4)
    for listener in range(PEOPLE):
        wanted = np.zeros(1_920)
        for talker, gain_db in enumerate(gains):
            if talker != listener:
                gain = 10 ** (gain_db / 20) * hears[listener].get(talker, 1.0)
                wanted += gain * 0.02 * _NOISE[talker, :1_920]
        got = room.sound(listener)
        steady = slice(960, 1_920)
        delayed = slice(960 - DELAY_SAMPLES, 1_920 - DELAY_SAMPLES)
        np.testing.assert_allclose(got[steady], wanted[delayed], atol=2e-7)


@settings(max_examples=80)
@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.1, 0.9, 1.1, 4.0, 1e3, 1e6]), st.integers(0, 1 << 20)),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from([480, 960, 1920]),
)
def test_the_limiter_never_lets_a_peak_through_nor_clips(
    loudness: list[tuple[float, int]], size: int
) -> None:
    limiter = Limiter()
    sent, got = [], []
    for amplitude, seed in loudness:
        rng = np.random.default_rng(seed)
        burst = rng.uniform(-1, 1, size) * (rng.random(size) < rng.random())
        frame = np.asarray(amplitude * burst, np.float32)
        out = np.empty_like(frame)
        limiter.process(frame, out, float(np.abs(frame).max()))
        sent.append(frame)
        got.append(out)
    before, after = np.concatenate(sent)[:-DELAY_SAMPLES], np.concatenate(got)[DELAY_SAMPLES:]
    assert np.abs(after).max() <= CEILING
    assert (before * after >= 0.0).all()
    assert (np.abs(after) <= np.abs(before)).all()


class Faulty(ScriptedSource):
    """Raises now and then."""

    def pull(self, out: Pcm) -> FrameKind:
        if self.at % 7 == 3:
            raise RuntimeError("broken")
        return super().pull(out)


def test_ten_thousand_random_frames_leak_nothing() -> None:
    rng = np.random.default_rng(2)
    room = Room(MixConfig(frame_samples=480, talkers=2, dtx=True))
    mixer = room.mixer
    for _ in range(10_000):
        slot, what = int(rng.integers(4)), rng.random()
        if what < 0.05:
            kind = Faulty if what < 0.01 else ScriptedSource
            source = kind(lambda n: 0.1 * _NOISE[0, n % 96_000], level=int(rng.integers(10, 128)))
            source.must_decode = bool(what > 0.04)
            mixer.set_source(slot, source, participant=f"p{slot}", gain_db=0.0, muted=what > 0.045)
        elif what < 0.07:
            mixer.remove_source(slot)
        elif what < 0.1:
            mixer.set_listener(slot, participant=f"p{slot}", hears={slot ^ 1: what * 10})
        elif what < 0.12:
            mixer.remove_listener(slot)
        mixer.tick(lambda: rng.random() < 0.1)
        assert room.pool.lent == 0
    assert room.pool.reclaim() == room.pool.leaked == 0
    assert room.pool.misses <= 4
    assert room.pool.hits > 4_000
    assert len(room.encoders) <= 5
    mixer.close()
    assert all(encoder.closed for encoder in room.encoders)
