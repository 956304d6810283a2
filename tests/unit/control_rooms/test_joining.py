"""Coming in: what is answered, what stands in the rows, who is refused."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from fakes.building import MODERATOR, Building, building, claims, offer, room, run
from fakes.media import CLIENT
from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.control.service import ApiError
from voiceroom_mixer.control.signalling.certificate import Certificate
from voiceroom_mixer.control.signalling.dtls import Callbacks, DtlsSession
from voiceroom_mixer.control.signalling.pacing import INTERVAL_NS, JOIN_WAIT_NS, HandshakePacer
from voiceroom_mixer.core.state import stats
from voiceroom_mixer.core.state.legstate import SrtpKeys
from voiceroom_mixer.core.state.messages import Address, Kind


async def refused(coroutine: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await coroutine
    return caught.value


def test_a_speaker_joins() -> None:
    async def scenario() -> None:
        async with building() as house:
            joined = await house.join(claims("ann"))
            state = house.media.leg(joined.leg)
            assert (state.identity, state.kind, state.sends, state.receives) == (
                ("ann", "webrtc", True, True)
            )
            assert state.jti == "jti-ann"
            assert state.local_ice is not None
            assert f"a=ice-ufrag:{state.local_ice.ufrag}" in joined.sdp
            assert state.remote_ice is not None
            assert state.remote_ice.ufrag == "iUWc"
            assert (state.payload_type, state.level_ext, state.mid) == (111, 1, "0")
            assert joined.etag == state.etag
            assert house.people() == ["ann"]
            assert house.events[0][1] == "joined"
            assert house.events[0][2]["identity"] == "ann"

    run(scenario)


def test_the_same_link_in_two_tabs_is_two_people() -> None:
    async def scenario() -> None:
        async with building() as house:
            first, second = await house.join(claims("ann")), await house.join(claims("ann"))
            assert first.leg != second.leg
            assert house.people() == ["ann", "ann"]
            states = house.media.legs()
            assert len({s.slot for s in states}) == len({s.ssrc for s in states}) == 2
            assert len({s.participant for s in states}) == 2

    run(scenario)


def test_a_listener_never_sends() -> None:
    async def scenario() -> None:
        async with building() as house:
            joined = await house.join(claims("eve", "listener"))
            assert not house.media.leg(joined.leg).sends
            assert "a=sendonly" in joined.sdp

    run(scenario)


def test_hostile_sdp_leaves_no_leg_behind() -> None:
    async def scenario() -> None:
        async with building() as house:
            for text in ("", "v=0\r\nm=audio 9 X 1\r\n", offer().replace("opus", "nopus")):
                error = await refused(
                    house.rooms.join("lobby", claims(), text, mode="whip", replaces=None)
                )
                assert error.status in (400, 422)
            assert house.media.legs() == []
            assert house.rooms.leg_count() == 0
            assert house.events == []

    run(scenario)


def test_refusals_at_the_door() -> None:
    async def scenario() -> None:
        small = room("small", maxParticipants=1)
        async with building(room("lobby", locked=True), small, participants=2) as house:
            assert (await refused(house.join())).code == "locked"
            assert (await refused(house.join(claims(room="attic")))).status == 404
            await house.join(claims("ann", room="small"))
            full = await refused(house.join(claims("bob", room="small")))
            assert (full.status, full.code) == (503, "room_full")
            assert int(full.headers["Retry-After"]) > 0
            wrong = house.rooms.join("small", claims("bob"), offer(), mode="whip", replaces=None)
            assert (await refused(wrong)).status == 403

    run(scenario)


def test_the_pods_limit_counts_all_rooms() -> None:
    async def scenario() -> None:
        async with building(room("lobby"), room("den"), participants=2) as house:
            await house.join(claims("ann"))
            await house.join(claims("bob", room="den"))
            error = await refused(house.join(claims("eve")))
            assert (error.status, error.code) == (503, "pod_full")

    run(scenario)


def test_a_mixer_that_cannot_keep_time_takes_nobody_in_but_who_comes_back() -> None:
    async def scenario() -> None:
        async with building() as house:
            joined = await house.join(claims("ann"))
            level = house.media.link().segment.counters
            level[stats.INDEX["ladder_level"]] = 4
            await house.join(claims("bob"))
            level[stats.INDEX["ladder_level"]] = 5
            error = await refused(house.join(claims("eve")))
            assert (error.status, error.code) == (503, "pod_full")
            assert int(error.headers["Retry-After"]) > 0
            with pytest.raises(ApiError):
                await house.gateway(port=6000)
            again = await house.join(claims("ann"), replaces=joined.leg)
            assert house.media.leg(again.leg).replaces == joined.leg
            level[stats.INDEX["ladder_level"]] = 4
            await house.join(claims("eve"))

    run(scenario)


def test_slots_that_run_out_are_a_full_pod() -> None:
    async def scenario() -> None:
        async with building(room("lobby", maxParticipants=1000), participants=1000) as house:
            slots = house.media.capacity.legs
            for n in range(slots):
                await house.gateway(port=6000 + n)
            assert (await refused(house.join())).code == "pod_full"
            assert len(house.media.legs()) == slots

    run(scenario)


def test_draining_refuses_joins_and_keeps_those_who_are_in() -> None:
    async def scenario() -> None:
        async with building() as house:
            await house.join(claims("ann"))
            house.rooms.begin_drain()
            error = await refused(house.join(claims("bob")))
            assert (error.status, error.code) == (503, "draining")
            assert house.media.segment.word("draining") == 1
            assert house.people() == ["ann"]

    run(scenario)


def test_a_long_row_of_handshakes_closes_the_door() -> None:
    async def scenario() -> None:
        async with building() as house:
            house.rooms.pacer._next_ns = house.clocks.now + JOIN_WAIT_NS + INTERVAL_NS
            error = await refused(house.join())
            assert (error.status, error.code) == (503, "busy")
            house.clocks.now += NS_PER_S
            await house.join()

    run(scenario)


class Browser:
    """The client's half of DTLS, over the fake media and the real UDP socket."""

    def __init__(self, house: Building, answer: str) -> None:
        self._house = house
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.address = Address(CLIENT.ip, self.socket.getsockname()[1])
        line = next(ln for ln in answer.split("\r\n") if ln.startswith("a=fingerprint:"))
        name, value = line.removeprefix("a=fingerprint:").split()
        self.certificate = Certificate.generate(wall_ns=0)
        self.keys: asyncio.Future[SrtpKeys] = asyncio.Future()
        self.ended: asyncio.Future[str] = asyncio.Future()
        self.leg = ""
        self.session = DtlsSession(
            self.certificate,
            ((name, value),),
            self._send,
            HandshakePacer(lambda: 0),
            Callbacks(self.keys.set_result, self.ended.set_result),
            server=False,
        )
        asyncio.get_running_loop().add_reader(self.socket, self._read)

    def _send(self, _to: Address, datagram: bytes) -> bool:
        if self._house.rooms.leg_count():
            payload = self.address.to_bytes() + datagram
            self._house.media.say(Kind.DTLS, self._house.media.leg(self.leg), payload)
        return True

    def _read(self) -> None:
        self.session.feed(CLIENT, self.socket.recv(2048))

    def start(self, leg: str) -> None:
        self.leg = leg
        self.session.nominate(CLIENT)

    def close(self) -> None:
        self.session.close()
        asyncio.get_running_loop().remove_reader(self.socket)
        self.socket.close()


