"""The page in real Chromium: people hear each other, and can do what the page offers."""

from __future__ import annotations

from browsers.chromium import Chromiums
from browsers.links import link
from browsers.roompage import UNHEARD_DB, RoomPage
from browsers.tones import tone_db
from harness.mixer import Mixer

ADA_HZ, BOB_HZ = 620, 1170
NAMES = "[...document.querySelectorAll('.person .name')].map((e) => e.textContent).sort().join()"


def two(mixer: Mixer, chromium: Chromiums) -> tuple[RoomPage, RoomPage]:
    """Ada, who moderates, and Bob, both in the call."""
    ada = chromium.person(ADA_HZ).enter(link(mixer, "ada", "moderator"))
    bob = chromium.person(BOB_HZ).enter(link(mixer, "bob"))
    ada.wait_people(2)
    bob.wait_people(2)
    return ada, bob


def test_each_hears_the_other_and_not_itself(mixer: Mixer, chromium: Chromiums) -> None:
    one_link = mixer.links["lobby"][0]
    first = chromium.person(ADA_HZ).enter(one_link, "Ada")
    second = chromium.person(BOB_HZ).enter(one_link, "Bob")
    second.wait_people(2)  # one link, opened twice: two people, each with a name
    for page in (first, second):
        page.tab.wait_for(f"{NAMES} === 'Ada,Bob'")
    at_first = first.wait_tone(BOB_HZ)
    at_second = second.wait_tone(ADA_HZ)
    assert tone_db(at_first, ADA_HZ) < UNHEARD_DB
    assert tone_db(at_second, BOB_HZ) < UNHEARD_DB
    first.tab.wait_for("document.querySelectorAll('.person[data-talking=true]').length === 2")


def test_a_mute_is_heard_and_seen(mixer: Mixer, chromium: Chromiums) -> None:
    ada, bob = two(mixer, chromium)
    ada.wait_tone(BOB_HZ)
    bob.tab.click("#mute")
    ada.wait_tone(BOB_HZ, heard=False)
    ada.tab.wait_for(f"voiceroom.people.find((p) => p.id === '{bob.leg}').muted")
    bob.tab.click("#mute")
    ada.wait_tone(BOB_HZ)


def test_joining_muted_makes_no_sound(mixer: Mixer, chromium: Chromiums) -> None:
    ada = chromium.person(ADA_HZ).enter(link(mixer, "ada"))
    bob = chromium.person(BOB_HZ).open(link(mixer, "bob")).join(muted=True)
    bob.wait_state("live")
    ada.wait_people(2)
    bob.wait_tone(ADA_HZ)
    assert tone_db(ada.heard(1.0), BOB_HZ) < UNHEARD_DB
    ada.tab.wait_for(f"voiceroom.people.find((p) => p.id === '{bob.leg}').muted")


def test_volume_is_for_me_alone(mixer: Mixer, chromium: Chromiums) -> None:
    ada, bob = two(mixer, chromium)
    loud = tone_db(ada.wait_tone(BOB_HZ), BOB_HZ)
    ada.options(bob.leg, ".silence")
    ada.wait_tone(BOB_HZ, heard=False)
    ada.options(bob.leg, ".silence")
    ada.wait_tone(BOB_HZ)
    assert abs(tone_db(ada.heard(1.0), BOB_HZ) - loud) < 3.0
    bob.wait_tone(ADA_HZ)


def test_a_moderator_mutes_one_and_all(mixer: Mixer, chromium: Chromiums) -> None:
    ada, bob = two(mixer, chromium)
    ada.wait_tone(BOB_HZ)
    ada.options(bob.leg, ".options .mute")
    ada.wait_tone(BOB_HZ, heard=False)
    bob.tab.wait_for("document.getElementById('mute').getAttribute('aria-pressed') === 'true'")
    bob.tab.click("#mute")  # whom a moderator has muted may speak again when asked to
    ada.wait_tone(BOB_HZ)
    ada.tab.click("#mute-all")
    ada.wait_tone(BOB_HZ, heard=False)
    bob.tab.wait_for("document.getElementById('mute').disabled")
    bob.wait_tone(ADA_HZ)  # the moderator is still heard
    ada.tab.click("#mute-all")
    ada.wait_tone(BOB_HZ)


