"""Which legs end by themselves, in virtual time (contract §5)."""

from __future__ import annotations

import pytest

from fakes.mansion import Mansion, path, rtp_leg, web_leg
from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.core.timing.histogram import histograms
from voiceroom_mixer.media.chores import Chores
from voiceroom_mixer.media.consent import Consent
from voiceroom_mixer.media.delays import Delays
from voiceroom_mixer.media.tolerances import Tolerances

TICK_NS = 100 * NS_PER_MS


class Time:
    """Chores of a mansion, called ten times a second; ``refused`` answers what we send."""

    def __init__(self, mansion: Mansion) -> None:
        self.mansion = mansion
        self.refused: list[bytes] = []
        self.spare_ns = TICK_NS
        counts = histograms(mansion.segment.counters)
        self.chores = Chores(
            mansion.house,
            mansion.legs,
            mansion.board,
            mansion.reports,
            mansion.segment.columns,
            jitter=counts["media_jitter"],
            consent=Consent(mansion.legs, mansion.egress, mansion.board, counts["stun_rtt"]),
            delays=Delays(counts, lambda ns: ns),
            tolerances=Tolerances(mansion.board, lambda _: None, mansion.said.append),
            say=mansion.said.append,
            refused=lambda: list(self.refused),
            idle=lambda _: None,
        )

    def passes(self, seconds: float) -> None:
        for _ in range(round(seconds * NS_PER_S / TICK_NS)):
            self.mansion.now_ns += TICK_NS
            self.chores(self.mansion.now_ns, self.mansion.now_ns + self.spare_ns)


@pytest.fixture
def passing(mansion: Mansion) -> Time:
    return Time(mansion)


def test_a_webrtc_leg_without_a_sign_for_15_s_ends(mansion: Mansion, passing: Time) -> None:
    mansion.put(web_leg())
    passing.passes(14.5)
    assert len(mansion.legs) == 1
    passing.passes(2.0)
    assert len(mansion.legs) == 0
    assert mansion.column("end_reason") == layout.END_TIMEOUT


@pytest.mark.parametrize("sign", ["last_check_ns", "last_rx_ns"])
def test_stun_or_srtp_keeps_a_leg(mansion: Mansion, passing: Time, sign: str) -> None:
    leg = mansion.put(web_leg())
    for _ in range(5):
        passing.passes(10.0)
        setattr(leg, sign, mansion.now_ns)
    assert list(mansion.legs) == [leg]


def test_silence_never_ends_a_gateway(mansion: Mansion, passing: Time) -> None:
    mansion.put(rtp_leg())
    passing.passes(600.0)
    assert len(mansion.legs) == 1


def test_60_s_of_port_unreachable_end_a_gateway(mansion: Mansion, passing: Time) -> None:
    mansion.put(rtp_leg(0, 6_001))
    mansion.put(rtp_leg(1, 6_002))
    passing.refused = [path(6_001)]
    passing.passes(59.0)
    assert len(mansion.legs) == 2
    passing.passes(3.0)
    assert list(mansion.legs.by_slot) == [1]
    assert mansion.column("end_reason") == layout.END_UNREACHABLE


def test_a_gateway_that_is_reachable_now_and_then_stays(mansion: Mansion, passing: Time) -> None:
    mansion.put(rtp_leg(0, 6_001))
    for _ in range(4):
        passing.refused = [path(6_001)]
        passing.passes(50.0)
        passing.refused = []
        passing.passes(8.0)
    assert len(mansion.legs) == 1


def test_port_unreachable_is_no_reason_for_a_webrtc_leg(mansion: Mansion, passing: Time) -> None:
    leg = mansion.put(web_leg())
    mansion.house.select(leg, path(6_001))
    passing.refused = [path(6_001)]
    for _ in range(9):
        passing.passes(10.0)
        leg.last_check_ns = mansion.now_ns
    assert list(mansion.legs) == [leg]
    assert mansion.counted("port_unreachable") > 0


def test_what_can_wait_is_deferred_for_a_second_at_most(mansion: Mansion, passing: Time) -> None:
    leg = mansion.put(rtp_leg())
    passing.chores.defers, passing.spare_ns = True, 8 * NS_PER_MS
    passing.passes(0.1)
    published = []
    for _ in range(30):
        leg.receiver.stream.octets += 1
        passing.passes(0.1)
        published.append(mansion.column("rx_octets"))
    assert len(set(published)) == 4, "once a second, for want of a tick with time to spare"
    passing.spare_ns = 12 * NS_PER_MS
    passing.passes(2.0)
    assert mansion.column("rx_octets") == leg.receiver.stats.rx_octets


def test_a_leg_that_has_gone_does_not_wait(mansion: Mansion, passing: Time) -> None:
    mansion.put(web_leg())
    passing.chores.defers, passing.spare_ns = True, 0
    passing.passes(17.0)
    assert len(mansion.legs) == 0


def test_what_a_jitter_buffer_did_to_hold_its_delay_is_counted_once(
    mansion: Mansion, passing: Time
) -> None:
    leg = mansion.put(rtp_leg())
    did = leg.receiver.counts
    did.shortened_samples, did.repeated_samples, did.cuts = 480, 960, 2
    passing.passes(2.5)
    did.shortened_samples += 48
    passing.passes(2.5)
    assert mansion.counted("jb_shortened_ns") == 11 * NS_PER_MS
    assert mansion.counted("jb_repeated_ns") == 20 * NS_PER_MS
    assert mansion.counted("jb_cuts") == 2


def test_a_row_is_found_without_a_word_from_control(mansion: Mansion, passing: Time) -> None:
    passing.passes(1.0)
    state = rtp_leg()
    mansion.segment.tables["legs"].write(0, state.to_bytes())
    passing.passes(1.1)
    assert len(mansion.legs) == 1
