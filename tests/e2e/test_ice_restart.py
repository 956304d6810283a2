"""ICE restart keeps DTLS and SRTP and is not heard, in Chromium and in Firefox: what moves between
pods will stand on. It is asked for as the page does on the event ``move``."""

from __future__ import annotations

import socket
from typing import Any

from browsers.chromium import Chromiums
from browsers.firefox import Firefoxes
from browsers.links import StartMixer, link
from browsers.roompage import RoomPage
from browsers.tones import Pcm, quietest_db, rms_db
from harness.listening import until
from harness.mixer import Mixer, free_port
from harness.tones import RATE

TALKER_HZ, MOVER_HZ = 700, 1230
SETTLE_S = 0.4
"""A recorder needs a moment until what it records is the sound that is there."""
TRIES = 3
AUDIBLE_DIP_DB = 6.0
"""Below the tone's own level, in any 20 ms, this would be heard as a drop-out."""

ELSEWHERE = """(() => {
  const wireless = window.fetch;
  window.fetch = async (path, options) => {
    const answer = await wireless(path, options);
    if (options?.method !== 'PATCH' || !answer.ok || !path.includes('/wh')) return answer;
    const lines = (await answer.text()).split('\\r\\n');
    const others = lines.filter((line) => !line.includes(` ${window.avoided} `));
    const best = others.join('\\r\\n').replace(/ udp \\d+ /, ' udp 2130706431 ');
    return new Response(best, { status: 200, headers: answer.headers });
  };
  return true;
})()"""
"""The restart's answer as another pod would give it: not the address in use, and the new one with
the priority of a first candidate, below which libwebrtc does not look at it."""

PAGE_RESTARTS = "import('/assets/main.js').then((page) => page.restartIce())"


def unbroken(pcm: Pcm) -> float:
    """How far the quietest 20 ms lies below the whole, in dB."""
    return rms_db(pcm) - quietest_db(pcm)


def restart(mover: RoomPage, talker: RoomPage) -> float:
    """Both listen while the mover restarts ICE; the deepest dip that either heard, in dB."""
    for page in (talker, mover):
        page.begin_listening()
    mover.wait_listened(SETTLE_S)
    mover.tab.evaluate(PAGE_RESTARTS)
    mover.wait_state("live")
    heard = [page.end_listening(2.0 + SETTLE_S) for page in (mover, talker)]
    return max(unbroken(pcm[int(SETTLE_S * RATE) :]) for pcm in heard)


def address(page: RoomPage) -> str:
    """Of ours, that the page sends to."""
    return str(page.stats()["remote"]).rsplit(":", 1)[0]


def assert_not_heard(
    mixer: Mixer, mover: RoomPage, talker: RoomPage, *, elsewhere: bool = False
) -> None:
    """One restart in three goes by without a dip in either direction. A restart that is heard is
    heard each time; a browser that is starved of CPU drops out now and then by itself."""
    mover.wait_tone(TALKER_HZ)
    talker.wait_tone(MOVER_HZ)
    shaken, leg = handshakes(mixer), mover.leg
    dips = []
    for tries in range(1, TRIES + 1):
        before, used = mover.stats(), address(mover)
        mover.tab.evaluate(f"window.avoided = '{used}'")
        dips.append(restart(mover, talker))
        after = mover.stats()
        assert after["remoteUfrag"] != before["remoteUfrag"]
        assert after["dtls"] == "connected"
        assert (address(mover) != used) == elsewhere
        assert mover.leg == leg
        assert restarts(mixer, leg) == tries
        if dips[-1] < AUDIBLE_DIP_DB and is_whole(before, after):
            break
    else:
        raise AssertionError(f"each of {TRIES} restarts was heard: dips of {dips} dB")
    assert handshakes(mixer) == shaken


def is_whole(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Nothing lost on the way down, nothing concealed (10 ms may be, for the clocks)."""
    concealed = after["concealedSamples"] - before["concealedSamples"]
    return bool(after["lost"] == before["lost"] and concealed < 480)


def handshakes(mixer: Mixer) -> list[str]:
    """What the mixer has counted of DTLS handshakes."""
    _, text, _ = mixer.call("GET", "/metrics")
    return [ln for ln in text.splitlines() if ln.startswith("voiceroom_dtls_handshakes_total")]


def restarts(mixer: Mixer, leg: str) -> int:
    """As the mixer has counted them for this leg."""
    token = mixer.token("admin")
    _, room, _ = mixer.call("GET", "/debug/rooms/lobby", token)
    return int(next(one["iceRestarts"] for one in room["legs"] if one["id"] == leg))


def assert_answers_checks(mixer: Mixer) -> None:
    """A browser answers the STUN checks of a lite agent as it answers any other."""
    rtts = "voiceroom_stun_rtt_seconds_count"
    until(lambda: mixer.metrics()[rtts] >= 4, what="it answers none of our checks")


def test_chromium(mixer: Mixer, chromium: Chromiums) -> None:
    talker = chromium.person(TALKER_HZ).enter(link(mixer, "talker"))
    mover = chromium.person(MOVER_HZ).enter(link(mixer, "mover"))
    assert_not_heard(mixer, mover, talker)
    assert_answers_checks(mixer)


def test_chromium_towards_another_address(start_mixer: StartMixer, chromium: Chromiums) -> None:
    udp = f"0.0.0.0:{free_port(socket.SOCK_DGRAM)}"
    mixer = start_mixer("--udp", udp, "--advertise", "127.0.0.1", "--advertise", "127.0.0.2")
    talker = chromium.person(TALKER_HZ).enter(link(mixer, "talker"))
    mover = chromium.person(MOVER_HZ).enter(link(mixer, "mover"))
    mover.tab.evaluate(ELSEWHERE)
    assert_not_heard(mixer, mover, talker, elsewhere=True)


def test_firefox(start_mixer: StartMixer, firefox: Firefoxes) -> None:
    # Firefox pairs no loopback address: it is given this machine's own
    mixer = start_mixer("--udp", f"0.0.0.0:{free_port(socket.SOCK_DGRAM)}")
    talker = firefox.person(TALKER_HZ).enter(link(mixer, "talker"))
    mover = firefox.person(MOVER_HZ).enter(link(mixer, "mover"))
    assert_not_heard(mixer, mover, talker)
    assert_answers_checks(mixer)