def browser_offer(certificate: Certificate) -> str:
    """Chromium's offer under another certificate."""
    old = next(ln for ln in offer().split("\r\n") if ln.startswith("a=fingerprint"))
    _, value = certificate.fingerprints()[0]
    return offer().replace(old, f"a=fingerprint:sha-256 {value}")


async def connected(house: Building) -> tuple[Browser, str]:
    """A leg with its keys in the row, and the browser at its other end."""
    joined = await house.join()
    browser = Browser(house, joined.sdp)
    await house.rooms.remove_leg("lobby", joined.leg, claims())
    joined = await house.rooms.join(
        "lobby", claims(), browser_offer(browser.certificate), mode="whip", replaces=None
    )
    house.media.look()
    browser.start(joined.leg)
    await browser.keys
    return browser, joined.leg


def test_the_handshake_puts_mirrored_keys_into_the_row() -> None:
    async def scenario() -> None:
        async with building() as house:
            browser, leg = await connected(house)
            ours, theirs = house.media.leg(leg).srtp, browser.keys.result()
            assert ours is not None
            assert (ours.profile, ours.rx, ours.tx) == (theirs.profile, theirs.tx, theirs.rx)
            house.pass_time(31)
            assert house.people() == ["ann"], "the deadline to connect is over"
            browser.close()

    run(scenario)


def test_close_notify_ends_the_leg() -> None:
    async def scenario() -> None:
        async with building() as house:
            browser, _leg = await connected(house)
            browser.session.close()
            while house.people():
                await house.hear_media()
            assert house.events[-1][2]["reason"] == "dtls_closed"
            assert house.media.legs() == []
            browser.close()

    run(scenario)


def test_leaving_says_close_notify() -> None:
    async def scenario() -> None:
        async with building() as house:
            browser, leg = await connected(house)
            await house.rooms.remove_leg("lobby", leg, claims())
            assert await browser.ended == "dtls_closed"
            browser.close()

    run(scenario)


def test_another_certificate_than_offered_ends_the_leg() -> None:
    async def scenario() -> None:
        async with building() as house:
            joined = await house.join()  # with the fingerprint of somebody else
            browser = Browser(house, joined.sdp)
            browser.start(joined.leg)
            while house.people():
                await house.hear_media()
            assert house.events[-1][2]["reason"] == "dtls_failed"
            browser.close()

    run(scenario)


def test_who_never_connects_is_taken_out() -> None:
    async def scenario() -> None:
        async with building() as house:
            await house.join()
            house.pass_time(29)
            assert house.people() == ["ann"]
            house.pass_time(2)
            assert house.people() == []

    run(scenario)


def test_joins_before_webrtc_is_loaded_wait_for_it() -> None:
    async def scenario() -> None:
        async with building() as house:
            joins = [asyncio.create_task(house.join(claims(f"p{n}"))) for n in range(5)]
            await asyncio.gather(*joins)
            assert house.rooms.webrtc.loaded
            assert len(house.people()) == 5

    run(scenario)


def test_a_moderator_may_join_too() -> None:
    async def scenario() -> None:
        async with building() as house:
            joined = await house.join(MODERATOR)
            assert house.media.leg(joined.leg).role == "moderator"

    run(scenario)
