"""The wall clock is stepped by an hour, forwards and back, under a mixer in the middle of a call.

It is stepped for every process of the mixer and for nobody else. The kernel's arrival stamps stay
where they were, so that the mixer sees them an hour off: worse than life, and nobody may hear it.
"""

from __future__ import annotations

import itertools
import struct
import time
from pathlib import Path

import pytest

from harness.listening import until, until_heard
from harness.mixer import PATIENT, Mixer
from harness.party import gathering
from harness.rtp import RtpLeg
from harness.wallstep import WallClock, running_on
from harness.webrtc import WebRtcLeg, offer
from voiceroom_mixer.control.auth.keyfile import load
from voiceroom_mixer.control.auth.tokens import sign

HOUR_S = 3600
NTP_EPOCH_S = 2_208_988_800
NEAR_S = 30


def _shown(leg: RtpLeg, wall: WallClock) -> bool:
    """The newest sender report tells the mixer's time."""
    seconds = _ntp_seconds(leg)
    return bool(seconds) and abs(seconds[-1] - time.time() - wall.offset_s) < NEAR_S


def _ntp_seconds(leg: RtpLeg) -> list[float]:
    """Of every sender report (RFC 3550 §6.4.1) that came."""
    found = (struct.unpack_from("!BBHIII", data) for data in list(leg.reports) if len(data) >= 28)
    return [ntp - NTP_EPOCH_S + part / 2**32 for _, kind, _, _, ntp, part in found if kind == 200]


def _join_status(mixer: Mixer, token: str) -> int:
    leg = WebRtcLeg(None)
    leg.close()
    body, kind = offer(leg.ice), "application/sdp"
    return mixer.call("POST", "/rooms/lobby/whip", token, body, Content_Type=kind)[0]


def _short_lived(mixer: Mixer) -> str:
    keys = load(mixer.folder / "voiceroom" / "keys.json")
    return sign(keys, sub="late", room="lobby", role="speaker", now_s=time.time(), ttl_s=1800)


@pytest.mark.timing
def test_nobody_hears_the_wall_clock_step(tmp_path: Path) -> None:
    with running_on(tmp_path, PATIENT) as (mixer, wall), gathering(mixer) as party:
        web, gateway = party.dial(440.0, "web"), party.join(1_100.0, "gateway")
        until_heard(web, 1_100.0)
        until_heard(gateway, 440.0)
        begun = {id(leg): len(leg.heard) for leg in (web, gateway)}
        for offset_s in (HOUR_S, -HOUR_S, 0):
            wall.step_to(offset_s)
            until(lambda: _shown(web, wall), 20.0, "the step is not seen in sender reports")
            until_heard(web, 1_100.0)
            until_heard(gateway, 440.0)
        for leg in (web, gateway):
            heard = leg.heard[begun[id(leg)] :]
            steps = {(b.timestamp - a.timestamp) % 2**32 for a, b in itertools.pairwise(heard)}
            assert steps == {960}, "a frame is missing"
            assert {(b.seq - a.seq) % 2**16 for a, b in itertools.pairwise(heard)} == {1}
        assert {p["id"] for p in party.room()["participants"]} == {web.id, party.id(gateway)}
        assert (web.handshakes, web.refused) == (1, [])


def test_tokens_are_judged_by_the_wall_clock_and_legs_keep_theirs(tmp_path: Path) -> None:
    with running_on(tmp_path, PATIENT) as (mixer, wall), gathering(mixer) as party:
        token = _short_lived(mixer)
        web = WebRtcLeg(440.0).join(mixer, token)
        try:
            wall.step_to(HOUR_S)
            until(lambda: _join_status(mixer, token) == 401, 20.0, "an expired token joins")
            until_heard(party.join(None, "ear"), 440.0)
            web.restart_ice(mixer)
            wall.step_to(-HOUR_S)
            until(lambda: _join_status(mixer, token) == 201, 20.0, "a good token is refused")
            assert mixer.call("DELETE", web.location, token)[0] == 200
        finally:
            web.close()
