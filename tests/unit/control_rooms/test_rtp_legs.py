"""Plain-RTP legs: the body, the addresses, the conflicts."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.building import MODERATOR, Building, building, claims, room, run
from voiceroom_mixer.control.service import ApiError


async def refused(house: Building, **fields: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await house.gateway(**fields)
    assert house.media.legs() == []
    return caught.value


def test_a_gateway_gets_an_address_of_ours() -> None:
    async def scenario() -> None:
        async with building() as house:
            made = await house.gateway(port=6000, identity="pbx", payloadType=96)
            state = house.media.leg(made["id"])
            assert made == {
                "id": state.leg,
                "ip": "127.0.0.1",
                "port": house.media.udp.getsockname()[1],
                "payloadType": 96,
                "ssrc": state.ssrc,
            }
            assert (state.kind, state.remote_ip, state.remote_port) == ("rtp", "127.0.0.1", 6000)
            assert (state.identity, state.role, state.sends) == ("pbx", "speaker", True)
            assert house.people() == ["pbx"]
            assert house.kinds() == ["joined"]

    run(scenario)


def test_a_listening_gateway_is_never_heard() -> None:
    async def scenario() -> None:
        async with building() as house:
            made = await house.gateway(role="listener")
            assert not house.media.leg(made["id"]).sends

    run(scenario)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"kind": "sip"}, "kind"),
        ({"ip": None}, "ip"),
        ({"ip": "gateway.example"}, "ip"),
        ({"ip": "127.0.0.1%lo"}, "ip"),
        ({"ip": "224.0.0.1"}, "ip"),
        ({"ip": "0.0.0.0"}, "ip"),
        ({"ip": 7}, "ip"),
        ({"port": -1}, "port"),
        ({"port": 65536}, "port"),
        ({"port": "6000"}, "port"),
        ({"port": True}, "port"),
        ({"payloadType": 95}, "payloadType"),
        ({"payloadType": 128}, "payloadType"),
        ({"payloadType": None}, "payloadType"),
        ({"identity": ""}, "identity"),
        ({"identity": "x" * 129}, "identity"),
        ({"identity": "a\nb"}, "identity"),
        ({"role": "moderator"}, "role"),
        ({"role": []}, "role"),
        ({"codec": "opus"}, "codec"),
    ],
)
def test_bad_bodies_name_the_field(fields: dict[str, Any], field: str) -> None:
    async def scenario() -> None:
        async with building() as house:
            error = await refused(house, **fields)
            assert (error.status, error.field) == (422, field)

    run(scenario)


def test_only_where_the_operator_allows_it() -> None:
    async def scenario() -> None:
        async with building() as house:
            error = await refused(house, ip="192.0.2.1")
            assert (error.status, error.code, error.field) == (403, "not_allowed", "ip")
            await house.gateway(ip="::ffff:10.0.0.1")
            assert house.media.legs()[0].remote_ip == "10.0.0.1"

    run(scenario)


def test_ipv6_needs_an_ipv6_socket() -> None:
    async def scenario() -> None:
        async with building() as house:
            error = await refused(house, ip="::1")
            assert (error.status, error.field) == (422, "ip")

    run(scenario)


def test_our_own_port_would_go_in_a_circle() -> None:
    async def scenario() -> None:
        async with building() as house:
            error = await refused(house, port=house.media.udp.getsockname()[1])
            assert (error.status, error.field) == (422, "port")

    run(scenario)


def test_one_address_is_one_leg() -> None:
    async def scenario() -> None:
        async with building() as house:
            first = await house.gateway(port=6000)
            with pytest.raises(ApiError) as caught:
                await house.gateway(port=6000)
            assert (caught.value.status, caught.value.code) == (409, "address_taken")
            await house.gateway(port=6001)
            await house.rooms.remove_leg("lobby", first["id"], MODERATOR)
            await house.gateway(port=6000)

    run(scenario)


def test_latching_legs_are_told_apart_by_payload_type_until_they_have_latched() -> None:
    async def scenario() -> None:
        async with building() as house:
            first = await house.gateway(port=0, payloadType=111)
            await house.gateway(port=0, payloadType=112)
            with pytest.raises(ApiError) as caught:
                await house.gateway(port=0, payloadType=111)
            assert caught.value.status == 409
            low = int.from_bytes(b"\x7f\0\0\1", "big")
            house.media.set(first["id"], address_family=4, address_low=low, address_port=7000)
            await house.gateway(port=0, payloadType=111)
            with pytest.raises(ApiError) as caught:
                await house.gateway(port=7000)
            assert caught.value.status == 409, "the first has latched to that one"

    run(scenario)


def test_a_port_that_a_gateway_is_heard_from_is_taken_as_the_one_that_it_gave() -> None:
    async def scenario() -> None:
        async with building() as house:
            first = await house.gateway(port=6000)
            low = int.from_bytes(b"\x7f\0\0\1", "big")
            house.media.set(first["id"], address_family=4, address_low=low, address_port=7000)
            for port in (6000, 7000):
                with pytest.raises(ApiError) as caught:
                    await house.gateway(port=port)
                assert caught.value.status == 409

    run(scenario)


def test_roles_locks_and_limits_hold_for_gateways_too() -> None:
    async def scenario() -> None:
        async with building(room("lobby", maxParticipants=1)) as house:
            body = {"kind": "rtp", "ip": "127.0.0.1", "port": 1, "payloadType": 111}
            with pytest.raises(ApiError) as caught:
                await house.rooms.add_rtp_leg("lobby", claims("ann"), body)
            assert caught.value.status == 403
            await house.gateway(port=6000)
            with pytest.raises(ApiError) as caught:
                await house.gateway(port=6001)
            assert caught.value.code == "room_full"

    run(scenario)
