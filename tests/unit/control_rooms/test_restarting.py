"""ICE restart keeps DTLS and SRTP, and the old credentials for a while."""

from __future__ import annotations

import pytest

from fakes.building import building, run
from voiceroom_mixer.control.service import ApiError
from voiceroom_mixer.control.signalling.sdpfrag import parse_fragment

FRAGMENT = "a=ice-ufrag:newer\r\na=ice-pwd:" + "n" * 24 + "\r\n"


def test_a_restart_answers_new_credentials_under_a_new_etag() -> None:
    async def scenario() -> None:
        async with building() as house:
            joined = await house.join()
            house.key(joined.leg)
            before = house.media.leg(joined.leg)
            answered = await house.rooms.patch_ice("lobby", joined.leg, FRAGMENT, "*")
            after = house.media.leg(joined.leg)
            assert answered is not None
            assert answered.etag == after.etag != before.etag
            assert after.local_ice is not None
            assert parse_fragment(answered.sdp).ufrag == after.local_ice.ufrag
            assert parse_fragment(answered.sdp).candidates == 1
            assert after.previous_ice == before.local_ice
            assert after.remote_ice is not None
            assert after.remote_ice.ufrag == "newer"
            kept = ("leg", "slot", "generation", "ssrc", "srtp", "rtp_epoch")
            assert all(getattr(before, name) == getattr(after, name) for name in kept)
            house.pass_time(29)
            assert house.media.leg(joined.leg).previous_ice is not None
            house.pass_time(2)
            assert house.media.leg(joined.leg).previous_ice is None

    run(scenario)


def test_candidates_need_the_etag_and_change_nothing() -> None:
    async def scenario() -> None:
        async with building() as house:
            joined = await house.join()
            before = house.media.leg(joined.leg)
            trickle = "a=candidate:1 1 udp 1 192.0.2.1 5 typ host\r\n"
            patch = house.rooms.patch_ice
            assert await patch("lobby", joined.leg, trickle, joined.etag) is None
            for if_match, status in ((None, 428), ('"old"', 412)):
                with pytest.raises(ApiError) as caught:
                    await patch("lobby", joined.leg, trickle, if_match)
                assert caught.value.status == status
            assert house.media.leg(joined.leg) == before

    run(scenario)


def test_the_old_etag_is_stale_after_a_restart() -> None:
    async def scenario() -> None:
        async with building() as house:
            joined = await house.join()
            await house.rooms.patch_ice("lobby", joined.leg, FRAGMENT, "*")
            with pytest.raises(ApiError) as caught:
                await house.rooms.patch_ice("lobby", joined.leg, FRAGMENT, joined.etag)
            assert caught.value.status == 412

    run(scenario)


def test_plain_rtp_has_no_ice_and_a_gone_leg_no_resource() -> None:
    async def scenario() -> None:
        async with building() as house:
            made = await house.gateway()
            for leg in (made["id"], "nobody"):
                with pytest.raises(ApiError) as caught:
                    await house.rooms.patch_ice("lobby", leg, FRAGMENT, "*")
                assert caught.value.status == 404

    run(scenario)