def test_who_is_kicked_is_told_and_stays_out(mixer: Mixer, chromium: Chromiums) -> None:
    ada, bob = two(mixer, chromium)
    bobs_link = link(mixer, "bob")
    bob.tab.click("#leave")
    bob.wait_state("ended")
    bob.open(bobs_link).join().wait_state("live")
    ada.wait_people(2)
    ada.options(bob.leg, ".kick")
    ada.options(bob.leg, ".kick")  # once more: really
    bob.wait_state("ended")
    assert bob.notice() == "kicked"
    ada.wait_people(1)
    bob.open(bobs_link).join()
    bob.wait_notice("kicked")
    assert len(ada.people()) == 1


def test_a_reload_comes_back_as_the_same_person(mixer: Mixer, chromium: Chromiums) -> None:
    ada, bob = two(mixer, chromium)
    before = bob.leg
    bob.tab.reload()
    bob.wait_state("live")
    assert bob.leg != before
    ada.tab.wait_for(f"voiceroom.people.some((p) => p.id === '{bob.leg}')")
    ada.wait_people(2)
    ada.wait_tone(BOB_HZ)
    bob.wait_tone(ADA_HZ)


def volume(leg: str) -> str:
    """An expression: how the slider of that person stands."""
    return f"""document.querySelector('.person[data-id="{leg}"] input')?.value"""


def test_volumes_outlive_a_reload_on_either_side(mixer: Mixer, chromium: Chromiums) -> None:
    ada, bob = two(mixer, chromium)
    ada.wait_tone(BOB_HZ)
    ada.options(bob.leg, ".silence")
    ada.wait_tone(BOB_HZ, heard=False)
    bob.tab.reload()
    bob.wait_state("live")
    ada.tab.wait_for(f"{volume(bob.leg)} === '0'")
    ada.wait_tone(BOB_HZ, heard=False)
    ada.tab.reload()
    ada.wait_state("live")
    ada.tab.wait_for(f"{volume(bob.leg)} === '0'")
    ada.wait_tone(BOB_HZ, heard=False)
    ada.options(bob.leg, ".silence")
    ada.wait_tone(BOB_HZ)


def test_leaving_is_seen_at_once_and_may_be_undone(mixer: Mixer, chromium: Chromiums) -> None:
    ada, bob = two(mixer, chromium)
    bob.tab.click("#leave")
    bob.wait_state("ended")
    ada.wait_people(1, timeout_s=3)
    bob.join().wait_state("live")
    ada.wait_people(2)
    ada.wait_tone(BOB_HZ)


def test_a_closed_tab_leaves(mixer: Mixer, chromium: Chromiums) -> None:
    ada, bob = two(mixer, chromium)
    bob.tab.goto("about:blank")
    ada.wait_people(1, timeout_s=5)


def test_moderators_lock_and_unlock(mixer: Mixer, chromium: Chromiums) -> None:
    ada = chromium.person(ADA_HZ).enter(link(mixer, "ada", "moderator"))
    ada.tab.click("#lock")
    ada.tab.wait_for("!document.getElementById('locked').hidden")
    bob = chromium.person(BOB_HZ).open(link(mixer, "bob")).join()
    bob.wait_notice("locked")
    assert bob.state == "idle"
    ada.tab.reload()  # who is in already may come back
    ada.wait_state("live")
    ada.tab.wait_for("!document.getElementById('locked').hidden")
    ada.tab.click("#lock")
    ada.tab.wait_for("document.getElementById('locked').hidden")
    bob.join().wait_state("live")
