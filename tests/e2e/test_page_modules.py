"""The page's modules by themselves, in a real browser but without a mixer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route

import voiceroom_mixer
from browsers.chromium import ChromiumTab, chromiums

FOLDER = Path(voiceroom_mixer.__file__).parent / "page"
CONTROL = FOLDER.parent / "control"
TYPES = {".js": "text/javascript", ".html": "text/html", ".css": "text/css"}


@pytest.fixture(autouse=True)
def _no_leaked_tasks() -> None:
    """In the place of the check for every test: here the browser, which has tasks, is shared."""


def serve(route: Route) -> None:
    """The page's own files below /assets/, and an empty document for all else."""
    name = route.request.url.rsplit("/", 1)[1]
    if "/assets/" not in route.request.url:
        route.fulfill(body="<!doctype html>", content_type="text/html")
        return
    content_type = TYPES.get(Path(name).suffix, "image/svg+xml")
    route.fulfill(body=(FOLDER / name).read_text(), content_type=content_type)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with chromiums(tmp_path_factory.mktemp("modules")) as browsers:
        tab = browsers.person().tab
        assert isinstance(tab, ChromiumTab)
        tab.page.route("**/*", serve)
        tab.page.goto("http://page.test/")
        yield tab.page


def call(page: Page, module: str, expression: str) -> Any:
    """``expression`` over the names that ``module`` exports, as ``m``."""
    return page.evaluate(f"import('/assets/{module}').then((m) => {expression})")


@pytest.mark.parametrize(
    ("status", "code", "ever_live", "step"),
    [
        (401, "expired_token", True, "refused"),
        (403, "kicked", True, "refused"),
        (403, "locked", False, "refused"),
        (404, "no_room", True, "refused"),
        (422, "invalid_sdp", True, "refused"),
        (503, "room_full", False, "refused"),
        (503, "room_full", True, "lost"),
        (503, "pod_full", False, "lost"),
        (503, "draining", False, "lost"),
        (429, "too_many_requests", False, "lost"),
        (500, "server", True, "lost"),
        (0, "network", False, "lost"),
        (0, "no_media", True, "lost"),
    ],
)
def test_what_a_failure_means(
    page: Page, status: int, code: str, ever_live: bool, step: str
) -> None:
    failure = f"{{status: {status}, code: '{code}', retryAfterS: null}}"
    so_far = f"{{attempt: 0, everLive: {str(ever_live).lower()}, random: 0.5}}"
    assert call(page, "states.js", f"m.verdict({failure}, {so_far}).step") == step


def test_without_media_it_gives_up_after_three_tries(page: Page) -> None:
    failure = "{status: 0, code: 'no_media', retryAfterS: null}"
    so_far = "{attempt: n, everLive: false, random: 0}"
    steps = call(page, "states.js", f"[0, 1, 2].map((n) => m.verdict({failure}, {so_far}).step)")
    assert steps == ["lost", "lost", "refused"]


def test_waits_double_are_bounded_and_spread(page: Page) -> None:
    waits = call(page, "states.js", "[...Array(12).keys()].map((n) => m.backoffMs(n, 1))")
    assert waits[:4] == [400, 800, 1600, 3200]
    assert waits[-1] == 15_000
    assert call(page, "states.js", "m.backoffMs(3, 0)") == 1600


def test_a_wish_of_the_server_to_wait_is_kept(page: Page) -> None:
    failure = "{status: 503, code: 'pod_full', retryAfterS: 7}"
    so_far = "{attempt: 0, everLive: false, random: 1}"
    wait = call(page, "states.js", f"m.verdict({failure}, {so_far}).waitMs")
    assert 7000 <= wait <= 9000


def test_the_table_of_states_is_closed(page: Page) -> None:
    table = call(page, "states.js", "m.TABLE")
    reached = {following for steps in table.values() for following in steps.values()}
    assert reached | {"idle"} == set(table)
    assert all("end" in steps for state, steps in table.items() if state not in ("idle", "ended"))


def test_every_end_and_refusal_has_words(page: Page) -> None:
    """Each code that joining can be refused with, read from the mixer's own source."""
    source = "".join(
        path.read_text()
        for folder in ("rooms", "auth")
        for path in sorted((CONTROL / folder).glob("*.py"))
        if path.stem in ("admission", "registry", "pin", "tokens", "limits")
    )
    codes = set(
        re.findall(r'ApiError\(\s*\d{3}, "(\w+)"|_later\("(\w+)"|, "(\w+_token)"\)', source)
    )
    flat = {code for found in codes for code in found if code} - {"no_leg"}
    assert {"locked", "room_full", "pod_full", "draining", "wrong_pin", "expired_token"} <= flat
    known = set(call(page, "words.js", "Object.keys(m.NOTICES)"))
    assert flat <= known, f"no words for {sorted(flat - known)}"


ANSWER = (
    "v=0\r\no=- 7 9007199254740993 IN IP4 0.0.0.0\r\ns=-\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
    "a=mid:0\r\na=ice-ufrag:old\r\na=ice-pwd:oldpwd\r\n"
    "a=candidate:1 1 udp 2130706431 192.0.2.1 7882 typ host\r\na=end-of-candidates\r\n"
    "a=fingerprint:sha-256 AA\r\na=setup:passive\r\n"
)
FRAGMENT = (
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:new\r\na=ice-pwd:newpwd\r\n"
    "a=candidate:1 1 udp 2130706431 192.0.2.2 7882 typ host\r\n"
)


