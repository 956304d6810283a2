"""What a leg beyond its tolerances gets, and who is asked for another path."""

from __future__ import annotations

import pytest

from fakes.mansion import Mansion, path, rtp_leg, web_leg
from voiceroom_api.units import NS_PER_MS, NS_PER_S, SAMPLES_PER_MS
from voiceroom_mixer.core.mix.encoding import FEC_ON_PPM
from voiceroom_mixer.core.receive.tolerance import EXTRA_MS
from voiceroom_mixer.core.state.legstate import IceCredentials
from voiceroom_mixer.core.state.messages import Kind
from voiceroom_mixer.media.legs import Leg
from voiceroom_mixer.media.tolerances import Tolerances

THEIRS = IceCredentials("theirs", "t" * 24)


class Looks:
    """The tolerances of a mansion's legs, looked at once a second."""

    def __init__(self, mansion: Mansion) -> None:
        self.mansion = mansion
        self.losses: list[tuple[int, int]] = []
        self.tolerances = Tolerances(
            mansion.board,
            lambda leg: self.losses.append((leg.slot, leg.expected_loss_ppm)),
            mansion.said.append,
        )

    def web(self, slot: int = 0) -> Leg:
        """A WebRTC leg on its path."""
        leg = self.mansion.put(web_leg(slot, remote_ice=THEIRS))
        self.mansion.house.select(leg, path(6_000 + slot))
        return leg

    def pass_time(self, seconds: int, *legs: Leg, rtt_ms: int = 0) -> None:
        for _ in range(seconds):
            self.mansion.now_ns += NS_PER_S
            for leg in legs:
                if leg.secure:
                    leg.rtt_ns = rtt_ms * NS_PER_MS
                else:  # of two reports one is new
                    leg.reporting.rtt_ns = rtt_ms * NS_PER_MS + self.mansion.now_ns // NS_PER_S
                self.tolerances.look(leg, self.mansion.now_ns)

    def asked(self) -> list[int]:
        """Slots of the legs whose pages were asked for another path, in order."""
        return [word.slot for word in self.mansion.said if word.kind == Kind.ANOTHER_PATH]

    def acted(self) -> dict[str, int]:
        actions = ("depth", "buffer", "fec", "ice_restart")
        return {action: self.mansion.counted(f"acted_{action}") for action in actions}


@pytest.fixture
def looks(mansion: Mansion) -> Looks:
    return Looks(mansion)


def test_a_leg_that_becomes_far_waits_longer_and_hears_with_fec(looks: Looks) -> None:
    leg = looks.web()
    looks.pass_time(5, leg, rtt_ms=20)
    assert leg.receiver.hold.extra_samples == 0
    looks.pass_time(3, leg, rtt_ms=150)
    assert leg.receiver.hold.extra_samples == EXTRA_MS * SAMPLES_PER_MS
    assert looks.losses == [(0, FEC_ON_PPM)]
    looks.pass_time(31, leg, rtt_ms=20)
    assert leg.receiver.hold.extra_samples == 0
    assert looks.losses == [(0, FEC_ON_PPM), (0, 0)]
    assert looks.acted() == {"depth": 0, "buffer": 1, "fec": 1, "ice_restart": 0}
    assert looks.mansion.counted("breach_network") == 1


def test_more_loss_than_that_is_what_its_reports_say(looks: Looks) -> None:
    leg = looks.web()
    looks.pass_time(5, leg, rtt_ms=20)
    looks.pass_time(3, leg, rtt_ms=150)
    leg.loss_ppm = 90_000
    assert leg.expected_loss_ppm == 90_000


def test_its_page_is_asked_for_another_path_when_it_lasts(looks: Looks) -> None:
    leg = looks.web()
    looks.pass_time(5, leg, rtt_ms=20)
    looks.pass_time(12, leg, rtt_ms=150)
    assert looks.asked() == []
    looks.pass_time(30, leg, rtt_ms=150)
    assert looks.asked() == [0], "once a minute at most"
    assert looks.acted()["ice_restart"] == 1


def test_where_all_are_far_at_once_one_a_second_is_asked(looks: Looks) -> None:
    legs = [looks.web(slot) for slot in range(8)]
    looks.pass_time(5, *legs, rtt_ms=20)
    looks.pass_time(13, *legs, rtt_ms=150)
    assert looks.asked() == [0]
    looks.pass_time(3, *legs, rtt_ms=150)
    assert looks.asked() == [0, 1, 2, 3]


def test_a_gateway_has_no_page_to_ask_and_gets_the_rest(looks: Looks) -> None:
    leg = looks.mansion.put(rtp_leg())
    looks.pass_time(5, leg, rtt_ms=20)
    looks.pass_time(60, leg, rtt_ms=150)
    assert looks.asked() == []
    assert looks.acted()["buffer"] == 1


def test_a_round_trip_that_is_not_new_is_none(looks: Looks) -> None:
    leg = looks.mansion.put(rtp_leg())
    looks.pass_time(5, leg, rtt_ms=20)
    leg.reporting.rtt_ns = 150 * NS_PER_MS
    for _ in range(10):
        looks.mansion.now_ns += NS_PER_S
        looks.tolerances.look(leg, looks.mansion.now_ns)
    assert looks.mansion.counted("breach_network") == 0


def test_a_suspect_is_checked_again_soon(looks: Looks) -> None:
    leg = looks.web()
    leg.check_due_ns = looks.mansion.now_ns + 100 * NS_PER_S
    looks.pass_time(1, leg, rtt_ms=20)
    assert leg.check_due_ns > looks.mansion.now_ns + 50 * NS_PER_S
    looks.pass_time(1, leg, rtt_ms=150)
    assert leg.check_due_ns <= looks.mansion.now_ns + NS_PER_S


def test_on_another_path_nothing_of_the_old_one_counts(looks: Looks) -> None:
    leg = looks.web()
    looks.pass_time(5, leg, rtt_ms=20)
    looks.mansion.house.select(leg, path(7_000))
    looks.pass_time(20, leg, rtt_ms=150)
    assert looks.mansion.counted("breach_network") == 0
