"""What the page says when something is not as it should be, and what it offers then."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from browsers.chromium import PHONE, Chromiums, ChromiumTab, Microphone
from browsers.links import StartMixer, link
from browsers.tones import tone_db
from harness.mixer import LOBBY, Mixer

ADA_HZ, BOB_HZ = 620, 1170
SMALL = LOBBY.replace("spec: {}", "spec: {maxParticipants: 1}")


def test_a_wrong_token(mixer: Mixer, chromium: Chromiums) -> None:
    good = link(mixer, "bob")
    bob = chromium.person(BOB_HZ).open(good[:-6] + "AAAAAA").join()
    bob.wait_notice("invalid_token")
    bob.open(link(mixer, "bob", ttl_s=-7200)).join()
    bob.wait_notice("expired_token")
    bob.open(good).join().wait_state("live")


def test_a_full_room(start_mixer: StartMixer, chromium: Chromiums) -> None:
    mixer = start_mixer(documents=SMALL)
    ada = chromium.person(ADA_HZ).enter(link(mixer, "ada"))
    bob = chromium.person(BOB_HZ).open(link(mixer, "bob")).join()
    bob.wait_notice("room_full")
    ada.tab.click("#leave")
    ada.wait_state("ended")
    bob.join().wait_state("live")


def test_no_such_room(mixer: Mixer, chromium: Chromiums) -> None:
    bob = chromium.person(BOB_HZ)
    bob.open(link(mixer, "bob").replace("/rooms/lobby", "/rooms/attic")).join()
    bob.wait_notice("forbidden")
    bob.open(link(mixer, "bob", room="attic")).join()
    bob.wait_notice("no_room")


@pytest.mark.parametrize(
    ("microphone", "code"), [("refused", "mic_denied"), ("missing", "mic_missing")]
)
def test_without_a_microphone_one_can_listen(
    mixer: Mixer, chromium: Chromiums, microphone: Microphone, code: str
) -> None:
    ada = chromium.person(ADA_HZ).enter(link(mixer, "ada"))
    bob = chromium.person(microphone=microphone).open(link(mixer, "bob")).join()
    bob.wait_notice(code)
    bob.tab.click("#notice-actions button:nth-child(2)")
    bob.wait_state("live")
    bob.wait_tone(ADA_HZ)
    ada.tab.wait_for(f"voiceroom.people.find((p) => p.id === '{bob.leg}')?.muted")


def test_a_listener_link_asks_for_no_microphone(mixer: Mixer, chromium: Chromiums) -> None:
    ada = chromium.person(ADA_HZ).enter(link(mixer, "ada"))
    eve = chromium.person(microphone="refused").open(mixer.links["lobby"][1])
    assert not eve.tab.evaluate("document.getElementById('mic-row').checkVisibility()")
    eve.join().wait_state("live")
    eve.wait_tone(ADA_HZ)
    assert not eve.tab.evaluate("document.getElementById('mute').checkVisibility()")
    ada.tab.wait_for(f"voiceroom.people.find((p) => p.id === '{eve.leg}')?.role === 'listener'")


def test_the_pin_of_a_room(start_mixer: StartMixer, chromium: Chromiums, tmp_path: Path) -> None:
    pin = tmp_path / "pin"
    pin.write_text("27182818\n")
    mixer = start_mixer("--pin", f"lobby={pin}")
    ada = chromium.person(ADA_HZ).enter(link(mixer, "ada"))
    bob = chromium.person(BOB_HZ).open(f"{mixer.base}/rooms/lobby")
    bob.wait_notice("no_token")
    bob.tab.fill("#pin", "31415926")
    bob.join("Bob")
    bob.wait_notice("wrong_pin")
    bob.tab.fill("#pin", "27182818")
    bob.join("Bob").wait_state("live")
    ada.tab.wait_for("voiceroom.people.some((p) => p.identity === 'Bob')")
    ada.wait_tone(BOB_HZ)


def test_a_mixer_that_drains_lets_nobody_else_in(mixer: Mixer, chromium: Chromiums) -> None:
    ada = chromium.person(ADA_HZ).enter(link(mixer, "ada"))
    bob = chromium.person(BOB_HZ).open(link(mixer, "bob"))
    mixer.process.send_signal(signal.SIGTERM)
    ada.tab.wait_for("fetch('/readyz').then((answer) => answer.status === 503)")
    bob.join().wait_notice("draining")
    assert ada.state == "live"
    bob.tab.click("#notice-actions button")
    bob.wait_state("ended")


def test_it_comes_back_by_itself(mixer: Mixer, chromium: Chromiums) -> None:
    ada = chromium.person(ADA_HZ).enter(link(mixer, "ada"))
    bob = chromium.person(BOB_HZ).enter(link(mixer, "bob"))
    ada.wait_tone(BOB_HZ)
    media = mixer.pids()["voiceroom-media"]
    os.kill(media, signal.SIGSTOP)
    try:
        bob.wait_state("reconnecting")
        assert bob.notice() == "lost"
    finally:
        os.kill(media, signal.SIGCONT)
    for page in (bob, ada):
        page.wait_state("live", timeout_s=30)
    ada.wait_people(2, timeout_s=20)
    ada.wait_tone(BOB_HZ)
    bob.wait_tone(ADA_HZ)


def test_the_page_keeps_to_itself(mixer: Mixer, chromium: Chromiums) -> None:
    """No request to another host, no token in the address, no error in the console."""
    ada = chromium.person(ADA_HZ)
    assert isinstance(ada.tab, ChromiumTab)
    asked: list[str] = []
    ada.tab.page.on("request", lambda request: asked.append(request.url))
    ada.enter(link(mixer, "ada"), "Ada")
    ada.wait_people(1)
    assert "token" not in str(ada.tab.evaluate("location.href"))
    assert asked
    assert all(url.startswith((mixer.base, "blob:")) for url in asked), asked
    assert ada.tab.errors == []


def test_by_keyboard_alone(mixer: Mixer, chromium: Chromiums) -> None:
    ada = chromium.person(ADA_HZ).open(link(mixer, "ada"))
    assert isinstance(ada.tab, ChromiumTab)
    keyboard = ada.tab.page.keyboard
    ada.tab.evaluate("document.getElementById('name').focus()")
    keyboard.type("Ada")
    keyboard.press("Enter")
    ada.wait_state("live")
    focused = "document.activeElement.id"
    for _ in range(10):
        keyboard.press("Tab")
        if ada.tab.evaluate(focused) == "mute":
            break
    assert ada.tab.evaluate(focused) == "mute"
    keyboard.press("Space")
    ada.tab.wait_for("document.getElementById('mute').getAttribute('aria-pressed') === 'true'")
    unnamed = "[...document.querySelectorAll('button, input, select')].filter((e) =>"
    unnamed += " e.checkVisibility() && !e.textContent.trim() && !e.ariaLabel && !e.labels?.length)"
    assert ada.tab.evaluate(f"{unnamed}.map((e) => e.outerHTML)") == []


@pytest.mark.parametrize("width", [320, 390])
def test_it_fits_a_phone(mixer: Mixer, chromium: Chromiums, width: int) -> None:
    ada = chromium.person(ADA_HZ, viewport={"width": width, "height": PHONE["height"]})
    too_wide = "document.documentElement.scrollWidth - innerWidth"
    ada.open(link(mixer, "a-long-name-as-directories-give-them@example.org", "moderator"))
    assert ada.tab.evaluate(too_wide) <= 0
    bob = chromium.person(BOB_HZ).enter(link(mixer, "bob"))
    ada.join().wait_state("live")
    ada.wait_people(2)
    ada.tab.click(f'.person[data-id="{bob.leg}"] .more')
    ada.tab.click("#panel summary")
    assert ada.tab.evaluate(too_wide) <= 0


def test_the_panel_tells_how_the_room_keeps_time(mixer: Mixer, chromium: Chromiums) -> None:
    ada = chromium.person(ADA_HZ).enter(link(mixer, "ada"))
    ada.tab.click("#panel summary")
    shown = "Object.fromEntries([...document.querySelectorAll('#figures > div')].map((d) =>"
    shown += " [d.querySelector('dt').textContent, d.querySelector('dd').textContent]))"
    wanted = ("Room late, median", "Room late, p99", "Skipped ticks", "Round trip", "Loss to me")
    known = f"(({json.dumps(wanted)}).every((name) => ({shown})[name] !== '–'))"
    ada.tab.wait_for(known)
    figures = ada.tab.evaluate(shown)
    assert figures["Room late, p99"].endswith(" ms")
    assert figures["Loss to me"] == "0.0 %"
    assert tone_db(ada.heard(0.5), ADA_HZ) < -60