def test_an_ice_restart_changes_the_answer_only_in_ice(page: Page) -> None:
    sdp = call(page, "sdp.js", f"m.restartedAnswer({ANSWER!r}, {FRAGMENT!r})").split("\r\n")
    assert "o=- 7 9007199254740994 IN IP4 0.0.0.0" in sdp  # exact, beyond a double's integers
    assert [line for line in sdp if "ice-" in line] == ["a=ice-ufrag:new", "a=ice-pwd:newpwd"]
    assert [line for line in sdp if "candidate:" in line] == [
        "a=candidate:1 1 udp 2130706431 192.0.2.2 7882 typ host"
    ]
    assert {"a=fingerprint:sha-256 AA", "a=setup:passive", "a=mid:0"} <= set(sdp)


def test_a_restart_without_candidates_keeps_the_old_ones(page: Page) -> None:
    bare = FRAGMENT.rsplit("a=candidate", 1)[0]
    sdp = call(page, "sdp.js", f"m.restartedAnswer({ANSWER!r}, {bare!r})")
    assert "192.0.2.1 7882" in sdp


def test_ice_servers_of_a_link_header(page: Page) -> None:
    header = (
        '<stun:stun.example.net>; rel="ice-server", <turn:turn.example.net?transport=udp>; '
        'rel="ice-server"; username="us,er"; credential="pass\\"word"; credential-type="password"'
        ', <https://example.net/other>; rel="help"'
    )
    found = call(page, "sdp.js", f"m.iceServersOf({header!r})")
    assert found == [
        {"urls": "stun:stun.example.net"},
        {
            "urls": "turn:turn.example.net?transport=udp",
            "username": "us,er",
            "credential": 'pass"word',
        },
    ]
    assert call(page, "sdp.js", "m.iceServersOf(null)") == []


@pytest.mark.parametrize(("percent", "gain"), [(0, "mute"), (100, None), (200, 6.02), (50, -6.02)])
def test_volumes_in_percent_are_gains_in_db(
    page: Page, percent: int, gain: float | str | None
) -> None:
    assert call(page, "volumes.js", f"m.gainOf({percent})") == gain


def test_volumes_are_kept_carried_and_told(page: Page) -> None:
    steps = """(() => {
      let kept = null;
      const first = new m.Volumes(null, (all) => { kept = all; });
      first.set('ana', 50);
      first.set('bob', 0);
      first.set('eve', 100);
      first.replaced('ana', 'ana-again');
      first.replaced('nobody', 'somebody');
      const later = new m.Volumes(JSON.parse(JSON.stringify(kept)), () => {});
      return [kept, later.of('bob'), later.of('eve'), later.gains(['ana-again', 'bob', 'eve'])];
    })()"""
    kept, bob, eve, gains = call(page, "volumes.js", steps)
    assert kept == {"ana": 50, "bob": 0, "ana-again": 50}
    assert (bob, eve) == (0, 100)
    assert gains == {"ana-again": -6.02, "bob": "mute"}


@pytest.mark.parametrize("saved", ["null", "'text'", "[1]", "{ana: 'loud', bob: -1, eve: 900}"])
def test_what_a_stranger_stored_as_volumes_is_nothing(page: Page, saved: str) -> None:
    seen = call(page, "volumes.js", f"['ana','bob','eve'].map((p) => new m.Volumes({saved}).of(p))")
    assert seen == [100, 100, 100]


def test_not_everybody_who_ever_was_is_remembered(page: Page) -> None:
    steps = """(() => {
      let kept = null;
      const all = new m.Volumes(null, (now) => { kept = now; });
      for (let i = 0; i < 1000; i += 1) all.set(`leg-${i}`, 50);
      return [Object.keys(kept).length, all.of('leg-999'), all.of('leg-0')];
    })()"""
    assert call(page, "volumes.js", steps) == [256, 50, 100]


@pytest.mark.parametrize(
    ("name", "initials"),
    [("Ada Lovelace", "AL"), ("grace.hopper", "GH"), ("bob", "B"), ("李雷", "李"), ("  ", "?")],
)
def test_initials(page: Page, name: str, initials: str) -> None:
    assert call(page, "people.js", f"m.initialsOf({name!r})") == initials


def test_a_token_leaves_the_address_and_lasts_a_reload(page: Page) -> None:
    page.evaluate("history.replaceState(null, '', '/rooms/lobby?token=a.b.c&x=1#y')")
    assert call(page, "token.js", "m.takeToken('lobby')") == "a.b.c"
    assert page.evaluate("location.pathname + location.search + location.hash") == (
        "/rooms/lobby?x=1#y"
    )
    assert call(page, "token.js", "m.takeToken('lobby')") == "a.b.c"
    assert call(page, "token.js", "m.takeToken('attic')") == ""


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "a.!!.c", "a.bnVsbA.c", "a.IlwiIg.c"])
def test_a_strangers_token_has_no_claims(page: Page, token: str) -> None:
    assert call(page, "token.js", f"m.claimsOf({token!r})") == {}
