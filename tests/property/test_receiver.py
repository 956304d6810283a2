"""Any stream of packets, in any order and at any time, leaves a receiver whole and bounded."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.arithmetic import both_arithmetics  # noqa: F401 - both, for all tests here
from fakes.speech import SILENT, START_NS, ToneDecoder, tone_payload
from voiceroom_mixer.core.receive.jitter import MAX_PACKETS
from voiceroom_mixer.core.receive.receiver import Receiver, ReceiverConfig, TickTime

steps = st.lists(
    st.tuples(
        st.sampled_from((1, 1, 1, 1, 0, 2, 7, -1, -3, 300, 5_000, 40_000)),  # of seq
        st.sampled_from((960, 960, 960, 960, 480, 0, -960, 19_200, 1 << 31, 5_000_000)),
        st.integers(0, 60),  # ms until it arrives
        st.sampled_from((b"", SILENT, b"rubbish that no codec takes", None)),
        st.sampled_from((-1, 0, 20, 59, 60, 127)),
        st.booleans(),
        st.sampled_from((1, 1, 1, 1, 1, 2)),  # SSRC
        st.sampled_from(("pull", "pull", "pull", "skip", "none")),
    ),
    min_size=1,
    max_size=120,
)


@settings(max_examples=60)
@given(steps, st.sampled_from(((20, 200), (80, 200), (10, 10))), st.sampled_from((480, 960, 1_920)))
def test_a_receiver_survives_anything(
    packets: list[tuple[int, int, int, bytes | None, int, bool, int, str]],
    bounds: tuple[int, int],
    frame: int,
) -> None:
    tick = TickTime()
    receiver = Receiver(ReceiverConfig(*bounds, frame), ToneDecoder(), 1, tick)
    seq, stamp, now_ns = 65_530, (1 << 32) - 5_000, START_NS
    out = np.empty(frame, np.float32)
    for seq_step, stamp_step, wait_ms, payload, level, voice, ssrc, then in packets:
        seq, stamp = (seq + seq_step) & 0xFFFF, (stamp + stamp_step) & 0xFFFF_FFFF
        now_ns += wait_ms * 1_000_000
        body = tone_payload(stamp) if payload is None else payload
        receiver.push(ssrc, seq, stamp, body, level, voice, now_ns)
        tick.now_ns = now_ns
        if then == "pull":
            receiver.pull(out)
            assert np.isfinite(out).all()
            assert np.abs(out).max() <= 1.6
        elif then == "skip":
            receiver.skip(frame)
        stats = receiver.stats
        assert bounds[0] * 1_000 <= stats.target_us <= bounds[1] * 1_000
        assert abs(stats.skew_ppb) <= 500_000
        assert len(receiver._playout.buffer) <= MAX_PACKETS
        assert 0 <= receiver.level <= 127
    receiver.events()
